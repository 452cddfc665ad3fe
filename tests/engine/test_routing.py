"""Failover: what is tried after what, and what never is."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import Failed
from filmgate.domain.faults import Broken, Busy, Fault, Invalid, Misconfigured, Refused, Uncertain
from filmgate.domain.states import State, Step
from filmgate.domain.task import Task
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.sweep import sweep
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from kit.engines import Engine, Vendor, make_engine, soon
from kit.worlds import World, make_world

RULE = RouteRule("veo3", (Via("a", "m-a", order=0), Via("b", "m-b", order=1)))
HOLD = 800_000


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


class Stage:
    """A provider `a` with two credentials, and a provider `b` for when that cannot be had."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.a1, self.a2, self.b = Vendor(), Vendor(), Vendor()
        self.engine: Engine

    async def open(self) -> None:
        vendors = {("a", "A1"): self.a1, ("a", "A2"): self.a2, ("b", "B"): self.b}
        self.engine = await make_engine(self.world.pool, self.folder, vendors, [RULE])

    async def accept(self) -> Task:
        new = self.world.new(hold_micros=HOLD)
        new = replace(new, credential_id=None, request=replace(new.request, model="veo3"))
        decision = await self.world.acceptor.accept(new)
        assert decision.task is not None
        return decision.task

    async def run(self, rounds: int = 8) -> None:
        for _ in range(rounds):
            await self.engine.started()
            await self.engine.did(Step.POLL)
            await soon(self.world.pool)

    async def tried(self, task: Task) -> list[tuple[str, str, str | None]]:
        attempts = await self.world.reader.attempts(task.id, task.account_id)
        return [(a.provider, a.state.value, a.error_class) for a in attempts]

    @property
    def sent(self) -> tuple[int, int, int]:
        return len(self.a1.keys), len(self.a2.keys), len(self.b.keys)


@pytest.fixture
async def stage(world: World, tmp_path: Path) -> Stage:
    stage = Stage(world, tmp_path / "engine")
    await stage.open()
    return stage


@pytest.mark.parametrize("fault", [Broken("down"), Misconfigured("no such key")])
async def test_what_failed_goes_on_to_lines_that_were_not_tried_and_ends_after_three(
    stage: Stage, fault: Fault
) -> None:
    for vendor in (stage.a1, stage.a2, stage.b):
        vendor.submits = [fault] * 9
    task = await stage.accept()
    await stage.run()
    kind = type(fault).__name__.lower()
    assert await stage.tried(task) == [("a", "failed", kind), ("a", "failed", kind), ("b", "failed", kind)]
    assert stage.sent == (1, 1, 1)
    ended = await stage.world.task(task.id)
    assert (ended.state, ended.failure and ended.failure.code, ended.cost_micros) == (
        State.FAILED,
        "provider_failed",
        0,
    )


async def test_the_price_stays_whoever_makes_it(stage: Stage) -> None:
    stage.a1.submits = stage.a2.submits = [Broken("down")] * 9
    task = await stage.accept()
    await stage.run()
    now = await stage.world.task(task.id)
    assert (await stage.tried(task))[-1] == ("b", "done", None)
    assert (now.hold_micros, now.price, now.request.model) == (HOLD, task.price, "veo3")


