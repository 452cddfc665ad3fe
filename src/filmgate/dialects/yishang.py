"""The yishang dialect: `POST /v1/videos` and `GET /v1/videos/:task_id`, as the relay's own document writes them.

Its document shows `task_id` and a measured, fractional `seconds`; its clients also read `id`, which the document
omits. Strict keys get the document's fields alone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

from filmgate.dialects.reading import callback, first, metadata, number, pictures, spelled, text
from filmgate.domain.contracts import (
    Accepted,
    Action,
    Call,
    Content,
    Create,
    Fields,
    Outcome,
    Reply,
    Route,
    Show,
    Status,
    TaskView,
    Value,
)
from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, Json, Upload
from filmgate.domain.states import State

NAME: Final = "yishang"
LANGUAGE: Final[Language] = "en"
NAMES: Final = {"id": "task_{alnum:32}"}
OPEN: Final[Mapping[str, str]] = {}
ROUTES: Final = (
    Route("POST", "/v1/videos", "create"),
    Route("GET", "/v1/videos/{id}", "show"),
    Route("GET", "/v1/videos/{id}/content", "content"),
)

_RATIO: Final = ("aspect_ratio", "aspectRatio")
_SUBMITTED: Final = "视频生成任务已提交,正在处理中"
_STATUS: Final = {State.QUEUED: "queued", State.SUCCEEDED: "completed"} | dict.fromkeys(
    (State.FAILED, State.CANCELLED, State.EXPIRED), "failed"
)
_FORMS: Final[dict[str, tuple[int, str, str]]] = {
    "missing_key": (401, "authentication_error", "invalid_api_key"),
    "invalid_key": (401, "authentication_error", "invalid_api_key"),
    "key_expired": (401, "authentication_error", "invalid_api_key"),
    "missing_parameter": (400, "invalid_request_error", "missing_parameter"),
    "prompt_too_long": (400, "invalid_request_error", "prompt_too_long"),
    "model_not_found": (400, "invalid_request_error", "model_not_supported"),
    "picture_denied": (400, "invalid_request_error", "invalid_image_url"),
    "picture_unreachable": (400, "invalid_request_error", "invalid_image_url"),
    "picture_unusable": (400, "invalid_request_error", "invalid_image_format"),
    "picture_too_large": (400, "invalid_request_error", "invalid_image_format"),
    "content_refused": (400, "invalid_request_error", "content_policy_violation"),
    "makes_no_films": (403, "permission_error", "permission_denied"),
    "task_not_found": (404, "not_found_error", "task_not_found"),
    "film_not_ready": (404, "not_found_error", "video_not_ready"),
    "film_absent": (404, "not_found_error", "video_not_found"),
    "too_many_failures": (429, "rate_limit_error", "rate_limit_exceeded"),
    "rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
    "too_many_tasks": (429, "rate_limit_error", "rate_limit_exceeded"),
    "too_many_bodies": (429, "rate_limit_error", "rate_limit_exceeded"),
    "insufficient_balance": (403, "permission_error", "insufficient_quota"),
    "budget_exceeded": (403, "permission_error", "insufficient_quota"),
    "max_cost_exceeded": (403, "permission_error", "insufficient_quota"),
    "internal_error": (500, "server_error", "internal_error"),
}
_WORDS: Final = {
    "missing_key": "Invalid API key provided",
    "invalid_key": "Invalid API key provided",
    "key_expired": "Invalid API key provided",
    "insufficient_balance": "Insufficient quota",
    "budget_exceeded": "Insufficient quota",
    "rate_limited": "Rate limit exceeded",
    "too_many_tasks": "Rate limit exceeded",
    "task_not_found": "Task not found",
    "internal_error": "Internal server error",
}
_CHINESE: Final = dict.fromkeys(("missing_key", "invalid_key", "key_expired"), "无效的令牌") | dict.fromkeys(
    ("insufficient_balance", "budget_exceeded"), "{text}"
)
_TOLD_IN_FULL: Final = frozenset({"rate_limited", "too_many_tasks"})
_TYPES: Final = {404: "not_found_error", 429: "rate_limit_error"}
_SERVER_ERROR: Final = 500


def claims(call: Call) -> bool:
    """Claim nothing: this dialect speaks where no other does."""
    del call
    return False


def parse(call: Call) -> Action:
    match call.verb:
        case "create":
            return Create(_draft(call))
        case "content":
            return Content(
                call.params["id"], "thumbnail" if call.query.get("variant") == "thumbnail" else "video"
            )
        case _:
            return Show(call.params["id"])


def _draft(call: Call) -> Draft:
    # The document's table has `seconds` twice: as text, and as a file, which is a picture for the film to start from.
    said = call.fields.get("seconds")
    both = said if isinstance(said, list) else [said]
    if sum(not isinstance(one, Upload) for one in both) > 1:
        reason, reason_zh = "one number is right.", "应为一个数字。"
        raise Problem("invalid_parameter", field="seconds", reason=reason, reason_zh=reason_zh)
    written: Fields = {
        **call.fields,
        "seconds": next((one for one in both if not isinstance(one, Upload)), None),
    }
    files: list[Value] = [one for one in both if isinstance(one, Upload)]
    more = metadata(written)
    return Draft(
        model=text(written, "model"),
        prompt=text(written, "prompt"),
        size=text(written, "size"),
        aspect_ratio=first(written, more, _RATIO),
        resolution=first(written, more, ("resolution",)),
        seconds=number(written, "seconds") or number(written, "duration"),
        pictures=pictures({**written, "seconds": cast("Value", files)}, more, "seconds"),
        seed=number(written, "seed"),
        callback_url=callback(written, more),
        metadata=more,
        spelled=spelled(written, more, seconds=("seconds", "duration"), aspect_ratio=_RATIO),
    )


def render(outcome: Outcome, *, strict: bool) -> Reply:
    match outcome:
        case Accepted(view, _):
            return Reply(200, _submitted(view, strict=strict))
        case Status(view, _):
            return Reply(200, _status(view, strict=strict))
        case _:
            raise ValueError(outcome)


def _submitted(view: TaskView, *, strict: bool) -> dict[str, Json]:
    word = _STATUS.get(view.task.state, "processing")
    body: dict[str, Json] = {"task_id": view.task.name, "status": word, "message": _SUBMITTED}
    if not strict:
        body |= _more(view) | {
            "progress": view.task.progress,
            "created_at": int(view.task.created_at.timestamp()),
        }
        body["seconds"] = str(view.task.request.seconds)
    return body


def _status(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task = view.task
    word = _STATUS.get(task.state, "processing")
    body: dict[str, Json] = {"task_id": task.name, "status": word}
    match word:
        case "queued":
            body |= {"progress": 0, "message": _SUBMITTED}
        case "processing":
            body |= {"progress": task.progress, "message": f"视频生成中,已完成{task.progress}%"}
        case "completed":
            body |= _completed(view)
        case _:
            body["error"] = _error(view)
    if not strict:
        body |= _more(view)
        body |= {"url": view.links.video} if word == "completed" else {}
        body |= {"progress": task.progress, "fail_reason": _reason(view)} if word == "failed" else {}
    return body


def _more(view: TaskView) -> dict[str, Json]:
    """Give what clients of this wire read although its document omits it."""
    return {"id": view.task.name, "object": "video", "model": view.task.request.model}


def _completed(view: TaskView) -> dict[str, Json]:
    task, film = view.task, view.task.film
    if film is None or task.ended_at is None:
        raise ValueError(task.id)
    return {
        "progress": 100,
        "video_url": view.links.video,
        "thumbnail_url": view.links.poster,
        "seconds": round(film.facts.seconds, 3),
        "width": film.facts.width,
        "height": film.facts.height,
        "file_size": film.facts.size_bytes,
        "created_at": _moment(task.created_at),
        "completed_at": _moment(task.ended_at),
    }


def _error(view: TaskView) -> dict[str, Json]:
    code = view.task.failure.code if view.task.failure else "cancelled"
    return {"message": _reason(view), "code": _FORMS[code][2] if code in _FORMS else code}


def _reason(view: TaskView) -> str:
    return view.task.failure.text(view.language or LANGUAGE) if view.task.failure else view.task.state.value


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def render_error(
    problem: Problem, *, strict: bool, verb: str = "", language: Language | None = None
) -> Reply:
    del verb
    status = problem.wording.status
    default = "server_error" if status >= _SERVER_ERROR else _TYPES.get(status, "invalid_request_error")
    status, kind, code = _FORMS.get(problem.code, (status, default, problem.code))
    error: dict[str, Json] = {
        "message": _message(problem, language or LANGUAGE, strict=strict),
        "type": kind,
        "code": code,
    }
    return Reply(status, {"error": error})


def _message(problem: Problem, language: Language, *, strict: bool) -> str:
    """Say it in the document's own words, with the Chinese ones that known clients look for, or read, behind them."""
    words = _WORDS.get(problem.code)
    if problem.code == "missing_parameter":
        words = f"{problem.field} field is required"
    if words is None:
        return problem.text(language)
    if strict:
        return words
    if language == "zh":
        return f"{words} ({_CHINESE.get(problem.code, '{text}').format(text=problem.text('zh'))})"
    if problem.code in _TOLD_IN_FULL:
        return problem.text(language)
    chinese = _CHINESE.get(problem.code, "")
    return f"{words} ({chinese.format(text=problem.text('zh'))})" if chinese else words
