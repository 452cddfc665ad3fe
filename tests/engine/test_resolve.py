"""Submits of whose outcome nobody knew: what a look proves, what an operator says, and replies that come too late."""

import asyncio
import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import Ticket
from filmgate.domain.problems import Problem
from filmgate.domain.states import State, Step
from filmgate.domain.steady import Steadiness
from filmgate.domain.task import Task
from filmgate.engine.poll import poll
from filmgate.engine.receive import keep_ticket
from filmgate.engine.reconcile import reconcile
from filmgate.engine.resolve import absent, found, given_up
from filmgate.engine.tickets import ticket_of
from filmgate.store import transitions
from filmgate.store.ledger import Ledger
from filmgate.store.moves import StaleLease
from filmgate.store.pool import Pool
from kit.rooms import Room, Vendor, make_room
from kit.worlds import make_world

PRICE = 800_000
LATE = Ticket("job-9", {"a": 1}, timedelta(milliseconds=1))


@pytest.fixture
async def room(pool: Pool, tmp_path: Path) -> Room:
    return make_room(await make_world(pool), Vendor(), tmp_path)


async def accepted(room: Room) -> Task:
    decision = await room.world.accept(hold_micros=PRICE)
    assert decision.task is not None
    return decision.task


async def attempts(room: Room) -> list[tuple[object, object]]:
    return [
        (row["state"], row["vendor_ref"])
        for row in await room.world.rows("select state, vendor_ref from attempts order by clip_no, no")
    ]


async def notices(room: Room) -> list[tuple[object, object]]:
    return [
        (row["kind"], row["text"])
        for row in await room.world.rows("select kind, text from notices order by id")
    ]


async def sent_ago(room: Room, seconds: int) -> None:
    await room.world.pool.execute("update attempts set sent_at = now() - $1 * interval '1 s'", float(seconds))
    await room.world.pool.execute("update work set due_at = now()")


async def test_absence_is_believed_only_once_a_frozen_senders_job_would_show(room: Room) -> None:
    room.vendor.visible_after = timedelta(seconds=30)
    await accepted(room)
    await room.uncertain()
    for age in (0, 60, 119):
        await sent_ago(room, age)
        await reconcile(room.parts, await room.due(Step.RECONCILE))
        assert await attempts(room) == [("uncertain", None)]
    # The lease of a submit is 90 s, and the vendor shows a job after 30 s.
    await sent_ago(room, 125)
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    assert await attempts(room) == [("lost", None)]
    assert await room.world.rows("select step from work") == [{"step": "prepare"}]


async def test_a_database_clock_that_was_set_forward_proves_no_absence(room: Room) -> None:
    room.vendor.visible_after = timedelta(seconds=30)
    await accepted(room)
    await room.uncertain()
    await sent_ago(room, 1500)
    clock, steady = room.parts.clock, Steadiness(math.inf)
    # What was 25 minutes ago by the database's clock was one minute ago by this engine's.
    steady.note(clock.now() - timedelta(seconds=1500), clock.monotonic() - 60)
    parts = replace(room.parts, steady=steady)
    await reconcile(parts, await room.due(Step.RECONCILE))
    assert await attempts(room) == [("uncertain", None)]


async def test_what_is_found_goes_on_at_once(room: Room) -> None:
    room.vendor.visible_after, room.vendor.found = timedelta(seconds=30), LATE
    task = await accepted(room)
    await reconcile(room.parts, await room.uncertain())
    assert await attempts(room) == [("accepted", "job-9")]
    await asyncio.sleep(0.01)
    await poll(room.parts, await room.due(Step.POLL))
    assert room.vendor.asked == [f"find {task.id}.1.1", "poll job-9"]


