"""Answers: JSON as bytes, films as files, problems of our own API in our own form."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.details import details
from filmgate.domain.languages import Language
from filmgate.domain.limits import BUCKET_LINK_LIFE
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json
from filmgate.domain.task import StoredFile, Task
from filmgate.web.content import FilmResponse, RangeBeyondEndError
from filmgate.web.keys import asker, language_for
from filmgate.web.streams import Held, Stream
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import LEFT

_ENDINGS: Final = {
    "video": "mp4", "thumbnail": "webp", "filmstrip": "webp", "poster": "jpg", "spritesheet": "jpg", "first": "mp4",
    "source": "mp4",
}  # fmt: skip
_SHORTEST: Final = timedelta(seconds=1)


def json_answer(status: int, body: Mapping[str, Json], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, dict(headers or {}), media_type="application/json")


def problem_answer(
    problem: Problem, language: str = "en", headers: Mapping[str, str] | None = None
) -> Response:
    """Say a problem in the gate's own form, which `/gate/v1` and `/admin/v1` use."""
    return json_answer(
        problem.wording.status,
        {"error": problem_body(problem, language)},
        {**problem.headers, **(headers or {})},
    )


def problem_body(problem: Problem, language: str) -> dict[str, Json]:
    charged, cost = (problem.parameters.get(name) for name in ("charged_micros", "cost_micros"))
    known = details(
        problem.code, problem.parameters, language, charged_micros=None if charged is None else int(charged)
    )
    more: dict[str, Json] = {} if cost is None else {"cost_micros": cost}
    return {"code": problem.code, "message": problem.text(language), "details": known.as_json() | more}


def language_of(request: Request) -> str:
    """Give the language of our own API's answer: as asked for, else English."""
    return language_asked(request) or "en"


def language_asked(request: Request) -> Language | None:
    """Give the language that a request's reader is answered in; None where nothing says it."""
    return language_for(asker(request), request)


async def named_file_answer(
    request: Request, around: Surroundings, task: Task, file: str, headers: Mapping[str, str]
) -> Response:
    """Answer with a task's file by its name, such as `video.mp4`; raise Problem `not_found` for any other name."""
    role, _, ending = file.partition(".")
    if _ENDINGS.get(role) != ending:
        raise Problem("not_found")
    return await film_answer(request, around, task, role, headers)


async def film_answer(
    request: Request, around: Surroundings, task: Task, role: str, headers: Mapping[str, str]
) -> Response:
    """Answer with a file of an ended task; never a byte before the film was verified and stored."""
    if task.film is None or role not in task.film.files:
        raise Problem("film_absent" if task.state.ended else "film_not_ready", id=task.name)
    file = await around.reader.file(task.film.files[role])
    if file is None:
        raise Problem("film_absent")
    return file_answer(request, around, file, headers)


def file_answer(
    request: Request,
    around: Surroundings,
    file: StoredFile,
    headers: Mapping[str, str],
    left: timedelta | None = None,
) -> Response:
    """Answer with a file; `left` is how long its reader may read, where a link says so."""
    ending = file.object_key.rpartition(".")[2]
    left = left or request.scope.get(LEFT, BUCKET_LINK_LIFE)
    # A page of ours may show what comes from here alone.
    ours = request.headers.get("sec-fetch-site") == "same-origin"
    direct = max(min(left, BUCKET_LINK_LIFE), _SHORTEST) if around.bucket_links and not ours else None
    owner = asker(request)
    whose = f"account {file.account_id}" if owner is None else f"key {owner.key_id}"
    try:
        answer = FilmResponse(request, file, around.objects, f"{file.task_id}.{ending}", headers, direct)
        if request.method == "HEAD":
            return answer
        return Held(answer, around.streams, Stream.CONTENT, whose)
    except RangeBeyondEndError as error:
        reason, reason_zh = f"the file has {error.size_bytes} bytes.", f"文件共 {error.size_bytes} 字节。"
        problem = Problem("range_not_satisfiable", field="Range", reason=reason, reason_zh=reason_zh)
        raise problem.with_headers({"content-range": f"bytes */{error.size_bytes}"}) from None
