"""An engine's own clock beside the database's, which everybody's deadlines and leases go by."""

from datetime import datetime
from typing import Final

from filmgate.domain.limits import BEAT_EVERY, CLOCK_OFF
from filmgate.engine.parts import Parts
from filmgate.store.upkeep import Upkeep

_PAUSE_S: Final = BEAT_EVERY.total_seconds() / 2
_OFF: Final = (
    "the clock of an engine is {seconds:.1f} s {way} the database's: let NTP set the clocks of both machines, since times "
    "that it writes and deadlines that it reads are wrong by as much"
)


class ClockWatch:
    """Looks at both clocks now and then; operators are told once of each finding."""

    def __init__(self, parts: Parts, upkeep: Upkeep) -> None:
        self._parts = parts
        self._upkeep = upkeep
        self._off = False
        self._looked: float | None = None

    async def beat(self) -> None:
        """Look, unless that was only just done."""
        now = self._parts.clock.monotonic()
        if self._looked is None or now - self._looked >= _PAUSE_S:
            await self.look()
            self._looked = now

    async def look(self) -> float:
        """Compare the clocks, and keep by how much this one is ahead where a scrape reads it."""
        before = self._parts.clock.now()
        offset_s = ahead_s(before, await self._upkeep.now(), self._parts.clock.now())
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
