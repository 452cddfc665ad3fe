"""Several engines on one database: what one has in hand no other takes, until it has fallen silent."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.contracts_provider import Pending
from filmgate.domain.states import AttemptState, State, Step
from filmgate.engine import lease
from filmgate.engine.lease import renewing
from filmgate.engine.poll import poll
from filmgate.engine.route import RouteRule, Via
from filmgate.store import transitions
from filmgate.store.moves import StaleLease
from filmgate.store.pool import Pool
from filmgate.store.work import Claim
from kit.engines import Easel, Engine, Vendor, make_engine
from kit.worlds import World, make_world

RULE = RouteRule("veo3", (Via("a", "m"),))
LEASE = timedelta(seconds=30)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


Opened = Callable[[Vendor], Coroutine[Any, Any, Engine]]


@pytest.fixture
def opened(world: World, tmp_path: Path) -> Opened:
    """Open an engine on a data folder of its own over a vendor."""
    numbers = iter(range(9))

    async def open_one(vendor: Vendor) -> Engine:
        folder = tmp_path / str(next(numbers))
        return await make_engine(world.pool, folder, {("a", "A"): vendor}, [RULE])

    return open_one


async def accept(world: World) -> None:
    new = world.new()
    await world.acceptor.accept(replace(new, credential_id=None, request=replace(new.request, model="veo3")))


async def attempts(world: World) -> list[object]:
    return [row["state"] for row in await world.rows("select state from attempts order by clip_no, no")]


async def silent(world: World, engine: Engine) -> None:
    """Let it be long since that engine gave a sign of life."""
    await world.pool.execute(
        "update boots set seen_at = now() - interval '31 s' where folder = $1", engine.parts.claims.folder
    )


async def test_a_poll_that_takes_longer_than_its_pace_is_not_asked_by_another_engine(
    world: World, opened: Opened
) -> None:
    vendor = Vendor(slow_s=1.0, ask_in=timedelta(milliseconds=100))
    one, other = await opened(vendor), await opened(vendor)
    await accept(world)
    await one.started()
    await asyncio.sleep(0.15)
    polling = asyncio.create_task(one.did(Step.POLL))
    await asyncio.sleep(0.4)
    assert await other.did(Step.POLL) == 0
    assert await polling == 1
    assert await attempts(world) == ["done"]
    assert len(vendor.polled) == 1


async def test_what_one_engine_is_too_busy_to_ask_at_a_short_pace_no_other_takes_from_it(
    world: World, opened: Opened
) -> None:
    pace = timedelta(milliseconds=100)
    vendor = Vendor(ask_in=pace, polls=[Pending(ask_in=pace)])
    one, other = await opened(vendor), await opened(vendor)
    await accept(world)
    await one.started()
    await asyncio.sleep(0.15)
    [claim] = await one.claimed(Step.POLL)
    await asyncio.sleep(0.3)
    assert await other.claimed(Step.POLL) == []
    await poll(one.parts, claim)
    assert await world.due_in_s() < 0.2


async def test_an_engine_that_died_keeps_a_poll_of_a_short_pace_from_the_others_for_seconds_only(
    world: World, opened: Opened
) -> None:
    vendor = Vendor(ask_in=timedelta(milliseconds=100))
    one = await opened(vendor)
    await accept(world)
    await one.started()
    await asyncio.sleep(0.15)
    await one.claimed(Step.POLL)
    assert 4 < await world.due_in_s() <= 5


async def test_a_slow_poll_that_brought_nothing_new_is_due_again_at_its_pace(
    world: World, opened: Opened
) -> None:
    vendor = Vendor(slow_s=0.3, ask_in=timedelta(milliseconds=100), polls=[TimeoutError()])
    one = await opened(vendor)
    await accept(world)
    await one.started()
    await asyncio.sleep(0.15)
    await one.did(Step.POLL)
    assert 0 < await world.due_in_s() < 3


async def test_the_work_of_a_long_step_stops_once_another_owns_it(
    world: World, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL", timedelta(milliseconds=50))
    one, other = await opened(Vendor()), await opened(Vendor())
    claim = await collecting(world, one)
    begun, finished = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with renewing(one.parts, claim):
            begun.set()
            await asyncio.sleep(10)
            finished.set()

    working = asyncio.create_task(work())
    await begun.wait()
    await world.pool.execute("update work set due_at = now()")
    [taken] = await other.parts.claims.due(Step.COLLECT, limit=1, lease=LEASE, since=0.0)
    with pytest.raises(StaleLease):
        await asyncio.wait_for(working, 3)
    assert (taken.fence, finished.is_set()) == (claim.fence + 1, False)


async def test_a_long_step_keeps_its_lease_and_leaves_no_renewal_behind(
    world: World, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL", timedelta(milliseconds=20))
    one = await opened(Vendor())
    claim = await collecting(world, one)
    await world.pool.execute("update work set due_at = now()")
    async with renewing(one.parts, claim):
        await asyncio.sleep(0.2)
        [row] = await world.rows("select due_at > now() + interval '25 s' as kept from work")
        assert row == {"kept": True}
    await one.parts.moves.make(transitions.postponed(claim, timedelta(0), "collect"))
    await asyncio.sleep(0.1)
    [row] = await world.rows("select due_at <= now() as due from work")
    assert row == {"due": True}


async def test_a_cancelled_worker_is_cancelled_and_not_taken_for_one_that_lost_its_lease(
    world: World, opened: Opened
) -> None:
    one = await opened(Vendor())
    claim = await collecting(world, one)

    async def work() -> None:
        async with renewing(one.parts, claim):
            await asyncio.sleep(10)

    working = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_drawing_is_asked_for_only_by_the_engine_that_draws_it(world: World, opened: Opened) -> None:
    mine, theirs = Easel(), Easel()
    one, other = await opened(mine), await opened(theirs)
    await accept(world)
    await one.started()
    assert await other.did(Step.POLL) == 0
    assert await one.did(Step.POLL) == 1
    assert await other.did(Step.COLLECT) == 0
    assert (theirs.keys, theirs.polled) == ([], [])


async def test_the_drawing_of_a_silent_engine_is_made_anew_elsewhere_under_its_own_key(
    world: World, opened: Opened
) -> None:
    mine, theirs = Easel(), Easel()
    one, other = await opened(mine), await opened(theirs)
    await accept(world)
    await one.started()
    await silent(world, one)
    await other.parts.claims.beat()
    assert await other.did(Step.POLL) == 1
    assert theirs.keys == mine.keys
    [row] = await world.rows("select due_at <= now() + interval '1 s' as soon from work")
    assert row == {"soon": True}
    # It wakes up again, and finds that its drawing is another's by now.
    await one.parts.claims.beat()
    await world.pool.execute("update work set due_at = now()")
    assert await one.did(Step.POLL) == 0
    assert await other.did(Step.POLL) == 1
    assert await attempts(world) == [AttemptState.DONE.value]
    assert await world.rows("select state from tasks") == [{"state": State.COLLECTING.value}]


async def test_a_vendors_film_is_polled_by_whoever_comes_first(world: World, opened: Opened) -> None:
    vendor = Vendor()
    one, other = await opened(vendor), await opened(vendor)
    await accept(world)
    await one.started()
    assert await other.did(Step.POLL) == 1


async def collecting(world: World, engine: Engine) -> Claim:
    await accept(world)
    await engine.started()
    await engine.did(Step.POLL)
    [claim] = await engine.parts.claims.due(
        Step.COLLECT, limit=1, lease=LEASE, since=engine.parts.clock.monotonic()
    )
    return claim
