"""Beside: what goes on next to the steps of an engine, from its start to its end."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

from filmgate.domain.clock import Chance
from filmgate.domain.limits import IDLE_CLAIM, SHUTDOWN
from filmgate.engine.backoff import after_outage
from filmgate.store.patience import AWAY, CLAIM_WITHIN_S, STORE_FAULTS

Item = TypeVar("Item")
OnOutage = Callable[[Exception], None]
_SHUTDOWN_SHARE: Final = 0.6


class Beside(Protocol):
    async def run(self) -> None: ...
    async def stop(self) -> None: ...


class Log(Protocol):
    def event(self, event: str, **fields: object) -> None: ...


def logged(log: Log, event: str) -> OnOutage:
    """Log that something waits: a database that is away is named, anything else is a bug, and told with its trace."""

    def waits(error: Exception) -> None:
        trace = {} if isinstance(error, AWAY) else {"error": error}
        log.event(event, reason=type(error).__name__, **trace)

    return waits


@asynccontextmanager
async def alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let something that never ends by itself go on until the block is left."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def let_end(running: Collection["asyncio.Task[object]"]) -> None:
    """Let what is in hand finish, as long as a shutdown leaves time for it, and cancel the rest."""
    if running:
        await asyncio.wait(running, timeout=SHUTDOWN.total_seconds() * _SHUTDOWN_SHARE)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


class Consumer(ABC, Generic[Item]):
    """Claims what is due, and tries each by itself; several need no election.

    `wake` is set when something in this process became due.
    """

    idle: timedelta = IDLE_CLAIM
    """How long nobody looks where nothing was due."""

    def __init__(self, wake: asyncio.Event, chance: Chance, on_outage: OnOutage) -> None:
        self._wake = wake
        self._chance = chance
        self._on_outage = on_outage
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._begun = False

    @abstractmethod
    async def begin(self) -> None:
        """Take back what a former start of this engine had claimed."""

    @abstractmethod
    async def claim(self, in_hand: int) -> Sequence[Item]:
        """Claim what is due."""

    @abstractmethod
    async def consume(self, item: Item) -> None:
        """Try once, and write what became of it."""

    @abstractmethod
    def broken(self, item: Item, error: Exception) -> None:
        """Tell of a bug that one of them met."""

    async def run(self) -> None:
        """Go on until `stop`; the database may go away and come back meanwhile."""
        outages = 0
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(CLAIM_WITHIN_S):
                    claimed = await self._claim()
            except Exception as error:  # noqa: BLE001  # whatever it was, what is due stays due, and is looked for again
                self._on_outage(error)
                outages += 1
                await self._rest(after_outage(outages, self._chance))
                continue
            outages = 0
            if not claimed:
                await self._rest(self.idle)

    async def stop(self) -> None:
        """Claim nothing more and let what is in hand finish; what is left is claimed again by another."""
        self._stopping.set()
        self._wake.set()
        await let_end(set(self._running))

    async def _claim(self) -> int:
        if not self._begun:
            await self.begin()
            self._begun = True
        # What becomes due from here on is looked for again, also while this look-up is out.
        self._wake.clear()
        claims = await self.claim(len(self._running))
        for claim in claims:
            task = asyncio.create_task(self._guarded(claim))
            self._running.add(task)
            task.add_done_callback(self._done)
        return len(claims)

    async def _guarded(self, item: Item) -> None:
        """One's error is its own: it stays leased, and is claimed again."""
        try:
            await self.consume(item)
        except STORE_FAULTS as error:
            self._on_outage(error)
        except Exception as error:  # noqa: BLE001  # a bug with one must not stop the others
            self.broken(item, error)

    def _done(self, task: "asyncio.Task[None]") -> None:
        # Its place, and its host's, is free: more may be waiting for just that.
        self._running.discard(task)
        self._wake.set()

    async def _rest(self, longest: timedelta) -> None:
        try:
            async with asyncio.timeout(longest.total_seconds()):
                await self._wake.wait()
        except TimeoutError:
            return
