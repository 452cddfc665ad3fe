"""Keys that are created at the same time, as gates that start together create them."""

import asyncio

from filmgate.store.keys import Keys
from filmgate.store.pool import Pool


async def test_keys_that_open_one_account_at_once_all_belong_to_it(pool: Pool) -> None:
    keys = Keys(pool, [b"pepper"])
    for no in range(20):
        await asyncio.gather(
            *(keys.create(f"sk-{no}-{gate}", name="local", account=f"a{no}") for gate in range(4))
        )
    owners = [await keys.owner(f"sk-{no}-{gate}") for no in range(20) for gate in range(4)]
    assert len({owner.account_id for owner in owners if owner is not None}) == 20
    assert None not in owners
