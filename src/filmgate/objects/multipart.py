"""Uploading a large object in parts: what a killed process left is taken up again, not sent again."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import PART_BYTES
from filmgate.objects.faults import ObjectStoreError, Trouble
from filmgate.objects.keys import media_type
from filmgate.objects.s3 import S3, RefusalError
from filmgate.objects.source import Digests, Sent, Source, spans

# What all uploads of a process hold in memory at a time, in parts.
SLOTS: Final = 6
_FORBIDDEN: Final = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))


@dataclass(frozen=True, slots=True)
class _Begun:
    id: str
    parts: dict[int, tuple[str, int]] = field(default_factory=dict)
    findable: bool = True
    """Whether a later try could find it, and the sweep."""


async def send_in_parts(s3: S3, key: str, source: Source, slots: asyncio.Semaphore) -> Sent:
    """Upload, going on where an earlier try for this key ended; nothing is seen before all of it is.

    After a failure the parts that went up stay for the next try, and for the sweep after that.
    """
    begun = await _begun(s3, key)
    try:
        return await _send(s3, key, source, slots, begun)
    except RefusalError as error:
        # Another upload of this key may have ended it, or it holds parts of something else, or one that was torn.
        if not _blames_the_request(error.status):
            raise
        await s3.abort(key, begun.id)
    await failpoint("objects.begin_again")
    begun = _Begun(await s3.begin(key, media_type(key)))
    await failpoint("objects.begun_again")
    return await _send(s3, key, source, slots, begun)


async def _begun(s3: S3, key: str) -> _Begun:
    findable = True
    try:
        left = [upload async for upload in s3.uploads(key) if upload.key == key]
        if left:
            latest = max(left, key=lambda upload: upload.begun_at)
            return _Begun(latest.id, await s3.parts(key, latest.id))
    except RefusalError as error:
        # Keys that may write need not be allowed to look; a store may not know how, or have just dropped it.
        if not (error.status in _FORBIDDEN or _blames_the_request(error.status)):
            raise
        findable = error.status == HTTPStatus.NOT_FOUND
    begun = _Begun(await s3.begin(key, media_type(key)), findable=findable)
    await failpoint("objects.begun")
    return begun


def _blames_the_request(status: int) -> bool:
    if status in _FORBIDDEN:
        return False
    return status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.NOT_IMPLEMENTED


async def _send(s3: S3, key: str, source: Source, slots: asyncio.Semaphore, begun: _Begun) -> Sent:
    digests = Digests()
    etags: dict[int, str] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for no, (start, end) in enumerate(spans(source.size_bytes, PART_BYTES), 1):
                await slots.acquire()
                try:
                    part = await source.read(start, end)
                    digest = await digests.take(part)
                except BaseException:
                    slots.release()
                    raise
                if begun.parts.get(no) == (digest.hex(), len(part)):
                    etags[no] = digest.hex()
                    slots.release()
                    continue
                sending = group.create_task(_put(s3, key, begun.id, no, part, digest, etags))
                sending.add_done_callback(lambda _: slots.release())
    except BaseExceptionGroup as failed:
        if not begun.findable:
            with suppress(ObjectStoreError):
                await s3.abort(key, begun.id)
        raise failed.exceptions[0] from None
    await failpoint("objects.parts_sent")
    acknowledged = ""
    try:
        acknowledged = await s3.complete(key, begun.id, [etags[no] for no in sorted(etags)])
    except RefusalError as error:
        # It may have been ended by a try whose answer was lost; what is there now is looked at in any case.
        if error.trouble is not Trouble.ABSENT:
            raise
    await failpoint("objects.completed")
    return digests.sent(acknowledged, in_parts=True)


async def _put(
    s3: S3, key: str, upload: str, no: int, part: bytes, digest: bytes, etags: dict[int, str]
) -> None:
    etags[no] = await s3.put_part(key, upload, no, part, digest)
    await failpoint("objects.part_sent")
