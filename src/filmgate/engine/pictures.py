"""The pictures of a task: fetched behind the guard, checked in a child, encoded anew, and kept for every attempt."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from filmgate.domain import ids
from filmgate.domain.contracts_provider import Frame
from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import PICTURE_FIRST_BYTE_SECONDS, PICTURE_SECONDS
from filmgate.domain.problems import Problem
from filmgate.domain.record import Stage
from filmgate.domain.request import FilmRequest, Json, Picture, PictureRole
from filmgate.domain.task import StoredFile
from filmgate.engine.parts import Parts
from filmgate.media.findings import BadPicture
from filmgate.net.denied import Denied
from filmgate.net.fetch import FetchFailed, FetchTooLarge
from filmgate.store import transitions
from filmgate.store.work import Claim

_REASONS_ZH: Final = {
    "not_a_picture": "文件不是图片",
    "unsupported_type": "仅支持 JPEG、PNG、WebP",
    "too_large": "文件过大",
    "too_many_pixels": "像素过多",
    "animated": "不支持动图",
    "truncated": "文件不完整",
}
_TOO_LARGE: Final = frozenset({"too_large", "too_many_pixels"})


async def frames_of(parts: Parts, claim: Claim) -> tuple[Frame, ...]:
    """Give the checked pictures; what was checked before this claim is not fetched again.

    Raise the Problem that says what is wrong with one of them.
    """
    pictures = claim.task.request.pictures
    if not pictures:
        return ()
    kept = {file.object_key: file for file in await parts.files.inputs(claim.task_id)}
    frames: list[Frame] = []
    for no, picture in enumerate(pictures):
        key = checked_key(claim.task_id, no)
        if key in kept:
            frames.append(Frame(picture.role, kept[key].media_type, await read_whole(parts, key)))
            # Whoever kept it may have died before this.
            await _drop_upload(parts, picture)
            continue
        stage: dict[str, Json] = {"stage": Stage.PICTURES.value, "pictures_kept": no}
        await parts.moves.make(transitions.preparing(claim, stage))
        await failpoint("prepare.before_picture")
        frames.append(await _check(parts, claim, picture, key))
    if len(kept) < len(pictures):
        ready: dict[str, Json] = {"stage": Stage.READY.value, "pictures_kept": len(pictures)}
        await parts.moves.make(transitions.preparing(claim, ready))
        await failpoint("prepare.after_pictures")
    return tuple(frames)


def checked_key(task_id: UUID, no: int) -> str:
    """Name the object in which a task's picture lies once it is checked."""
    return f"tasks/{task_id}/input-{no}"


async def read_whole(parts: Parts, key: str) -> bytes:
    chunks: Sequence[bytes] = [chunk async for chunk in parts.objects.stream(key)]
    return b"".join(chunks)


async def _check(parts: Parts, claim: Claim, picture: Picture, key: str) -> Frame:
    checked = await _checked(parts, claim.task.request, picture)
    stored = await parts.objects.put_bytes(key, checked.content)
    await failpoint("prepare.after_input")
    file = StoredFile(
        id=ids.uuid7(parts.clock.now(), parts.chance),
        account_id=claim.task.account_id,
        task_id=claim.task_id,
        role="input",
        object_key=key,
        media_type=checked.media_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256.hex(),
    )
    await parts.files.keep_input(file, parts.retention)
    await failpoint("prepare.kept_input")
    await _drop_upload(parts, picture)
    return checked


async def _checked(parts: Parts, request: FilmRequest, picture: Picture) -> Frame:
    blamed = {"field": picture.field, "input": request.culprit(picture)}
    try:
        if picture.url is None:
            content = await read_whole(parts, picture.object_key or "")
        else:
            fetched = await parts.pictures.fetch(
                picture.url,
                limit_bytes=request.picture_bytes,
                total_s=PICTURE_SECONDS,
                first_byte_s=PICTURE_FIRST_BYTE_SECONDS,
            )
            content = fetched.body
        alpha = picture.role is PictureRole.REFERENCE
        checked = await parts.workshop.check_picture(content, keep_alpha=alpha)
    except Denied as denied:
        parts.telemetry.event("picture.denied", reason=denied.operator)
        raise Problem("picture_denied", **blamed) from None
    except FetchFailed as error:
        parts.telemetry.event("picture.unreachable", reason=error.operator)
        too_large = isinstance(error, FetchTooLarge)
        code = "picture_too_large" if too_large else "picture_unreachable"
        reason_zh = "无法下载" if error.status is None else f"服务器返回 {error.status}"
        raise Problem(code, **blamed, reason=str(error), reason_zh=reason_zh) from None
    except BadPicture as error:
        code = "picture_too_large" if error.code in _TOO_LARGE else "picture_unusable"
        raise Problem(code, **blamed, reason=error.reason, reason_zh=_REASONS_ZH[error.code]) from None
    return Frame(picture.role, checked.media_type, checked.content)


async def _drop_upload(parts: Parts, picture: Picture) -> None:
    if picture.object_key is not None:
        await parts.objects.delete(picture.object_key)
        await failpoint("prepare.dropped_upload")