async def test_a_vendor_that_cannot_be_asked_is_given_up_and_nothing_is_charged(room: Room) -> None:
    task = await accepted(room)
    await room.uncertain()
    await sent_ago(room, 29 * 60)
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    assert await attempts(room) == [("uncertain", None)]
    await sent_ago(room, 31 * 60)
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    shown = await room.world.task(task.id)
    assert shown.failure is not None
    assert (shown.state, shown.failure.code, shown.cost_micros) == (State.FAILED, "outcome_uncertain", 0)
    assert [kind for kind, _ in await notices(room)] == ["uncertain_submit"]
    assert await Ledger(room.world.pool).check() == []


async def test_an_operator_who_has_found_the_job_lets_the_task_go_on(room: Room) -> None:
    task = await accepted(room)
    held = await room.uncertain()
    await found(room.parts, task, "job-7", "seen in the vendor's console")
    assert await attempts(room) == [("accepted", "job-7")]
    with pytest.raises(StaleLease):
        await room.world.moves.make(transitions.unresolved(held, timedelta(0)))
    assert await notices(room) == [
        ("resolved", f"attempt {task.id}.1.1: found as job-7, an operator says: seen in the vendor's console")
    ]


async def test_what_an_operator_has_found_is_asked_for_as_what_was_made_under_the_attempts_key(
    room: Room,
) -> None:
    """A vendor that gave one id to two jobs shows the other's film under it."""
    task = await accepted(room)
    await room.uncertain()
    await found(room.parts, task, "job-7")
    await room.world.pool.execute("update work set due_at = now()")
    claim = await room.due(Step.POLL)
    assert claim.attempt is not None
    assert ticket_of(claim.attempt) == Ticket("job-7", key=f"{task.id}.1.1")


async def test_an_operator_who_knows_that_there_is_none_lets_it_be_sent_again(room: Room) -> None:
    task = await accepted(room)
    await room.uncertain()
    await sent_ago(room, 91)
    await absent(room.parts, task)
    assert await attempts(room) == [("lost", None)]
    await room.sending(no=2)
    assert await attempts(room) == [("lost", None), ("sending", None)]
    assert await Ledger(room.world.pool).check() == []


async def test_nobody_says_that_there_is_none_while_it_may_still_arrive(room: Room) -> None:
    task = await accepted(room)
    await room.uncertain()
    await sent_ago(room, 60)
    with pytest.raises(Problem, match="on_its_way") as told:
        await absent(room.parts, task)
    assert told.value.parameters == {"retry_after_s": 30}
    assert await attempts(room) == [("uncertain", None)]
    assert await notices(room) == []
    # Whoever looked for it goes on at once.
    await room.due(Step.RECONCILE)


async def test_a_film_that_nobody_is_left_to_be_sent_to_ends_and_does_not_wait_for_its_deadline(
    room: Room,
) -> None:
    """Two submits of which the vendor knows nothing are as many as one credential is asked for."""
    room.vendor.visible_after = timedelta(0)
    task = await accepted(room)
    await room.uncertain()
    await sent_ago(room, 125)
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    await room.world.moves.make(transitions.uncertain(await room.sending(no=2), "lost"))
    await sent_ago(room, 125)
    await reconcile(room.parts, await room.due(Step.RECONCILE))
    assert await attempts(room) == [("lost", None), ("lost", None)]
    shown = await room.world.task(task.id)
    assert shown.failure is not None
    assert (shown.state, shown.failure.code, shown.cost_micros) == (State.FAILED, "provider_failed", 0)
    assert await Ledger(room.world.pool).check() == []


async def test_an_operator_who_gives_up_ends_the_task_free(room: Room) -> None:
    task = await accepted(room)
    await room.uncertain()
    await given_up(room.parts, task)
    assert await attempts(room) == [("abandoned", None)]
    shown = await room.world.task(task.id)
    assert (shown.state, shown.cost_micros) == (State.FAILED, 0)
    assert [kind for kind, _ in await notices(room)] == ["uncertain_submit", "resolved"]
    assert await Ledger(room.world.pool).check() == []


