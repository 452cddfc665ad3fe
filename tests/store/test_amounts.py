"""Money in texts that the database writes."""

import pytest

from filmgate.domain.money import dollars
from filmgate.store.amounts import dollars_of
from filmgate.store.pool import Pool


@pytest.mark.parametrize(
    "micros", [0, 1, 5, 1_230, 5_000, 9_999, 10_000, 50_000, 399_999, 805_000, 1_000_000, 12_345_678, 10**12]
)
async def test_the_database_writes_dollars_as_the_gate_does(pool: Pool, micros: int) -> None:
    written = await pool.fetchval(f"select {dollars_of('m')} from (select $1::bigint as m) as given", micros)  # noqa: S608  # our own expression
    assert written == dollars(micros)
