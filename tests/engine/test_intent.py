"""An intent whose commit was not heard of: who did not send says so, and nobody has to find it out."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from filmgate.engine.route import RouteRule, Via
from filmgate.store.moves import Move, Moves
from filmgate.store.pool import Pool
from kit.engines import Engine, Vendor, make_engine, soon
from kit.worlds import World, make_world


class Unheard(Moves):
    """Writes, or does not, and the word of it is lost, so many times."""

    written = True
    lost = 1

    async def make(self, move: Move) -> None:
        if not self.lost:
            await super().make(move)
            return
        self.lost -= 1
        if self.written:
            await super().make(move)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


async def opened(world: World, folder: Path, vendor: Vendor, *, written: bool, lost: int) -> Engine:
    engine = await make_engine(
        world.pool, folder, {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    moves = Unheard(world.pool)
    moves.written, moves.lost = written, lost
    engine.parts = replace(engine.parts, moves=moves)
    new = world.new()
    await world.acceptor.accept(replace(new, credential_id=None, request=replace(new.request, model="veo3")))
    return engine


@pytest.mark.parametrize("replays", [None, timedelta(hours=24)], ids=["forgets keys", "knows keys"])
@pytest.mark.parametrize("lost", [1, 3])
@pytest.mark.parametrize("written", [True, False])
async def test_what_was_surely_not_sent_is_sent_anew_though_its_intent_may_be_written(
    pool: Pool, tmp_path: Path, *, written: bool, lost: int, replays: timedelta | None
) -> None:
    world, vendor = await make_world(pool), Vendor(replays=replays)
    engine = await opened(world, tmp_path / "e", vendor, written=written, lost=lost)
    assert await engine.started() == 1
    assert vendor.keys == []
    assert await world.rows("select step, lease_by from work") == [{"step": "prepare", "lease_by": None}]
    assert await world.rows("select in_flight from credentials where provider = 'a'") == [{"in_flight": 0}]
    await soon(pool)
    assert await engine.started() == 1
    assert len(vendor.keys) == 1
    states = [row["state"] for row in await world.rows("select state from attempts order by no")]
    assert states == (["failed", "accepted"] if written else ["accepted"])
