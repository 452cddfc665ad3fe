"""The upstream task record: what the relays show of a film while it is made, one and the same on several wires.

A field is absent until what it means is known. Times are unix milliseconds. No file has an address here before it can
be fetched.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from filmgate.domain.contracts import TaskView
from filmgate.domain.languages import Language
from filmgate.domain.record import Stage
from filmgate.domain.request import FilmRequest, Json, PictureRole
from filmgate.domain.size import Size
from filmgate.domain.states import State
from filmgate.domain.task import Task

LANGUAGE: Final[Language] = "zh"
"""What all dialects that show this record are documented in."""
MAX_RETRIES: Final = 3

_WORDS: Final[Mapping[State | Stage, str]] = {
    State.QUEUED: "pending",
    State.PREPARING: "pending",
    Stage.ENHANCING: "prompt_enhancing",
    Stage.PICTURES: "image_downloading",
    Stage.READY: "image_processing_completed",
    State.GENERATING: "video_generating",
    State.EXTENDING: "video_generating",
    State.COLLECTING: "video_generating",
    State.UPSAMPLING: "video_upsampling",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "failed",
    State.EXPIRED: "failed",
}
_BEGUN: Final = frozenset(
    {State.GENERATING, State.EXTENDING, State.UPSAMPLING, State.COLLECTING, State.SUCCEEDED}
)
_GENERATED: Final = frozenset({State.UPSAMPLING, State.SUCCEEDED})
_PICTURE_FAULTS: Final = frozenset({
    "picture_denied", "picture_unreachable", "picture_unusable", "picture_too_large",
})  # fmt: skip
_ACTIVE: Final = "MEDIA_GENERATION_STATUS_ACTIVE"
_SUCCESSFUL: Final = "MEDIA_GENERATION_STATUS_SUCCESSFUL"
_FAILED: Final = "MEDIA_GENERATION_STATUS_FAILED"
_ERROR_SLEEP_MS: Final = 5000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED_RATIOS: Final = {"7:3": "21:9"}
_CANCELLED: Final = {"zh": "任务已取消。", "en": "The task was cancelled."}
# What really went wrong there is for operators: it may name files and programs of this machine.
_NOT_UPSAMPLED: Final = {
    "zh": "放大失败，已返回原始尺寸的视频。",
    "en": "It could not be scaled up; the video has its original size.",
}


def word(task: Task) -> str:
    """Say where a task stands; only `completed` and `failed` are last words."""
    return _WORDS[_phase(task)]


def record(view: TaskView) -> dict[str, Json]:
    """Give all that is known of a task by now; no value is null."""
    task, failure = view.task, failure_of(view)
    fields: dict[str, Json] = {
        "id": task.name,
        "req": _asked(task.request),
        "images": [_image(task, no, failure) for no in range(len(task.request.pictures))],
        "status": word(task),
        "running": task.state is not State.QUEUED and not task.state.ended,
        "created_at": milliseconds(task.created_at),
        "completed_at": _completed_at(task),
        "status_update_time": milliseconds(task.stage_at),
        "error_sleep": _ERROR_SLEEP_MS,
        "max_retries": MAX_RETRIES,
        "retry_count": task.record.retries,
        "error_message": failure or task.record.last_error,
        "enhanced_prompt": enhanced_prompt(task),
        "needs_safe_enhancement": True if task.record.softened_prompt else None,
    }
    fields |= _image_handles(task) | _generation(view) | _upsampling(view)
    return {name: value for name, value in fields.items() if value is not None}


def film_url(view: TaskView) -> str | None:
    """Give the address of the film that was asked for; a failed task has none, whatever was kept of it."""
    return view.links.video if view.task.state is State.SUCCEEDED else None


def enhanced_prompt(task: Task) -> str | None:
    """Give the words that were sent instead of the client's."""
    return task.record.softened_prompt or task.record.enhanced_prompt


def failure_of(view: TaskView) -> str | None:
    """Say why a task ended without its film, in its reader's language; None while that is not so."""
    return failure_text(view.task, view.language or LANGUAGE)


def failure_text(task: Task, language: str = LANGUAGE) -> str | None:
    """Say why a task ended without its film; None while that is not so."""
    if not task.state.ended or task.state is State.SUCCEEDED:
        return None
    return task.failure.text(language) if task.failure else _CANCELLED[language]


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _phase(task: Task) -> State | Stage:
    if task.state is State.PREPARING and task.record.stage is not None:
        return Stage(task.record.stage)
    scaled = task.request.upsample_to is not None and task.record.clip > len(task.request.clips)
    return State.UPSAMPLING if task.state is State.COLLECTING and scaled else task.state


