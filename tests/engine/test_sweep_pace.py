"""The sweep keeps its pace, whatever one vendor, one task or one file does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from filmgate.domain.contracts_provider import Pending, Stopped, Ticket
from filmgate.domain.states import AttemptState, State
from filmgate.engine.parts import Objects
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.sweep import sweep
from filmgate.store.ends import End, Ends
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.world import SystemClock
from kit.books import running as running_claim
from kit.engines import Engine, Vendor, make_engine
from kit.worlds import World, make_world


@dataclass(slots=True)
class Deaf(Vendor):
    """A vendor that can stop what it makes, and does not answer when it is asked to."""

    cancels: bool = True
    asked: int = 0
    silent_s: float = 0.2

    async def cancel(self, ticket: Ticket) -> Stopped:
        self.asked += 1
        await asyncio.sleep(self.silent_s)
        raise TimeoutError(ticket.ref)


async def engine_of(world: World, folder: Path, vendor: Vendor) -> Engine:
    route = RouteRule("veo3", (Via("a", "m"),))
    return await make_engine(world.pool, folder, {("a", "A"): vendor}, [route], in_flight=99)


async def running(world: World, engine: Engine, count: int) -> None:
    for _ in range(count):
        new = world.new()
        await world.acceptor.accept(
            replace(new, credential_id=None, request=replace(new.request, model="veo3"))
        )
    assert await engine.started(count) == count


async def test_a_vendor_that_does_not_answer_a_cancel_holds_up_no_deadline(
    pool: Pool, tmp_path: Path
) -> None:
    world, vendor = await make_world(pool), Deaf(polls=[Pending()] * 99)
    engine = await engine_of(world, tmp_path / "e", vendor)
    await running(world, engine, 40)
    await pool.execute("update tasks set deadline_at = now() - interval '1 s'")
    async with asyncio.timeout(4):
        await sweep(engine.parts, Upkeep(pool))
    assert await world.rows("select distinct state from tasks") == [{"state": State.EXPIRED.value}]
    assert vendor.asked == 40


async def test_more_cancels_than_a_vendor_answers_hold_up_no_sweep(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, vendor = await make_world(pool), Deaf(silent_s=60)
    engine = await engine_of(world, tmp_path / "e", vendor)
    await running(world, engine, 3)
    await pool.execute("update tasks set deadline_at = now() - interval '1 s'")
    monkeypatch.setattr("filmgate.engine.sweep.SWEEP_EVERY", timedelta(seconds=0.2))
    async with asyncio.timeout(4):
        await sweep(engine.parts, Upkeep(pool))
    assert await world.rows("select distinct state from tasks") == [{"state": State.EXPIRED.value}]


class OneBroken(Ends):
    """Ends all tasks but one."""

    broken: object = None

    async def end(self, end: End) -> None:
        if end.claim.task_id == self.broken:
            raise ValueError("nobody expected that")
        await super().end(end)


@pytest.mark.parametrize("what", ["deadline_at = now() - interval '1 s'", "cancel_requested_at = now()"])
async def test_a_task_that_cannot_be_ended_keeps_no_other_from_its_end(
    pool: Pool, tmp_path: Path, what: str
) -> None:
    world = await make_world(pool)
    engine = await engine_of(world, tmp_path / "e", Vendor())
    made = [(await world.accept()).task for _ in range(3)]
    ends = OneBroken(pool)
    ends.broken = made[0] and made[0].id
    engine.parts = replace(engine.parts, ends=ends)
    await pool.execute(f"update tasks set {what}")  # noqa: S608  # the test's own words
    await sweep(engine.parts, Upkeep(pool))
    rows = await world.rows("select ended_at is null as open from tasks order by id")
    assert [row["open"] for row in rows] == [True, False, False]


class SlowObjects:
    """Objects each of which takes a while to remove."""

    def __init__(self, takes_s: float, then: Callable[[], None] = lambda: None) -> None:
        self._takes_s = takes_s
        self._then = then

    async def delete(self, key: str) -> None:
        del key
        await asyncio.sleep(self._takes_s)
        self._then()


@dataclass
class Jumping(SystemClock):
    ahead_s: float = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


async def with_files(world: World, count: int) -> None:
    claim = await running_claim(world)
    await world.ends.end(
        End(claim=claim, state=State.CANCELLED, kept=timedelta(0), attempt=AttemptState.ABANDONED)
    )
    await world.pool.execute(
        "insert into files (id, task_id, account_id, role, object_key, media_type, size_bytes, sha256, delete_after) "
        "select gen_random_uuid(), $1, $2, 'clip', 'k' || n, 'video/mp4', 1, repeat('0', 64), now() "
        "from generate_series(1, $3) n",
        claim.task_id,
        world.owner.account_id,
        count,
    )


async def files_left(world: World) -> int:
    return int(await world.pool.fetchval("select count(*) from files"))


async def test_files_are_removed_some_at_a_time_and_not_one_after_the_other(
    pool: Pool, tmp_path: Path
) -> None:
    world = await make_world(pool)
    engine = await engine_of(world, tmp_path / "e", Vendor())
    engine.parts = replace(engine.parts, objects=cast("Objects", SlowObjects(0.1)))
    await with_files(world, 200)
    async with asyncio.timeout(6):
        await sweep(engine.parts, Upkeep(pool))
    assert await files_left(world) == 0


async def test_a_store_that_removes_slowly_does_not_keep_the_sweep_from_deadlines(
    pool: Pool, tmp_path: Path
) -> None:
    world, clock = await make_world(pool), Jumping()
    engine = await engine_of(world, tmp_path / "e", Vendor())

    def later() -> None:
        clock.ahead_s += 1

    engine.parts = replace(engine.parts, clock=clock, objects=cast("Objects", SlowObjects(0, later)))
    await with_files(world, 700)
    await sweep(engine.parts, Upkeep(pool))
    left = await files_left(world)
    assert 600 < left < 700
    for _ in range(30):
        await sweep(engine.parts, Upkeep(pool))
    assert await files_left(world) < left - 300
