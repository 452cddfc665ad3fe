"""Suspects: tasks whose engines died again and again are tried one at a time, so that a death is nobody else's.

For a short slice nothing else is begun, and what is in hand may end. What takes longer than that goes on beside the
suspect, and others are claimed again after the slice; but none of them carries the engine's name meanwhile, so that its
death is counted against the suspect alone. A suspect for which there is no time now is put back, which is no death.
"""

from collections.abc import Sequence
from uuid import UUID

from filmgate.domain.limits import ALONE_AGAIN, ALONE_DRAIN, ALONE_SLICE
from filmgate.engine.parts import Parts
from filmgate.store.transitions import NOW
from filmgate.store.work import Claim


class Trial:
    """The one suspect that an engine tries at a time; slices take half of its time at most."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._waiting: Claim | None = None
        self._running: UUID | None = None
        self._since = 0.0
        self._over = True
        self._next = 0.0

    @property
    def waiting(self) -> Sequence[UUID]:
        return () if self._waiting is None else (self._waiting.task_id,)

    @property
    def running(self) -> bool:
        return self._running is not None

    def alone(self) -> bool:
        """Tell whether nothing else may be begun now."""
        if not self._over and self._parts.clock.monotonic() - self._since > ALONE_SLICE.total_seconds():
            self._end_slice()
        return not self._over

    async def offer(self, suspects: Sequence[Claim]) -> None:
        """Take one of them to be tried next, where there is time for it, and put back the others."""
        now = self._parts.clock.monotonic()
        if suspects and self._waiting is None and self._running is None and now >= self._next:
            self._waiting, suspects = suspects[0], suspects[1:]
            self._since, self._over = now, False
        if suspects:
            await self._parts.claims.put_back(suspects, ALONE_AGAIN)

    async def next(self, *, busy: bool) -> Claim | None:
        """Give the suspect that is to be begun now: once nothing is in hand, or that has had its time to end."""
        claim = self._waiting
        drained = self._parts.clock.monotonic() - self._since > ALONE_DRAIN.total_seconds()
        if claim is None or (busy and not drained):
            return None
        await self._parts.claims.blame(claim)
        self._waiting, self._running = None, claim.task_id
        return claim

    def ended(self, task_id: UUID) -> None:
        if self._running == task_id:
            self._running = None
            self._end_slice()

    async def drop(self) -> None:
        """Put back the suspect that was not begun: its engine stops in order, and dies of nothing."""
        if self._waiting is not None:
            await self._parts.claims.put_back([self._waiting], NOW)
            self._waiting = None

    def _end_slice(self) -> None:
        if not self._over:
            now = self._parts.clock.monotonic()
            self._over, self._next = True, now + (now - self._since)
