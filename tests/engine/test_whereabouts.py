"""What a task waits for: its own limit, its turn, a provider, or a reply that was lost."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.eta import Estimate, Outlook, RunKind
from filmgate.domain.states import Step
from filmgate.domain.task import Task
from filmgate.engine.parts import Experience, NoExperience
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.whereabouts import Position, Span, WaitingFor, Whereabouts
from filmgate.store import transitions
from filmgate.store.credentials import Credentials
from filmgate.store.places import Places
from filmgate.store.pool import Pool, open_pool
from filmgate.store.read import Reader
from filmgate.world import SystemClock
from kit.engines import Engine, Vendor, make_engine
from kit.rooms import Vendor as Quiet
from kit.rooms import make_room
from kit.worlds import World, make_world

RULE = RouteRule("veo3", (Via("a", "m-a"),))
SLOTS = 2


class Known(NoExperience):
    async def of(self, kind: RunKind) -> Outlook:
        return Outlook(20, Estimate(40.0, 90.0, 20))


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


@pytest.fixture
async def engine(world: World, tmp_path: Path) -> Engine:
    """An engine whose one provider makes two films at a time, and never ends one."""
    vendor = Vendor(ask_in=timedelta(hours=1))
    return await make_engine(world.pool, tmp_path / "engine", {("a", "A"): vendor}, [RULE], in_flight=SLOTS)


def whereabouts(engine: Engine, pool: Pool, experience: Experience | None = None) -> Whereabouts:
    return Whereabouts(
        places=Places(pool),
        credentials=Credentials(pool),
        reader=Reader(pool),
        router=engine.parts.router,
        experience=experience or NoExperience(),
        clock=SystemClock(),
        models=["veo3"],
    )


async def accepted(world: World, count: int) -> list[Task]:
    made = []
    for no in range(count):
        new = world.new(f"boat {no}")
        new = replace(new, credential_id=None, request=replace(new.request, model="veo3"))
        made.append((await world.acceptor.accept(new)).task)
    return [task for task in made if task]


async def test_who_is_next_is_at_0_and_others_wait_for_their_turn(world: World, engine: Engine) -> None:
    tasks = await accepted(world, 3)
    where = whereabouts(engine, world.pool)
    found = [await where.of(task) for task in tasks]
    assert [one.queue_position for one in found] == [0, 1, 2]
    assert {one.waiting_for for one in found} == {WaitingFor.TURN}


async def test_where_all_slots_are_taken_the_next_waits_for_the_provider(
    world: World, engine: Engine
) -> None:
    tasks = await accepted(world, 4)
    await engine.started()
    where = whereabouts(engine, world.pool)
    running = [await where.of(await world.task(task.id)) for task in tasks[:2]]
    assert [(one.queue_position, one.waiting_for) for one in running] == [(None, None)] * 2
    waiting = [await where.of(task) for task in tasks[2:]]
    assert [(one.queue_position, one.waiting_for) for one in waiting] == [
        (0, WaitingFor.PROVIDER),
        (1, WaitingFor.TURN),
    ]


async def test_who_has_as_many_running_as_may_waits_for_his_own_limit(world: World, engine: Engine) -> None:
    await world.pool.execute("update accounts set max_running = 1")
    tasks = await accepted(world, 2)
    assert await engine.started() == 1
    found = await whereabouts(engine, world.pool).of(tasks[1])
    assert (found.queue_position, found.waiting_for) == (0, WaitingFor.YOUR_LIMIT)


async def test_a_keys_own_limit_is_its_owners_limit_too(world: World, engine: Engine) -> None:
    await world.pool.execute("update keys set max_running = 1")
    tasks = await accepted(world, 2)
    assert await engine.started() == 1
    assert (await whereabouts(engine, world.pool).of(tasks[1])).waiting_for is WaitingFor.YOUR_LIMIT


async def test_while_its_provider_is_paused_everybody_waits_for_that(world: World, engine: Engine) -> None:
    await world.pool.execute("update credentials set paused_at = now()")
    tasks = await accepted(world, 2)
    where = whereabouts(engine, world.pool)
    assert {(await where.of(task)).waiting_for for task in tasks} == {WaitingFor.PROVIDER}


async def test_a_film_that_its_provider_has_and_has_not_begun_has_no_position(
    world: World, engine: Engine
) -> None:
    [task] = await accepted(world, 1)
    await engine.started()
    claims = await engine.parts.claims.due(Step.POLL, limit=1, lease=timedelta(seconds=9), since=0.0)
    await world.pool.execute("update work set due_at = now()")
    claims = claims or await engine.parts.claims.due(
        Step.POLL, limit=1, lease=timedelta(seconds=9), since=0.0
    )
    pace = timedelta(hours=1)
    await engine.parts.moves.make(transitions.progressed(claims[0], 0, pace, {"waits_there": True}))
    found = await whereabouts(engine, world.pool).of(await world.task(task.id))
    assert (found.queue_position, found.waiting_for) == (None, WaitingFor.PROVIDER)


async def test_a_lost_reply_is_what_its_task_waits_for(world: World, engine: Engine, tmp_path: Path) -> None:
    room = make_room(world, Quiet(), tmp_path)
    decision = await world.accept()
    assert decision.task is not None
    await room.uncertain()
    where = replace(whereabouts(engine, world.pool), models=["animatic"])
    found = await where.of(await world.task(decision.task.id))
    assert (found.queue_position, found.waiting_for) == (None, WaitingFor.REPLY)


async def test_the_wait_is_estimated_from_how_many_are_made_meanwhile(world: World, engine: Engine) -> None:
    tasks = await accepted(world, 2 + SLOTS)
    await engine.started()
    where = whereabouts(engine, world.pool, Known())
    assert (await where.of(tasks[-1])).queue == Span(20.0, 90.0)
    unknown = whereabouts(engine, world.pool)
    assert (await unknown.of(tasks[-1])).queue is None


async def test_the_line_is_counted_once_however_many_ask(world: World, engine: Engine) -> None:
    tasks = await accepted(world, 5)
    where = whereabouts(engine, world.pool)
    before = [await where.of(task) for task in tasks]
    await world.pool.execute("delete from work where task_id = $1", tasks[0].id)
    assert [await where.of(task) for task in tasks[1:]] == before[1:]


async def test_while_the_store_is_away_nothing_is_said_of_where_a_task_stands(
    world: World, engine: Engine, database: dict[str, Any]
) -> None:
    [task] = await accepted(world, 1)
    pool = await open_pool(database, size=1, statement_ms=5000, name="away")
    await pool.close()
    assert await whereabouts(engine, pool).of(task) == Position()
