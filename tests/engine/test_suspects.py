"""Tasks that may kill their engine are tried one at a time, and the films of others wait for none of that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from filmgate.domain.contracts_provider import ClipRequest, Done, Pending, Ticket
from filmgate.domain.limits import BROKEN_TRIES
from filmgate.domain.request import Json
from filmgate.domain.states import State, Step
from filmgate.engine.broken import set_back
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.start import starts
from filmgate.engine.worker import Worker
from filmgate.net.guard import Guard, GuardRules
from filmgate.net.resolver import SystemResolver
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Claim
from filmgate.telling import Telling
from filmgate.world import SystemChance
from kit.engines import Engine, Vendor, make_engine
from kit.worlds import World, make_world

LONG_S = 60.0
LEASE = timedelta(seconds=30)


@dataclass(slots=True)
class Slow(Vendor):
    """A vendor whose films come slowly, and that keeps whoever submits `held` waiting."""

    held: str = ""
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        self.keys.append(key)
        if self.held and key.startswith(self.held):
            await self.release.wait()
        return Ticket(f"job-{key}", ask_in=timedelta(hours=1))

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        await asyncio.sleep(LONG_S)
        yield b"no film"


@dataclass(slots=True)
class Odd(Vendor):
    """A vendor whose adapter has a bug."""

    bug: str = "nothing of that name"

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        if self.bug:
            raise KeyError(self.bug)
        yield b""


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


Opened = Callable[[Vendor], Coroutine[Any, Any, Engine]]


@pytest.fixture
def opened(world: World, tmp_path: Path) -> Opened:
    async def open_one(vendor: Vendor) -> Engine:
        rules = [RouteRule("veo3", (Via("a", "m"),))]
        return await make_engine(world.pool, tmp_path / "e", {("a", "A"): vendor}, rules)

    return open_one


async def accept(world: World) -> UUID:
    new = world.new()
    await world.acceptor.accept(replace(new, credential_id=None, request=replace(new.request, model="veo3")))
    return new.id


@asynccontextmanager
async def working(engine: Engine, pool: Pool) -> AsyncIterator[Worker]:
    parts = engine.parts
    telling = Telling(parts.clock, SystemChance(), parts.telemetry, pool)  # type: ignore[arg-type]  # it is one
    subscriptions = telling.subscriptions(Guard(GuardRules(), SystemResolver()), [b"s" * 32])
    worker = Worker(parts, Upkeep(pool), [telling.deliverer(parts, subscriptions)])
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        for _, task in worker._running.values():
            task.cancel()
        await worker.stop()
        await running


async def until(ready: Callable[[], Coroutine[Any, Any, bool]], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        for _ in range(10_000):
            if await ready():
                return
            await asyncio.sleep(0.05)


async def collecting(world: World, engine: Engine) -> UUID:
    """Let a film be there that takes long to fetch."""
    id_ = await accept(world)
    await engine.started()
    await world.pool.execute("update work set due_at = now()")
    await engine.did(Step.POLL)
    return id_


async def in_step(world: World, id_: UUID, step: Step) -> bool:
    return bool(await world.rows("select from work where task_id = $1 and step = $2", id_, step.value))


async def leased(world: World, id_: UUID) -> bool:
    return bool(await world.rows("select from work where task_id = $1 and lease_by is not null", id_))


async def in_hand(world: World, id_: UUID) -> bool:
    return bool(await world.rows("select from work where task_id = $1 and fence > 0", id_))


async def test_a_suspect_is_tried_beside_a_slow_film_and_nobody_waits_for_either(
    world: World, opened: Opened
) -> None:
    vendor = Slow()
    engine = await opened(vendor)
    slow = await collecting(world, engine)
    suspect = await accept(world)
    vendor.held = str(suspect)
    await world.pool.execute("update work set deaths = 2 where task_id = $1", suspect)
    async with working(engine, world.pool):
        await until(lambda: tried(vendor, suspect), 15)
        honest = await accept(world)
        await until(lambda: in_step(world, honest, Step.POLL), 15)
        # The engine's death would be that of the suspect alone, and not of what goes on beside it.
        assert [await leased(world, one) for one in (slow, suspect)] == [False, True]
        other = await accept(world)
        await world.pool.execute("update work set deaths = 2 where task_id = $1", other)
        # Another suspect has its turn once the first is through.
        await asyncio.sleep(1)
        assert not await tried(vendor, other)
        vendor.release.set()
        await until(lambda: in_step(world, other, Step.POLL), 30)
    assert await world.rows("select distinct deaths from work") == [{"deaths": 0}]
    assert len(vendor.keys) == len(set(vendor.keys)) == 4


async def tried(vendor: Vendor, id_: UUID) -> bool:
    return any(key.startswith(str(id_)) for key in vendor.keys)


async def test_a_suspect_that_waits_for_its_turn_is_put_back_when_its_engine_stops(
    world: World, opened: Opened
) -> None:
    vendor = Slow()
    engine = await opened(vendor)
    await collecting(world, engine)
    suspect = await accept(world)
    await world.pool.execute("update work set deaths = 2 where task_id = $1", suspect)
    async with working(engine, world.pool):
        await until(lambda: in_hand(world, suspect), 15)
    assert not await tried(vendor, suspect)
    assert await world.rows("select deaths, lease_by from work where task_id = $1", suspect) == [
        {"deaths": 2, "lease_by": None}
    ]


@pytest.mark.parametrize("step", ["prepare", "collect"])
async def test_a_death_while_suspects_wait_is_not_theirs_and_one_on_trial_is_its_own(
    world: World, opened: Opened, step: str
) -> None:
    engine = await opened(Vendor())
    ids = [await accept(world) for _ in range(3)]
    await world.pool.execute(
        "update work set step = $1, deaths = case task_id when $2 then 0 else 2 end", step, ids[0]
    )

    async def claimed_all() -> dict[UUID, Claim]:
        """Claim all, as an engine does whose former one has died."""
        await world.pool.execute("update work set due_at = now()")
        parts = engine.parts
        if step == "collect":
            claims = await parts.claims.due(Step.COLLECT, limit=9, lease=LEASE, since=0.0)
        else:
            claims = await starts(parts, limit=9, lease=LEASE, busy=(), since=0.0)
        return {claim.task_id: claim for claim in claims}

    seen = [await claimed_all() for _ in range(2)]
    # What is on trial carries the name from now on, and nobody else.
    await engine.parts.claims.blame(seen[-1][ids[1]])
    seen.append(await claimed_all())
    assert [[one[id_].deaths for id_ in ids] for one in seen] == [[0, 2, 2], [1, 2, 2], [1, 3, 2]]


async def test_what_was_put_back_has_died_no_more_often_and_is_claimed_again_later(
    world: World, opened: Opened
) -> None:
    engine = await opened(Vendor(polls=[Pending(), Done({})]))
    claim = await claimed(world, engine)
    await engine.parts.claims.put_back([claim], timedelta(seconds=2))
    assert await world.rows(
        "select deaths, lease_by, due_at > now() + interval '1 s' as later from work"
    ) == [{"deaths": 0, "lease_by": None, "later": True}]
    await world.pool.execute("update work set due_at = now(), fence = fence + 1")
    # Whose lease was lost puts nothing back.
    await engine.parts.claims.put_back([claim], timedelta(seconds=2))
    assert await world.rows("select due_at <= now() as due from work") == [{"due": True}]


async def claimed(world: World, engine: Engine) -> Claim:
    await accept(world)
    await engine.started()
    await world.pool.execute("update work set step = 'collect', due_at = now()")
    [claim] = await engine.parts.claims.due(Step.COLLECT, limit=1, lease=LEASE, since=0.0)
    return claim


async def test_a_step_that_breaks_is_no_death_and_waits_longer_each_time(
    world: World, opened: Opened
) -> None:
    engine = await opened(Odd())
    await collecting(world, engine)
    waits = []
    for _ in range(3):
        [claim] = await engine.parts.claims.due(Step.COLLECT, limit=1, lease=LEASE, since=0.0)
        await set_back(engine.parts, claim)
        [row] = await world.rows(
            "select deaths, lease_by, tries, round(extract(epoch from due_at - now()))::int as s from work"
        )
        assert (row["deaths"], row["lease_by"]) == (0, None)
        waits.append((row["tries"], row["s"]))
        await world.pool.execute("update work set due_at = now()")
    assert waits == [(1, 2), (2, 4), (3, 8)]


async def test_a_step_that_breaks_again_and_again_is_parked_and_its_notice_says_so(
    world: World, opened: Opened
) -> None:
    engine = await opened(Odd())
    id_ = await collecting(world, engine)
    async with working(engine, world.pool):
        await until(lambda: broke(world, 1), 15)
        assert (await world.task(id_)).state is State.COLLECTING
        await world.pool.execute("update work set tries = $1 - 1, due_at = now()", BROKEN_TRIES)
        await until(lambda: broke(world, BROKEN_TRIES), 15)
        await world.pool.execute("update work set due_at = now()")
        await until(lambda: over(world, id_), 15)
    task = await world.task(id_)
    assert task.failure is not None
    assert (task.state, task.failure.code, task.cost_micros) == (State.FAILED, "engine_error", 0)
    text = f"step collect broke {BROKEN_TRIES} times in a row; the log says how (step.broken)"
    assert await world.rows("select kind, text from notices") == [{"kind": "parked", "text": text}]


async def broke(world: World, times: int) -> bool:
    return bool(await world.rows("select from work where tried_as = 'broken' and tries = $1", times))


async def over(world: World, id_: UUID) -> bool:
    return (await world.task(id_)).ended_at is not None
