"""The relay's task around the middleware's film: `data` is what the middleware says of it."""

from typing import Final

from filmgate.dialects.newapi.words import (
    extends,
    extension_failed,
    fault,
    in_two_clips,
    reason,
    unix,
    word,
)
from filmgate.domain.contracts import TaskView
from filmgate.domain.request import Json, PictureRole
from filmgate.domain.states import State
from filmgate.domain.task import Task

_STATUS: Final = {
    "queued": "SUBMITTED",
    "processing": "IN_PROGRESS",
    "completed": "SUCCESS",
    "failed": "FAILURE",
}
_PLATFORM: Final = "1"
_CHANNEL: Final = 1
_QUOTA: Final = 500_000
"""What the relay counts for a dollar."""
_DOLLAR_MICROS: Final = 1_000_000
_HALF: Final = 50


def envelope(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task = view.task
    charged = task.hold_micros if task.cost_micros is None else task.cost_micros
    model = task.request.model
    body: dict[str, Json] = {
        "id": task.number,
        "created_at": unix(task.created_at),
        "updated_at": unix(task.changed_at),
        "task_id": task.name,
        "platform": _PLATFORM,
        "user_id": task.account_id,
        "channel_id": _CHANNEL,
        "quota": charged * _QUOTA // _DOLLAR_MICROS,
        "action": _action(task),
        "status": _STATUS[word(task)],
        **_ending(view),
        "submit_time": unix(task.created_at),
        "start_time": unix(task.started_at),
        "finish_time": unix(task.ended_at),
        "progress": f"{_progress(task)}%",
        "properties": {"upstream_model_name": model, "origin_model_name": model},
        "data": _data(view, strict=strict),
    }
    return body if strict else body | found(view)


def found(view: TaskView) -> dict[str, Json]:
    """Give what most clients look for at the top once a task has ended."""
    match word(view.task):
        case "completed":
            return {"url": view.links.video, "video_url": view.links.video}
        case "failed":
            return {"error": fault(view)}
        case _:
            return {}


def _ending(view: TaskView) -> dict[str, Json]:
    """Say how it ended; the field for the reason of a failure holds the film's address on success."""
    match word(view.task):
        case "completed":
            address = view.links.open.get("result", view.links.video)
            return {"fail_reason": address, "result_url": address}
        case "failed":
            return {"fail_reason": reason(view)}
        case _:
            return {"fail_reason": ""}


def _action(task: Task) -> str:
    roles = {picture.role for picture in task.request.pictures}
    if task.request.source is not None:
        return "remixGenerate"
    if PictureRole.REFERENCE in roles:
        return "referenceGenerate"
    if PictureRole.LAST in roles or "fl" in task.request.model.split("-"):
        return "firstTailGenerate"
    return "generate" if roles else "textGenerate"


def _progress(task: Task) -> int:
    """Give the progress; a failure stands at the beginning of the clip that could not be made."""
    if word(task) != "failed":
        return task.progress
    return _HALF if extension_failed(task) else 0


def _data(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task = view.task
    body: dict[str, Json] = {
        "id": task.names.get("data", task.name),
        "model": task.request.model,
        "object": "video",
        "status": word(task),
        "progress": _progress(task),
        "created_at": unix(task.created_at),
        **_handles(task),
    }
    match word(task):
        case "completed":
            body |= {"completed_at": unix(task.ended_at), "video_url": view.links.video}
            if view.links.first is not None:
                body["first_video_url"] = view.links.first
        case "failed":
            body["error"] = fault(view)
            if extension_failed(task) and view.links.video is not None:
                body["video_url"] = view.links.video
    return body if strict else body | _more(task)


def _handles(task: Task) -> dict[str, Json]:
    """Name the two clips, each from when it was sent on; by the first of them the second can be made again."""
    if not in_two_clips(task) or task.state in {State.QUEUED, State.PREPARING}:
        return {}
    source = task.request.source
    # The first clip of an extension is another film's, and keeps its name.
    first = source.name if source is not None and extends(task) else task.names.get("remix")
    second = task.names.get("remix_extend") if _extension_begun(task) else None
    named = {"remix_id": first, "remix_id_extend": second}
    return {name: handle for name, handle in named.items() if handle and "remix" in task.names}


def _extension_begun(task: Task) -> bool:
    if word(task) == "failed":
        return extension_failed(task)
    return task.record.clip > 1 or task.state is State.SUCCEEDED


def _more(task: Task) -> dict[str, Json]:
    body: dict[str, Json] = {
        "size": str(task.request.upsample_to or task.request.size),
        "seconds": str(task.request.seconds),
    }
    if extends(task):
        body["remixed_from_video_id"] = remixed_from(task)
    return body


def remixed_from(task: Task) -> str | None:
    source = task.request.source
    return None if source is None else source.name.removeprefix("video_")
