"""The newapi dialect: the `veo_3_1-*` models of a New API relay, with its task envelope, in the relay's own Chinese.

Films of one clip are shown flat, films of two in the envelope: a task of the relay around what the model's middleware
says of it. `/v1/video/generations` is the relay's other way in, whose answers have a form of their own.
"""

from collections.abc import Mapping
from typing import Final

from filmgate.dialects.newapi.calls import claims, parse
from filmgate.dialects.newapi.replies import render
from filmgate.dialects.newapi.words import LANGUAGE
from filmgate.dialects.relay_errors import relay_error
from filmgate.domain.contracts import Reply, Route
from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem

__all__ = ["LANGUAGE", "NAME", "NAMES", "OPEN", "ROUTES", "claims", "parse", "render", "render_error"]

NAME: Final = "newapi"
NAMES: Final = {
    "id": "task_{alnum:32}",
    "data": "task_{alnum:32}",
    "remix": "video_{uuid4}",
    "remix_extend": "video_{uuid4}",
}
OPEN: Final[Mapping[str, str]] = {"result": "/v1/videos/{data}/content"}
ROUTES: Final = (
    Route("POST", "/v1/videos", "create"),
    Route("GET", "/v1/videos/{id}", "show"),
    Route("GET", "/v1/videos/{id}/content", "content"),
    Route("GET", "/v1/videos/{id}/result", "result"),
    Route("POST", "/v1/video/generations", "generate"),
    Route("GET", "/v1/video/generations/{id}", "generation"),
)


def render_error(
    problem: Problem, *, strict: bool, verb: str = "", language: Language | None = None
) -> Reply:
    del strict, verb
    return relay_error(problem, language)
