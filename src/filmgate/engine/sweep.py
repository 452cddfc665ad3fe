"""Sweep: end what is overdue, remove what was kept long enough, repair and report what should not be."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import CLAIM_BATCH, FILES_AT_ONCE, SCRATCH_LIFE, SWEEP_EVERY
from filmgate.domain.task import StoredFile
from filmgate.domain.webhook import ENDPOINT, named
from filmgate.engine.cancel import call_off, sweep_cancelled
from filmgate.engine.end import end_all, expire
from filmgate.engine.parts import Parts
from filmgate.engine.stranded import stranded
from filmgate.store.retention import Outcome
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Claim

# Each step removes up to 5,000 rows.
_FORGET_STEPS = 5

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
        ("estimates", lambda: _estimate(parts)),
        ("files", lambda: _remove_files(parts)),
        ("partitions", lambda: _partitions(parts, upkeep)),
        ("records", lambda: _forget(parts, upkeep)),
        ("quotes", upkeep.forget_quotes),
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


async def _partitions(parts: Parts, upkeep: Upkeep) -> None:
    await upkeep.make_partitions(parts.clock.now())
    await failpoint("sweep.partitioned")
    count = await upkeep.strays_by_default()
    if count:
        text = f"{count} tasks or more lie in tasks_default: no partition was there for their week when they came"
        await parts.notices.alarm("unpartitioned", text, "store")


async def _forget(parts: Parts, upkeep: Upkeep) -> None:
    """Forget what is old enough, a few steps at a time; the rest is left for the next sweep."""
    # What was forgotten does not come back: one machine whose clock is ahead must not be enough for that.
    now = min(parts.clock.now(), await upkeep.now())
    for _ in range(_FORGET_STEPS):
        await failpoint("sweep.before_forgetting")
        forgot = await upkeep.forget_tasks(now)
        await failpoint("sweep.forgot")
        if forgot.week is None:
            return
        week = f"{forgot.week:%Y-%m-%d}"
        if forgot.outcome is Outcome.STUCK:
            text = f"tasks of the week from {week} are to be forgotten, and some of them have never ended"
            await parts.notices.alarm("never_ended", text, "store")
        if forgot.outcome is Outcome.DONE:
            parts.telemetry.event("sweep.forgot", part=week)
        if forgot.outcome in {Outcome.STUCK, Outcome.WAITING}:
            return


async def _alarm(parts: Parts) -> None:
    """Tell operators of tasks that wait for a provider or a route which the settings no longer have."""
    for one in await stranded(parts):
        await failpoint("sweep.before_alarm")
        await parts.notices.alarm(one.kind, one.text, one.name)


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


async def _estimate(parts: Parts) -> None:
    """Learn from what has ended, and tell operators of models whose remaining time is hidden for being wrong."""
    for doubt in await parts.experience.fold():
        await failpoint("sweep.before_doubt")
        text = (
            f"{doubt.covered} of the last {doubt.outcomes} films of {doubt.model} ended in the time that was shown: "
            "no remaining time is shown for it until that is better"
        )
        await parts.notices.alarm("eta_hidden", text, doubt.model)


async def _expire(parts: Parts, upkeep: Upkeep) -> None:
    expired: list[Claim] = []

    async def end(parts: Parts, claim: Claim) -> None:
        await expire(parts, claim)
        expired.append(claim)

    try:
        await end_all(parts, upkeep.overdue, end)
    finally:
        await _call_off(parts, expired)


async def _call_off(parts: Parts, expired: Sequence[Claim]) -> None:
    """Let providers stop what has expired, for as long as sweeps are apart; one that does not answer is not waited for."""
    hands = asyncio.Semaphore(CLAIM_BATCH)

    async def one(claim: Claim) -> None:
        async with hands:
            await call_off(parts, claim)

    try:
        async with asyncio.timeout(SWEEP_EVERY.total_seconds()):
            await asyncio.gather(*(one(claim) for claim in expired))
    except TimeoutError as error:
        parts.telemetry.event("cancel.failed", count=len(expired), reason=type(error).__name__)


async def _remove_files(parts: Parts) -> None:
    """Remove what was kept long enough, for as long as sweeps are apart: they have more to do than that."""
    over = parts.clock.monotonic() + SWEEP_EVERY.total_seconds()
    hands = asyncio.Semaphore(FILES_AT_ONCE)
    while due := await parts.files.due_for_removal(CLAIM_BATCH):
        found = await asyncio.gather(*(_removed(parts, file, hands, over) for file in due))
        gone = [file.id for file, removed in zip(due, found, strict=True) if removed]
        await failpoint("sweep.before_gone")
        await parts.files.gone(gone)
        parts.telemetry.event("sweep.removed", files=len(gone))
        if len(due) < CLAIM_BATCH or not gone or parts.clock.monotonic() > over:
            return


async def _removed(parts: Parts, file: StoredFile, hands: asyncio.Semaphore, over: float) -> bool:
    async with hands:
        if parts.clock.monotonic() > over:
            return False
        await failpoint("sweep.before_file")
        try:
            await parts.objects.delete(file.object_key)
        except StorageFault as error:
            # It is tried again at the next sweep; one file must not keep the others.
            parts.telemetry.event("file.kept", task=str(file.task_id), reason=str(error))
            return False
        return True
