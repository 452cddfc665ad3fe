"""Cancel and delete for those who asked over HTTP: they wait a moment for what a provider answers."""

from datetime import timedelta
from typing import Literal

from filmgate.domain.limits import CANCEL_WAIT, DELETE_WAIT
from filmgate.domain.money import dollars
from filmgate.domain.problems import Problem
from filmgate.domain.record import CancelAnswer
from filmgate.domain.states import State
from filmgate.domain.task import Task
from filmgate.engine.cancel import Standing, cancel
from filmgate.web.found import awaited, own_task
from filmgate.web.surroundings import Surroundings


async def cancel_task(around: Surroundings, task: Task, wait: timedelta = CANCEL_WAIT) -> Task:
    """Cancel a task; what is not confirmed within `wait` is shown as it runs on, with its wish.

    Raise Problem `cannot_cancel`, which says what the film will cost, or `already_ended`.
    """
    standing = await cancel(around.engine, task)
    around.telemetry.event("task.cancel", task=str(task.id), reason=standing.value)
    if standing is Standing.CANNOT:
        raise _cannot(task)
    answered = await awaited(around, task, wait.total_seconds(), _refused)
    if answered.state is State.CANCELLED:
        return answered
    if answered.state.ended:
        raise Problem("already_ended", state=answered.state.value, **charged(answered))
    if _refused(answered):
        raise _cannot(answered)
    return answered


async def delete_task(around: Surroundings, task: Task) -> tuple[Task, bool]:
    """Delete a task; one that runs is cancelled first, and the flag tells that.

    Raise Problem `cannot_cancel`, or `cancel_unconfirmed` where its provider takes too long.
    """
    running = not task.state.ended
    if running:
        task = await _stopped(around, task)
    if not await around.files.delete_task(task.id, task.account_id):
        raise Problem("task_not_found")
    return task, running and task.state is State.CANCELLED


async def _stopped(around: Surroundings, task: Task) -> Task:
    try:
        stopped = await cancel_task(around, task, DELETE_WAIT)
    except Problem as problem:
        if problem.code != "already_ended":
            raise
        stopped = await own_task(around, task.account_id, str(task.id))
    if not stopped.state.ended:
        raise Problem("cancel_unconfirmed")
    return stopped


def _refused(task: Task) -> bool:
    return task.record.cancel == CancelAnswer.REFUSED


def _cannot(task: Task) -> Problem:
    return Problem("cannot_cancel", cost=dollars(task.hold_micros), cost_micros=task.hold_micros)


def charged(task: Task) -> dict[str, int]:
    """Give what an ended task cost, as a problem says it; nothing while that is open."""
    return {} if task.cost_micros is None else {"charged_micros": task.cost_micros}


def cancel_word(task: Task) -> Literal["requested", "refused"] | None:
    """Say where a wish to cancel stands while the task goes on."""
    if task.cancel_requested_at is None or task.state.ended:
        return None
    return "refused" if _refused(task) else "requested"
