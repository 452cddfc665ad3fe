"""Sweep: end what is overdue, remove what was kept long enough, repair and report what should not be."""

from collections.abc import Awaitable, Callable, Sequence

from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import CLAIM_BATCH, SCRATCH_LIFE
from filmgate.domain.states import State
from filmgate.engine.cancel import call_off, sweep_cancelled
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.store.moves import StaleLease
from filmgate.store.retention import Outcome
from filmgate.store.upkeep import Upkeep

# Each step removes up to 5,000 rows.
_FORGET_STEPS = 5

Chore = Callable[[], Awaitable[object]]


async def sweep(parts: Parts, upkeep: Upkeep) -> None:
    """Do all housekeeping once; each part is safe on many machines at a time, and none stops the next."""
    for name, chore in _chores(parts, upkeep):
        try:
            await chore()
        except Exception as error:  # noqa: BLE001  # a chore that fails must not keep the others from theirs
            parts.telemetry.event("sweep.broken", part=name, error=error, reason=type(error).__name__)


def _chores(parts: Parts, upkeep: Upkeep) -> Sequence[tuple[str, Chore]]:
    async def sweep_scratch() -> None:
        for scratch in parts.scratch:
            await scratch.sweep(parts.clock.now() - SCRATCH_LIFE)

    return [
        ("overdue", lambda: _expire(parts, upkeep)),
        ("cancelled", lambda: sweep_cancelled(parts)),
        ("repair", lambda: _repair(parts, upkeep)),
        ("routes", lambda: _alarm(parts)),
        ("files", lambda: _remove_files(parts)),
        ("partitions", lambda: _partitions(parts, upkeep)),
        ("records", lambda: _forget(parts, upkeep)),
        ("quotes", upkeep.forget_quotes),
        ("idempotency", upkeep.forget_keys),
        ("deliveries", upkeep.forget_deliveries),
        ("scratch", sweep_scratch),
    ]


async def _repair(parts: Parts, upkeep: Upkeep) -> None:
    strays, repaired = await upkeep.remove_strays(), await upkeep.repair()
    recounted = await parts.starts.recount()
    if strays or repaired or recounted:
        parts.telemetry.event("sweep.repaired", tasks=repaired, count=strays + recounted)


async def _partitions(parts: Parts, upkeep: Upkeep) -> None:
    await upkeep.make_partitions(parts.clock.now())
    count = await upkeep.strays_by_default()
    if count:
        text = f"{count} tasks or more lie in tasks_default: no partition was there for their week when they came"
        await parts.credentials.alarm("unpartitioned", "store", text)


async def _forget(parts: Parts, upkeep: Upkeep) -> None:
    """Forget what is old enough, a few steps at a time; the rest is left for the next sweep."""
    for _ in range(_FORGET_STEPS):
        forgot = await upkeep.forget_tasks(parts.clock.now())
        if forgot.week is None:
            return
        week = f"{forgot.week:%Y-%m-%d}"
        if forgot.outcome is Outcome.STUCK:
            text = f"tasks of the week from {week} are to be forgotten, and some of them have never ended"
            await parts.credentials.alarm("never_ended", "store", text)
        if forgot.outcome is Outcome.DONE:
            parts.telemetry.event("sweep.forgot", part=week)
        if forgot.outcome in {Outcome.STUCK, Outcome.WAITING}:
            return


async def _alarm(parts: Parts) -> None:
    """Tell operators of tasks that wait for a provider or a route which the settings no longer have."""
    for one in await parts.starts.stranded():
        if one.waits and not parts.router.lines(one.model):
            text = f"no route serves {one.model}: {one.count} tasks wait for one, until their deadline"
            await parts.credentials.alarm("no_route", one.model, text)
        elif not (one.waits or one.credential_id is None or parts.router.provider(one.credential_id)):
            provider = one.provider or "unknown"
            text = f"{provider} makes {one.count} films of {one.model}, and is not in the settings any more"
            await parts.credentials.alarm("provider_missing", provider, text)


async def _expire(parts: Parts, upkeep: Upkeep) -> None:
    while claims := await upkeep.overdue(CLAIM_BATCH, parts.clock.monotonic()):
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
            try:
                await parts.objects.delete(file.object_key)
            except StorageFault as error:
                # It is tried again at the next sweep; one file must not keep the others.
                parts.telemetry.event("file.kept", task=str(file.task_id), reason=str(error))
            else:
                gone.append(file.id)
        await parts.files.gone(gone)
        parts.telemetry.event("sweep.removed", files=len(gone))
        if len(due) < CLAIM_BATCH or not gone:
            return
