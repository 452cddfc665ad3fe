"""The sweep keeps the weeks: it makes those to come, forgets those long gone, and tells what it could not."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filmgate.domain.limits import RECORD_RETENTION
from filmgate.engine.parts import Parts
from filmgate.engine.sweep import sweep
from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.world import SystemClock
from kit.books import collecting, running, succeeded
from kit.engines import make_engine
from kit.worlds import World, drop_partitions, make_world

LATER = RECORD_RETENTION + timedelta(weeks=2)


@dataclass(frozen=True)
class Ahead(SystemClock):
    """A clock that is ahead of time."""

    by: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


class AheadUpkeep(Upkeep):
    """A database whose clock is ahead as well."""

    async def now(self) -> datetime:
        return datetime.now(UTC) + LATER


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool, in_flight=9)


async def parts_of(world: World, folder: Path, by: timedelta) -> Parts:
    engine = await make_engine(world.pool, folder, {}, [])
    return replace(engine.parts, clock=Ahead(by))


async def notices(world: World) -> list[tuple[object, object]]:
    rows = await world.rows("select kind, text from notices where provider = 'store' order by id")
    return [(row["kind"], row["text"]) for row in rows]


async def test_what_is_old_enough_is_forgotten_with_its_objects_and_weeks_to_come_are_made(
    world: World, tmp_path: Path
) -> None:
    await world.ends.end(succeeded(await collecting(world)))
    parts = await parts_of(world, tmp_path, LATER)
    for _ in range(3):
        await sweep(parts, AheadUpkeep(world.pool))
    assert await world.rows("select id from tasks") == []
    assert await world.rows("select id from files") == []
    assert await Ledger(world.pool).check() == []
    week = (datetime.now(UTC) + LATER + timedelta(weeks=4)).isocalendar()
    monday = datetime.fromisocalendar(week.year, week.week, 1)
    names = await world.rows("select relname from pg_class where relname = $1", f"tasks_{monday:%Y_%m_%d}")
    assert len(names) == 1
    assert await notices(world) == []


async def test_a_node_whose_clock_alone_is_ahead_forgets_nothing(world: World, tmp_path: Path) -> None:
    await world.ends.end(succeeded(await collecting(world)))
    parts = await parts_of(world, tmp_path, LATER)
    for _ in range(3):
        await sweep(parts, Upkeep(world.pool))
    assert len(await world.rows("select id from tasks")) == 1
    assert len(await world.rows("select id from files")) == 1


async def test_operators_are_told_of_a_task_that_never_ended_and_keeps_its_week(
    world: World, tmp_path: Path
) -> None:
    claim = await running(world)
    parts = await parts_of(world, tmp_path, LATER)
    await sweep(parts, AheadUpkeep(world.pool))
    [(kind, text)] = await notices(world)
    assert kind == "never_ended"
    assert "are to be forgotten, and some of them have never ended" in str(text)
    assert (await world.task(claim.task_id)).ended_at is None


async def test_operators_are_told_of_tasks_for_whose_week_no_partition_was_there(
    world: World, tmp_path: Path
) -> None:
    await drop_partitions(world.pool)
    await world.accept()
    for _ in range(2):
        await sweep(await parts_of(world, tmp_path, timedelta(0)), Upkeep(world.pool))
    [(kind, text)] = await notices(world)
    assert kind == "unpartitioned"
    assert str(text).startswith("1 tasks or more lie in tasks_default")
