"""Keys are locked in one order everywhere: whoever changes one never waits for somebody who waits for it."""

import asyncio
from datetime import timedelta

from filmgate.store.allowance import Setting
from filmgate.store.keys import Keys
from filmgate.store.pool import Pool

LOCK = "select from keys where id = $1 for no key update"


async def test_a_budget_that_binds_former_keys_waits_for_them_with_nothing_in_hand(pool: Pool) -> None:
    keys = Keys(pool, [b"pepper"])
    old = await keys.create("sk-old", name="ci", account="team")
    new = await keys.rotate("ci", "sk-new", overlap=timedelta(days=1))
    assert new is not None
    async with pool.acquire() as connection:
        async with connection.transaction():
            # As a batch of ends of both keys does.
            await connection.execute(LOCK, old)
            change = asyncio.create_task(keys.set("ci", budget_micros=Setting(5)))
            await asyncio.sleep(0.3)
            await connection.execute(LOCK, new.id)
            assert not change.done()
        row = await change
    assert row is not None
    assert (row.id, row.budget_micros) == (new.id, 5)
