"""Who comes next is found among the first in line: those behind them, and those who have no room, cost nothing."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest

from filmgate.store.pool import Pool
from filmgate.store.starts import _NEXT
from filmgate.store.turns import close
from kit.worlds import World, make_world

OWNERS = 2_000
_OWNERS = """
with made as (
    insert into accounts (name, served_at, max_running)
    select 'a' || g, now() - g * interval '1 s', 10 from generate_series(1, $1::int) g returning id
)
insert into keys (account_id, name, hash, hint) select id, 'k', sha256(id::text::bytea), '' from made
"""
_WAITING = """
with made as (
    insert into tasks (id, account_id, key_id, dialect, names, model, request, hold_micros, deadline_at)
    select gen_random_uuid(), k.account_id, k.id, 'openai', '{}', $1, t.request, 0, now() + interval '1 h'
    from keys k, (select request from tasks limit 1) t, generate_series(1, $2::int)
    returning id, model, account_id, key_id
)
insert into work (task_id, step, due_at, model, account_id, key_id)
select id, 'prepare', now() - interval '1 s', model, account_id, key_id from made
"""
_ALL = """
select w.*, a.served_at, k.served_at as key_served_at, a.max_running - a.running as free,
    k.max_running - k.running as key_free
from work w join accounts a on a.id = w.account_id join keys k on k.id = w.key_id where w.step = 'prepare'
    and w.due_at <= now()
