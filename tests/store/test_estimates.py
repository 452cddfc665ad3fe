"""How long runs took is noted with each end, and known to everybody a moment later."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from filmgate.domain.eta import Doubt, Outlook, RunKind, bucket_of, bucket_s
from filmgate.domain.film import FilmFacts
from filmgate.domain.states import State
from filmgate.domain.task import Failure, Film
from filmgate.store.ends import End
from filmgate.store.estimates import Estimates, Run
from filmgate.store.pool import Pool
from filmgate.world import SystemClock
from kit.worlds import World, make_world

KIND = RunKind("fake", "animatic", 1, "320x180")
KEPT = timedelta(days=1)
FACTS = FilmFacts("h264", 320, 180, 24.0, 24, 1.0, "aac", 48000, 1000, faststart=True)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool, in_flight=1000)


@pytest.fixture
def estimates(pool: Pool) -> Estimates:
    return Estimates(pool, SystemClock())


async def ran(
    world: World,
    seconds: float | None,
    *,
    promised_s: float | None = None,
    failed: bool = False,
    retries: int = 0,
) -> None:
    """End a task that ran for so long; None stands for one that was never begun."""
    made = await world.accept()
    assert made.task is not None
    [claim] = await world.starts(1)
    if seconds is not None:
        await world.pool.execute(
            "update tasks set started_at = now() - make_interval(secs => $2), created_at = now() - interval '1 hour',"
            " record = record || jsonb_build_object('retries', $3::int) where id = $1",
            made.task.id, seconds, retries,
        )  # fmt: skip
    end = End(
        claim=claim,
        state=State.FAILED if failed else State.SUCCEEDED,
        kept=KEPT,
        failure=Failure("provider_failed", {}) if failed else None,
        film=None if failed else Film(FACTS, {}),
        run=Run(KIND, promised_s),
    )
    await world.ends.end(end)


async def known(estimates: Estimates) -> Outlook:
    await estimates.fold()
    await estimates.read()
    return await estimates.of(KIND)


async def test_seven_runs_say_nothing_and_eight_do(world: World, estimates: Estimates) -> None:
    assert await known(estimates) == Outlook()
    for _ in range(7):
        await ran(world, 20)
    assert await known(estimates) == Outlook(7)
    await ran(world, 40)
    outlook = await known(estimates)
    assert outlook.sample == 8
    assert outlook.shown is not None
    assert 20 <= outlook.shown.low_s <= 21.1
    assert 40 <= outlook.shown.high_s <= 42.1
    assert await estimates.of(replace(KIND, size="640x360")) == Outlook()


async def test_a_run_without_its_film_or_begun_twice_or_never_is_no_run(
    world: World, estimates: Estimates
) -> None:
    await ran(world, 20, failed=True)
    await ran(world, 20, retries=1)
    await ran(world, None)
    assert await known(estimates) == Outlook()


async def test_runs_are_forgotten_after_thirty_days(world: World, estimates: Estimates, pool: Pool) -> None:
    for _ in range(8):
        await ran(world, 20)
    assert (await known(estimates)).sample == 8
    await pool.execute("update run_times set day = current_date - 29")
    await pool.execute("update estimates set made_on = current_date - 1")
    assert (await known(estimates)).sample == 8
    await pool.execute("update run_times set day = current_date - 30")
    await pool.execute("update estimates set made_on = current_date - 1")
    assert await known(estimates) == Outlook()
    assert await pool.fetchval("select count(*) from run_times") == 0


async def test_what_was_promised_and_did_not_hold_hides_the_estimates_of_its_model(
    world: World, estimates: Estimates
) -> None:
    for _ in range(8):
        await ran(world, 20, promised_s=25)
    assert await estimates.fold() == []
    # A failure says nothing of the time that was promised, unless that was over by then.
    await ran(world, 20, promised_s=25, failed=True)
    for _ in range(3):
        await ran(world, 30, promised_s=25)
    await ran(world, 30, promised_s=25, failed=True)
    assert await estimates.fold() == [Doubt("animatic", 8, 12)]
    outlook = await known(estimates)
    assert (outlook.honest, outlook.shown) == (False, None)
    assert outlook.estimate is not None
    # The last hundred decide: a model whose estimates hold again is trusted again.
    for _ in range(4):
        await ran(world, 20, promised_s=25)
    assert await estimates.fold() == []
    assert (await known(estimates)).shown is not None


async def test_no_run_is_counted_twice_by_several_who_fold_at_once(
    world: World, estimates: Estimates, pool: Pool
) -> None:
    for _ in range(10):
        await ran(world, 20)
    others = [Estimates(pool, SystemClock()) for _ in range(4)]
    await asyncio.gather(*(one.fold() for one in (estimates, *others)))
    assert (await known(estimates)).sample == 10
    assert await pool.fetchval("select sum(runs) from run_times") == 10
    assert await pool.fetchval("select count(*) from runs") == 0


async def test_who_asks_is_answered_from_memory(world: World, estimates: Estimates, pool: Pool) -> None:
    for _ in range(8):
        await ran(world, 20)
    before = await known(estimates)
    await pool.execute("delete from estimates")
    assert [await estimates.of(KIND) for _ in range(100)] == [before] * 100


async def test_an_estimate_is_read_from_the_bucket_that_a_run_fell_into(
    world: World, estimates: Estimates
) -> None:
    for _ in range(8):
        await ran(world, 100)
    shown = (await known(estimates)).shown
    assert shown is not None
    assert shown.high_s in {bucket_s(bucket_of(100)), bucket_s(bucket_of(100) + 1)}
