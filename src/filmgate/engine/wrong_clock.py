"""An engine's own clock beside the database's, which everybody's deadlines and leases go by."""

from datetime import datetime
from typing import Final

from filmgate.domain.limits import CLOCK_OFF
from filmgate.engine.parts import Parts

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
