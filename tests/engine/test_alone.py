"""Tasks that may have killed their worker: each is done alone, and none pays for another's death."""

import asyncio
from dataclasses import replace
from pathlib import Path

from filmgate.engine.route import RouteRule, Via
from filmgate.engine.worker import Worker
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from kit.engines import Vendor, make_engine
from kit.worlds import make_world


async def test_what_waits_for_its_turn_alone_is_not_held_where_it_would_die_with_another(
    pool: Pool, tmp_path: Path
) -> None:
    world, vendor = await make_world(pool), Vendor()
    engine = await make_engine(
        pool, tmp_path / "engine", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m-a"),))]
    )
    for _ in range(3):
        new = world.new()
        await world.acceptor.accept(
            replace(new, credential_id=None, request=replace(new.request, model="veo3"))
        )
    await pool.execute("update work set deaths = 2")
    worker = Worker(engine.parts, Upkeep(pool))
    assert await worker._claim() == 3
    # Whoever was tried and did no harm is no suspect any more, and goes on as others do.
    suspected = "select count(*) from work where lease_by is not null and deaths > 0"
    async with asyncio.timeout(60):
        while len(vendor.keys) < 3:
            await worker._claim()
            assert await pool.fetchval(suspected) <= 1
            await asyncio.sleep(0.01)
    assert len(set(vendor.keys)) == 3
