"""Take over: an extension of another film begins with a copy of that film's clip."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.plan import ClipRole, Plan
from filmgate.domain.problems import Problem
from filmgate.domain.task import StoredClip
from filmgate.engine.keep import keep, to_file
from filmgate.engine.parts import Parts
from filmgate.store import transitions
from filmgate.store.work import Claim


async def with_first_clip(parts: Parts, claim: Claim, planned: Plan) -> Claim:
    """Copy the clip that the film goes on from, unless that was done; raise Problem `source_gone`."""
    source = claim.task.request.source
    if not planned.extends or claim.clips or source is None:
        return claim
    kept = None if source.file_id is None else await parts.reader.file(source.file_id)
    if kept is None or kept.account_id != claim.task.account_id:
        raise Problem("source_gone")
    with TemporaryDirectory(
        dir=parts.workspace, prefix=f"{claim.task_id}.", ignore_cleanup_errors=True
    ) as folder:
        path = Path(folder) / "film.mp4"
        try:
            await to_file(parts.objects.stream(kept.object_key), path)
        except StorageFault:
            # Its row may be read just before its retention ends, and its object just after.
            if await parts.reader.file(kept.id) is None:
                raise Problem("source_gone") from None
            raise
        film, files = await keep(parts, claim, path, await parts.workshop.inspect(path), "clip")
    await failpoint("prepare.after_takeover")
    video = next(file for file in files if file.id == film.files["video"])
    clip = StoredClip(no=1, role=ClipRole.FIRST.value, object_key=video.object_key, film=film)
    await parts.moves.make(transitions.taken_over(claim, clip, files, parts.retention))
    await failpoint("prepare.taken_over")
    return replace(claim, clips=(clip,))
