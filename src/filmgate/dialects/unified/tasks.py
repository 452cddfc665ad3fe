"""How the unified wire shows a task: three keys when it is accepted, and the whole upstream record after that."""

from filmgate.dialects import upstream
from filmgate.domain.contracts import TaskView
from filmgate.domain.request import Json


def submitted(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task = view.task
    body = _status(view)
    if task.request.enhance:
        body["enhanced_prompt"] = upstream.enhanced_prompt(task) or ""
    return body if strict else body | {"task_id": task.name}


def task_record(view: TaskView, *, strict: bool) -> dict[str, Json]:
    task, film = view.task, upstream.film_url(view)
    body: dict[str, Json] = {
        **_status(view),
        "video_url": film,
        "enhanced_prompt": upstream.enhanced_prompt(task) or "",
        "detail": upstream.record(view),
    }
    failure = upstream.failure_of(view)
    if failure is not None:
        # Clients look for the reason under each of these names, and print `error` as it stands.
        body |= {"error": failure, "error_message": failure, "fail_reason": failure}
    if not strict:
        body |= {"task_id": task.name, "progress": task.progress}
        body |= {"url": film} if film is not None else {}
    return body


def _status(view: TaskView) -> dict[str, Json]:
    task = view.task
    return {
        "id": task.name,
        "status": upstream.word(task),
        "status_update_time": upstream.milliseconds(task.stage_at),
    }
