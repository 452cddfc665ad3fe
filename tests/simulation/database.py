"""PostgreSQL as simulated processes see it: a pool each, over connections that outlive them all.

A call is made and answered before anything else goes on, unless it waits for another's lock; where several were out,
their answers are given in the order of their questions. The statements read the simulated time.
Between a process and the database anything may be lost: what was asked, or the answer to it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from filmgate.store.pool import speak_json
from simulation.control import Control
from simulation.links import SESSION, Link, Quick
from simulation.loop import Process, SimulatedLoop
from simulation.turns import Turns

# What a database does to a session that was left in the middle of a transaction.
IDLE_S: Final = 60.0
STATEMENT_S: Final = 60.0
# What may make something due; a claim only makes it less so.
_WRITES: Final = ("commit", "insert", "update", "delete")


class Gone(BaseException):  # nothing of the product may catch it
    """The process that asks is dead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call, until it is given to whoever asked."""

    number: int
    future: "asyncio.Future[Any]"
    process: Process | None
    changes: bool
    value: Any
    error: Exception | None


class Database:
    """All connections, which calls are out, and when the database is away."""

    def __init__(self, loop: SimulatedLoop, links: Sequence[Link], control: Control, clock: Path) -> None:
        self.loop = loop
        self.control = control
        self._file = os.open(clock, os.O_WRONLY)
        self._stamp = ""
        self._links = list(links)
        self._idle = list(links)
        self._turns = Turns(links, control, self._loser)
        self._answers: list[Answer] = []
        self.epoch = 0.0
        self.skew = 0.0
        self.away = False
        self.lossy = 0.0
        self.deadlocks = 0
        self.calls = 0
        self.on_change: Callable[[], None] = _nobody_waits

    def begin(self) -> None:
        """Start a new world: the clock is right, and nothing is lost."""
        self.on_change = _nobody_waits
        self.skew = self.lossy = 0.0
        self.away = False
        self.deadlocks = self.calls = 0
        self._answers.clear()

    async def close(self) -> None:
        os.close(self._file)
        self._turns.close()
        for link in self._links:
            await link.connection.close()

    @property
    def now(self) -> float:
        """Its own clock, in seconds since 1970."""
        return self.epoch + self.loop.time() + self.skew

    def waiting(self) -> bool:
        return self._turns.taken()

    def stalled(self) -> None:
        link = self._turns.silent()
        if link is None:
            return
        if link.timed is not link.driver:
            link.timed = link.driver
            self.loop.call_later(STATEMENT_S, self._time_out, link, link.driver)
        self._give_answers()

    def take(self) -> Link:
        return self._idle.pop(0)

    async def give_back(self, link: Link) -> None:
        """End what a connection is in the middle of, and waits for, as the database does when its client is gone."""
        await self._cancel(link)
        if link.connection.is_in_transaction() or link.depth:
            await self._operate(link, "rollback")
        link.depth, link.begun, link.process = 0, None, None
        if link not in self._idle:
            self._idle.append(link)
            self._idle.sort(key=self._links.index)

    async def call(self, link: Link, method: str, statement: str, arguments: Sequence[Any]) -> Any:
        """Make a call; give its answer once this process is its turn again."""
        future: asyncio.Future[Any] = self.loop.create_future()
        self.calls += 1
        self.loop.note(f"{method} {statement[:60]!r}")
        link.number, link.gives_way = self.calls, False
        link.driver = self.loop.operate(self._drive(link, method, statement, arguments, future))
        try:
            return await future
        except asyncio.CancelledError:
            if not future.done() or future.cancelled():
                await self.loop.operate(self._cancel(link))
            raise

    async def _cancel(self, link: Link) -> None:
        driver = link.driver
        if driver is None or driver.done():
            return
        await self._turns.enter(link)
        if self._turns.halted(link):
            self._turns.undo(link)
            await asyncio.wait([driver])
        else:
            self._turns.leave(link, free=False)

    def _loser(self, links: Sequence[Link]) -> Link:
        return self.loop.dice.choice(links)

    def _time_out(self, link: Link, driver: object) -> None:
        if link.driver is driver:
            self.loop.operate(self._cancel(link))

    async def _drive(
        self, link: Link, method: str, statement: str, arguments: Sequence[Any], future: "asyncio.Future[Any]"
    ) -> None:
        value: Any = None
        error: Exception | None = None
        number, process = link.number, link.process
        await self._turns.enter(link)
        try:
            timed = self._tell_time(statement)
            value = await getattr(link.connection, method)(timed, *arguments)
        except Exception as caught:  # noqa: BLE001  # it is the caller's
            error = self._undone(link, caught)
        finally:
            # Whatever goes wrong, and whatever is undone, lets go of locks before its transaction ends.
            ended = not link.connection.is_in_transaction()
            changes = ended and statement.lstrip().startswith(_WRITES)
            self._answers.append(Answer(number, future, process, changes, value, error))
            self._turns.leave(link, free=ended or error is not None or statement.startswith("rollback"))
            self._give_answers()

    def _undone(self, link: Link, error: Exception) -> Exception:
        """Say what the database would have said to one whose statement was ended to undo a knot."""
        if not (link.gives_way and isinstance(error, asyncpg.QueryCanceledError)):
            return error
        self.deadlocks += 1
        return asyncpg.DeadlockDetectedError("deadlock detected")

    def _give_answers(self) -> None:
        """Give what came, once nothing more is to come: which of two was quicker decides nothing."""
        if self._turns.taken():
            return
        came = sorted(self._answers, key=lambda answer: answer.number)
        self._answers.clear()
        for answer in came:
            if answer.process is not None:
                answer.process.burn()
            if answer.changes:
                self.on_change()
            if answer.future.done():
                continue
            if answer.error is None:
                answer.future.set_result(answer.value)
            else:
                answer.future.set_exception(answer.error)

    async def _operate(self, link: Link, statement: str) -> None:
        await self._turns.enter(link)
        try:
            await link.connection.execute(statement)
        finally:
            self._turns.leave(link, free=True)
            self._give_answers()

    def _tell_time(self, statement: str) -> str:
        """Let the statement know the time; within a transaction that stands still."""
        stamp = f"{self.now:.6f}"
        if statement == "begin":
            return f"begin; set local simulated.time = '{stamp}'"
        if stamp != self._stamp:
            self._stamp = stamp
            os.pwrite(self._file, stamp.encode(), 0)
        return statement


class Connection:
    """A pool's connection as the product uses it."""

    def __init__(self, pool: "SimulatedPool", link: Link) -> None:
        self._pool = pool
        self.link = link
        self.lost = False

    async def execute(self, statement: str, *arguments: Any) -> Any:
        return await self._call("execute", statement, arguments)

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        return await self._call("fetch", statement, arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        return await self._call("fetchrow", statement, arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        return await self._call("fetchval", statement, arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        depth = self.link.depth
        await self._call("execute", f"savepoint s{depth}" if depth else "begin", ())
        self.link.depth = depth + 1
        self.link.begun = self._pool.database.loop.time()
        try:
            yield
        except BaseException:
            if not self.lost:
                self.link.depth = depth
                await self._call("execute", f"rollback to s{depth}" if depth else "rollback", (), sure=True)
            raise
        await self._call("execute", f"release s{depth}" if depth else "commit", ())
        self.link.depth = depth

    def terminate(self) -> None:
        if not self.lost:
            self.lost = True
            database = self._pool.database
            database.loop.note("connection hung up")
            database.loop.operate(database.give_back(self.link))

    async def _call(
        self, method: str, statement: str, arguments: Sequence[Any], *, sure: bool = False
    ) -> Any:
        database = self._pool.database
        if not self._pool.process.alive:
            raise Gone
        if self.lost:
            raise asyncpg.InterfaceError("the connection is closed")
        lossy = 0.0 if sure else database.lossy
        if database.away or (lossy and database.loop.dice.random() < lossy / 2):
            await self._lose("before")
        answer = await database.call(self.link, method, statement, arguments)
        if statement in {"commit", "rollback"}:
            self.link.begun = None
        if lossy and database.loop.dice.random() < lossy / 2:
            await self._lose("after")
        return answer

    async def _lose(self, when: str) -> None:
        database = self._pool.database
        self.lost = True
        database.loop.note(f"connection lost {when}")
        await database.loop.operate(database.give_back(self.link))
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


class SimulatedPool:
    """What a process of the gate holds instead of a pool of its own."""

    def __init__(self, database: Database, process: Process, size: int) -> None:
        self.database = database
        self.process = process
        self._room = asyncio.Semaphore(size)
        self.held: list[Connection] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        async with self._room:
            if self.database.away:
                raise ConnectionRefusedError("PostgreSQL does not answer")
            connection = Connection(self, self.database.take())
            connection.link.process = self.process
            self.held.append(connection)
            try:
                yield connection
            finally:
                # What a dead process held is let go of where the database notices its death.
                if self.process.alive:
                    self.held.remove(connection)
                    if not connection.lost:
                        await self.database.loop.operate(self.database.give_back(connection.link))

    async def execute(self, statement: str, *arguments: Any) -> Any:
        return await self._once("execute", statement, arguments)

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        return await self._once("fetch", statement, arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        return await self._once("fetchrow", statement, arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        return await self._once("fetchval", statement, arguments)

    async def _once(self, method: str, statement: str, arguments: Sequence[Any]) -> Any:
        async with self.acquire() as connection:
            return await getattr(connection, method)(statement, *arguments)

    async def expire(self) -> None:
        """Undo what was left in the middle for too long."""
        for connection in list(self.held):
            begun = connection.link.begun
            if not connection.lost and begun is not None and self.database.loop.time() - begun >= IDLE_S:
                connection.lost = True
                await self.database.give_back(connection.link)

    async def die(self) -> None:
        """Let go of everything, as the database notices when a process is gone."""
        for connection in list(self.held):
            if not connection.lost:
                connection.lost = True
                await self.database.give_back(connection.link)
        self.held.clear()


def _nobody_waits() -> None:
    return


async def connect(target: Mapping[str, Any], loop: SimulatedLoop, count: int, clock: Path) -> Database:
    """Open the connections that all processes of all seeds share."""
    links = []
    for _ in range(count):
        connection = await asyncpg.connect(
            **target,
            connection_class=Quick,
            server_settings=SESSION,
            max_cached_statement_lifetime=0,
            statement_cache_size=300,
        )
        await speak_json(connection)
        links.append(Link(connection))
    return Database(loop, links, Control(target), clock)
