"""A task as those find it who may: at once, or when it has changed."""

from collections.abc import Callable

from filmgate.domain.limits import LOOK_AGAIN
from filmgate.domain.problems import Problem
from filmgate.domain.task import Task
from filmgate.web.surroundings import Surroundings


async def own_task(around: Surroundings, account_id: int, name: str) -> Task:
    """Find an account's task by one of its names; raise Problem `task_not_found`."""
    task = await around.reader.find(name, account_id)
    if task is None:
        raise Problem("task_not_found")
    return task


async def changed(around: Surroundings, task: Task, wait_s: float, after: int) -> Task:
    """Give a task at once where its version is past `after` or it has ended; else when that is so, or the wait is over."""
    if wait_s <= 0 or task.version > after or task.state.ended:
        return task
    return await awaited(around, task, wait_s, lambda found: found.version > after)


async def awaited(around: Surroundings, task: Task, wait_s: float, done: Callable[[Task], bool]) -> Task:
    """Read a task until it has ended or is `done`, or the wait is over, or this process is about to stop."""
    give_up = around.clock.monotonic() + wait_s
    # It is watched before it is read: a change between the two is not slept through.
    with around.listener.task(task.id) as watch:
        while True:
            found = await own_task(around, task.account_id, str(task.id))
            left_s = give_up - around.clock.monotonic()
            if found.state.ended or done(found) or left_s <= 0 or around.draining.is_set():
                return found
            await watch.changed(min(left_s, LOOK_AGAIN.total_seconds()))
