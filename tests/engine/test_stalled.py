"""A database that stands still in part: what asked there is given up, and asked again elsewhere."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filmgate.engine import worker as workers
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.worker import Worker
from filmgate.store.pool import open_pool
from filmgate.store.upkeep import Upkeep
from kit.engines import Vendor, make_engine
from kit.worlds import make_world


async def test_a_claim_that_is_not_answered_is_given_up_and_made_again_and_the_operator_hears_of_it(
    database: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "CLAIM_WITHIN_S", 0.3)
    pool = await open_pool(database, size=4, statement_ms=60_000, name="stalled")
    world, vendor = await make_world(pool), Vendor()
    engine = await make_engine(
        pool, tmp_path / "engine", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m-a"),))]
    )
    worker, heard = Worker(engine.parts, Upkeep(pool)), asyncio.Event()
    monkeypatch.setattr(engine.parts.telemetry, "outage", heard.set)
    new = world.new()
    await world.acceptor.accept(replace(new, credential_id=None, request=replace(new.request, model="veo3")))
    async with asyncio.timeout(30):
        async with pool.acquire() as other, other.transaction():
            # Nobody is answered who asks for this table.
            await other.execute("lock table work in access exclusive mode")
            running = asyncio.create_task(worker.run())
            await heard.wait()
        while not vendor.keys:  # noqa: ASYNC110  # the engine says nothing of each submit
            await asyncio.sleep(0.01)
    await worker.stop()
    await running
    await pool.close()
    assert len(vendor.keys) == 1
