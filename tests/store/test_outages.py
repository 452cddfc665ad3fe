"""A database that restarts, freezes, refuses, collides and forgets to answer: nothing is lost, nothing is written twice."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from filmgate.store.accept import Acceptor, Remember, Verdict
from filmgate.store.batch import Lane
from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import find_programs
from filmgate.store.keys import Keys
from filmgate.store.lock import FolderLock
from filmgate.store.migrate import migrate
from filmgate.store.patience import AWAY, PATIENCE_S, whole_again
from filmgate.store.pool import Pool, open_pool
from kit.cutters import Cut, Cutter, cutting
from kit.signals import called_postgres, send_to_all
from kit.worlds import World, make_world

Crossing = tuple[World, Cutter, Pool]


@pytest.fixture
async def crossing(database: dict[str, Any], pool: Pool, tmp_path: Path) -> AsyncIterator[Crossing]:
    """A world whose acceptor goes through a way that can be cut."""
    world = await make_world(pool)
    async with cutting(database, tmp_path) as (cutter, target):
        beyond = await open_pool(target, size=2, statement_ms=5000, name="beyond")
        world.acceptor = Acceptor(beyond)
        yield world, cutter, pool
        await beyond.close()


async def counted(pool: Pool) -> list[int]:
    return [
        int(await pool.fetchval(f"select count(*) from {what}"))  # noqa: S608  # our own words
        for what in ("tasks", "ledger where kind = 'hold'", "work")
    ]


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("remember", [None, Remember("k", None)], ids=["plain", "noted"])
async def test_a_commit_of_which_no_answer_comes_is_looked_for_and_made_once(
    crossing: Crossing, cut: Cut, remember: Remember | None
) -> None:
    world, cutter, pool = crossing
    cutter.cut, cutter.left = cut, 2
    new = world.new(hold_micros=700_000, remember=remember)
    decision = await world.acceptor.accept(new)
    assert (decision.verdict, decision.task and decision.task.id) == (Verdict.ACCEPTED, new.id)
    assert cutter.made == 2
    assert await counted(pool) == [1, 1, 1]
    assert await pool.fetchval("select held_micros from accounts") == 700_000


async def test_a_batch_of_which_no_answer_comes_is_looked_for_task_by_task(crossing: Crossing) -> None:
    world, cutter, pool = crossing
    cutter.left = 1
    news = [world.new(f"boat {no}") for no in range(20)]
    decisions = await asyncio.gather(*(world.acceptor.accept(new) for new in news))
    assert {decision.verdict for decision in decisions} == {Verdict.ACCEPTED}
    assert [decision.task and decision.task.id for decision in decisions] == [new.id for new in news]
    assert (cutter.made, await counted(pool)) == (1, [20, 20, 20])


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"], ids=["serialization", "deadlock"])
@pytest.mark.parametrize(("collisions", "taken"), [(4, True), (5, False)])
async def test_a_transaction_that_collides_is_made_again_as_a_whole_five_times_in_all(
    pool: Pool, sqlstate: str, collisions: int, taken: bool
) -> None:
    world = await make_world(pool)
    await pool.execute("create sequence collisions")
    await pool.execute(
        f"""
        create function collide() returns trigger language plpgsql as $$ begin
            if nextval('film.collisions') <= {collisions} then
                raise exception 'in the way' using errcode = '{sqlstate}';
            end if;
            return new;
        end $$
        """
    )
    await pool.execute(
        "create trigger collide before insert on tasks for each row execute function collide()"
    )
    if taken:
        assert (await world.accept(hold_micros=5)).verdict is Verdict.ACCEPTED
    else:
        with pytest.raises((asyncpg.SerializationError, asyncpg.DeadlockDetectedError)):
            await world.accept(hold_micros=5)
    assert await counted(pool) == [int(taken)] * 3
    assert await pool.fetchval("select held_micros from accounts") == 5 * taken


async def test_two_that_really_block_each_other_both_come_through(pool: Pool) -> None:
    first, second = [
        await pool.fetchval("insert into accounts (name) values ($1) returning id", name) for name in "ab"
    ]
    met = asyncio.Barrier(2)
    tries = []

    @whole_again
    async def swap(one: int, other: int) -> None:
        tries.append(one)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("set local deadlock_timeout = '50 ms'")
            add = "update accounts set balance_micros = balance_micros + 1 where id = $1"
            await connection.execute(add, one)
            if len(tries) <= 2:
                await met.wait()
            await connection.execute(add, other)

    await asyncio.gather(swap(first, second), swap(second, first))
    assert len(tries) == 3
    assert [row["balance_micros"] for row in await pool.fetch("select balance_micros from accounts")] == [
        2,
        2,
    ]


async def test_terminated_connections_lose_and_double_nothing(pool: Pool, database: dict[str, Any]) -> None:
    world = await make_world(pool)
    over = asyncio.Event()
    ended = 0

    async def terminate() -> None:
        nonlocal ended
        while not over.is_set():
            ended += len(
                await pool.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and application_name = 'victim'"
                )
            )
            await asyncio.sleep(0.4)

    victim = await open_pool(database, size=4, statement_ms=5000, name="victim")
    world.acceptor = Acceptor(victim)
    killing = asyncio.create_task(terminate())
    ids = []
    for round_ in range(10):
        news = [world.new(f"boat {round_}.{no}") for no in range(5)]
        for decision in await asyncio.gather(*(world.acceptor.accept(new) for new in news)):
            assert decision.task is not None
            ids.append(decision.task.id)
        assert (await Keys(victim, [b"pepper"]).owner("sk-test")) == world.owner
        await asyncio.sleep(0.1)
    over.set()
    await killing
    await victim.close()
    assert ended > 1
    assert len(set(ids)) == 50
    assert await counted(pool) == [50, 50, 50]


class OwnPostgres:
    """A PostgreSQL of the test's own, which may be harmed."""

    def __init__(self, keeper: PostgresKeeper, target: dict[str, Any]) -> None:
        self.keeper = keeper
        self.target = target

    @property
    def processes(self) -> list[psutil.Process]:
        running = self.keeper.running
        assert running is not None
        top = psutil.Process(running.pid)
        return called_postgres([top, *top.children(recursive=True)])

    def send(self, number: signal.Signals) -> None:
        send_to_all(lambda: self.processes, number)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgres]:
    with FolderLock.acquire(tmp_path_factory.mktemp("harmed") / "data", started=datetime.now(UTC)) as lock:
        keeper = PostgresKeeper(lock, find_programs(None, os.environ["PATH"]), tell=lambda _: None)
        yield OwnPostgres(keeper, dict(keeper.start().connect_arguments))
        keeper.stop()


