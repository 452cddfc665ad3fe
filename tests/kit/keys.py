"""Keys as they are listed, and what tests give them."""

from datetime import timedelta

from filmgate.store.keys import KeyRow, Keys

DAY = timedelta(days=1)
BUDGET = 20_000_000


async def rows_of(keys: Keys) -> dict[int, KeyRow]:
    """Give what is listed of keys, by their ids."""
    return {row.id: row for row in await keys.list()}