async def test_a_single_credential_is_tried_twice_and_no_more(stage: Stage) -> None:
    stage.engine = await make_engine(
        stage.world.pool, stage.folder, {("a", "A1"): stage.a1}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    stage.a1.submits = [Broken("down")] * 9
    task = await stage.accept()
    await stage.run()
    assert await stage.tried(task) == [("a", "failed", "broken")] * 2
    assert (await stage.world.task(task.id)).state is State.FAILED


async def test_a_busy_one_is_no_attempt_and_another_that_is_free_takes_it_at_once(stage: Stage) -> None:
    stage.a1.submits = stage.a2.submits = [Busy("full", timedelta(minutes=5))] * 9
    task = await stage.accept()
    for _ in range(3):
        await stage.engine.started()
    assert await stage.tried(task) == [
        ("a", "failed", "busy"),
        ("a", "failed", "busy"),
        ("b", "accepted", None),
    ]


async def test_a_task_that_one_is_always_busy_for_is_sent_there_less_and_less_often(stage: Stage) -> None:
    stage.engine = await make_engine(
        stage.world.pool, stage.folder, {("a", "A1"): stage.a1}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    stage.a1.submits = [Busy("full", timedelta(milliseconds=250))] * 9
    await stage.accept()
    waits = []
    for _ in range(9):
        await stage.engine.started()
        waits.append(await stage.world.due_in_s())
        await soon(stage.world.pool)
        # Others are taken meanwhile.
        await stage.world.pool.execute("update credentials set busy_in_row = 0")
    assert waits == pytest.approx([0, 0.5, 1, 2, 4, 8, 16, 30, 30], abs=0.3)


async def test_where_all_are_busy_the_task_waits_queued_until_one_is_free(stage: Stage) -> None:
    for vendor in (stage.a1, stage.a2, stage.b):
        vendor.submits = [Busy("full", timedelta(minutes=5))]
    task = await stage.accept()
    assert [await stage.engine.started() for _ in range(5)] == [1, 1, 1, 0, 0]
    assert (await stage.world.task(task.id)).state is State.QUEUED
    await soon(stage.world.pool)
    assert await stage.engine.started() == 1
    assert (await stage.world.task(task.id)).state is State.GENERATING


@pytest.mark.parametrize("fault", [Refused("not this"), Invalid("no such size")])
async def test_what_was_refused_is_asked_of_nobody_else(stage: Stage, fault: Fault) -> None:
    stage.a1.submits = stage.a2.submits = [fault]
    task = await stage.accept()
    await stage.run()
    assert sum(stage.sent) == 1
    assert (await stage.world.task(task.id)).state is State.FAILED


async def test_a_job_that_failed_and_may_be_made_again_goes_to_another_line(stage: Stage) -> None:
    failed = Failed("provider_failed", "gpu died", again=True)
    for vendor in (stage.a1, stage.a2, stage.b):
        vendor.polls = [failed] * 9
    task = await stage.accept()
    await stage.run()
    assert await stage.tried(task) == [
        ("a", "failed", "failed"),
        ("a", "failed", "failed"),
        ("b", "failed", "failed"),
    ]
    assert stage.sent == (1, 1, 1)


async def test_a_job_is_polled_with_the_credential_that_submitted_it(stage: Stage) -> None:
    tasks = [await stage.accept() for _ in range(12)]
    while await stage.engine.started(limit=3):
        pass
    await stage.engine.did(Step.POLL)
    await stage.engine.did(Step.POLL)
    for vendor in (stage.a1, stage.a2):
        assert sorted(vendor.polled) == sorted(f"job-{key}" for key in vendor.keys)
        assert vendor.keys
    assert sum(stage.sent) == len(tasks)


async def test_a_paused_provider_is_sent_nothing_and_what_it_makes_goes_on(stage: Stage) -> None:
    first = await stage.accept()
    await stage.engine.started()
    assert await stage.engine.parts.credentials.pause("a") == 1
    second = await stage.accept()
    await stage.engine.started()
    await stage.engine.did(Step.POLL)
    assert await stage.tried(first) == [("a", "done", None)]
    assert [provider for provider, *_ in await stage.tried(second)] == ["b"]


async def test_a_credential_that_is_taken_away_keeps_its_films_waiting_and_operators_are_told(
    stage: Stage,
) -> None:
    task = await stage.accept()
    await stage.engine.started()
    left = "A2" if stage.a1.keys else "A1"
    without = await make_engine(
        stage.world.pool, stage.folder, {("a", left): Vendor()}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    assert await without.did(Step.POLL) == 1
    assert await stage.tried(task) == [("a", "accepted", None)]
    await sweep(without.parts, Upkeep(stage.world.pool))
    notices = await stage.world.rows("select kind, provider from notices")
    assert notices == [{"kind": "provider_missing", "provider": "a"}]
    # It is back in the settings: the film goes on with what had submitted it.
    await soon(stage.world.pool)
    await stage.engine.did(Step.POLL)
    assert await stage.tried(task) == [("a", "done", None)]


async def test_tasks_without_a_route_wait_for_one_and_end_at_their_deadline(stage: Stage) -> None:
    task = await stage.accept()
    without = await make_engine(
        stage.world.pool, stage.folder, {("b", "B"): Vendor()}, [RouteRule("other", (Via("b", "m"),))]
    )
    assert await without.started() == 0
    await sweep(without.parts, Upkeep(stage.world.pool))
    assert await stage.world.rows("select kind, provider from notices") == [
        {"kind": "no_route", "provider": "veo3"}
    ]
    assert (await stage.world.task(task.id)).state is State.QUEUED
    await stage.world.pool.execute("update tasks set deadline_at = now()")
    await sweep(without.parts, Upkeep(stage.world.pool))
    assert (await stage.world.task(task.id)).state is State.EXPIRED
    assert await stage.world.rows("select held_micros, running, unfinished from accounts") == [
        {"held_micros": 0, "running": 0, "unfinished": 0}
    ]


async def test_operators_are_told_of_all_that_wait_for_a_route_whoever_has_tried_them_before(
    stage: Stage,
) -> None:
    tried, _ = await stage.accept(), await stage.accept()
    await stage.world.pool.execute(
        "update work set credential_id = (select min(id) from credentials) where task_id = $1", tried.id
    )
    without = await make_engine(
        stage.world.pool, stage.folder, {("b", "B"): Vendor()}, [RouteRule("other", (Via("b", "m"),))]
    )
    await sweep(without.parts, Upkeep(stage.world.pool))
    assert await stage.world.rows("select text from notices") == [
        {"text": "no route serves veo3: 2 tasks wait for one, until their deadline"}
    ]


async def test_the_circuit_of_a_dead_provider_spares_it_and_its_films_go_elsewhere(stage: Stage) -> None:
    stage.a1.submits = stage.a2.submits = [Broken("down")] * 99
    tasks = [await stage.accept() for _ in range(20)]
    for _ in range(12):
        await stage.engine.started()
        await stage.world.pool.execute(
            "update work set due_at = now() where lease_by is null and step = 'prepare'"
        )
    last = [(await stage.tried(task))[-1] for task in tasks if await stage.tried(task)]
    # Five failures each shut both credentials of `a`; `b` takes as many as it has room for, and the rest wait.
    assert Counter(last)["b", "accepted", None] == 9
    assert 10 <= len(stage.a1.keys) + len(stage.a2.keys) <= 18
    assert await stage.world.rows("select count(*) as n from tasks where ended_at is not null") == [{"n": 0}]
    assert await told(stage) == [("a", "provider_down"), ("a", "provider_down")]


async def told(stage: Stage) -> list[tuple[object, object]]:
    found = await stage.world.rows("select provider, kind from notices order by provider, kind")
    return [(row["provider"], row["kind"]) for row in found]


@pytest.mark.parametrize("error", [Uncertain("500: oops"), TimeoutError("hangs")], ids=str)
async def test_the_circuit_of_a_provider_that_loses_its_replies_spares_it_and_films_go_elsewhere(
    stage: Stage, error: Exception
) -> None:
    stage.a1.submits = stage.a2.submits = [error] * 99
    tasks = [await stage.accept() for _ in range(20)]
    for _ in range(12):
        # One after the other, since what was sent before the circuit opened is sent.
        await stage.engine.started(1)
    last = Counter([(await stage.tried(task))[-1] for task in tasks if await stage.tried(task)])
    # What is uncertain stays with who may be making it; nothing of that is sent to another.
    assert last == {("a", "uncertain", "uncertain"): 10, ("b", "accepted", None): 2}
    assert len(stage.a1.keys) + len(stage.a2.keys) == 10
    assert await told(stage) == [("a", "provider_down"), ("a", "provider_down"), ("a", "reply_lost")]
