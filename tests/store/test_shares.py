"""What one customer does costs the others nothing: no table is read whole, and no connection held, on their account."""

import asyncio

import pytest

from filmgate.store.accept import Verdict
from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from kit.worlds import World, make_world


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool, in_flight=1000)


async def test_a_submit_that_is_refused_does_not_look_at_keys_of_which_it_sent_none(world: World) -> None:
    await world.pool.execute("update accounts set submits_per_minute = 1")
    await world.accept()
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table idempotency in access exclusive mode")
        async with asyncio.timeout(2):
            assert (await world.accept()).verdict is Verdict.REFUSED


async def test_the_keys_of_a_task_are_found_without_reading_those_of_others(world: World) -> None:
    await world.pool.execute("""
        insert into idempotency (account_id, key, body_sha256, task_id)
        select id, 'x' || g, '', gen_random_uuid() from accounts, generate_series(1, 5000) g""")
    await world.pool.execute("analyze idempotency")
    plan = await world.rows("explain delete from idempotency where task_id = any($1::uuid[])", [])
    assert any("idempotency_by_task" in str(line) for line in plan), plan


async def test_whoever_reads_the_books_slowly_holds_no_connection(pool: Pool) -> None:
    await pool.execute("""
        with made as (insert into ledger (kind, author) select 'adjust', 'x' from generate_series(1, 5000) returning id)
        insert into entries select id, side, amount from made, (values ('adjustments', 1), ('grants', -1)) as s(side, amount)
        where id % 1000 <> 0""")
    readers = [Ledger(pool).export(None, None) for _ in range(8)]
    firsts = [await anext(reader) for reader in readers]
    assert len({(row["id"], row["side"]) for row in firsts}) == 1
    async with asyncio.timeout(2):
        await asyncio.gather(*(pool.fetchval("select pg_sleep(0.01)") for _ in range(8)))
    await pool.execute(
        "with made as (insert into ledger (kind) values ('adjust') returning id) "
        "insert into entries select id, 'grants', 1 from made"
    )
    rest = [row async for row in readers[0]]
    assert len(rest) + 1 == 2 * (5000 - 5)
    assert {row["author"] for row in rest} == {"x"}
    for reader in readers[1:]:
        await reader.aclose()  # type: ignore[attr-defined]  # it is a generator
