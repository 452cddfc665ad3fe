"""What one customer does costs the others nothing: no table is read whole, and no connection held, on their account."""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from filmgate.domain.shares import Share
from filmgate.domain.states import Step
from filmgate.store.accept import Verdict
from filmgate.store.credentials import CredentialRow, Credentials
from filmgate.store.deliveries import Deliveries, Outcome
from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from filmgate.store.starts import _NEXT
from filmgate.store.work import _DUE, Boot
from kit.worlds import World, make_world

LEASE = timedelta(seconds=30)


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


def deliveries(pool: Pool) -> Deliveries:
    return Deliveries(pool, Boot(uuid4(), UUID(int=1), UUID(int=2)))


async def told(pool: Pool, account: int, hosts: int, *, each: int = 1, ready: bool = True) -> None:
    """Write what is to be told to many hosts for an account."""
    await pool.execute(
        """insert into deliveries (id, account_id, url, host, task_id, event, body, due_at, ready)
        select gen_random_uuid(), $1, 'https://h' || g % $2::int || '.example.com',
            'h' || g % $2::int || '.example.com', gen_random_uuid(), 'video.failed', '',
            now() + case when $4::boolean then g * interval '-1 ms' else interval '1 hour' end, $4
        from generate_series(1, $2::int * $3::int) g""",
        account, hosts, each, ready,
    )  # fmt: skip


async def test_one_account_with_many_hosts_that_hang_leaves_hands_for_the_webhooks_of_others(
    world: World,
) -> None:
    other = (await world.rows("insert into accounts (name) values ('other') returning id"))[0]["id"]
    assert isinstance(other, int)
    await told(world.pool, world.owner.account_id, 200, each=4)
    teller, held = deliveries(world.pool), 0
    while found := await teller.claim(64 - held, LEASE, since=0.0, hands=64):
        held += len(found)
    assert held == 32
    await told(world.pool, other, 50)
    [*quick] = await teller.claim(64 - held, LEASE, since=0.0, hands=64)
    assert {one.account_id for one in quick} == {other}
    assert len(quick) == 16


async def test_many_hosts_of_one_account_have_their_turns(world: World) -> None:
    await told(world.pool, world.owner.account_id, 60, each=20)
    teller, hosts = deliveries(world.pool), set[str]()
    for _ in range(40):
        found = await teller.claim(8, LEASE, since=0.0)
        hosts |= {one.host for one in found}
        await asyncio.gather(*(teller.settle(Outcome(claim=one, delivered=True)) for one in found))
    assert len(hosts) == 60


async def test_only_what_is_taken_is_written_and_hosts_that_wait_for_their_time_are_not_looked_at(
    world: World,
) -> None:
    account = world.owner.account_id
    await told(world.pool, account, 5000, each=2)
    await told(world.pool, account, 5000, ready=False)
    await world.pool.execute("analyze deliveries")
    teller = deliveries(world.pool)
    assert len(await teller.claim(32, LEASE, since=0.0, hands=64)) == 32
    # A row that was locked, and not written, keeps the mark of who locked it.
    [touched] = await world.rows(
        "select count(*) as n from deliveries where xmax <> 0 or lease_by is not null"
    )
    assert touched == {"n": 32}


async def test_a_credential_whose_steps_pile_up_leaves_hands_for_another(world: World) -> None:
    slow, quick = world.credential_id, await another(world, "quick")
    await polling(world, slow, 60)
    share = Share(32, ())
    first = await world.claims.due(Step.POLL, limit=32, lease=LEASE, since=0.0, share=share)
    assert Counter(claim.credential_id for claim in first) == {slow: 16}
    ids = [claim.task_id for claim in first]
    held = Share(32, [claim.credential_id for claim in first])
    assert not await world.claims.due(Step.POLL, limit=16, lease=LEASE, since=0.0, busy=ids, share=held)
    await polling(world, quick, 20)
    second = await world.claims.due(Step.POLL, limit=16, lease=LEASE, since=0.0, busy=ids, share=held)
    assert Counter(claim.credential_id for claim in second) == {quick: 8}


async def test_what_is_due_at_one_credential_is_found_behind_thousands_of_another(
    world: World,
) -> None:
    quick = await another(world, "quick")
    await world.pool.execute(
        """insert into work (task_id, step, credential_id, due_at, model, account_id, key_id)
        select gen_random_uuid(), 'poll', case when g <= 10 then $2::int else $1::int end,
            now() - interval '1 s' * (case when g <= 10 then 1 else 60 end), 'm', a.id, k.id
        from generate_series(1, 20000) g, accounts a, keys k""",
        world.credential_id,
        quick,
    )
    await world.pool.execute("analyze work")
    plan = await world.rows("explain (analyze, buffers) " + _DUE, "poll", 16, [], [], [])
    assert not any("Seq Scan on work" in str(line) for line in plan), plan
    read = [int(number) for line in plan for number in re.findall(r"actual time=\S+ rows=(\d+)", str(line))]
    assert max(read) <= 26, plan


async def test_who_waits_behind_its_limit_is_not_read_and_hides_nobody(world: World) -> None:
    await world.pool.execute("update accounts set max_running = 1, running = 1")
    await world.pool.execute("""
        insert into work (task_id, step, due_at, model, account_id, key_id)
        select gen_random_uuid(), 'prepare', now(), 'm', a.id, k.id from generate_series(1, 20000) g, accounts a, keys k""")
    await world.pool.execute("analyze work")
    plan = await world.rows("explain (analyze) " + _NEXT, ["m"], [], 50, [])
    removed = [int(number) for line in plan for number in re.findall(r"Removed by \w+: (\d+)", str(line))]
    assert sum(removed) < 10, plan


async def test_an_account_has_ten_thousand_unfinished_tasks_unless_it_is_said_otherwise(world: World) -> None:
    await world.pool.execute("update accounts set unfinished = 9999")
    assert (await world.accept()).verdict is Verdict.ACCEPTED
    refused = await world.accept()
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.refusal.parameters["limit"]) == ("too_many_tasks", 10_000)


async def another(world: World, provider: str) -> int:
    rows = [CredentialRow("fake", "default", 1000), CredentialRow(provider, "default", 1000)]
    return (await Credentials(world.pool).sync(rows))[provider, "default"]


async def polling(world: World, credential_id: int, count: int) -> None:
    """Let so many tasks be polled at a credential, all of them due."""
    for _ in range(count):
        decision = await world.accept()
        assert decision.task is not None
        await world.pool.execute(
            "update work set step = 'poll', credential_id = $2, due_at = now() where task_id = $1",
            decision.task.id,
            credential_id,
        )
