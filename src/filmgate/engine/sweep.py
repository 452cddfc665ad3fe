"""Sweep: end what is overdue, remove what was kept long enough, repair and report what should not be."""

from filmgate.domain.limits import CLAIM_BATCH, SCRATCH_LIFE
from filmgate.domain.states import AttemptState, State
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.store.moves import StaleLease
from filmgate.store.upkeep import Upkeep


async def sweep(parts: Parts, upkeep: Upkeep) -> None:
    """Do all housekeeping once; every part is safe to run on many machines at a time."""
    await upkeep.make_partitions(parts.clock.now())
    repaired = await upkeep.repair()
    if repaired:
        parts.telemetry.event("sweep.repaired", tasks=repaired)
    await _expire(parts, upkeep)
    await _remove_files(parts)
    await upkeep.forget_keys()
    for scratch in parts.scratch:
        await scratch.sweep(parts.clock.now() - SCRATCH_LIFE)


async def _expire(parts: Parts, upkeep: Upkeep) -> None:
    for claim in await upkeep.overdue(CLAIM_BATCH, parts.clock.monotonic()):
        minutes = round((claim.task.deadline_at - claim.task.created_at).total_seconds() / 60)
        still_open = claim.attempt is not None and claim.attempt.state.open
        attempt = AttemptState.ABANDONED if still_open else None
        try:
            await fail(
                parts, claim, "expired", state=State.EXPIRED, attempt=attempt, parameters={"minutes": minutes}
            )
        except StaleLease:
            continue


async def _remove_files(parts: Parts) -> None:
    due = await parts.files.due_for_removal(CLAIM_BATCH)
    for file in due:
        await parts.objects.delete(file.object_key)
    if due:
        await parts.files.gone([file.id for file in due])
        parts.telemetry.event("sweep.removed", files=len(due))
