"""Keep a lease while work goes on, and stop the work where the lease was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from filmgate.domain.limits import (
    LEASE_RENEWAL,
    LEASE_SPARE,
    POLL_LEASE,
    STEP_LEASE,
    SUBMIT_LEASE,
    SUBMIT_SECONDS,
)
from filmgate.engine.parts import Parts
from filmgate.store.moves import StaleLease
from filmgate.store.patience import AWAY
from filmgate.store.work import Claim

_SHARE: Final = 0.5


@dataclass(slots=True)
class Hold:
    taken: bool = False
    """Whether the row's due time was moved, so that the next one must be written."""
    lost: bool = False


def may_send(parts: Parts, claim: Claim) -> bool:
    """Tell whether so much of a submit's lease is left that its reply will come within it."""
    latest = SUBMIT_LEASE.total_seconds() - SUBMIT_SECONDS - LEASE_SPARE.total_seconds()
    return parts.clock.monotonic() - claim.since <= latest


@asynccontextmanager
async def renewing(parts: Parts, claim: Claim) -> AsyncIterator[None]:
    """Keep the lease of a long step; raise StaleLease, with the work stopped, where another owns it by now."""
    async with _kept(parts, claim, LEASE_RENEWAL):
        yield


@asynccontextmanager
async def held(parts: Parts, claim: Claim) -> AsyncIterator[Hold]:
    """Keep a question to a provider from being asked by another engine, once it takes longer than its lease."""
    async with _kept(parts, claim, max(claim.pace, POLL_LEASE) * _SHARE) as hold:
        # The lease of a short pace reaches past the next question.
        hold.taken = claim.pace < POLL_LEASE
        yield hold


@asynccontextmanager
async def _kept(parts: Parts, claim: Claim, first: timedelta) -> AsyncIterator[Hold]:
    hold, body, renewals = Hold(), asyncio.current_task(), list[asyncio.Task[None]]()

    def begin() -> None:
        renewals.append(asyncio.create_task(_renew(parts, claim, hold, body)))

    timer = asyncio.get_running_loop().call_later(first.total_seconds(), begin)
    try:
        yield hold
    except asyncio.CancelledError:
        if hold.lost and body is not None and body.uncancel() == 0:
            raise StaleLease(str(claim.task_id)) from None
        raise
    finally:
        timer.cancel()
        for renewal in renewals:
            renewal.cancel()
        if renewals:
            # A renewal that is under way must not come after what the step writes now.
            await asyncio.gather(*renewals, return_exceptions=True)


async def _renew(parts: Parts, claim: Claim, hold: Hold, body: "asyncio.Task[object] | None") -> None:
    while True:
        hold.taken = True
        try:
            hold.lost = not await parts.claims.renew(claim, STEP_LEASE)
        except AWAY:
            # Where the database is away, nobody else gets the lease either.
            hold.lost = False
        if hold.lost and body is not None:
            body.cancel()
            return
        await asyncio.sleep(LEASE_RENEWAL.total_seconds())
