"""Work rows that were deleted by hand cost time and nothing else."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from filmgate.domain.contracts_provider import ClipRequest, Ticket
from filmgate.engine.route import RouteRule, Via
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from kit.engines import Vendor, make_engine
from kit.worlds import make_world


@dataclass(slots=True)
class Slow(Vendor):
    """A vendor during whose answer to a submit the work rows are lost, and found to be missing."""

    pool: "Pool | None" = None

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        assert self.pool is not None
        await self.pool.execute("update tasks set created_at = now() - interval '1 hour'")
        await self.pool.execute("delete from work")
        assert await Upkeep(self.pool).repair() == 1
        return await Vendor.submit(self, request, key)


async def test_a_reply_that_comes_after_its_row_was_lost_and_repaired_is_that_of_its_task(
    pool: Pool, tmp_path: Path
) -> None:
    world, vendor = await make_world(pool), Slow(pool=pool)
    engine = await make_engine(
        pool, tmp_path / "e", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    new = world.new()
    await world.acceptor.accept(replace(new, credential_id=None, request=replace(new.request, model="veo3")))
    async with asyncio.timeout(9):
        assert await engine.started() == 1
    assert await world.rows("select step from work") == [{"step": "poll"}]
    assert await world.rows("select state from attempts") == [{"state": "accepted"}]
    assert await world.rows("select kind from notices") == []
    assert len(vendor.keys) == 1
