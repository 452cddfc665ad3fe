"""Collect: fetch the film, prove that it is one, make it durable, and only then end the task."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from filmgate.domain import ids
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault, StorageFault
from filmgate.domain.limits import COLLECT_TRIES, FILM_BYTES, FILM_SECONDS, LEASE_RENEWAL, STEP_LEASE
from filmgate.domain.states import State
from filmgate.domain.task import Film, StoredFile
from filmgate.engine.backoff import after_collect
from filmgate.engine.end import fail, finish
from filmgate.engine.parts import Parts
from filmgate.media.child import ChildError
from filmgate.media.findings import Inspection, NotAFilm
from filmgate.store import transitions
from filmgate.store.ends import End, Notice
from filmgate.store.patience import AWAY
from filmgate.store.work import Claim

_TYPES: Final = {"mp4": "video/mp4", "webp": "image/webp", "jpg": "image/jpeg"}
# Each says nothing final of the film: it is fetched and looked at again later.
_NOT_THIS_TIME: Final = (Fault, StorageFault, NotAFilm, ChildError, TimeoutError, OSError)


async def collect(parts: Parts, claim: Claim) -> None:
    attempt = claim.attempt
    named = None if attempt is None else parts.router.provider(attempt.credential_id)
    if attempt is None or attempt.result is None or named is None:
        await _not_collected(parts, claim, Fault("its provider is not configured any more"))
        return
    name, provider = named
    started = parts.clock.monotonic()
    with TemporaryDirectory(
        dir=parts.workspace, prefix=f"{claim.task_id}.", ignore_cleanup_errors=True
    ) as folder:
        path = Path(folder) / "film.mp4"
        async with _renewing(parts, claim):
            try:
                async with asyncio.timeout(FILM_SECONDS):
                    await _fetch(provider.fetch(attempt.result), path)
                    inspection = await parts.workshop.inspect(path)
                parts.telemetry.asked(name, "download", "done", parts.clock.monotonic() - started)
                await failpoint("collect.after_fetch")
                film, files = await _store(parts, claim, path, inspection)
            except _NOT_THIS_TIME as error:
                outcome = type(error).__name__.lower()
                parts.telemetry.asked(name, "download", outcome, parts.clock.monotonic() - started)
                await _not_collected(parts, claim, error)
                return
        await failpoint("collect.after_store")
    await finish(parts, End(claim=claim, state=State.SUCCEEDED, kept=parts.retention, film=film, files=files))


async def _fetch(chunks: AsyncIterator[bytes], path: Path) -> None:
    size = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > FILM_BYTES:
                raise Fault(f"the film is larger than {FILM_BYTES} bytes")
            file.write(chunk)


async def _store(
    parts: Parts, claim: Claim, path: Path, inspection: Inspection
) -> tuple[Film, Sequence[StoredFile]]:
    # Named by what came: a stale worker that stores it again cannot put other bytes under a name in use.
    name = f"tasks/{claim.task_id}/{await asyncio.to_thread(_digest, path)}"
    files, facts = [], inspection.facts
    if facts.faststart:
        files.append(await _kept(parts, claim, "video", f"{name}.mp4", path))
    else:
        # It plays while it loads only with its index in front; what the provider sent is kept beside the copy.
        files.append(await _kept(parts, claim, "clip", f"{name}.original.mp4", path))
        ahead = path.with_name("ahead.mp4")
        await parts.workshop.faststart(path, ahead)
        video = await _kept(parts, claim, "video", f"{name}.mp4", ahead)
        files.append(video)
        facts = replace(facts, size_bytes=video.size_bytes, faststart=True)
    for role, content, ending in (
        ("thumbnail", inspection.thumbnail_webp, "webp"),
        ("poster", inspection.thumbnail_jpeg, "jpg"),
        ("spritesheet", inspection.spritesheet_jpeg, "jpg"),
    ):
        files.append(await _kept(parts, claim, role, f"{name}.{role}.{ending}", content))
    return Film(facts=facts, files={file.role: file.id for file in files}), files


async def _kept(parts: Parts, claim: Claim, role: str, key: str, content: Path | bytes) -> StoredFile:
    if isinstance(content, Path):
        stored = await parts.objects.put_file(key, content)
    else:
        stored = await parts.objects.put_bytes(key, content)
    await failpoint(f"collect.stored_{role}")
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


async def _not_collected(parts: Parts, claim: Claim, error: Exception) -> None:
    parts.telemetry.event("collect.failed", task=str(claim.task_id), reason=str(error), tries=claim.tries + 1)
    if claim.tries + 1 >= COLLECT_TRIES:
        notice = Notice("result_lost", f"the film was made but never arrived whole: {error}")
        await fail(parts, claim, "result_lost", notice=notice)
        return
    await parts.moves.make(transitions.postponed(claim, after_collect(claim.tries), "collect"))


@asynccontextmanager
async def _renewing(parts: Parts, claim: Claim) -> AsyncIterator[None]:
    """Keep the lease while the work goes on; only a living worker renews."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL.total_seconds())
            with suppress(*AWAY):
                await parts.claims.renew(claim, STEP_LEASE)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