"""


@pytest.fixture
async def world(pool: Pool) -> World:
    made = await make_world(pool, in_flight=1000)
    await made.accept()
    await pool.execute("update accounts set served_at = now() + interval '1 min'")
    return made


async def looked_at(pool: Pool, model: str, limit: int) -> int:
    """Tell how many pages are looked at for those who come next."""
    said = await pool.fetchval(f"explain (analyze, buffers, format json) {_NEXT}", [model], [], limit, [])
    [explained] = orjson.loads(said)
    plan = explained["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def crowd(pool: Pool, model: str = "m", each: int = 3) -> None:
    await pool.execute(_WAITING, model, each)
    await pool.execute("analyze")


async def test_who_comes_next_is_found_without_looking_at_all_who_wait(world: World) -> None:
    await world.pool.execute(_OWNERS, OWNERS)
    await crowd(world.pool)
    assert await looked_at(world.pool, "m", 1) < 150
    assert await looked_at(world.pool, "m", 20) < 20 * 120
    # Those who wait for another model are in nobody's way.
    await world.pool.execute("update accounts set served_at = now() where id = $1", world.owner.account_id)
    assert await looked_at(world.pool, "animatic", 20) < 150


async def test_the_lines_of_a_few_are_not_read_to_their_ends(world: World) -> None:
    await world.pool.execute(_OWNERS, 4)
    await crowd(world.pool, each=1_000)
    assert await looked_at(world.pool, "m", 1) < 150
    assert await looked_at(world.pool, "m", 20) < 20 * 60


async def test_owners_without_room_are_stepped_over_once(world: World) -> None:
    await world.pool.execute(_OWNERS, OWNERS)
    await crowd(world.pool)
    await world.pool.execute(
        "update accounts set running = max_running where id % 2 = 0 and id <> $1", world.owner.account_id
    )
    await world.pool.execute(
        "update keys set max_running = 1, running = 1 where account_id % 2 = 1 and id <> $1",
        world.owner.key_id,
    )
    for _ in range(3):
        world.starter._idle._again_at = 0
        await world.starter.next(["m"], limit=20)
    await world.pool.execute("vacuum analyze turns, lines")
    assert await looked_at(world.pool, "m", 20) < 400
    # Whoever has room again is back, also where only a key had none.
    [full] = await world.rows("select min(id) as id from accounts where running > 0")
    [narrow] = await world.rows("select min(account_id) as id from keys where running > 0")
    await world.pool.execute("update accounts set running = running - 1 where id = $1", full["id"])
    await world.pool.execute("update keys set max_running = 2 where account_id = $1", narrow["id"])
    found = await world.starter.next(["m"], limit=3)
    assert {one.account_id for one in found} >= {full["id"], narrow["id"]}


async def test_whoever_had_nothing_that_waits_is_in_line_with_the_next_task(world: World) -> None:
    await world.pool.execute("update work set step = 'poll'")
    await met(world.pool)
    assert await world.rows("select from turns union all select from lines") == []
    await world.pool.execute("update work set step = 'prepare'")
    assert len(await world.starter.next(["animatic"], limit=9)) == 1


async def met(pool: Pool) -> None:
    """Close all that is there in vain."""
    turns = await pool.fetch("select account_id, model from turns")
    lines = await pool.fetch("select account_id, model, key_id from lines")
    async with pool.acquire() as connection, connection.transaction():
        await close(connection, [dict(row) for row in turns], [dict(row) for row in lines])


@pytest.mark.parametrize("seed", range(12))
async def test_the_order_is_the_one_that_is_promised_whatever_waits(world: World, seed: int) -> None:
    chance = random.Random(seed)
    await mixed(world.pool, chance)
    for turn in range(4):
        if turn == 2:
            await met(world.pool)
        for limit in (1, 2, 5, 20, 300):
            models = chance.sample(["m", "n", "o"], chance.randint(1, 3))
            without = chance.sample(range(1, 9), chance.choice([0, 0, 2]))
            rows = [dict(row) for row in await world.pool.fetch(_ALL)]
            busy = [row["task_id"] for row in rows if chance.random() < 0.1]
            found = await world.starter.next(models, limit=limit, busy=busy, without=without)
            assert [one.task_id for one in found] == promised(rows, models, limit, busy, without)
        await changed(world.pool, chance)


async def mixed(pool: Pool, chance: random.Random) -> None:
    await pool.execute(_OWNERS, chance.choice([1, 4, 12]))
    await pool.execute("""
        insert into keys (account_id, name, hash, hint, max_running, served_at)
        select a.id, 'k' || g, sha256((a.id || 'k' || g)::bytea), '', 5, now() - a.id * g % 17 * interval '1 s'
        from accounts a, generate_series(1, $1::int) g""", chance.choice([0, 2, 7]))  # fmt: skip
    for model in ("m", "n", "o"):
        await pool.execute(_WAITING, model, chance.choice([1, 3, 9]))
    await changed(pool, chance)


async def changed(pool: Pool, chance: random.Random) -> None:
    """Let some end, some begin, some wait for their time, and some owners be served, full or have room."""
    await pool.execute("select setseed($1)", chance.random())
    await pool.execute("update work set due_at = now() + (random() - 0.8) * interval '9 min'")
    await pool.execute("update work set step = 'poll' where random() < 0.5")
    await pool.execute("update work set running = random() < 0.3 where step = 'poll'")
    await pool.execute("update work set step = 'prepare' where step = 'poll' and random() < 0.7")
    await pool.execute("delete from work where random() < 0.1")
    await pool.execute("update accounts set running = (random() * 14)::int")
    await pool.execute(
        "update keys set running = (random() * 7)::int, served_at = now() - random() * interval '1 h'"
    )
    await pool.execute(
        "update accounts set served_at = now() - random() * interval '1 h' where random() < 0.5"
    )


def promised(
    rows: Sequence[Mapping[str, Any]],
    models: Sequence[str],
    limit: int,
    busy: Sequence[UUID],
    without: Sequence[int],
) -> Sequence[UUID]:
    """Say who comes next, having looked at everybody."""
    lines: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (not row["running"], row["task_id"])):
        fits = row["model"] in models and row["task_id"] not in busy and row["account_id"] not in without
        room = all(row[free] is None or row[free] > 0 for free in ("free", "key_free"))
        if fits and (row["running"] or room):
            lines[row["key_id"]].append(row)
    accounts: defaultdict[int, list[tuple[Any, Mapping[str, Any]]]] = defaultdict(list)
    for line in lines.values():
        for nth, row in enumerate(line):
            turn = not row["running"], nth, row["key_served_at"], row["key_id"]
            accounts[row["account_id"]].append((turn, row))
    placed = []
    for account in accounts.values():
        for place, (_, row) in enumerate(sorted(account, key=lambda pair: pair[0]), 1):
            if row["running"] or row["free"] is None or place <= row["free"]:
                placed.append(((place, row["served_at"], row["account_id"]), row["task_id"]))
    return [task_id for _, task_id in sorted(placed)[:limit]]
