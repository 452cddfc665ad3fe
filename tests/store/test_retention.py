"""Tasks are forgotten when their time has come: whole weeks, in small steps, by one at a time; their bookings stay."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from filmgate.domain.limits import RECORD_RETENTION
from filmgate.domain.states import Step
from filmgate.store.accept import Remember
from filmgate.store.files import Files
from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool, open_pool
from filmgate.store.retention import BATCH, Outcome
from filmgate.store.upkeep import Upkeep
from kit.books import LEASE, PRICE, collecting, running, sound_books, succeeded
from kit.worlds import World, drop_partitions, make_world

WEEK = timedelta(weeks=1)
HANGS = ("attempts", "clips", "aliases", "deliveries", "notices", "quotes", "files", "tasks")


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool, in_flight=9)


def when(*, over: bool) -> datetime:
    """Give a time at which this week is just to be forgotten, or just not yet."""
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return monday + WEEK + RECORD_RETENTION - timedelta(milliseconds=0 if over else 1)


async def forgotten(world: World, now: datetime) -> list[Outcome]:
    """Forget step by step until nothing is left to do; the sweep removes the objects meanwhile."""
    outcomes = []
    for _ in range(50):
        outcome = (await Upkeep(world.pool).forget_tasks(now)).outcome
        outcomes.append(outcome)
        if outcome in {Outcome.NOTHING, Outcome.STUCK}:
            return outcomes
        files = Files(world.pool)
        await files.gone([file.id for file in await files.due_for_removal(1_000)])
    raise AssertionError(outcomes)


async def rows(world: World, *tables: str) -> dict[str, int]:
    counts = {table: await world.pool.fetchval(f"select count(*) from {table}") for table in tables}  # noqa: S608  # our tables
    return {table: count for table, count in counts.items() if count}


async def partitions(world: World) -> set[str]:
    found = await world.rows("select relname from pg_class where relname ~ '^tasks_[0-9_]+$'")
    return {str(row["relname"]) for row in found}


async def ended(world: World) -> None:
    await world.ends.end(succeeded(await collecting(world)))


async def test_a_week_goes_with_all_that_hangs_on_it_and_its_bookings_stay(world: World) -> None:
    await ended(world)
    before = await partitions(world)
    assert await forgotten(world, when(over=False)) == [Outcome.NOTHING]
    assert await forgotten(world, when(over=True)) == [Outcome.WAITING, Outcome.DONE, Outcome.NOTHING]
    assert await rows(world, *HANGS) == {}
    assert len(before - await partitions(world)) == 1
    assert await rows(world, "ledger", "entries") == {"ledger": 2, "entries": 4}
    assert await Ledger(world.pool).check() == []
    [week] = await world.rows(
        "select tasks, held_micros, charged_micros from forgotten where done_at is not null"
    )
    assert week == {"tasks": 1, "held_micros": PRICE, "charged_micros": PRICE}


async def test_what_lies_in_no_weeks_partition_is_forgotten_as_well(pool: Pool) -> None:
    await drop_partitions(pool)
    world = await make_world(pool)
    await ended(world)
    assert await Upkeep(pool).strays_by_default() == 1
    assert (await forgotten(world, when(over=True)))[-2:] == [Outcome.DONE, Outcome.NOTHING]
    assert await rows(world, *HANGS) == {}
    assert await Ledger(pool).check() == []


async def test_nothing_is_forgotten_while_a_task_of_the_week_has_not_ended(world: World) -> None:
    await ended(world)
    await running(world)
    before = await rows(world, *HANGS)
    assert await forgotten(world, when(over=True)) == [Outcome.STUCK]
    assert await rows(world, *HANGS) == before


async def test_books_are_clean_at_every_step_of_a_large_week(world: World) -> None:
    books = await sound_books(world)
    await world.pool.execute(
        "insert into aliases (alias, task_id) select 'x' || n, $1 from generate_series(1, $2) n",
        books.done,
        2 * BATCH,
    )
    await world.pool.execute("update work set due_at = now(), lease_by = null")
    [claim] = await world.claims.due(Step.POLL, limit=9, lease=LEASE, since=0.0)
    await world.ends.end(succeeded(claim))
    upkeep, outcomes = Upkeep(world.pool), []
    for _ in range(9):
        forgot = await upkeep.forget_tasks(when(over=True))
        outcomes.append(forgot.outcome)
        assert await Ledger(world.pool).check() == []
        files = Files(world.pool)
        await files.gone([file.id for file in await files.due_for_removal(1_000)])
    assert outcomes[:4] == [Outcome.GOING_ON, Outcome.GOING_ON, Outcome.DONE, Outcome.NOTHING]


async def test_one_machine_at_a_time_forgets(world: World, database: dict[str, Any]) -> None:
    await ended(world)
    others = [await open_pool(database, size=1, statement_ms=5000, name="other") for _ in range(3)]
    try:
        now = when(over=True)
        for _ in range(9):
            await asyncio.gather(*(Upkeep(other).forget_tasks(now) for other in others))
            files = Files(world.pool)
            await files.gone([file.id for file in await files.due_for_removal(1_000)])
    finally:
        for other in others:
            await other.close()
    assert await rows(world, *HANGS) == {}
    assert await rows(world, "forgotten") == {"forgotten": 1}
    assert await Ledger(world.pool).check() == []


async def test_a_reader_of_the_table_is_not_waited_for_long_and_holds_nobody_up(world: World) -> None:
    await ended(world)
    await Upkeep(world.pool).forget_tasks(when(over=True))
    await world.pool.execute("delete from files")
    async with world.pool.acquire() as reader, reader.transaction():
        await reader.fetch("select * from tasks")
        forgot = await Upkeep(world.pool).forget_tasks(when(over=True))
        assert forgot.outcome is Outcome.WAITING
    assert (await forgotten(world, when(over=True)))[0] is Outcome.DONE


async def test_partitions_are_made_ahead_once_however_many_make_them(pool: Pool) -> None:
    await drop_partitions(pool)
    now = datetime.now(UTC)
    made = await asyncio.gather(*(Upkeep(pool).make_partitions(now) for _ in range(4)))
    assert sorted(map(len, made)) == [0, 0, 0, 5]
    assert await Upkeep(pool).make_partitions(now + WEEK) != []
    assert await Upkeep(pool).make_partitions(now + WEEK) == []


async def test_keys_of_repeats_live_a_day_and_quotes_a_month(world: World) -> None:
    upkeep = Upkeep(world.pool)
    await world.accept(remember=Remember("young", timedelta(days=1)))
    await world.accept("another", remember=Remember("old", timedelta(days=1)))
    await world.pool.execute(
        "update idempotency set created_at = now() - interval '25 hours' where key = 'old'"
    )
    await world.pool.execute(
        "insert into quotes (id, account_id, key_id, body_sha256, price, amount_micros, expires_at) "
        "select gen_random_uuid(), $1, $2, '', '{}', 0, now() - n * interval '1 day' from unnest(array[29, 31]) n",
        world.owner.account_id,
        world.owner.key_id,
    )
    await upkeep.forget_keys()
    await upkeep.forget_quotes()
    assert await world.rows("select key from idempotency") == [{"key": "young"}]
    assert await rows(world, "quotes") == {"quotes": 1}
