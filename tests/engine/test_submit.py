"""Between the intent and its reply: a sender that was held up sends nothing."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from filmgate.domain.failpoint import arm, disarm
from filmgate.domain.faults import Uncertain
from filmgate.domain.states import Step
from filmgate.domain.task import Task
from filmgate.engine import resolve
from filmgate.engine.route import RouteRule, Via
from filmgate.store.moves import StaleLease
from filmgate.store.pool import Pool
from filmgate.world import SystemClock
from kit.engines import Engine, Vendor, make_engine, soon
from kit.worlds import World, make_world

RULE = RouteRule("veo3", (Via("a", "m"),))
HELD_UP_S = 26.0
"""What is left of a lease of 90 s is then too little for a submit, which may take 60 s."""


@dataclass
class Stoppable(SystemClock):
    """The clock of a process that was stopped for a while."""

    stood_s: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.stood_s)


Opened = Callable[[Vendor], Coroutine[Any, Any, Engine]]


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


@pytest.fixture
def clock() -> Stoppable:
    return Stoppable()


@pytest.fixture
def opened(world: World, clock: Stoppable, tmp_path: Path) -> Opened:
    numbers = iter(range(9))

    async def open_one(vendor: Vendor) -> Engine:
        engine = await make_engine(world.pool, tmp_path / str(next(numbers)), {("a", "A"): vendor}, [RULE])
        engine.parts = replace(engine.parts, clock=clock)
        return engine

    return open_one


@pytest.fixture
def _disarmed() -> Iterator[None]:
    yield
    disarm()


async def accept(world: World) -> Task:
    new = world.new()
    new = replace(new, credential_id=None, request=replace(new.request, model="veo3"))
    decision = await world.acceptor.accept(new)
    assert decision.task is not None
    return decision.task


async def attempts(world: World) -> list[tuple[object, object]]:
    found = await world.rows("select state, error_class from attempts order by clip_no, no")
    return [(row["state"], row["error_class"]) for row in found]


async def steps(world: World) -> list[object]:
    return [row["step"] for row in await world.rows("select step from work")]


async def in_flight(world: World) -> list[object]:
    return [
        row["in_flight"] for row in await world.rows("select in_flight from credentials where provider = 'a'")
    ]


def at(point: str, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def trap(name: str) -> None:
        if name == point:
            disarm()
            await act()

    arm(trap)


async def taken_for_lost(world: World, clock: Stoppable, other: Engine) -> None:
    """Let a sender stand still for longer than its lease, and another engine see that."""
    clock.stood_s.append(100.0)
    await world.pool.execute("update work set due_at = now()")
    await other.did(Step.SUBMIT)


@pytest.mark.usefixtures("_disarmed")
async def test_a_sender_that_was_stopped_after_its_intent_sends_nothing_and_the_task_goes_on(
    world: World, opened: Opened, clock: Stoppable
) -> None:
    vendor = Vendor()
    engine = await opened(vendor)
    await accept(world)

    async def stopped() -> None:
        clock.stood_s.append(HELD_UP_S)

    at("submit.after_intent", stopped)
    await engine.started()
    assert (vendor.keys, await attempts(world)) == ([], [("failed", "unsent")])
    assert (await steps(world), await in_flight(world)) == (["prepare"], [0])
    await engine.started()
    assert [key.rpartition(".")[2] for key in vendor.keys] == ["2"]
    assert await attempts(world) == [("failed", "unsent"), ("accepted", None)]


async def test_an_intent_that_waited_for_a_lock_counts_its_wait(
    world: World, opened: Opened, clock: Stoppable, database: dict[str, Any]
) -> None:
    """The lease is written with the time at which its transaction began."""
    vendor = Vendor()
    engine = await opened(vendor)
    await accept(world)
    holder = await asyncpg.connect(**database)
    holding = holder.transaction()

    async def held() -> None:
        await holding.start()
        await holder.execute("select from film.credentials for update")

    at("prepare.after_frames", held)
    starting = asyncio.create_task(engine.started())
    try:
        await until_it_waits_for_a_lock(world.pool)
        clock.stood_s.append(HELD_UP_S)
        await holding.rollback()
        await starting
    finally:
        disarm()
        await holder.close()
    assert (vendor.keys, await attempts(world)) == ([], [("failed", "unsent")])


@pytest.mark.usefixtures("_disarmed")
@pytest.mark.parametrize("looked_at", [False, True])
async def test_a_sender_that_wakes_after_it_was_given_up_tells_that_nothing_was_sent(
    world: World, opened: Opened, clock: Stoppable, *, looked_at: bool
) -> None:
    vendor = Vendor()
    one, other = await opened(vendor), await opened(vendor)
    await accept(world)

    async def stopped() -> None:
        await taken_for_lost(world, clock, other)
        if looked_at:
            await other.did(Step.RECONCILE)

    at("submit.after_intent", stopped)
    await one.started()
    assert (vendor.keys, await attempts(world)) == ([], [("failed", "unsent")])
    assert await steps(world) == ["prepare"]


@pytest.mark.usefixtures("_disarmed")
async def test_where_a_vendor_knows_keys_the_one_who_looks_decides_what_a_stopped_sender_left(
    world: World, opened: Opened, clock: Stoppable
) -> None:
    vendor = Vendor(replays=timedelta(hours=23))
    one, other = await opened(vendor), await opened(vendor)
    await accept(world)

    async def stopped() -> None:
        await taken_for_lost(world, clock, other)

    at("submit.after_intent", stopped)
    with pytest.raises(StaleLease):
        await one.started()
    assert (vendor.keys, await attempts(world)) == ([], [("uncertain", "uncertain")])
    await soon(world.pool)
    await other.did(Step.RECONCILE)
    assert (len(vendor.keys), await attempts(world)) == (1, [("accepted", "uncertain")])


@pytest.mark.usefixtures("_disarmed")
async def test_what_another_repeated_by_newer_settings_is_not_sent_anew_by_a_stopped_sender(
    world: World, opened: Opened, clock: Stoppable
) -> None:
    """Operators say that a vendor knows keys, and restart their engines one after the other."""
    old, new = Vendor(), Vendor(replays=timedelta(hours=23), submits=[Uncertain("a reset")])
    one, other = await opened(old), await opened(new)
    await accept(world)

    async def stopped() -> None:
        await taken_for_lost(world, clock, other)
        await soon(world.pool)
        await other.did(Step.RECONCILE)

    at("submit.after_intent", stopped)
    with pytest.raises(StaleLease):
        await one.started()
    assert (len(new.keys), old.keys) == (1, [])
    assert await attempts(world) == [("uncertain", "uncertain")]
    assert await steps(world) == ["reconcile"]


async def until_it_waits_for_a_lock(pool: Pool) -> None:
    asked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    for _ in range(500):
        if await pool.fetchval(asked):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(asked)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has a clock of that name")
def test_the_steady_clock_of_a_machine_goes_on_while_it_sleeps() -> None:
    assert abs(time.clock_gettime(time.CLOCK_BOOTTIME) - SystemClock().monotonic()) < 1


class Refusing:
    """A store that takes no ticket, and says why."""

    def __init__(self, pool: Pool, code: str) -> None:
        self._pool = pool
        self._code = code

    async def begin(self) -> None:
        await self._pool.execute(
            "create function film.refusing() returns trigger language plpgsql as "
            f"$$ begin raise exception 'not now' using errcode = '{self._code}'; end $$; "
            "create trigger refusing before update on film.attempts for each row "
            "when (new.vendor_ref is not null) execute function film.refusing()"
        )

    async def end(self) -> None:
        await self._pool.execute("drop trigger refusing on film.attempts")


FAULTS = {
    "disk full": "53100",
    "too many connections": "53300",
    "statement timeout": "57014",
    "lock timeout": "55P03",
    "deadlock": "40P01",
    "serialization": "40001",
    "a bug of the server": "XX000",
}


async def sent(vendor: Vendor) -> None:
    for _ in range(500):
        if vendor.keys:
            return
        await asyncio.sleep(0.02)
    raise AssertionError


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_ticket_that_the_store_does_not_take_is_written_once_it_does(
    world: World, opened: Opened, fault: str
) -> None:
    vendor = Vendor()
    engine = await opened(vendor)
    await accept(world)
    refusing = Refusing(world.pool, FAULTS[fault])
    await refusing.begin()
    starting = asyncio.create_task(engine.started())
    await sent(vendor)
    await asyncio.sleep(0.5)
    assert await attempts(world) == [("sending", None)]
    await refusing.end()
    await starting
    assert (len(vendor.keys), await attempts(world), await in_flight(world)) == (1, [("accepted", None)], [1])


@pytest.mark.parametrize("decided", ["not yet", "uncertain", "given up"])
async def test_a_ticket_that_the_store_takes_only_after_the_lease_is_kept_all_the_same(
    world: World, opened: Opened, clock: Stoppable, decided: str
) -> None:
    vendor = Vendor()
    one, other = await opened(vendor), await opened(vendor)
    task = await accept(world)
    refusing = Refusing(world.pool, FAULTS["disk full"])
    await refusing.begin()
    starting = asyncio.create_task(one.started())
    await sent(vendor)
    if decided != "not yet":
        await world.pool.execute("update work set due_at = now()")
        await other.did(Step.SUBMIT)
    if decided == "given up":
        await resolve.given_up(other.parts, task)
        assert await in_flight(world) == [0]
    clock.stood_s.append(100.0)
    await asyncio.sleep(0.5)
    await refusing.end()
    await asyncio.wait_for(starting, 10)
    state, slots = ("abandoned", 0) if decided == "given up" else ("accepted", 1)
    kept = await world.rows("select state, vendor_ref from attempts")
    assert kept == [{"state": state, "vendor_ref": f"job-{vendor.keys[0]}"}]
    assert (len(vendor.keys), await in_flight(world)) == (1, [slots])
    told = [row["kind"] for row in await world.rows("select kind from notices order by id")]
    assert told == (["uncertain_submit", "resolved", "orphan"] if decided == "given up" else [])
