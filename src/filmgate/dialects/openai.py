"""The OpenAI Videos dialect: `/v1/videos`, as the official clients send and read it (openai-python 2.x and 3.x).

Multipart and JSON are both sent for the same call by different versions. All thirteen keys of a video are there,
null where there is nothing; `seconds` is text, times are whole unix seconds.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from filmgate.dialects.openai_errors import CODES, TYPES, OpenAIErrors
from filmgate.dialects.reading import callback, first, metadata, number, pictures, spelled, text
from filmgate.domain.contracts import (
    Accepted,
    Action,
    Call,
    Cancel,
    Content,
    Create,
    Delete,
    Deleted,
    ListModels,
    ListTasks,
    ModelPage,
    Outcome,
    Page,
    Reply,
    Route,
    Show,
    Status,
    TaskView,
    Told,
)
from filmgate.domain.languages import Language
from filmgate.domain.limits import PAGE, PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, Json, NamedSource, SourceKind
from filmgate.domain.states import State

NAME: Final = "openai"
LANGUAGE: Final[Language] = "en"
NAMES: Final = {"id": "video_{hex:48}"}
OPEN: Final[Mapping[str, str]] = {}
ROUTES: Final = (
    Route("POST", "/v1/videos", "create"),
    Route("GET", "/v1/videos", "list"),
    Route("GET", "/v1/videos/{id}", "show"),
    Route("DELETE", "/v1/videos/{id}", "delete"),
    Route("POST", "/v1/videos/{id}/cancel", "cancel"),
    Route("GET", "/v1/videos/{id}/content", "content"),
    Route("POST", "/v1/videos/{id}/remix", "remix"),
    Route("GET", "/v1/models", "models"),
    Route("GET", "/v1/models/{model:path}", "model"),
)

_STATUS: Final = {State.QUEUED: "queued", State.SUCCEEDED: "completed"} | dict.fromkeys(
    (State.FAILED, State.CANCELLED, State.EXPIRED), "failed"
)
_VARIANTS: Final = {"video": "video", "thumbnail": "thumbnail", "spritesheet": "spritesheet"}
_RATIO: Final = ("aspect_ratio", "aspectRatio")
_POLL_AFTER_MS: Final = 1000
_ERRORS: Final = OpenAIErrors(
    language=LANGUAGE,
    types={**TYPES, 404: "not_found_error"},
    codes={**CODES, **dict.fromkeys(("too_many_bodies", "too_many_tests"), "rate_limit_exceeded")},
    # The official clients repeat a 409, which none of these is worth.
    statuses=dict.fromkeys(("model_not_found", "cannot_cancel", "already_ended", "cancel_unconfirmed"), 400),
)
_DIGITS: Final = 4


def claims(call: Call) -> bool:
    """Claim the calls of the official clients."""
    agent = call.headers.get("user-agent", "")
    return "x-stainless-lang" in call.headers or agent.startswith(("OpenAI/", "AsyncOpenAI/"))


def parse(call: Call) -> Action:
    task_id = call.params.get("id", "")
    action: Action = Show(task_id)
    match call.verb:
        case "create":
            action = Create(_draft(call))
        case "remix":
            action = Create(_remix(call))
        case "list":
            action = _list(call)
        case "delete":
            action = Delete(task_id)
        case "cancel":
            action = Cancel(task_id)
        case "content":
            action = Content(task_id, _variant(call))
        case "models" | "model":
            action = ListModels(call.params.get("model"))
    return action


def _draft(call: Call) -> Draft:
    fields, more = call.fields, metadata(call.fields)
    return Draft(
        model=text(fields, "model") or "sora-2",
        prompt=text(fields, "prompt"),
        size=text(fields, "size"),
        aspect_ratio=first({}, more, _RATIO),
        resolution=first({}, more, ("resolution",)),
        seconds=number(fields, "seconds"),
        pictures=pictures(fields, more),
        seed=number(fields, "seed"),
        callback_url=callback(fields, more),
        metadata=more,
        spelled=spelled({}, more, aspect_ratio=_RATIO, resolution=("resolution",)),
    )


def _remix(call: Call) -> Draft:
    """Read a remix: what it does not say, it has from the film that it varies."""
    task_id = call.params["id"]
    return replace(
        _draft(call), model=text(call.fields, "model"), source=NamedSource(SourceKind.REMIX, task_id, "id")
    )


def _list(call: Call) -> ListTasks:
    order, limit = call.query.get("order", "desc"), call.query.get("limit", str(PAGE))
    if order not in {"asc", "desc"}:
        raise Problem(
            "invalid_parameter", field="order", reason="asc or desc is right.", reason_zh="应为 asc 或 desc。"
        )
    if not (limit.isascii() and limit.isdigit() and len(limit) <= _DIGITS and int(limit) <= PAGE_LONGEST):
        reason, reason_zh = f"0 to {PAGE_LONGEST} is right.", f"应为 0 到 {PAGE_LONGEST}。"
        raise Problem("invalid_parameter", field="limit", reason=reason, reason_zh=reason_zh)
    return ListTasks(call.query.get("after") or None, int(limit), newest_first=order == "desc")


def _variant(call: Call) -> str:
    variant = call.query.get("variant", "video")
    if variant not in _VARIANTS:
        allowed = ", ".join(_VARIANTS)
        reason, reason_zh = f"one of {allowed} is right.", f"应为 {allowed} 之一。"
        raise Problem("invalid_parameter", field="variant", reason=reason, reason_zh=reason_zh)
    return _VARIANTS[variant]


def render(outcome: Outcome, *, strict: bool) -> Reply:
    match outcome:
        case Accepted(view, _) | Status(view, _):
            return Reply(200, _video(view, strict=strict), {"openai-poll-after-ms": str(_POLL_AFTER_MS)})
        case Page(views, has_more):
            names = [view.task.name for view in views]
            videos: list[Json] = [_video(view, strict=strict) for view in views]
            ends: dict[str, Json] = {
                "first_id": names[0] if names else None,
                "last_id": names[-1] if names else None,
            }
            page: dict[str, Json] = {"object": "list", "data": videos, "has_more": has_more}
            return Reply(200, page | ends)
        case Deleted(view, cancelled):
            deleted: dict[str, Json] = {"id": view.task.name, "object": "video.deleted", "deleted": True}
            return Reply(200, deleted | ({"cancelled": True} if cancelled and not strict else {}))
        case Told():
            raise ValueError(outcome)
        case ModelPage(models, single):
            cards: list[Json] = [
                {"id": card.name, "object": "model", "created": card.created, "owned_by": card.owner}
                for card in models
            ]
            if single and isinstance(cards[0], dict):
                return Reply(200, cards[0])
            return Reply(200, {"object": "list", "data": cards})


def _video(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task = view.task
    word = _STATUS.get(task.state, "in_progress")
    body: dict[str, Json] = {
        "id": task.name,
        "object": "video",
        "model": task.request.model,
        "status": word,
        "progress": task.progress,
        "created_at": _seconds(task.created_at),
        "completed_at": _seconds(task.ended_at) if word == "completed" else None,
        "expires_at": _seconds(task.content_until),
        "prompt": task.request.prompt,
        "size": str(task.request.size),
        "seconds": str(task.request.seconds),
        "remixed_from_video_id": _remixed(view),
        "error": _failure(view) if word == "failed" else None,
    }
    if not strict:
        body |= {"video_url": view.links.video} if word == "completed" else {}
        body |= {"fail_reason": _reason(view)} if word == "failed" else {}
    return body


def _remixed(view: TaskView) -> str | None:
    source = view.task.request.source
    return source.name if source is not None and source.kind is SourceKind.REMIX else None


def _failure(view: TaskView) -> dict[str, Json]:
    code = view.task.failure.code if view.task.failure else view.task.state.value
    return {"code": "moderation_blocked" if code == "content_refused" else code, "message": _reason(view)}


def _reason(view: TaskView) -> str:
    return view.task.failure.text(view.language or LANGUAGE) if view.task.failure else view.task.state.value


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def render_error(
    problem: Problem, *, strict: bool, verb: str = "", language: Language | None = None
) -> Reply:
    del strict, verb
    return _ERRORS.render(problem, language)
