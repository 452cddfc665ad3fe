"""Collect: fetch the film, prove that it is one, make it durable, and only then end the task."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from filmgate.domain import ids
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault
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
from filmgate.store.work import Claim

_ENDINGS: Final = {"image/webp": ".webp", "image/jpeg": ".jpg"}


async def collect(parts: Parts, claim: Claim) -> None:
    attempt = claim.attempt
    named = None if attempt is None else parts.router.provider(attempt.credential_id)
    if attempt is None or attempt.result is None or named is None:
        await parts.moves.make(transitions.postponed(claim, after_collect(claim.tries)))
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
                    playable = await _playable(parts, path, inspection)
            except (Fault, NotAFilm, ChildError, TimeoutError) as error:
                parts.telemetry.asked(
                    name, "download", type(error).__name__.lower(), parts.clock.monotonic() - started
                )
                await _not_collected(parts, claim, error)
                return
            parts.telemetry.asked(name, "download", "done", parts.clock.monotonic() - started)
            await failpoint("collect.after_fetch")
            files = await _store(parts, claim, playable, inspection)
        await failpoint("collect.after_store")
    film = Film(facts=inspection.facts, files={file.role: file.id for file in files})
    await finish(parts, End(claim=claim, state=State.SUCCEEDED, kept=parts.retention, film=film, files=files))


async def _fetch(chunks: AsyncIterator[bytes], path: Path) -> None:
    size = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > FILM_BYTES:
                raise Fault(f"the film is larger than {FILM_BYTES} bytes")
            file.write(chunk)


async def _playable(parts: Parts, path: Path, inspection: Inspection) -> Path:
    """Give the film with its index in front, so that it plays while it loads."""
    if inspection.facts.faststart:
        return path
    ahead = path.with_name("ahead.mp4")
    await parts.workshop.faststart(path, ahead)
    return ahead


async def _store(parts: Parts, claim: Claim, film: Path, inspection: Inspection) -> Sequence[StoredFile]:
    files: list[StoredFile] = []
    # Named by what it holds: a stale worker that stores it again cannot put other bytes under a name in use.
    name = f"tasks/{claim.task_id}/{await asyncio.to_thread(_digest, film)}"
    for role, content, media_type in (
        ("video", film, "video/mp4"),
        ("thumbnail", inspection.thumbnail_webp, "image/webp"),
        ("poster", inspection.thumbnail_jpeg, "image/jpeg"),
        ("spritesheet", inspection.spritesheet_jpeg, "image/jpeg"),
    ):
        if isinstance(content, Path):
            stored = await parts.objects.put_file(f"{name}.mp4", content)
        else:
            stored = await parts.objects.put_bytes(f"{name}.{role}{_ENDINGS[media_type]}", content)
        await failpoint(f"collect.stored_{role}")
        files.append(
            StoredFile(
                id=ids.uuid7(parts.clock.now(), parts.chance),
                account_id=claim.task.account_id,
                task_id=claim.task_id,
                role=role,
                object_key=stored.key,
                media_type=media_type,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256.hex(),
            )
        )
    return files


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _not_collected(parts: Parts, claim: Claim, error: Exception) -> None:
    parts.telemetry.event("collect.failed", task=str(claim.task_id), reason=str(error), tries=claim.tries + 1)
    if claim.tries + 1 >= COLLECT_TRIES:
        notice = Notice("result_lost", f"the film was made but never arrived whole: {error}")
        await fail(parts, claim, "result_lost", notice=notice)
        return
    await parts.moves.make(transitions.postponed(claim, after_collect(claim.tries)))


@asynccontextmanager
async def _renewing(parts: Parts, claim: Claim) -> AsyncIterator[None]:
    """Keep the lease while the work goes on; only a living worker renews."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL.total_seconds())
            await parts.claims.renew(claim, STEP_LEASE)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
