"""Word of changed tasks, from whoever changed them to whoever waits, in any process.

A notification is a hint that may be lost: who waits looks again now and then, whatever came.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, TypeVar
from uuid import UUID

import asyncpg

from filmgate.domain.limits import TOLD_AT_ONCE
from filmgate.store.patience import STORE_FAULTS
from filmgate.store.pool import Connection

CHANNEL: Final = "film_tasks"
_TELL: Final = "select pg_notify($2, said) from unnest($1::text[]) as said"
# PostgreSQL carries less than 8,000 bytes at a time.
_PAYLOAD_BYTES: Final = 7_900
_ALIVE_EVERY_S: Final = 30.0
_ALIVE_WITHIN_S: Final = 5.0
_AGAIN_FIRST_S: Final = 0.1
_AGAIN_SLOWEST_S: Final = 5.0

Key = TypeVar("Key")
Changed = tuple[UUID, int]
"""A task and its account."""
Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]


async def tell(connection: Connection, changed: Iterable[Changed]) -> None:
    """Tell of changes when this transaction commits; call it once for a whole batch."""
    said = payloads(sorted(set(changed)))
    if said:
        await connection.execute(_TELL, said, CHANNEL)


def payloads(changed: Sequence[Changed]) -> list[str]:
    """Write changes as texts, each of at most 200 tasks and below PostgreSQL's limit."""
    texts: list[str] = []
    parts: list[str] = []
    size = 0
    for task_id, account_id in changed:
        part = f"{task_id.hex}:{account_id}"
        if parts and (len(parts) == TOLD_AT_ONCE or size + len(part) + 1 > _PAYLOAD_BYTES):
            texts.append(",".join(parts))
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    return [*texts, ",".join(parts)] if parts else texts


class Watch:
    """What one waiter hears of; it hears from the moment at which it was made."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._tasks: set[UUID] = set()
        self._anything = False

    def tell(self, task_id: UUID | None) -> None:
        """Tell of a task, or that anything may have changed."""
        if task_id is None:
            self._anything = True
        else:
            self._tasks.add(task_id)
        self._told.set()

    async def changed(self, within_s: float) -> frozenset[UUID]:
        """Wait for a word, but no longer than that; give the tasks that were named, none where any may be meant."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(within_s, 0)):
                await self._told.wait()
        self._told.clear()
        named = frozenset() if self._anything else frozenset(self._tasks)
        self._tasks, self._anything = set(), False
        return named


class Listener:
    """Listens over one connection for all who wait in this process, and connects again where it is lost."""

    def __init__(self, connect: Connect, on_lost: Callable[[Exception], None]) -> None:
        self._connect = connect
        self._on_lost = on_lost
        self._tasks: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self._accounts: defaultdict[int, set[Watch]] = defaultdict(set)
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled."""
        wait = _AGAIN_FIRST_S
        while True:
            try:
                await self._listen()
            except STORE_FAULTS as error:
                self._on_lost(error)
            wait = _AGAIN_FIRST_S if self.listening.is_set() else min(wait * 2, _AGAIN_SLOWEST_S)
            self.listening.clear()
            await asyncio.sleep(wait)

    @contextmanager
    def task(self, task_id: UUID) -> Iterator[Watch]:
        """Hear of one task for as long as the block lasts."""
        with _watching(self._tasks, task_id) as watch:
            yield watch

    @contextmanager
    def account(self, account_id: int) -> Iterator[Watch]:
        """Hear of all tasks of an account for as long as the block lasts."""
        with _watching(self._accounts, account_id) as watch:
            yield watch

    def wake_all(self) -> None:
        """Let everyone look: something may have been missed, or this process is about to stop."""
        for watches in (*self._tasks.values(), *self._accounts.values()):
            for watch in watches:
                watch.tell(None)

    async def _listen(self) -> None:
        connection = await self._connect()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._hear)
            self.listening.set()
            self.wake_all()
            while not lost.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ALIVE_EVERY_S):
                        await lost.wait()
                if not lost.is_set():
                    # A connection whose other end has vanished says nothing, like one that has nothing to say.
                    await connection.execute("select 1", timeout=_ALIVE_WITHIN_S)
            raise ConnectionError("the connection for notifications was closed")
        finally:
            connection.terminate()

    def _hear(self, *said: object) -> None:
        for part in str(said[-1]).split(","):
            task, _, account = part.partition(":")
            try:
                task_id, account_id = UUID(hex=task), int(account)
            except ValueError:
                # Another version's word: nobody can say whose it is.
                self.wake_all()
                return
            for watch in (*self._tasks.get(task_id, ()), *self._accounts.get(account_id, ())):
                watch.tell(task_id)


@contextmanager
def _watching(known: defaultdict[Key, set[Watch]], key: Key) -> Iterator[Watch]:
    watch = Watch()
    known[key].add(watch)
    try:
        yield watch
    finally:
        known[key].discard(watch)
        if not known[key]:
            del known[key]
