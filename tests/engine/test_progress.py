"""Progress is what somebody knows: a provider, the gate, or earlier films; nothing else is shown."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import Pending, Ticket
from filmgate.domain.eta import Estimate, Outlook, RunKind
from filmgate.domain.record import ProgressSource
from filmgate.domain.states import Step
from filmgate.domain.task import Task
from filmgate.engine.parts import NoExperience
from filmgate.engine.poll import poll
from filmgate.engine.progress import promise_of
from filmgate.engine.receive import keep_ticket
from filmgate.store.pool import Pool
from kit.rooms import Room, Vendor, make_room
from kit.worlds import make_world

KIND = RunKind("fake", "animatic", 1, "320x180")
AT_ONCE = timedelta(0)


class Known(NoExperience):
    """A gate that has made many films of one kind, each in 50 to 100 s."""

    honest = True

    async def of(self, kind: RunKind) -> Outlook:
        return Outlook(20, Estimate(50.0, 100.0, 20), self.honest) if kind == KIND else Outlook()


@pytest.fixture
async def room(pool: Pool, tmp_path: Path) -> Room:
    return make_room(await make_world(pool), Vendor(), tmp_path)


def experienced(room: Room, *, honest: bool = True) -> Room:
    known = Known()
    known.honest = honest
    return replace(room, parts=replace(room.parts, experience=known))


async def answered(room: Room, *answers: Pending, ran_s: float = 0) -> Task:
    """Poll a film that began so long ago, once for each answer; give it as it stands then."""
    made = await room.world.accept()
    assert made.task is not None
    claim = await room.sending()
    await keep_ticket(room.parts, claim, Ticket("job-1", {}, AT_ONCE))
    await room.world.pool.execute(
        "update tasks set started_at = now() - make_interval(secs => $2) where id = $1", made.task.id, ran_s
    )
    for answer in answers:
        room.vendor.polled = [answer]
        await room.world.pool.execute("update work set due_at = now()")
        await poll(room.parts, await room.due(Step.POLL))
    return await room.world.task(made.task.id)


def said(task: Task) -> tuple[int, str | None]:
    return task.progress, task.record.progress_source


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (Pending(40), (40, ProgressSource.REPORTED)),
        (Pending(40, measured=True), (40, ProgressSource.MEASURED)),
        (Pending(), (0, None)),
        (Pending(0), (0, None)),
    ],
)
async def test_what_nobody_reports_is_not_made_up(
    room: Room, answer: Pending, known: tuple[int, str | None]
) -> None:
    assert said(await answered(room, answer, ran_s=50)) == known


@pytest.mark.parametrize(("ran_s", "progress"), [(0, 0), (50, 45), (100, 90), (5000, 90)])
async def test_what_nobody_reports_is_estimated_from_earlier_films_up_to_90(
    room: Room, ran_s: float, progress: int
) -> None:
    task = await answered(experienced(room), Pending(), ran_s=ran_s)
    source = ProgressSource.ESTIMATED if progress else None
    assert said(task) == (progress, source)


async def test_a_model_whose_estimates_do_not_hold_is_not_estimated(room: Room) -> None:
    assert said(await answered(experienced(room, honest=False), Pending(), ran_s=50)) == (0, None)


async def test_a_report_is_believed_over_an_estimate_and_progress_never_falls(room: Room) -> None:
    known = experienced(room)
    assert said(await answered(known, Pending(), Pending(60), Pending(20), ran_s=50)) == (
        60,
        ProgressSource.REPORTED,
    )


async def test_the_source_stays_with_the_number_that_it_gave(room: Room) -> None:
    known = experienced(room)
    assert said(await answered(known, Pending(), Pending(10), ran_s=80)) == (72, ProgressSource.ESTIMATED)


async def test_a_film_that_its_provider_has_not_begun_is_neither_estimated_nor_said_to_run(
    room: Room,
) -> None:
    known = experienced(room)
    task = await answered(known, Pending(waits=True), ran_s=50)
    assert (said(task), task.record.waits_there) == ((0, None), True)


async def test_that_it_waits_there_is_taken_back_once_it_runs(room: Room) -> None:
    task = await answered(room, Pending(waits=True), Pending(7))
    assert (said(task), task.record.waits_there) == ((7, ProgressSource.REPORTED), False)


async def test_what_was_known_at_the_start_stays_with_the_film(room: Room) -> None:
    known = experienced(room)
    promise = promise_of(await answered(known, Pending()))
    assert promise is not None
    assert (promise.provider, promise.sample, promise.estimate) == ("fake", 20, Estimate(50.0, 100.0, 20))


async def test_where_nothing_was_known_that_is_kept_too(room: Room) -> None:
    promise = promise_of(await answered(room, Pending()))
    assert promise is not None
    assert (promise.sample, promise.estimate) == (0, None)
