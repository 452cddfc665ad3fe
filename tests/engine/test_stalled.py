"""A database that stands still in part: what asked there is given up, and asked again elsewhere."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from filmgate.engine import worker as workers
from filmgate.engine.parts import Parts
from filmgate.engine.prepare import prepare as begin
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.worker import Worker
from filmgate.store.pool import Pool, open_pool
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Claim
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


async def test_an_engine_that_stood_still_tells_its_operators_once_it_goes_on(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(workers, "SILENT_AFTER", timedelta(seconds=1))
    await make_world(pool)
    engine = await make_engine(
        pool, tmp_path / "engine", {("a", "A"): Vendor()}, [RouteRule("veo3", (Via("a", "m-a"),))]
    )
    worker = Worker(engine.parts, Upkeep(pool))
    running = asyncio.create_task(worker.run())
    told = "select text from notices where kind = 'engine_stood_still'"
    await asyncio.sleep(0.1)
    assert await pool.fetch(told) == []
    # As SIGSTOP, nothing of it runs meanwhile.
    time.sleep(1.1)  # noqa: ASYNC251  # the loop itself shall stand still
    async with asyncio.timeout(10):
        while not (found := await pool.fetch(told)):  # noqa: ASYNC110  # nothing tells of a notice
            await asyncio.sleep(0.01)
    await worker.stop()
    await running
    [[said]] = found
    assert re.match(r"an engine stood still for \d+ s, ", said)


async def test_a_step_that_gets_no_connection_counts_as_an_outage_and_is_done_again(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, vendor = await make_world(pool), Vendor()
    engine = await make_engine(
        pool, tmp_path / "engine", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m-a"),))]
    )
    heard = asyncio.Event()

    async def prepare(parts: Parts, claim: Claim) -> None:
        if not heard.is_set():
            raise asyncpg.TooManyConnectionsError
        await begin(parts, claim)

    monkeypatch.setattr(workers, "prepare", prepare)
    monkeypatch.setattr(engine.parts.telemetry, "outage", heard.set)
    new = world.new()
    await world.acceptor.accept(replace(new, credential_id=None, request=replace(new.request, model="veo3")))
    worker = Worker(engine.parts, Upkeep(pool))
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(30):
        while not vendor.keys:  # noqa: ASYNC110  # the engine says nothing of each submit
            await asyncio.sleep(0.01)
    await worker.stop()
    await running
    assert heard.is_set()
