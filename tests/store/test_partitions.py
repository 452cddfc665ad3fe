"""The weeks to come are made without holding anybody up."""

import asyncio
from datetime import UTC, datetime, timedelta

from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from kit.worlds import make_world

LATER = timedelta(weeks=1)


async def test_a_backup_that_reads_the_tasks_for_long_lets_new_weeks_wait_and_nobody_else(pool: Pool) -> None:
    world = await make_world(pool)
    made = await world.accept()
    assert made.task is not None
    upkeep, later = Upkeep(pool), datetime.now(UTC) + LATER
    async with pool.acquire() as backup, backup.transaction(isolation="repeatable_read", readonly=True):
        await backup.execute("select from tasks limit 1")
        async with asyncio.timeout(4):
            weeks = asyncio.create_task(upkeep.make_partitions(later))
            await asyncio.sleep(0.1)
            assert (await world.task(made.task.id)).id == made.task.id
            assert await weeks == []
    assert len(await upkeep.make_partitions(later)) == 1
