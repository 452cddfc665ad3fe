"""A hint lets a job be asked for at once, once a second at most, and never later."""

from pathlib import Path

import pytest

from filmgate.store.pool import Pool
from kit.rooms import Room, Vendor, make_room
from kit.worlds import make_world

DUE = "select round(extract(epoch from due_at - now()))::int as due_s from work"


@pytest.fixture
async def room(pool: Pool, tmp_path: Path) -> Room:
    room = make_room(await make_world(pool), Vendor(), tmp_path)
    await room.world.accept()
    await room.running()
    await polled(room, ago_s=10)
    return room


async def polled(room: Room, *, ago_s: float, pace_s: int = 30) -> None:
    await room.world.pool.execute(
        "update work set pace_ms = $2 * 1000, due_at = now() + make_interval(secs => $2 - $1::float8)",
        ago_s,
        pace_s,
    )


async def due_s(room: Room) -> object:
    [row] = await room.world.rows(DUE)
    return row["due_s"]


async def test_a_hint_makes_the_next_poll_due(room: Room) -> None:
    assert await due_s(room) == 20
    assert await room.world.claims.hasten("fake", "job-1")
    assert await due_s(room) == 0


async def test_a_job_that_was_asked_for_just_now_is_asked_for_a_second_later(room: Room) -> None:
    await polled(room, ago_s=0)
    await room.world.claims.hasten("fake", "job-1")
    assert await due_s(room) == 1
    for _ in range(5):
        assert not await room.world.claims.hasten("fake", "job-1")
    assert await due_s(room) == 1


async def test_a_hint_never_delays_a_poll(room: Room) -> None:
    await polled(room, ago_s=0.6, pace_s=1)
    assert not await room.world.claims.hasten("fake", "job-1")
    assert await due_s(room) == 0


@pytest.mark.parametrize(("provider", "ref"), [("fake", "job-2"), ("other", "job-1"), ("", "")])
async def test_a_hint_about_another_job_changes_nothing(room: Room, provider: str, ref: str) -> None:
    assert not await room.world.claims.hasten(provider, ref)
    assert await due_s(room) == 20


async def test_a_job_that_is_over_is_not_asked_for_any_more(room: Room) -> None:
    await room.world.pool.execute("update attempts set closed_at = now(), state = 'failed'")
    assert not await room.world.claims.hasten("fake", "job-1")
