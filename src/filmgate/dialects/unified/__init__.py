"""The unified dialect: `POST /v1/video/create`, `GET /v1/video/query`, and its older way in, a chat.

Relays of one family write it alike under several paths. A task's answer holds the upstream record whole, as `detail`.
"""

from collections.abc import Mapping
from typing import Final

from filmgate.dialects.openai_errors import OpenAIErrors
from filmgate.dialects.relay_errors import relay_error
from filmgate.dialects.unified.body import TASK, draft, extension
from filmgate.dialects.unified.messages import conversation
from filmgate.dialects.unified.tasks import submitted, task_record
from filmgate.dialects.unified.telling import chunks, completion
from filmgate.domain.contracts import (
    Accepted,
    Action,
    Call,
    Create,
    Outcome,
    Reply,
    Route,
    Show,
    Status,
    Told,
)
from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem

__all__ = [
    "LANGUAGE",
    "NAME",
    "NAMES",
    "OPEN",
    "ROUTES",
    "chunks",
    "claims",
    "parse",
    "render",
    "render_error",
]

NAME: Final = "unified"
LANGUAGE: Final[Language] = "zh"
NAMES: Final = {"id": "{model}:{unix}-{base64url:10}"}
OPEN: Final[Mapping[str, str]] = {"raw": "/source/{id}", "page": "/watch/{id}"}
ROUTES: Final = (
    Route("POST", "/v1/video/create", "create"),
    Route("POST", "/veo/v1/video/create", "create"),
    Route("POST", "/veo/v1/videos/generations", "create"),
    Route("POST", "/v1/video/extend", "extend", marks=TASK),
    Route("GET", "/v1/video/query", "show"),
    Route("GET", "/v1/video/query/{id:path}", "show"),
    Route("GET", "/veo/v1/video/query", "show"),
    Route("GET", "/veo/v1/video/query/{id:path}", "show"),
    Route("POST", "/v1/chat/completions", "chat", marks=("messages",)),
)
_CHAT_ERRORS: Final = OpenAIErrors(language=LANGUAGE)


def claims(call: Call) -> bool:
    """Claim nothing: nobody else speaks on these paths."""
    del call
    return False


def parse(call: Call) -> Action:
    match call.verb:
        case "create":
            return Create(draft(call.fields))
        case "extend":
            return Create(extension(call.fields))
        case "chat":
            return conversation(call.fields)
        case _:
            return Show(_id(call))


def _id(call: Call) -> str:
    found = call.params.get("id") or call.query.get("id") or call.query.get("task_id")
    if not found:
        raise Problem("missing_parameter", field="id")
    return found


def render(outcome: Outcome, *, strict: bool) -> Reply:
    match outcome:
        case Accepted(view, _):
            return Reply(200, submitted(view, strict=strict))
        case Status(view, _):
            return Reply(200, task_record(view, strict=strict))
        case Told(view, language):
            return Reply(200, completion(view, language))
        case _:
            raise ValueError(outcome)


def render_error(
    problem: Problem, *, strict: bool, verb: str = "", language: Language | None = None
) -> Reply:
    del strict
    return _CHAT_ERRORS.render(problem, language) if verb == "chat" else relay_error(problem, language)
