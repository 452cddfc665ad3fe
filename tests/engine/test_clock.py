"""A node's clock that is set back or forth moves nothing: leases, deadlines and waits are the database's."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import Done, Pending
from filmgate.domain.states import State, Step
from filmgate.domain.task import Task
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.sweep import sweep
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.world import SystemClock
from kit.engines import Vendor, make_engine, soon
from kit.worlds import World, make_world


class Wrong(SystemClock):
    """A clock that somebody has set; time goes on from there."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


async def accepted(world: World) -> Task:
    new = world.new(hold_micros=7)
    new = replace(new, credential_id=None, request=replace(new.request, model="veo3"))
    decision = await world.acceptor.accept(new)
    assert decision.task is not None
    return decision.task


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(hours=2), timedelta(days=-400)], ids=str)
async def test_a_clock_that_is_set_while_films_run_loses_none_and_expires_none(
    pool: Pool, tmp_path: Path, by: timedelta
) -> None:
    world = await make_world(pool)
    vendor = Vendor(polls=[Pending(), Done({"ref": "job"})])
    engine = await make_engine(
        pool, tmp_path / "engine", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    first = await accepted(world)
    assert await engine.started() == 1
    engine.parts = replace(engine.parts, clock=Wrong(by))
    assert await engine.did(Step.POLL) == 1
    await sweep(engine.parts, Upkeep(pool))
    assert (await world.task(first.id)).state is State.GENERATING
    # What is in hand is leased by the database's clock: nobody else gets it, whatever a node believes.
    claims = await engine.parts.claims.due(Step.POLL, limit=9, lease=timedelta(seconds=30), since=0.0)
    assert claims == []
    await soon(pool)
    assert await engine.did(Step.POLL) == 1
    assert len(vendor.keys) == 1
    assert await world.rows("select step from work") == [{"step": "collect"}]
    await accepted(world)
    assert await engine.started() == 1
    assert len(set(vendor.keys)) == 2
