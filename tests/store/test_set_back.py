"""The clock of the database is set back by an hour: what was written before lies that far ahead, and waits for nothing."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from filmgate.engine.backoff import after_collect
from filmgate.store.credentials import CredentialRow, Credentials, Room
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from kit.worlds import World, make_world

HOUR = timedelta(hours=1)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def set_back(world: World) -> None:
    """What was there before lies an hour further ahead by the clock that is set back."""
    await world.pool.execute("update work set due_at = due_at + $1::interval", HOUR)
    await world.pool.execute(
        "update credentials set refilled_at = refilled_at + $1::interval, blocked_until = blocked_until + $1::interval,"
        " probing_until = probing_until + $1::interval",
        HOUR,
    )
    for table in ("accounts", "keys"):
        await world.pool.execute(
            f"update {table} set minute_start = minute_start + $1::interval",  # noqa: S608  # the test's own words
            HOUR,
        )


async def notices(world: World) -> Sequence[object]:
    return [row["kind"] for row in await world.rows("select kind from notices")]


async def due_s(world: World) -> list[float]:
    found = await world.rows(
        "select extract(epoch from due_at - now())::float8 as s from work order by task_id"
    )
    return [float(str(row["s"])) for row in found]


@pytest.mark.parametrize("tries", [1, 6])
@pytest.mark.parametrize("step", ["prepare", "submit", "reconcile", "poll", "collect", "render"])
async def test_what_waits_goes_on_within_half_a_minute_and_operators_are_told_once(
    world: World, step: str, tries: int
) -> None:
    for _ in range(5):
        await world.accept()
    await world.pool.execute(
        "update work set step = $1, due_at = now() + $2::interval, tries = $3, "
        "tried_as = case when $1 in ('collect', 'render') then $1 else 'question' end",
        step,
        after_collect(tries - 1) if step in {"collect", "render"} else timedelta(seconds=30),
        tries,
    )
    assert not await Upkeep(world.pool).catch_up()
    await set_back(world)
    assert await Upkeep(world.pool).catch_up()
    assert all(-5 < s < 30 for s in await due_s(world))
    assert not await Upkeep(world.pool).catch_up()
    assert await notices(world) == ["clock_set_back"]


async def test_what_is_in_hand_gets_a_whole_lease_anew(world: World) -> None:
    await world.accept()
    [claim] = await world.starts(1)
    await set_back(world)
    assert await Upkeep(world.pool).catch_up()
    [left_s] = await due_s(world)
    assert 80 < left_s <= 90
    # Its owner has it still, and nobody else was blamed for anything.
    assert await world.claims.renew(claim, timedelta(seconds=30))


@pytest.mark.parametrize(
    "what",
    [
        "tried_as = 'collect', step = 'collect', tries = 7, due_at = now() + interval '89 min'",
        "step = 'poll', pace_ms = 3600000, due_at = now() + interval '1 h'",
        "step = 'poll', due_at = now() + interval '10 min'",
    ],
    ids=["the last try for a film", "a vendor's own pace", "a vendor's longest wait"],
)
async def test_what_is_meant_to_wait_long_is_left_alone(world: World, what: str) -> None:
    await world.accept()
    await world.pool.execute(f"update work set {what}")  # noqa: S608  # the test's own words
    assert not await Upkeep(world.pool).catch_up()
    assert await notices(world) == []


async def test_a_credential_with_a_rate_or_a_block_opens_again(world: World) -> None:
    credentials = Credentials(world.pool)
    await credentials.sync([CredentialRow("fake", "default", 9, rate_per_s=5.0, burst=5.0)])
    await world.pool.execute(
        "update credentials set tokens = 0, refilled_at = now(), blocked_until = now() + interval '30 s',"
        " probing_until = now() + interval '60 s', failures_in_row = 5"
    )
    await set_back(world)
    await world.accept()
    assert await credentials.rooms() == {world.credential_id: Room(0, shut=True)}
    assert await Upkeep(world.pool).catch_up()
    await world.pool.execute(
        "update credentials set failures_in_row = 0, refilled_at = refilled_at - interval '1 s'"
    )
    assert await credentials.rooms() == {world.credential_id: Room(5, shut=False)}
    assert await notices(world) == ["clock_set_back"]


async def test_a_time_that_lies_ahead_takes_no_tokens_away(world: World) -> None:
    credentials = Credentials(world.pool)
    await credentials.sync([CredentialRow("fake", "default", 9, rate_per_s=5.0, burst=5.0)])
    await world.pool.execute("update credentials set tokens = 3, refilled_at = now()")
    await set_back(world)
    await world.accept()
    assert await credentials.rooms() == {world.credential_id: Room(3, shut=False)}


@pytest.mark.parametrize("table", ["accounts", "keys"])
async def test_a_minute_that_began_in_the_future_begins_again(world: World, table: str) -> None:
    await world.pool.execute(f"update {table} set submits_per_minute = 2")  # noqa: S608  # the test's own words
    assert [(await world.accept()).task is None for _ in range(3)] == [False, False, True]
    await set_back(world)
    decisions = [await world.accept() for _ in range(3)]
    assert [one.task is None for one in decisions] == [False, False, True]
    assert decisions[2].refusal is not None
    assert int(decisions[2].refusal.parameters["retry_after_s"]) <= 61


async def test_a_budget_of_a_month_that_began_in_the_future_is_not_spent_for_ever(world: World) -> None:
    await world.pool.execute(
        "update accounts set budget_micros = 10, budget_period = 'month', spent_micros = 7,"
        " period_start = now() + interval '40 days'"
    )
    assert [(await world.accept(hold_micros=2)).task is None for _ in range(2)] == [False, True]
    assert await world.rows(
        "select spent_micros, period_start = date_trunc('month', now()) as present from accounts"
    ) == [{"spent_micros": 7, "present": True}]
