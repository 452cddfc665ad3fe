"""Render: what the gate does by itself once all clips are kept: join them, scale them up."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import COLLECT_TRIES
from filmgate.domain.record import Maker, RecordChange
from filmgate.domain.states import State
from filmgate.domain.task import Film
from filmgate.engine.backoff import after_collect
from filmgate.engine.collect import NOT_THIS_TIME, not_kept, waits_for_storage
from filmgate.engine.end import fail, finish
from filmgate.engine.keep import keep, to_file
from filmgate.engine.lease import renewing
from filmgate.engine.parts import Parts
from filmgate.store import transitions
from filmgate.store.ends import End
from filmgate.store.notices import Notice
from filmgate.store.work import Claim

_RENDER: Final = "render"


async def render(parts: Parts, claim: Claim) -> None:
    """Make one film of the clips that are kept, at the size that was asked for."""
    if await waits_for_storage(parts, claim):
        return
    with TemporaryDirectory(
        dir=parts.workspace, prefix=f"{claim.task_id}.", ignore_cleanup_errors=True
    ) as folder:
        async with renewing(parts, claim):
            try:
                path, record = await _made(parts, claim, Path(folder))
                inspection = await parts.workshop.inspect(path)
                await failpoint("render.after_work")
                film, files = await keep(parts, claim, path, inspection)
            except NOT_THIS_TIME as error:
                if not await not_kept(parts, claim, error):
                    await _not_rendered(parts, claim, error)
                return
        await failpoint("render.after_store")
    first = claim.clips[0].film.files["video"]
    film = Film(film.facts, {**film.files, "first" if len(claim.clips) > 1 else "source": first})
    end = End(claim=claim, state=State.SUCCEEDED, kept=parts.retention, film=film, files=files, record=record)
    await finish(parts, end)


async def _made(parts: Parts, claim: Claim, folder: Path) -> tuple[Path, RecordChange]:
    paths: list[Path] = []
    for clip in claim.clips:
        paths.append(folder / f"clip-{clip.no}.mp4")
        await to_file(parts.objects.stream(clip.object_key), paths[-1])
    made, record = paths[0], dict[str, str]()
    if len(paths) > 1:
        made = folder / "joined.mp4"
        copied = await parts.workshop.join(paths, made)
        record["joined_by"] = "copy" if copied else "encode"
    size = claim.task.request.upsample_to
    if size is not None:
        scaled = folder / "scaled.mp4"
        await parts.workshop.scale(made, scaled, size.width, size.height)
        made, record["upsampled_by"] = scaled, Maker.GATE.value
    return made, record


async def _not_rendered(parts: Parts, claim: Claim, error: Exception) -> None:
    await failpoint("render.failed")
    tries = claim.times(_RENDER)
    parts.telemetry.event("render.failed", task=str(claim.task_id), reason=str(error), tries=tries + 1)
    if tries + 1 < COLLECT_TRIES:
        await parts.moves.make(transitions.postponed(claim, after_collect(tries), _RENDER))
        return
    notice = Notice("render_failed", f"the clips are kept, and could not be made one film: {error}")
    await fail(parts, claim, "render_failed", notice=notice)
