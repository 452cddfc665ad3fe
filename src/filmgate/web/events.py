"""Events: what becomes of tasks, told as it happens, over one connection for as long as somebody listens."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from filmgate.domain.limits import LOOK_AGAIN, PROGRESS_EVENT, STREAM_COMMENT, TOLD_AT_ONCE
from filmgate.domain.task import Owner, Task
from filmgate.web.found import own_task
from filmgate.web.operators import operator_router
from filmgate.web.seen import find_seen
from filmgate.web.showing import ADMIN_API, OWN_API, task_out
from filmgate.web.streams import Held, Stream
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import task_headers

_UNBUFFERED: Final = {"x-accel-buffering": "no", "cache-control": "no-store"}
_END_OF_LINE: Final = "\n"
# Tells a browser that there is nothing to come back for.
_OVER: Final = 204
# A change may be committed a little after one that says it came later.
_OVERLAP: Final = timedelta(seconds=10)
_DIGITS: Final = 18
_STATES: Final = frozenset({"task.phase", "task.done"})


def event_routes(around: Surroundings) -> APIRouter:
    """Build the streams of one task, and of all tasks of an account."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    @router.get("/tasks/{id}/events", response_class=Response)
    async def task_events(
        request: Request,
        id: str,  # noqa: A002  # the path's own word
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Tell of a task until it has ended: first how it stands, then each change, as server-sent events."""
        owner = await around.doorman.owner(request)
        task = await own_task(around, owner.account_id, id)
        return _story_of(around, request, owner, task, last_event_id)

    @router.get("/events", response_class=Response)
    async def all_events(request: Request, last_event_id: Annotated[str | None, Header()] = None) -> Response:
        """Tell of all tasks: first how those stand that have not ended, then each change; it never ends by itself."""
        owner = await around.doorman.owner(request)
        known = _number(last_event_id)
        told = _of_account(around, request, owner, known)
        return Held(_stream(told, {}), around.streams, Stream.EVENTS, f"key {owner.key_id}")

    return router


def operator_events(around: Surroundings) -> APIRouter:
    """Build the operators' stream, of anybody's task."""
    router = operator_router(around)

    @router.get("/tasks/{id}/events", response_class=Response)
    async def task_events(
        request: Request,
        id: str,  # noqa: A002  # the path's own word
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Tell of anybody's task until it has ended, as its owner would be told."""
        owner = await around.doorman.operator(request)
        seen = await find_seen(around, id)
        return _story_of(around, request, owner, seen.task, last_event_id)

    return router


def _story_of(
    around: Surroundings, request: Request, owner: Owner, task: Task, last_event_id: str | None
) -> Response:
    known = _number(last_event_id)
    if task.state.ended and known is not None and known >= task.version:
        return Response(status_code=_OVER, headers=task_headers(task))
    told = _of_task(around, request, owner, task, known)
    return Held(_stream(told, task_headers(task)), around.streams, Stream.EVENTS, f"key {owner.key_id}")


def _stream(events: AsyncIterator[dict[str, str]], headers: dict[str, str]) -> Response:
    return EventSourceResponse(
        events,
        ping=STREAM_COMMENT.total_seconds(),
        ping_message_factory=lambda: ServerSentEvent(comment="still here", sep=_END_OF_LINE),
        sep=_END_OF_LINE,
        headers=_UNBUFFERED | headers,
    )


async def _of_task(
    around: Surroundings, request: Request, owner: Owner, task: Task, known: int | None
) -> AsyncIterator[dict[str, str]]:
    """Tell of one task; an id of ours is the task's version, so that who comes back misses nothing."""
    told = task if known is not None and known >= task.version else None
    pace, standing = _Pace(), _Standing(around, owner)
    with around.listener.task(task.id) as watch:
        while True:
            wait_s = LOOK_AGAIN.total_seconds()
            if told is None or task.version > told.version:
                kind = _kind(told, task)
                wait_s = pace.wait_s(task.id, kind, around.clock.monotonic())
                if not wait_s:
                    yield await _event(around, request, owner, task, kind, str(task.version))
                    told, wait_s = task, LOOK_AGAIN.total_seconds()
            if task.state.ended or around.draining.is_set():
                return
            await watch.changed(wait_s)
            if await standing.fell():
                return
            found = await around.reader.find(str(task.id), task.account_id)
            if found is None:
                # Its owner deleted it meanwhile: there is nothing more to tell.
                return
            task = found


async def _of_account(
    around: Surroundings, request: Request, owner: Owner, known: int | None
) -> AsyncIterator[dict[str, str]]:
    """Tell of all tasks of an account; an id of ours is when the latest change was made."""
    story, standing = _Story(around, owner.account_id), _Standing(around, owner)
    latest = known or 0
    with around.listener.account(owner.account_id) as watch:
        found = await story.beginning(known)
        while True:
            for task, kind in story.news(found):
                latest = max(latest, _micros(task.changed_at))
                yield await _event(around, request, owner, task, kind, str(latest))
            if around.draining.is_set():
                return
            named = await watch.changed(story.patience_s())
            if around.draining.is_set() or await standing.fell():
                return
            found = await story.look(named)


class _Standing:
    """Looks every few seconds whether the key of a stream still opens it."""

    def __init__(self, around: Surroundings, owner: Owner) -> None:
        self._around = around
        self._key_id = owner.key_id
        self._looked = around.clock.monotonic()

    async def fell(self) -> bool:
        now = self._around.clock.monotonic()
        # The operator of this machine has no key in the store that could be revoked.
        if not self._key_id or now - self._looked < LOOK_AGAIN.total_seconds():
            return False
        self._looked = now
        return await self._around.keys.standing(self._key_id) is None


class _Pace:
    """Lets one event of progress a second pass for each task; what is more than progress always passes."""

    def __init__(self) -> None:
        self._last: dict[UUID, float] = {}

    def wait_s(self, task_id: UUID, kind: str, now: float) -> float:
        """Give how long that event must wait; 0 lets it pass, and counts it."""
        if kind in _STATES:
            return 0.0
        wait = self._last.get(task_id, -1e9) + PROGRESS_EVENT.total_seconds() - now
        if wait > 0:
            return wait
        self._last[task_id] = now
        return 0.0

    def forget(self, task_id: UUID) -> None:
        self._last.pop(task_id, None)


class _Story:
    """What a stream has told of an account's tasks, and what it looks at next."""

    def __init__(self, around: Surroundings, account_id: int) -> None:
        self._around = around
        self._account_id = account_id
        self._told: dict[UUID, Task] = {}
        self._held: dict[UUID, Task] = {}
        self._pace = _Pace()
        self._looked = around.clock.monotonic()

    async def beginning(self, known: int | None) -> list[Task]:
        """Find how things stand: what has not ended, and what changed since the last event that came through."""
        now, changes = self._around.clock.now(), self._around.changes
        found = {task.id: task for task in await changes.unfinished(self._account_id, now, TOLD_AT_ONCE)}
        if known is not None:
            since = _moment(known) - _OVERLAP
            later = await changes.since(self._account_id, since, TOLD_AT_ONCE)
            found = {task.id: task for task in later} | found
        return sorted(found.values(), key=lambda task: (task.changed_at, task.id))

    async def look(self, named: frozenset[UUID]) -> list[Task]:
        """Read the tasks that were named; where none was, all that may have changed."""
        changes, now, clock = self._around.changes, self._around.clock.now(), self._around.clock
        if (named or self._held) and clock.monotonic() - self._looked < LOOK_AGAIN.total_seconds():
            return [*await changes.of(self._account_id, [*named, *self._held])]
        self._looked = clock.monotonic()
        running = [task.id for task in self._told.values() if not task.state.ended]
        found = [*await changes.of(self._account_id, [*running, *named])]
        new = await changes.made_since(self._account_id, now - _OVERLAP, TOLD_AT_ONCE)
        known = {task.id for task in found}
        self._forget(now)
        return found + [task for task in new if task.id not in known]

    def news(self, found: list[Task]) -> list[tuple[Task, str]]:
        """Give what of that is to be told now."""
        news: list[tuple[Task, str]] = []
        for task in found:
            told = self._told.get(task.id)
            self._held.pop(task.id, None)
            if told is not None and task.version <= told.version:
                continue
            kind = _kind(told, task)
            if self._pace.wait_s(task.id, kind, self._around.clock.monotonic()):
                self._held[task.id] = task
                continue
            self._told[task.id] = task
            news.append((task, kind))
        return news

    def patience_s(self) -> float:
        return PROGRESS_EVENT.total_seconds() if self._held else LOOK_AGAIN.total_seconds()

    def _forget(self, now: datetime) -> None:
        """Forget what ended so long ago that no look finds it again."""
        over = [
            task.id
            for task in self._told.values()
            if task.ended_at is not None and now - max(task.ended_at, task.created_at) > 2 * _OVERLAP
        ]
        for task_id in over:
            del self._told[task_id]
            self._pace.forget(task_id)


def _kind(before: Task | None, now: Task) -> str:
    """Say what happened to a task since it was told of last."""
    if now.state.ended:
        return "task.done"
    if before is None or before.state is not now.state:
        return "task.phase"
    return "task.attempt" if now.record.retries > before.record.retries else "task.progress"


async def _event(
    around: Surroundings, request: Request, owner: Owner, task: Task, kind: str, id_: str
) -> dict[str, str]:
    shown = await task_out(around, task, request, ADMIN_API if owner.operator else OWN_API)
    return {"id": id_, "event": kind, "data": shown.model_dump_json()}


def _number(said: str | None) -> int | None:
    """Read the id of an event that came through; one that is none of ours is as good as none."""
    known = said is not None and said.isascii() and said.isdigit() and len(said) <= _DIGITS
    return int(said or "") if known else None


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _moment(micros: int) -> datetime:
    # A moment that lies far ahead or behind is none that we named.
    return datetime.fromtimestamp(min(micros / 1_000_000, 4e9), UTC)
