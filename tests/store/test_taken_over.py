"""What keys took over that were rotated before that was kept: known again where the ledger shows it."""

from datetime import timedelta
from importlib.resources import files

import pytest

from filmgate.store.keys import Keys
from filmgate.store.pool import Pool
from kit.books import PRICE, Books, sound_books
from kit.worlds import make_world

DAY = timedelta(days=1)
BACKFILL = files("filmgate.store").joinpath("migrations", "0013_taken_over.sql").read_text("utf-8")


@pytest.fixture
async def books(pool: Pool) -> Books:
    return await sound_books(await make_world(pool, in_flight=9))


async def rotated(pool: Pool, key: int, no: int = 1) -> int:
    made = await Keys(pool, [b"pepper"]).rotate(str(key), f"sk-{no}", overlap=DAY)
    assert made is not None
    return made.id


async def carried(pool: Pool) -> dict[int, int]:
    return {
        row["id"]: row["carried_micros"] for row in await pool.fetch("select id, carried_micros from keys")
    }


@pytest.mark.parametrize("period", [None, "month"])
async def test_a_key_is_told_what_it_took_over_also_from_one_that_had_taken_over_itself(
    books: Books, pool: Pool, period: str | None
) -> None:
    old = books.world.owner.key_id
    await pool.execute(
        "update keys set budget_micros = 90000000, budget_period = $1,"
        " period_start = date_trunc(coalesce($1, 'year'), now(), 'UTC')",
        period,
    )
    assert await books.broken() == {}
    first = await rotated(pool, old)
    second = await rotated(pool, first, 2)
    told = await carried(pool)
    assert told[first] == told[second] == 2 * PRICE
    await pool.execute("update keys set carried_micros = 0")
    assert len((await books.broken())["spent_is_what_was_charged"]) == 2
    for _ in range(2):
        await pool.execute(BACKFILL)
        assert await carried(pool) == told
        assert await books.broken() == {}


async def test_what_the_ledger_does_not_show_stays_a_finding(books: Books, pool: Pool) -> None:
    first = await rotated(pool, books.world.owner.key_id)
    await pool.execute("update keys set carried_micros = 0")
    await pool.execute("update keys set spent_micros = spent_micros + 1 where id = $1", first)
    before = await books.broken()
    await pool.execute(BACKFILL)
    assert await books.broken() == before
    assert set((await carried(pool)).values()) == {0}


async def test_a_key_that_took_nobodys_place_is_left_as_it_is(books: Books, pool: Pool) -> None:
    await pool.execute("update keys set spent_micros = spent_micros + 1")
    before = await books.broken()
    await pool.execute(BACKFILL)
    assert await books.broken() == before