async def insisted(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask as a client does that is told to come again: a machine that is busy may restart more slowly."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await ask()
            except AWAY:
                await asyncio.sleep(0.2)


@pytest.fixture
async def harmed(own: OwnPostgres) -> AsyncIterator[World]:
    root = await insisted(lambda: asyncpg.connect(**own.target))
    await root.execute("drop schema if exists film cascade")
    await root.execute("create schema film")
    await root.execute("set search_path = film")
    await root.execute("drop table if exists migrations")
    await migrate(root, files("filmgate.store").joinpath("migrations"))
    await root.close()
    pool = await open_pool(own.target, size=4, statement_ms=5000, name="harmed")
    yield await make_world(pool)
    await pool.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_who_asks_while_it_restarts_waits_and_is_answered(
    own: OwnPostgres, harmed: World, how: signal.Signals
) -> None:
    before = [await harmed.accept(f"before {no}") for no in range(3)]
    server = min(own.processes, key=lambda process: process.create_time())
    server.send_signal(how)
    news = [harmed.new(f"meanwhile {no}") for no in range(5)]
    asked = [insisted(partial(harmed.acceptor.accept, new)) for new in news]
    decisions = [*before, *await asyncio.gather(*asked)]
    assert {decision.verdict for decision in decisions} == {Verdict.ACCEPTED}
    found = [await harmed.task(decision.task.id) for decision in decisions if decision.task]
    assert len({task.id for task in found}) == 8
    assert await counted(harmed.pool) == [8, 8, 8]


async def test_a_database_that_stands_still_keeps_nobody_longer_than_it_may_and_nothing_comes_late(
    own: OwnPostgres, harmed: World
) -> None:
    keys = Keys(harmed.pool, [b"pepper"])
    await harmed.accept("before")
    own.send(signal.SIGSTOP)
    began = time.monotonic()
    try:
        asked = [
            asyncio.create_task(ask)
            for ask in (
                *(harmed.accept(f"meanwhile {no}") for no in range(4)),
                harmed.task(harmed.new().id),
                *(keys.owner("sk-test") for _ in range(2)),
            )
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        took = time.monotonic() - began
        await asyncio.sleep(max(0.0, 8 - took))
    finally:
        own.send(signal.SIGCONT)
    assert {type(answer) for answer in answers} <= {TimeoutError, asyncpg.ConnectionDoesNotExistError}
    assert took < PATIENCE_S + 2
    assert (await harmed.accept("after")).verdict is Verdict.ACCEPTED
    # Who was told to come again may do so: what was asked first is not made beside it.
    await asyncio.sleep(0.5)
    assert await counted(harmed.pool) == [2, 2, 2]


async def test_where_others_took_every_connection_one_waits_for_the_next_that_is_free(
    own: OwnPostgres, harmed: World
) -> None:
    most = int(await harmed.pool.fetchval("show max_connections"))
    others: list[asyncpg.Connection[asyncpg.Record]] = []
    with suppress(asyncpg.TooManyConnectionsError):
        for _ in range(most):
            others.append(await asyncpg.connect(**own.target))  # noqa: PERF401  # those before the error count
    assert len(others) < most
    await harmed.pool.expire_connections()
    asyncio.get_running_loop().call_later(1, others.pop().terminate)
    # The pool lets its own go first, and gets as many again.
    assert (await harmed.accept("meanwhile")).verdict is Verdict.ACCEPTED
    for other in others:
        other.terminate()
    assert await counted(harmed.pool) == [1, 1, 1]


async def test_who_stands_still_in_the_middle_of_a_transaction_holds_up_nobody_for_long(
    pool: Pool, database: dict[str, Any]
) -> None:
    """An engine that hangs, or is cut off, may have locked what all others need to end a task."""
    world = await make_world(pool)
    frozen = await open_pool(database, size=1, statement_ms=5000, name="frozen")
    async with frozen.acquire() as connection:
        held = connection.transaction()
        await held.start()
        await connection.execute("update accounts set balance_micros = 7")
        # Who asks meanwhile waits, and is not sent away.
        assert (await world.accept("meanwhile")).verdict is Verdict.ACCEPTED
        with pytest.raises(AWAY):
            await connection.execute("update accounts set balance_micros = 8")
        with suppress(*AWAY):
            await held.rollback()
    assert await frozen.fetchval("select balance_micros from accounts") == 0
    assert await counted(pool) == [1, 1, 1]
    await frozen.close()


async def test_what_waits_too_long_for_its_turn_is_not_begun_any_more() -> None:
    begun: list[int] = []
    go = asyncio.Event()

    async def run(batch: Any) -> list[int]:
        begun.extend(batch)
        await go.wait()
        return list(batch)

    lane: Lane[int, int] = Lane(run)
    first = asyncio.create_task(lane.put(1, within_s=9))
    await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        await lane.put(2, within_s=0.05)
    go.set()
    assert await first == 1
    assert await lane.put(3) == 3
    assert begun == [1, 3]
