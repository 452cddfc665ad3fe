"""What no row needs goes after a day, once an hour, by one machine; what differs is said, and nothing repaired."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from filmgate.domain import ids
from filmgate.domain.clock import Clock
from filmgate.objects.depot import Depot
from filmgate.objects.destinations import Destinations
from filmgate.objects.housekeeping import Housekeeper
from filmgate.objects.store import ObjectStore, open_store
from filmgate.objects.watch import WatchedStore
from filmgate.store.notices import Notices
from filmgate.store.pool import Pool
from filmgate.store.stock import Stock
from filmgate.world import SystemChance
from kit.worlds import make_world

DAY = timedelta(days=1)


@dataclass
class Telemetry:
    events: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def event(self, event: str, **_: object) -> None:
        self.events.append(event)

    def swept(self, prefix: str, count: int) -> None:
        self.counts[prefix] = count

    def store_failed(self, trouble: str) -> None:
        self.events.append(trouble)


class Tomorrow:
    """A clock for whom everything that is stored now is two days old."""

    def now(self) -> datetime:
        return datetime.now(UTC) + 2 * DAY

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    store = open_store(tmp_path / "objects")
    yield store
    await store.close()


async def keys(store: ObjectStore) -> list[str]:
    return sorted([listed.key async for listed in store.list()])


async def file_row(pool: Pool, key: str, size_bytes: int = 4) -> None:
    await pool.execute(
        "insert into files (id, task_id, account_id, role, object_key, media_type, size_bytes, sha256, created_at)"
        " select $1, $1, id, 'video', $2, 'video/mp4', $3, repeat('0', 64), now() - interval '1 hour'"
        " from accounts limit 1",
        ids.uuid7(datetime.now(UTC), SystemChance()), key, size_bytes,
    )  # fmt: skip


def housekeeper(store: ObjectStore, pool: Pool, most: int = 1000) -> tuple[Housekeeper, Telemetry]:
    telemetry = Telemetry()
    return Housekeeper(store, Stock(pool), Notices(pool), Tomorrow(), telemetry, most), telemetry


async def test_only_what_nothing_needs_is_removed(pool: Pool, store: ObjectStore, tmp_path: Path) -> None:
    world = await make_world(pool)
    unfinished = (await world.accept()).task
    assert unfinished is not None
    ended = UUID(int=7)
    await file_row(pool, "tasks/1/known.mp4")
    for key in (
        "tasks/1/known.mp4",
        "tasks/1/orphan.mp4",
        f"uploads/{unfinished.id}/0",
        f"uploads/{ended}/0",
        "checks/mark",
        "other/not-ours",
    ):
        await store.put_bytes(key, b"film")
    (tmp_path / "objects/.temporary/left").write_bytes(b"half a film")
    keeper, telemetry = housekeeper(store, pool)
    await keeper.sweep()
    assert await keys(store) == ["other/not-ours", "tasks/1/known.mp4", f"uploads/{unfinished.id}/0"]
    assert list((tmp_path / "objects/.temporary").iterdir()) == [] or telemetry.counts["unfinished"] == 1
    assert {name: telemetry.counts[name] for name in ("tasks", "uploads", "checks")} == {
        "tasks": 1, "uploads": 1, "checks": 1,
    }  # fmt: skip


async def test_a_film_that_is_about_to_get_its_row_is_kept_whatever_a_clock_says(
    pool: Pool, store: ObjectStore
) -> None:
    task = (await (await make_world(pool)).accept()).task
    assert task is not None
    await store.put_bytes(f"tasks/{task.id}/film.mp4", b"film")
    keeper, _ = housekeeper(store, pool)
    await keeper.sweep()
    assert await keys(store) == [f"tasks/{task.id}/film.mp4"]


async def test_so_many_orphans_look_like_a_restored_database_and_stay(pool: Pool, store: ObjectStore) -> None:
    await make_world(pool)
    for no in range(3):
        await store.put_bytes(f"tasks/{no}/film.mp4", b"film")
    keeper, telemetry = housekeeper(store, pool, most=2)
    await keeper.sweep()
    await keeper.sweep()
    assert len(await keys(store)) == 3
    assert telemetry.counts == {}
    assert telemetry.events == ["orphans.too_many"] * 2
    notices = await pool.fetch("select text from notices where kind = 'orphans'")
    assert len(notices) == 1
    assert notices[0]["text"].startswith("3 of 3 objects under tasks/ have no row, too many to be leftovers")

    # The clock of the database is set back by an hour.
    await pool.execute("update notices set at = at + interval '1 hour'")
    await keeper.sweep()
    assert await pool.fetchval("select count(*) from notices where kind = 'orphans'") == 2


async def test_it_is_one_machines_turn_once_an_hour(pool: Pool) -> None:
    hour = timedelta(hours=1)
    one, other = Stock(pool), Stock(pool)
    turns = await asyncio.gather(*(stock.turn("orphans", hour) for stock in (one, other) * 5))
    assert sorted(turns) == [False] * 9 + [True]
    await pool.execute("update chores set due_at = now()")
    assert await other.turn("orphans", hour)
    assert not await one.turn("orphans", hour)


async def test_rows_and_objects_are_compared_and_left_as_they_are(pool: Pool, store: ObjectStore) -> None:
    await make_world(pool)
    for key, size in (("tasks/1/both.mp4", 4), ("tasks/1/lost.mp4", 4), ("tasks/1/other.mp4", 5)):
        await file_row(pool, key, size)
    for key in ("tasks/1/both.mp4", "tasks/1/other.mp4", "tasks/1/strange.mp4"):
        await store.put_bytes(key, b"film")
    clock: Clock = Tomorrow()
    telemetry = Telemetry()
    depot = Depot(
        place="here",
        watched=WatchedStore(store, telemetry, SystemChance()),
        stock=Stock(pool),
        destinations=Destinations([]),
        clock=clock,
    )
    for _ in range(2):
        compared = await depot.compare()
        found = compared.differences
        assert (compared.complete, found.rows, found.objects) == (True, 3, 3)
        assert [(one.total, list(one.keys)) for one in (found.missing, found.strange, found.resized)] == [
            (1, ["tasks/1/lost.mp4"]), (1, ["tasks/1/strange.mp4"]), (1, ["tasks/1/other.mp4"]),
        ]  # fmt: skip