def _begun(task: Task) -> bool:
    """Tell whether a provider has ever had the task; its pictures were all kept by then."""
    return task.state in _BEGUN or task.started_at is not None


def _completed_at(task: Task) -> int | None:
    done = task.state is State.SUCCEEDED and task.ended_at is not None
    return milliseconds(task.ended_at) if done and task.ended_at else None


def _asked(request: FilmRequest) -> dict[str, Json]:
    return {
        "model": request.model,
        "images": [picture.url for picture in request.pictures if picture.url is not None],
        "prompt": request.prompt,
        "aspect_ratio": _ratio(request.size),
        "enhance_prompt": request.enhance,
        "enable_upsample": request.upsample_to is not None,
    }


def _ratio(size: Size) -> str:
    common = math.gcd(size.width, size.height)
    ratio = f"{size.width // common}:{size.height // common}"
    return _NAMED_RATIOS.get(ratio, ratio)


def _image(task: Task, no: int, failure: str | None) -> dict[str, Json]:
    status = _image_status(task, no)
    fields: dict[str, Json] = {
        "url": task.request.pictures[no].url,
        "status": status,
        "mediaId": _image_handle(task, no) if status == "completed" else None,
        "error": failure if status == "failed" else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _image_status(task: Task, no: int) -> str:
    kept = _pictures_kept(task)
    if no != kept:
        return "completed" if no < kept else "pending"
    if task.failure is not None and task.failure.code in _PICTURE_FAULTS:
        return "failed"
    return "downloading" if _phase(task) is Stage.PICTURES else "pending"


def _pictures_kept(task: Task) -> int:
    return len(task.request.pictures) if _begun(task) else task.record.pictures_kept


def _image_handles(task: Task) -> dict[str, Json]:
    first, last = _handles_of(task, PictureRole.FIRST), _handles_of(task, PictureRole.LAST)
    references: list[Json] = [*_handles_of(task, PictureRole.REFERENCE)]
    return {
        "startImageMediaId": first[0] if first else None,
        "veo3StartImageMediaId": first[0] if first else None,
        "endImageMediaId": last[0] if last else None,
        "referenceImageMediaIds": references or None,
    }


def _handles_of(task: Task, role: PictureRole) -> Sequence[str]:
    kept = task.request.pictures[: _pictures_kept(task)]
    return [_image_handle(task, no) for no, picture in enumerate(kept) if picture.role is role]


def _generation(view: TaskView) -> dict[str, Json]:
    task = view.task
    # Of a film whose second clip failed, the first is there.
    generated = _phase(task) in _GENERATED or task.film is not None
    return {
        "video_generation_id": _uuid(task, "generation").hex if _begun(task) else None,
        "video_generation_status": _generation_status(task) if _begun(task) else None,
        "video_generation_error": failure_of(view) or task.record.refusal,
        "video_media_id": _handle(task, "film") if generated else None,
        "video_url": view.links.source or view.links.video,
    }


def _generation_status(task: Task) -> str:
    if failure_text(task) is not None:
        return _FAILED
    return _SUCCESSFUL if _phase(task) in _GENERATED else _ACTIVE


def _upsampling(view: TaskView) -> dict[str, Json]:
    task = view.task
    if task.request.upsample_to is None or _phase(task) not in _GENERATED:
        return {}
    failed = task.record.upsample_error is not None
    status = _SUCCESSFUL if task.state is State.SUCCEEDED else _ACTIVE
    return {
        "upsample_generation_id": f"{_uuid(task, 'upsampling')}_upsampled",
        "upsample_status": _FAILED if failed else status,
        "upsample_error": _NOT_UPSAMPLED[view.language or LANGUAGE] if failed else None,
        "upsample_video_url": None if failed else film_url(view),
    }


def _image_handle(task: Task, no: int) -> str:
    return _handle(task, f"image {no}")


def _handle(task: Task, what: str) -> str:
    return base64.urlsafe_b64encode(_uuid(task, what).bytes).decode().rstrip("=")


def _uuid(task: Task, what: str) -> UUID:
    """Give an id that is the same at every look and is kept nowhere."""
    return uuid5(task.id, what)