@pytest.mark.parametrize("stage", ["waiting", "sending", "running"])
async def test_only_what_is_uncertain_is_decided(room: Room, stage: str) -> None:
    task = await accepted(room)
    if stage != "waiting":
        await (room.sending() if stage == "sending" else room.running())
    for decide in (absent, given_up):
        with pytest.raises(Problem, match="not_uncertain"):
            await decide(room.parts, task)
    assert await notices(room) == []


async def test_of_two_decisions_one_is_taken(room: Room) -> None:
    task = await accepted(room)
    await room.uncertain()
    await sent_ago(room, 91)
    results = await asyncio.gather(
        given_up(room.parts, task), absent(room.parts, task), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert await Ledger(room.world.pool).check() == []


async def test_a_job_that_another_attempt_has_is_not_found_twice(room: Room) -> None:
    await accepted(room)
    await room.running()
    task = await accepted(room)
    await room.uncertain()
    with pytest.raises(Problem, match="invalid_parameter"):
        await found(room.parts, task, "job-1")
    assert await room.world.rows("select step from work order by task_id") == [
        {"step": "poll"}, {"step": "reconcile"},
    ]  # fmt: skip
    # Whoever looked for it goes on at once.
    await room.due(Step.RECONCILE)


async def test_a_stale_sender_that_wakes_settles_its_own_attempt(room: Room) -> None:
    """Nothing was decided of it yet, so its reply is what everybody looks for."""
    await accepted(room)
    stale = await room.sending()
    await room.world.pool.execute("update work set fence = fence + 1, due_at = now()")
    await keep_ticket(room.parts, stale, LATE)
    assert await attempts(room) == [("accepted", "job-9")]
    assert await notices(room) == []


async def test_a_reply_that_comes_while_it_is_looked_for_is_as_good_as_found(room: Room) -> None:
    await accepted(room)
    stale = await room.sending()
    await room.world.moves.make(transitions.uncertain(stale, "lost"))
    looking = await room.due(Step.RECONCILE)
    await keep_ticket(room.parts, stale, LATE)
    assert await attempts(room) == [("accepted", "job-9")]
    with pytest.raises(StaleLease):
        await room.world.moves.make(transitions.absent(looking, timedelta(0)))


async def test_a_ticket_of_an_attempt_that_was_given_up_is_an_orphan_and_kept(room: Room) -> None:
    task = await accepted(room)
    stale = await room.sending()
    await room.world.moves.make(transitions.uncertain(stale, "lost"))
    await given_up(room.parts, task)
    for _ in range(2):
        await keep_ticket(room.parts, stale, LATE)
    assert await attempts(room) == [("abandoned", "job-9")]
    text = f"job-9 was made for attempt {task.id}.1.1, which is abandoned; the ticket is kept with it"
    assert [told for told in await notices(room) if told[0] == "orphan"] == [("orphan", text)]
    shown = await room.world.task(task.id)
    assert (shown.state, shown.cost_micros) == (State.FAILED, 0)


async def test_an_orphan_beside_a_second_attempt_disturbs_nothing(room: Room) -> None:
    task = await accepted(room)
    stale = await room.sending()
    await room.world.moves.make(transitions.uncertain(stale, "lost"))
    await sent_ago(room, 91)
    await absent(room.parts, task)
    await room.sending(no=2)
    await keep_ticket(room.parts, stale, LATE)
    assert await attempts(room) == [("lost", "job-9"), ("sending", None)]
    assert [kind for kind, _ in await notices(room)] == ["resolved", "orphan"]


async def test_an_orphan_under_a_name_that_is_taken_is_told_all_the_same(room: Room) -> None:
    await accepted(room)
    await room.running()
    task = await accepted(room)
    stale = await room.sending()
    await room.world.moves.make(transitions.uncertain(stale, "lost"))
    await given_up(room.parts, task)
    await keep_ticket(room.parts, stale, Ticket("job-1"))
    [*_, (kind, text)] = await notices(room)
    assert (kind, str(text).endswith("the ticket was not stored: another attempt has that name")) == (
        "orphan",
        True,
    )
