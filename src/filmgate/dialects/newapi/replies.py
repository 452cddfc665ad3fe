"""The answers: flat for one clip, the envelope for two, and the form of `/v1/video/generations` for either."""

from filmgate.dialects.newapi.envelope import envelope, found, remixed_from
from filmgate.dialects.newapi.words import GENERATIONS, extends, in_two_clips, reason, unix, word
from filmgate.domain.contracts import Accepted, Outcome, Reply, Status, TaskView
from filmgate.domain.request import Json


def render(outcome: Outcome, *, strict: bool) -> Reply:
    match outcome:
        case Accepted(view, form) if form == GENERATIONS:
            return Reply(200, _generated(view, strict=strict))
        case Accepted(view) if extends(view.task) or not in_two_clips(view.task):
            return Reply(200, _submitted(view, strict=strict))
        case Status(view, form) if form == GENERATIONS:
            return Reply(200, _generation(view, strict=strict))
        case Status(view) if not in_two_clips(view.task):
            return Reply(200, _flat(view, strict=strict))
        case Accepted(view) | Status(view):
            return Reply(200, envelope(view, strict=strict))
        case _:
            raise ValueError(outcome)


def _submitted(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task = view.task
    body = _head(view) | {"size": str(task.request.upsample_to or task.request.size)}
    if extends(task):
        body |= {"task_id": task.name, "remixed_from_video_id": remixed_from(task)}
    # A repeated submit is answered with what has become of the first.
    return body if strict else body | _ended(view) | _more(view)


def _generated(view: TaskView, *, strict: bool) -> dict[str, Json]:
    body = _head(view) | {"task_id": view.task.name}
    return body if strict else body | found(view)


def _generation(view: TaskView, *, strict: bool) -> dict[str, Json]:
    """Answer with the envelope; by default so that readers find at the top what others find within."""
    body: dict[str, Json] = {"code": "success", "message": ""}
    if not strict:
        body |= {"id": view.task.name, "task_id": view.task.name, "status": word(view.task)} | found(view)
    return body | {"data": envelope(view, strict=strict)}


def _flat(view: TaskView, *, strict: bool) -> dict[str, Json]:
    body = _head(view) | _ended(view)
    return body if strict else body | _more(view)


def _ended(view: TaskView) -> dict[str, Json]:
    match word(view.task):
        case "completed":
            return {"completed_at": unix(view.task.ended_at), "url": view.links.video}
        case "failed":
            return {"error": reason(view)}
        case _:
            return {}


def _head(view: TaskView) -> dict[str, Json]:
    task = view.task
    return {
        "id": task.name,
        "object": "video",
        "model": task.request.model,
        "status": word(task),
        "progress": task.progress,
        "created_at": unix(task.created_at),
    }


def _more(view: TaskView) -> dict[str, Json]:
    """Give what clients of this wire read although its document omits it."""
    task = view.task
    body: dict[str, Json] = {
        "task_id": task.name,
        "size": str(task.request.upsample_to or task.request.size),
        "seconds": str(task.request.seconds),
    }
    match word(task):
        case "completed":
            body["video_url"] = view.links.video
        case "failed":
            body["fail_reason"] = reason(view)
    return body
