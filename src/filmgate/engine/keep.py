"""Keep: put a film that was made into the object store, with the pictures that show what is in it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from filmgate.domain import ids
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault
from filmgate.domain.limits import FILM_BYTES
from filmgate.domain.task import Film, StoredFile
from filmgate.engine.parts import Parts
from filmgate.media.findings import Inspection
from filmgate.store.work import Claim

_TYPES: Final = {"mp4": "video/mp4", "webp": "image/webp", "jpg": "image/jpeg"}


async def to_file(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Write a film that comes in pieces; raise Fault where it is larger than a film may be."""
    size = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > FILM_BYTES:
                raise Fault(f"the film is larger than {FILM_BYTES} bytes")
            file.write(chunk)


async def keep(
    parts: Parts, claim: Claim, path: Path, inspection: Inspection, role: str = "video"
) -> tuple[Film, Sequence[StoredFile]]:
    """Store a film under the name of what came, so that a stale worker cannot put other bytes under a name in use."""
    name = f"tasks/{claim.task_id}/{await asyncio.to_thread(_digest, path)}"
    files, facts = [], inspection.facts
    if facts.faststart:
        files.append(await _kept(parts, claim, role, f"{name}.mp4", path))
    else:
        # It plays while it loads only with its index in front; what the provider sent is kept beside the copy.
        files.append(await _kept(parts, claim, "clip", f"{name}.original.mp4", path))
        ahead = path.with_name("ahead.mp4")
        await parts.workshop.faststart(path, ahead)
        video = await _kept(parts, claim, role, f"{name}.mp4", ahead)
        files.append(video)
        facts = replace(facts, size_bytes=video.size_bytes, faststart=True)
    shown = {"video": files[-1].id}
    for picture, content, ending in (
        ("thumbnail", inspection.thumbnail_webp, "webp"),
        ("poster", inspection.thumbnail_jpeg, "jpg"),
        ("spritesheet", inspection.spritesheet_jpeg, "jpg"),
        ("filmstrip", inspection.filmstrip_webp, "webp"),
    ):
        files.append(await _kept(parts, claim, picture, f"{name}.{picture}.{ending}", content))
        shown[picture] = files[-1].id
    return Film(facts=facts, files=shown), files


async def _kept(parts: Parts, claim: Claim, role: str, key: str, content: Path | bytes) -> StoredFile:
    if isinstance(content, Path):
        stored = await parts.objects.put_file(key, content)
    else:
        stored = await parts.objects.put_bytes(key, content)
    await failpoint("collect.stored")
    return StoredFile(
        id=ids.uuid7(parts.clock.now(), parts.chance),
        account_id=claim.task.account_id,
        task_id=claim.task_id,
        role=role,
        object_key=stored.key,
        media_type=_TYPES[key.rpartition(".")[2]],
        size_bytes=stored.size_bytes,
        sha256=stored.sha256.hex(),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
