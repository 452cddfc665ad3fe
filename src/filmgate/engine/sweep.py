"""Sweep: end what is overdue, remove what was kept long enough, repair and report what should not be."""

from collections.abc import Awaitable, Callable, Sequence

from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import CLAIM_BATCH, SCRATCH_LIFE
from filmgate.domain.states import State
from filmgate.domain.webhook import ENDPOINT, named
from filmgate.engine.cancel import call_off, sweep_cancelled
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.engine.stranded import stranded
from filmgate.store.moves import StaleLease
from filmgate.store.upkeep import Upkeep

Chore = Callable[[], Awaitable[object]]


async def sweep(parts: Parts, upkeep: Upkeep) -> None:
    """Do all housekeeping once; each part is safe on many machines at a time, and none stops the next."""
    for name, chore in _chores(parts, upkeep):
        try:
            await failpoint("sweep.before_chore")
            await chore()
        except Exception as error:  # noqa: BLE001  # a chore that fails must not keep the others from theirs
            parts.telemetry.event("sweep.broken", part=name, error=error, reason=type(error).__name__)


def _chores(parts: Parts, upkeep: Upkeep) -> Sequence[tuple[str, Chore]]:
    async def sweep_scratch() -> None:
        for scratch in parts.scratch:
            await scratch.sweep(parts.clock.now() - SCRATCH_LIFE)

    return [
        ("clock", upkeep.catch_up),
        ("overdue", lambda: _expire(parts, upkeep)),
        ("cancelled", lambda: sweep_cancelled(parts)),
        ("repair", lambda: _repair(parts, upkeep)),
        ("routes", lambda: _alarm(parts)),
        ("files", lambda: _remove_files(parts)),
        ("partitions", lambda: upkeep.make_partitions(parts.clock.now())),
        ("idempotency", upkeep.forget_keys),
        ("deliveries", upkeep.forget_deliveries),
        ("scratch", sweep_scratch),
        ("notices", lambda: _tell(parts)),
    ]


async def _repair(parts: Parts, upkeep: Upkeep) -> None:
    strays = await upkeep.remove_strays()
    await failpoint("sweep.removed_strays")
    repaired = await upkeep.repair()
    await failpoint("sweep.repaired")
    recounted = await parts.starts.recount()
    if strays or repaired or recounted:
        parts.telemetry.event("sweep.repaired", tasks=repaired, count=strays + recounted)


async def _alarm(parts: Parts) -> None:
    """Tell operators of tasks that wait for a provider or a route which the settings no longer have."""
    for one in await stranded(parts):
        await failpoint("sweep.before_alarm")
        await parts.credentials.alarm(one.kind, one.name, one.text)


async def _tell(parts: Parts) -> None:
    """Log and count what operators should look at, whichever transaction wrote it."""
    while untold := await parts.notices.take():
        for one in untold:
            parts.telemetry.noticed(one.kind)
            parts.telemetry.event(
                f"notice.{one.kind}",
                task=one.task_id and str(one.task_id),
                provider=one.provider,
                endpoint=one.endpoint_id and named(ENDPOINT, one.endpoint_id),
                reason=one.text,
            )


async def _expire(parts: Parts, upkeep: Upkeep) -> None:
    unreadable = parts.claims.on_unreadable
    while claims := await upkeep.overdue(CLAIM_BATCH, parts.clock.monotonic(), unreadable):
        for claim in claims:
            minutes = round((claim.task.deadline_at - claim.task.created_at).total_seconds() / 60)
            try:
                await fail(
                    parts,
                    claim,
                    "expired",
                    state=State.EXPIRED,
                    parameters={"minutes": minutes},
                )
            except StaleLease:
                continue
            await call_off(parts, claim)
        if len(claims) < CLAIM_BATCH:
            return


async def _remove_files(parts: Parts) -> None:
    while due := await parts.files.due_for_removal(CLAIM_BATCH):
        gone = []
        for file in due:
            await failpoint("sweep.before_file")
            try:
                await parts.objects.delete(file.object_key)
            except StorageFault as error:
                # It is tried again at the next sweep; one file must not keep the others.
                parts.telemetry.event("file.kept", task=str(file.task_id), reason=str(error))
            else:
                gone.append(file.id)
        await failpoint("sweep.before_gone")
        await parts.files.gone(gone)
        parts.telemetry.event("sweep.removed", files=len(gone))
        if len(due) < CLAIM_BATCH or not gone:
            return
