"""An engine's own clock beside the database's, which everybody's deadlines and leases go by."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final

from filmgate.domain.limits import BEAT_EVERY, CLOCK_OFF
from filmgate.engine.beside import alongside
from filmgate.engine.parts import Parts
from filmgate.store.patience import PATIENCE_S, STORE_FAULTS

_OFF: Final = (
    "the clock of an engine is {seconds:.1f} s {way} the database's: let NTP set the clocks of both machines, since times "
    "that it writes and deadlines that it reads are wrong by as much"
)


class ClockWatch:
    """Is told both clocks now and then; operators are told once of each finding."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._off = False

    async def compare(self, before: datetime, theirs: datetime) -> float:
        """Compare the clocks, and keep by how much this one is ahead where a scrape reads it.

        The database said its time between `before` and now.
        """
        offset_s = ahead_s(before, theirs, self._parts.clock.now())
        await self._parts.claims.keep_offset(offset_s)
        off = abs(offset_s) > CLOCK_OFF.total_seconds()
        if off and not self._off:
            said = _OFF.format(seconds=abs(offset_s), way="ahead of" if offset_s > 0 else "behind")
            await self._parts.notices.alarm("clock_off", said)
            self._parts.telemetry.event("clock.off", reason=said)
        elif self._off and not off:
            self._parts.telemetry.event("clock.right")
        self._off = off
        return offset_s


def ahead_s(before: datetime, theirs: datetime, after: datetime) -> float:
    """Say by how much our clock is ahead at least: a database that answers slowly makes no clock wrong."""
    if theirs < before:
        return (before - theirs).total_seconds()
    return min((after - theirs).total_seconds(), 0.0)


@asynccontextmanager
async def watched(parts: Parts, now: Callable[[], Awaitable[datetime]]) -> AsyncIterator[None]:
    """Look at the database's clock all the while: what was not seen to go right proves nothing of how long ago it was."""
    await _look(parts, now)
    async with alongside(_looking(parts, now)):
        yield


async def _looking(parts: Parts, now: Callable[[], Awaitable[datetime]]) -> None:
    while True:
        await asyncio.sleep(BEAT_EVERY.total_seconds())
        with suppress(*STORE_FAULTS, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await _look(parts, now)


async def _look(parts: Parts, now: Callable[[], Awaitable[datetime]]) -> None:
    began = parts.clock.monotonic()
    parts.steady.note(await now(), began)
