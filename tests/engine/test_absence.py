"""An operator says that a vendor has no such job: what that may begin, and when it is too early to say it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import Ticket
from filmgate.domain.faults import Uncertain
from filmgate.domain.problems import Problem
from filmgate.domain.states import State, Step
from filmgate.domain.steady import Steadiness
from filmgate.domain.task import Task
from filmgate.engine.prepare import prepare
from filmgate.engine.reconcile import reconcile
from filmgate.engine.resolve import absent, given_up
from filmgate.store.pool import Pool
from kit.rooms import Room, Vendor, make_room
from kit.worlds import make_world

ATTEMPT = "select state from attempts"
LOST, UNCERTAIN = [{"state": "lost"}], [{"state": "uncertain"}]


@pytest.fixture
async def room(pool: Pool, tmp_path: Path) -> Room:
    return make_room(await make_world(pool), Vendor(), tmp_path)


async def uncertain(room: Room, *, sent_s: float, deadline_s: float = 3600) -> Task:
    """Let a reply be lost to what was sent so long ago, with a deadline so long from now."""
    decision = await room.world.accept()
    assert decision.task is not None
    await room.uncertain()
    await room.world.pool.execute("update attempts set sent_at = now() - $1 * interval '1 s'", float(sent_s))
    await room.world.pool.execute("update tasks set deadline_at = now() + $1 * interval '1 s'", deadline_s)
    await room.world.pool.execute("update work set due_at = now()")
    return decision.task


async def waits_s(room: Room, task: Task) -> int:
    """Say that there is none, too early; give for how long to look on."""
    with pytest.raises(Problem, match="on_its_way") as told:
        await absent(room.parts, task)
    assert await room.world.rows(ATTEMPT) == UNCERTAIN
    seconds = told.value.parameters["retry_after_s"]
    assert isinstance(seconds, int)
    return seconds


async def test_what_was_last_repeated_under_its_key_may_still_arrive(room: Room) -> None:
    """Also where another engine repeats it, whose settings still have its provider as one that may be repeated."""
    task = await uncertain(room, sent_s=600)
    await room.world.pool.execute("update attempts set repeated_at = now() - interval '1 s'")
    assert await waits_s(room, task) == 89


async def test_before_a_repeat_is_sent_it_is_written_that_it_will_be(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine may die, or its clock stand still, before the vendor answers."""
    seen: list[bool] = []

    async def repeat(*_: object) -> object:
        return object()

    async def submit(*_: object) -> Ticket:
        seen.append(
            await room.world.pool.fetchval("select repeated_at > now() - interval '9 s' from attempts")
        )
        raise Uncertain("a reset")

    monkeypatch.setattr("filmgate.engine.reconcile.repeat", repeat)
    monkeypatch.setattr(room.vendor, "submit", submit)
    room.vendor.replays = timedelta(hours=1)
    await uncertain(room, sent_s=60)
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    assert seen == [True]
    assert await room.world.rows(ATTEMPT) == UNCERTAIN


async def test_what_is_wanted_no_more_is_over_at_once(room: Room) -> None:
    """Nothing is sent anew for it."""
    task = await uncertain(room, sent_s=10)
    await room.world.pool.execute("update tasks set cancel_requested_at = now()")
    await absent(room.parts, task)
    await prepare(room.parts, await room.prepare())
    assert (await room.world.task(task.id)).state is State.CANCELLED


async def test_a_vendor_that_shows_a_job_late_is_believed_later(room: Room) -> None:
    room.vendor.visible_after = timedelta(seconds=600)
    assert await waits_s(room, await uncertain(room, sent_s=95)) == 595


@pytest.mark.parametrize("sent_s", [-3600, 3600])
async def test_a_clock_that_was_set_proves_nothing_until_it_has_gone_right_for_as_long(
    room: Room, sent_s: float
) -> None:
    task = await uncertain(room, sent_s=sent_s)
    early = replace(room, parts=replace(room.parts, steady=Steadiness()))
    assert await waits_s(early, task) == 90
    await absent(room.parts, task)
    assert await room.world.rows(ATTEMPT) == LOST


async def test_past_its_deadline_nothing_is_waited_for_and_nothing_sent(room: Room) -> None:
    room.vendor.replays = timedelta(hours=1)
    task = await uncertain(room, sent_s=10, deadline_s=-1)
    await absent(room.parts, task)
    shown = await room.world.task(task.id)
    assert (shown.state, shown.cost_micros) == (State.EXPIRED, 0)
    assert await room.world.rows(ATTEMPT) == LOST


async def test_what_another_decided_meanwhile_is_not_decided_again(room: Room) -> None:
    task = await uncertain(room, sent_s=100)
    results = await asyncio.gather(
        *(given_up(room.parts, task) for _ in range(4)), absent(room.parts, task), return_exceptions=True
    )
    told = [result for result in results if result is not None]
    assert len(told) == 4
    assert all(isinstance(result, Problem) and result.code == "not_uncertain" for result in told)


@pytest.mark.parametrize(("cancels", "asked"), [(False, []), (True, ["repeated"])])
async def test_what_is_wanted_no_more_is_repeated_only_where_it_can_be_stopped(
    room: Room, monkeypatch: pytest.MonkeyPatch, cancels: bool, asked: list[str]
) -> None:
    """The first submit may never have arrived: a repeat would begin a film that somebody has cancelled."""
    seen: list[str] = []

    async def repeat(*_: object) -> None:
        seen.append("repeated")

    monkeypatch.setattr("filmgate.engine.reconcile.repeat", repeat)
    room.vendor.replays, room.vendor.cancels = timedelta(hours=1), cancels
    await uncertain(room, sent_s=60)
    await room.world.pool.execute("update tasks set cancel_requested_at = now()")
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    assert seen == asked
    assert await room.world.rows(ATTEMPT) == UNCERTAIN
