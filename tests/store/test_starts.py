"""Who starts next: owners in turn, never more of one than may run, and a place in line that says so."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from filmgate.domain.states import State
from filmgate.domain.task import Failure, Owner
from filmgate.store import transitions
from filmgate.store.ends import End
from filmgate.store.keys import Keys
from filmgate.store.places import Places
from filmgate.store.pool import Pool
from filmgate.store.starts import Starts
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot, Claim
from kit.worlds import World, make_world, unreadable

LEASE = timedelta(seconds=30)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool, in_flight=1000)


async def owner(world: World, name: str, account: str | None = None) -> Owner:
    keys = Keys(world.pool, [b"pepper"])
    await keys.create(f"sk-{name}", name=name, account=account or name)
    found = await keys.owner(f"sk-{name}")
    assert found is not None
    return found


async def waiting(world: World, owner: Owner, count: int = 1, model: str = "animatic") -> list[UUID]:
    made = []
    for no in range(count):
        new = world.new(f"boat {no}")
        new = replace(new, owner=owner, request=replace(new.request, model=model))
        made.append((await world.acceptor.accept(new)).task)
    return [task.id for task in made if task]


async def place(world: World, task_id: UUID) -> int:
    found = await Places(world.pool).of(task_id, ["animatic"])
    assert found is not None
    return found.ahead


def owners(claims: list[Claim]) -> list[int]:
    return [claim.task.account_id for claim in claims]


async def one(world: World) -> Claim:
    """Claim the one task that comes next."""
    [next_one] = await world.starter.next(["animatic"], limit=1)
    [claim] = await world.starter.claim([(next_one, world.credential_id)], lease=LEASE, since=0.0)
    return claim


async def ended(world: World, claim: Claim) -> None:
    failure = Failure("engine_error", {})
    await world.ends.end(End(claim=claim, state=State.FAILED, kept=timedelta(days=1), failure=failure))


async def test_one_who_queued_much_does_not_delay_anothers_one(world: World) -> None:
    greedy, modest = await owner(world, "greedy"), await owner(world, "modest")
    await waiting(world, greedy, 40)
    [single] = await waiting(world, modest)
    first = [await one(world), await one(world)]
    assert [claim.task_id == single for claim in first] == [False, True]


async def test_with_a_single_slot_owners_take_turns(world: World) -> None:
    names = [await owner(world, name) for name in ("a", "b", "c")]
    for each in names:
        await waiting(world, each, 3)
    served = []
    for _ in range(9):
        claim = await one(world)
        served.append(claim.task.account_id)
        await ended(world, claim)
    ids = [each.account_id for each in names]
    assert served == ids * 3


async def test_the_keys_of_an_account_take_turns_too(world: World) -> None:
    first, second = await owner(world, "first", "team"), await owner(world, "second", "team")
    await waiting(world, first, 5)
    await waiting(world, second, 2)
    claims = [await one(world) for _ in range(4)]
    assert [claim.task.key_id for claim in claims] == [
        first.key_id,
        second.key_id,
        first.key_id,
        second.key_id,
    ]


async def test_no_more_of_an_account_run_than_it_may_and_the_next_starts_when_one_ends(world: World) -> None:
    await world.pool.execute("update accounts set max_running = 2")
    await waiting(world, world.owner, 4)
    running = await world.starts(9)
    assert len(running) == 2
    assert await world.starts(9) == []
    await ended(world, running[0])
    assert len(await world.starts(9)) == 1
    assert await world.rows("select running from accounts") == [{"running": 2}]


async def test_no_more_of_a_key_run_than_it_may_and_its_team_goes_on(world: World) -> None:
    narrow, wide = await owner(world, "narrow", "team"), await owner(world, "wide", "team")
    await world.pool.execute("update keys set max_running = 1 where id = $1", narrow.key_id)
    await waiting(world, narrow, 70)
    await waiting(world, wide, 3)
    claims = await world.starts(10)
    assert Counter(claim.task.key_id for claim in claims) == {narrow.key_id: 1, wide.key_id: 3}


async def test_engines_that_claim_at_once_never_start_more_than_may_run(world: World) -> None:
    await world.pool.execute("update accounts set max_running = 5")
    ids = await waiting(world, world.owner, 20)
    engines = [Starts(world.pool, Boot(*[UUID(int=no)] * 3), unreadable) for no in range(1, 5)]
    # Each has looked for others before any of them claims.
    found = [
        await engine.next(["animatic"], limit=5, busy=ids[: no * 5]) for no, engine in enumerate(engines)
    ]
    assert {one.task_id for each in found for one in each} == set(ids)
    claimed = await asyncio.gather(
        *(
            engine.claim([(one, world.credential_id) for one in each], lease=LEASE, since=0.0)
            for engine, each in zip(engines, found, strict=True)
        )
    )
    assert sum(map(len, claimed)) == 5
    assert await world.rows("select count(*) as n from work where running") == [{"n": 5}]


async def test_a_busy_provider_gives_the_place_among_the_running_back(world: World) -> None:
    await world.pool.execute("update accounts set max_running = 1")
    await waiting(world, world.owner, 2)
    [claim] = await world.starts(9)
    await world.moves.make(transitions.waiting(claim, timedelta(hours=1)))
    assert await world.rows("select running from accounts union all select running from keys") == [
        {"running": 0},
        {"running": 0},
    ]
    [other] = await world.starts(9)
    assert other.task_id != claim.task_id


async def test_what_was_begun_goes_on_before_its_owners_new_tasks_and_beyond_the_limit(world: World) -> None:
    await world.pool.execute("update accounts set max_running = 1")
    ids = await waiting(world, world.owner, 2)
    [claim] = await world.starts(9)
    assert claim.task_id == ids[0]
    await world.moves.make(transitions.preparing(claim, {"stage": "enhancing"}))
    claim = replace(claim, task=await world.task(claim.task_id))
    await world.moves.make(transitions.waiting(claim, timedelta(0)))
    assert [again.task_id for again in await world.starts(9)] == [ids[0]]


async def test_only_models_that_are_asked_for_are_given(world: World) -> None:
    await waiting(world, world.owner, 1, "veo3")
    [wanted] = await waiting(world, world.owner, 1, "sora-2")
    assert await world.starter.models() == ["sora-2", "veo3"]
    found = await world.starter.next(["sora-2"], limit=9)
    assert [each.task_id for each in found] == [wanted]


async def test_the_place_in_line_is_the_one_in_which_tasks_start(world: World) -> None:
    first, second = await owner(world, "one"), await owner(world, "two")
    ids = await waiting(world, first, 4)
    ids += await waiting(world, second, 2)
    places = {id_: await place(world, id_) for id_ in ids}
    started = [(await one(world)).task_id for _ in ids]
    assert [places[id_] for id_ in started] == [0, 1, 2, 3, 4, 5]


async def test_the_place_in_line_is_right_among_keys_accounts_and_what_was_begun(world: World) -> None:
    teams = [("a", "x"), ("b", "x"), ("c", "y"), ("d", "z"), ("e", "z")]
    owners = [await owner(world, name, team) for name, team in teams]
    ids: list[UUID] = []
    for count, each in zip((3, 1, 5, 2, 4), owners, strict=True):
        ids += await waiting(world, each, count)
    for _ in range(4):
        claim = await one(world)
        await world.moves.make(transitions.preparing(claim, {"stage": "enhancing"}))
        task = await world.reader.find(str(claim.task_id), claim.task.account_id)
        assert task is not None
        claim = replace(claim, task=task)
        await world.moves.make(transitions.waiting(claim, timedelta(0)))
        await world.pool.execute("update work set running = true where task_id = $1", claim.task_id)
    order = [found.task_id for found in await world.starter.next(["animatic"], limit=99)]
    assert sorted(order) == sorted(ids)
    assert [await place(world, id_) for id_ in order] == list(range(15))


async def test_counts_that_were_changed_by_hand_are_set_right(world: World) -> None:
    await waiting(world, world.owner, 3)
    await world.starts(2)
    assert await world.starter.recount() == 0
    await world.pool.execute("update accounts set running = 77")
    await world.pool.execute("delete from work where running")
    await world.pool.execute("update tasks set created_at = now() - interval '1 hour'")
    assert await Upkeep(world.pool).repair() == 2
    assert await world.starter.recount() == 2
    assert await world.rows("select running from accounts union all select running from keys") == [
        {"running": 0},
        {"running": 0},
    ]


async def test_ten_thousand_who_wait_are_looked_through_in_a_moment(world: World) -> None:
    [single] = await waiting(world, await owner(world, "modest"))
    await waiting(world, world.owner)
    await world.pool.execute(
        """
        with more as (
            insert into tasks (id, account_id, key_id, dialect, names, model, request, hold_micros, deadline_at)
            select gen_random_uuid(), account_id, key_id, dialect, names, model, request, 0, deadline_at
            from tasks, generate_series(1, 10000) where account_id = $1
            returning id, model, account_id, key_id
        )
        insert into work (task_id, step, due_at, model, account_id, key_id)
        select id, 'prepare', now(), model, account_id, key_id from more
        """,
        world.owner.account_id,
    )
    await world.pool.execute("analyze work, tasks")
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await world.starter.next(["animatic"], limit=64)
    between = loop.time()
    ahead = await place(world, single)
    print(f"next of 10,000: {between - began:.4f} s, place: {loop.time() - between:.4f} s")
    assert (len(found), found[0].task_id == single or found[1].task_id == single, ahead <= 1) == (
        64,
        True,
        True,
    )
    assert loop.time() - began < 1.0
