"""A wish to cancel, at every step of a task: what ends, what it costs, and who wins where two ends race."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from filmgate.domain.contracts_provider import Cancelled, Done, Failed, NotStopped, Pending, Ticket
from filmgate.domain.faults import Broken, Busy, Vanished
from filmgate.domain.film import FilmFacts
from filmgate.domain.plan import ClipRole, PlannedClip
from filmgate.domain.record import CancelAnswer
from filmgate.domain.states import State, Step
from filmgate.domain.task import Failure, Film, StoredClip, Task
from filmgate.engine.cancel import Standing, call_off, cancel, sweep_cancelled
from filmgate.engine.end import finish
from filmgate.engine.poll import poll
from filmgate.engine.prepare import prepare
from filmgate.engine.reconcile import reconcile
from filmgate.store import transitions
from filmgate.store.ends import End
from filmgate.store.ledger import Ledger
from filmgate.store.moves import StaleLease
from filmgate.store.pool import Pool
from kit.rooms import LEASE, ONLY, Room, Vendor, make_room
from kit.worlds import make_world

PRICE = 800_000


@pytest.fixture
async def room(pool: Pool, tmp_path: Path) -> Room:
    return make_room(await make_world(pool), Vendor(), tmp_path)


async def accepted(room: Room) -> Task:
    decision = await room.world.accept(hold_micros=PRICE)
    assert decision.task is not None
    return decision.task


async def money(room: Room) -> dict[str, object]:
    """Give what the account has and holds; the books must be clean."""
    assert await Ledger(room.world.pool).check() == []
    [account] = await room.world.rows("select balance_micros, held_micros, unfinished from accounts")
    return account


HELD = {"balance_micros": -PRICE, "held_micros": PRICE, "unfinished": 1}
RETURNED = {"balance_micros": 0, "held_micros": 0, "unfinished": 0}


async def ended(room: Room, task: Task) -> tuple[State, int | None, dict[str, object]]:
    found = await room.world.task(task.id)
    assert await room.world.rows("select * from work") == []
    assert await room.world.rows("select distinct in_flight from credentials") == [{"in_flight": 0}]
    return found.state, found.cost_micros, await money(room)


FREE = (State.CANCELLED, 0, RETURNED)


async def test_what_waits_is_cancelled_at_once_and_free(room: Room) -> None:
    task = await accepted(room)
    assert await money(room) == HELD
    assert await cancel(room.parts, task) is Standing.CANCELLED
    assert await ended(room, task) == FREE
    assert await cancel(room.parts, task) is Standing.CANCELLED
    assert len(await room.world.rows("select * from ledger where kind = 'close'")) == 1


async def test_who_prepares_a_cancelled_task_sends_nothing(room: Room) -> None:
    task = await accepted(room)
    claim = await room.prepare()
    assert await cancel(room.parts, task) is Standing.CANCELLED
    with pytest.raises(StaleLease):
        await room.world.moves.make(transitions.preparing(claim, {"stage": "pictures"}))
    assert await room.world.rows("select * from attempts") == []
    assert await ended(room, task) == FREE


async def test_a_running_clip_is_cancelled_when_its_provider_has_confirmed_it(room: Room) -> None:
    task = await accepted(room)
    await room.running()
    assert await cancel(room.parts, task) is Standing.REQUESTED
    shown = await room.world.task(task.id)
    assert (shown.state, shown.record.cancel, shown.cancel_requested_at is not None) == (
        State.GENERATING, None, True,
    )  # fmt: skip
    assert await money(room) == HELD
    await poll(room.parts, await room.due(Step.POLL))
    assert room.vendor.asked == ["cancel job-1"]
    assert await ended(room, task) == FREE
    assert await room.world.rows("select state, error_class from attempts") == [
        {"state": "abandoned", "error_class": "cancelled"}
    ]


async def test_a_provider_that_takes_its_time_is_polled_until_it_has_stopped(room: Room) -> None:
    room.vendor.stopped = [Pending(None, timedelta(0))]
    room.vendor.polled = [Pending(20, timedelta(0)), Cancelled()]
    task = await to_be_stopped(room, polls=3)
    assert room.vendor.asked == ["cancel job-1", "poll job-1", "poll job-1"]
    assert await ended(room, task) == FREE


async def test_a_film_that_is_done_before_its_provider_stops_it_is_a_film(room: Room) -> None:
    room.vendor.stopped = [Pending(None, timedelta(0))]
    room.vendor.polled = [Done({"id": "job-1"})]
    task = await accepted(room)
    await room.running()
    await cancel(room.parts, task)
    await poll(room.parts, await room.due(Step.POLL))
    await poll(room.parts, await room.due(Step.POLL))
    assert (await room.world.task(task.id)).state is State.COLLECTING
    assert await cancel(room.parts, task) is Standing.CANNOT
    assert await money(room) == HELD


async def test_a_provider_that_refuses_goes_on_and_may_be_asked_again(room: Room) -> None:
    room.vendor.stopped = [NotStopped("too late")]
    task = await accepted(room)
    await room.running()
    for _ in range(2):
        assert await cancel(room.parts, task) is Standing.REQUESTED
        await poll(room.parts, await room.due(Step.POLL))
        shown = await room.world.task(task.id)
        assert (shown.state, shown.record.cancel) == (State.GENERATING, CancelAnswer.REFUSED)
        await poll(room.parts, await room.due(Step.POLL))
    assert room.vendor.asked == ["cancel job-1", "poll job-1"] * 2
    assert await money(room) == HELD


async def to_be_stopped(room: Room, *, polls: int) -> Task:
    """Let a running film be wanted no more, and ask its vendor so many times."""
    task = await accepted(room)
    await room.running()
    await cancel(room.parts, task)
    for _ in range(polls):
        await room.world.pool.execute("update work set due_at = now()")
        await poll(room.parts, await room.due(Step.POLL))
    await room.world.pool.execute("update work set due_at = now()")
    return task


async def test_a_job_that_is_gone_is_given_up_also_while_it_is_to_be_stopped(room: Room) -> None:
    room.vendor.stopped, room.vendor.polled = [Vanished("none")], [Vanished("none")]
    task = await to_be_stopped(room, polls=4)
    await room.world.pool.execute("update work set tries_since = now() - interval '11 minutes'")
    await poll(room.parts, await room.due(Step.POLL))
    assert room.vendor.asked == ["cancel job-1", "poll job-1"] * 5
    assert (await room.world.task(task.id)).failure == Failure("lost_by_provider", {})
    assert (await ended(room, task))[0] is State.FAILED


async def test_a_vendor_without_a_way_to_stop_films_does_not_lose_those_that_are_to_be_stopped(
    room: Room,
) -> None:
    room.vendor.stopped, room.vendor.polled = [Vanished("no such page")], [Pending(20, timedelta(0))]
    task = await to_be_stopped(room, polls=6)
    shown = await room.world.task(task.id)
    assert (shown.state, shown.progress) == (State.GENERATING, 20)


async def test_a_provider_that_cannot_stop_is_not_asked(room: Room) -> None:
    room.vendor.cancels = False
    task = await accepted(room)
    await room.running()
    assert await cancel(room.parts, task) is Standing.CANNOT
    assert (await room.world.task(task.id)).cancel_requested_at is None
    assert room.vendor.asked == []
    assert await money(room) == HELD


async def test_a_failed_question_is_asked_again_and_keeps_no_film_from_its_end(room: Room) -> None:
    room.vendor.stopped = [Broken("500"), Cancelled()]
    task = await to_be_stopped(room, polls=3)
    assert room.vendor.asked == ["cancel job-1", "poll job-1", "cancel job-1"]
    assert await ended(room, task) == FREE


async def test_a_wish_that_comes_while_it_is_sent_waits_for_the_reply(room: Room) -> None:
    task = await accepted(room)
    claim = await room.sending()
    assert await cancel(room.parts, task) is Standing.REQUESTED
    assert await room.world.rows("select step from work where due_at > now() + interval '1 min'") == [
        {"step": "submit"}
    ]
    slow = Ticket("job-1", {}, timedelta(minutes=1))
    await room.world.moves.make(transitions.accepted(claim, slow, timedelta(minutes=1), _clip(), 0))
    await poll(room.parts, await room.due(Step.POLL))
    assert room.vendor.asked == ["cancel job-1"]
    assert await ended(room, task) == FREE


async def test_while_it_is_sent_to_one_that_cannot_stop_the_answer_is_no(room: Room) -> None:
    room.vendor.cancels = False
    task = await accepted(room)
    await room.sending()
    assert await cancel(room.parts, task) is Standing.CANNOT


@pytest.mark.parametrize("by", ["engine", "sweep"])
async def test_what_comes_back_unsent_is_cancelled_and_not_sent_again(room: Room, by: str) -> None:
    task = await accepted(room)
    claim = await room.sending()
    await cancel(room.parts, task)
    busy = Busy("429", timedelta(0))
    await room.world.moves.make(transitions.not_created(claim, busy, timedelta(0)))
    if by == "engine":
        await prepare(room.parts, await room.prepare())
    else:
        await sweep_cancelled(room.parts)
    assert await ended(room, task) == FREE


async def test_an_uncertain_submit_is_looked_for_and_then_stopped(room: Room) -> None:
    room.vendor.visible_after = timedelta(0)
    task = await accepted(room)
    claim = await room.uncertain()
    assert await cancel(room.parts, task) is Standing.REQUESTED
    room.vendor.found = Ticket("job-1")
    await reconcile(room.parts, claim)
    await poll(room.parts, await room.due(Step.POLL))
    assert room.vendor.asked == [f"find {task.id}.1.1", "cancel job-1"]
    assert await ended(room, task) == FREE


async def test_an_uncertain_submit_that_is_absent_is_not_sent_again_once_it_is_not_wanted(room: Room) -> None:
    room.vendor.visible_after = timedelta(0)
    task = await accepted(room)
    await room.uncertain()
    await cancel(room.parts, task)
    await room.world.pool.execute(
        "update attempts set sent_at = now() - interval '2 min'; update work set due_at = now()"
    )
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    await prepare(room.parts, await room.prepare())
    assert await ended(room, task) == FREE
    assert await room.world.rows("select state from attempts") == [{"state": "lost"}]


async def test_a_film_that_is_made_already_is_not_cancelled(room: Room) -> None:
    task = await accepted(room)
    await room.collecting()
    assert await cancel(room.parts, task) is Standing.CANNOT
    assert await money(room) == HELD


async def test_a_task_that_has_ended_otherwise_stays_so(room: Room) -> None:
    task = await accepted(room)
    claim = await room.running()
    end = End(claim=claim, state=State.FAILED, kept=LEASE, failure=Failure("engine_error", {}))
    await finish(room.parts, end)
    assert await cancel(room.parts, task) is Standing.ENDED
    assert (await room.world.task(task.id)).state is State.FAILED


async def test_of_racing_ends_the_first_wins_and_the_hold_is_closed_once(room: Room) -> None:
    for no in range(10):
        task = await accepted(room)
        claim = await room.prepare()
        end = End(claim=claim, state=State.FAILED, kept=LEASE, failure=Failure("engine_error", {}))
        wishes = [cancel(room.parts, task) for _ in range(3)]
        results = await asyncio.gather(*wishes, finish(room.parts, end), return_exceptions=True)
        found = await room.world.task(task.id)
        if found.state is State.CANCELLED:
            assert (results[:3], type(results[3])) == ([Standing.CANCELLED] * 3, StaleLease), no
        else:
            assert results == [*[Standing.ENDED] * 3, None], no
        assert await money(room) == RETURNED


@pytest.mark.parametrize("stage", ["collected", "waiting", "extending"])
async def test_a_film_of_two_clips_is_cancelled_in_either_and_all_is_returned(room: Room, stage: str) -> None:
    new = room.world.new(hold_micros=PRICE)
    decision = await room.world.acceptor.accept(replace(new, request=replace(new.request, clips=(1, 1))))
    assert decision.task is not None
    task = decision.task
    if stage == "collected":
        claim = await room.collecting()
        # The second clip is not sent yet: what is made of the first is not wanted any more.
        assert await cancel(room.parts, task) is Standing.REQUESTED
        await room.keep_first(claim, _kept(task))
        await prepare(room.parts, await room.prepare())
    else:
        await room.keep_first(await room.collecting(), _kept(task))
        if stage == "extending":
            claim = await room.sending(clip=2)
            ticket = Ticket("job-2", {}, timedelta(0))
            await room.world.moves.make(
                transitions.accepted(claim, ticket, timedelta(milliseconds=1), _clip(2), 50)
            )
            assert await cancel(room.parts, task) is Standing.REQUESTED
            await poll(room.parts, await room.due(Step.POLL))
            assert room.vendor.asked == ["cancel job-2"]
        else:
            assert await cancel(room.parts, task) is Standing.CANCELLED
    assert await ended(room, task) == FREE
    assert (await room.world.task(task.id)).film is None


async def test_a_vendor_that_cancels_unasked_has_failed_and_another_attempt_follows(room: Room) -> None:
    room.vendor.polled = [Cancelled()]
    task = await accepted(room)
    await poll(room.parts, await room.running())
    assert await room.world.rows("select step from work") == [{"step": "prepare"}]
    assert (await room.world.task(task.id)).record.last_error == "the provider cancelled it"


async def test_a_film_that_fails_before_it_is_stopped_is_not_made_again(room: Room) -> None:
    room.vendor.stopped = [Pending(None, timedelta(0))]
    room.vendor.polled = [Failed("provider_failed", "stopped", again=True)]
    task = await accepted(room)
    await room.running()
    await cancel(room.parts, task)
    await poll(room.parts, await room.due(Step.POLL))
    await poll(room.parts, await room.due(Step.POLL))
    await sweep_cancelled(room.parts)
    assert await ended(room, task) == FREE


async def test_nobodys_film_is_called_off_at_its_provider_whatever_that_says(room: Room) -> None:
    room.vendor.stopped = [Broken("500")]
    await accepted(room)
    claim = await room.running()
    await call_off(room.parts, claim)
    assert room.vendor.asked == ["cancel job-1"]


def _clip(no: int = 1) -> PlannedClip:
    return replace(ONLY, no=no, role=ClipRole.FIRST if no == 1 else ClipRole.EXTENSION)


def _kept(task: Task) -> StoredClip:
    facts = FilmFacts("h264", 320, 180, 24.0, 24, 1.0, "aac", 48000, 1000, faststart=True)
    return StoredClip(1, "first", "k", Film(facts, {"video": UUID(int=task.id.int + 1)}))
