"""Where a task stands, for those who wait for it: how many come before it, what it waits for, and how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from filmgate.domain.clock import Clock
from filmgate.domain.eta import Outlook, RunKind, run_kind
from filmgate.domain.request import FilmRequest
from filmgate.domain.states import State
from filmgate.domain.task import Task
from filmgate.engine.parts import Experience
from filmgate.engine.progress import promise_of
from filmgate.engine.route import Router
from filmgate.store.credentials import Credentials, Room
from filmgate.store.patience import STORE_FAULTS
from filmgate.store.places import Place, Places
from filmgate.store.read import Reader

_ROOMS_LIVE_S: Final = 1.0


class WaitingFor(StrEnum):
    YOUR_LIMIT = "your_limit"
    """Its account, or its key, has as many running as may run."""
    TURN = "turn"
    """Others come before it."""
    PROVIDER = "provider"
    """Whoever would make it is full, busy or shut; or has it and has not begun."""
    REPLY = "reply"
    """The reply to its submit was lost, and is looked for before anything else is done."""


@dataclass(frozen=True, slots=True)
class Span:
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Position:
    """`queue_position` is None, and so is `queue`, where it does not wait here, or nobody knows."""

    queue_position: int | None = None
    waiting_for: WaitingFor | None = None
    queue: Span | None = None


_RUNS: Final = Position()
_UNKNOWN: Final = Position()


@dataclass(slots=True)
class Whereabouts:
    places: Places
    credentials: Credentials
    reader: Reader
    router: Router
    experience: Experience
    clock: Clock
    models: Sequence[str]
    _rooms: Mapping[int, Room] = field(default_factory=dict)
    _rooms_until: float = -1.0

    async def of(self, task: Task) -> Position:
        """Say where a task stands; nothing, while the store is away: a task that was accepted is told so nevertheless."""
        try:
            return await self._of(task)
        except STORE_FAULTS:
            return _UNKNOWN

    async def _of(self, task: Task) -> Position:
        if task.state.ended:
            return _RUNS
        if task.state is not State.QUEUED:
            return Position(waiting_for=WaitingFor.PROVIDER) if task.record.waits_there else _RUNS
        place = await self.places.of(task.id, self.router.sharing(task.request.model, self.models))
        if place is None:
            lost = await self.reader.is_uncertain(task.id)
            return Position(waiting_for=WaitingFor.REPLY if lost else None)
        reason = await self._reason(task, place)
        return Position(place.ahead, reason, await self._queue(task, place, reason))

    def provider(self, model: str) -> str:
        """Name who would be asked first to make films of a model."""
        return self.router.first(model)

    async def outlook(self, task: Task) -> tuple[RunKind, Outlook]:
        """Say what is known of a task's run: what was known when it began, once it has."""
        promise = promise_of(task)
        if promise is None:
            return await self.outlook_for(task.request)
        kind = run_kind(promise.provider, task.request)
        honest = (await self.experience.of(kind)).honest
        return kind, Outlook(promise.sample, promise.estimate, honest)

    async def outlook_for(self, request: FilmRequest) -> tuple[RunKind, Outlook]:
        """Say what is known of a run that has not begun, at who would be asked first."""
        kind = run_kind(self.provider(request.model), request)
        return kind, await self.experience.of(kind)

    async def _reason(self, task: Task, place: Place) -> WaitingFor:
        if place.limited:
            return WaitingFor.YOUR_LIMIT
        rooms = await self._open()
        lines = [rooms[line.credential_id] for line in self.router.lines(task.request.model)
                 if line.credential_id in rooms]  # fmt: skip
        shut = bool(lines) and all(room.shut for room in lines)
        full = bool(lines) and all(room.free <= 0 for room in lines)
        return WaitingFor.PROVIDER if shut or (full and place.ahead == 0) else WaitingFor.TURN

    async def _open(self) -> Mapping[int, Room]:
        if self.clock.monotonic() > self._rooms_until:
            self._rooms_until = self.clock.monotonic() + _ROOMS_LIVE_S
            self._rooms = await self.credentials.rooms()
        return self._rooms

    async def _queue(self, task: Task, place: Place, reason: WaitingFor) -> Span | None:
        """Estimate the wait: as many places become free in the time of a run as films are being made."""
        known = (await self.outlook_for(task.request))[1].shown
        if known is None or place.made == 0 or reason is not WaitingFor.TURN:
            return None
        return Span(place.ahead / place.made * known.low_s, (place.ahead + 1) / place.made * known.high_s)


def elapsed_s(task: Task, now: datetime) -> tuple[float, float]:
    """Give a task's two clocks: how long it has waited, and how long it has run."""
    until = task.ended_at or now
    begun = task.started_at or until
    return max((begun - task.created_at).total_seconds(), 0.0), max((until - begun).total_seconds(), 0.0)
