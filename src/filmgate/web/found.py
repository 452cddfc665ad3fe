"""A task as those find it who may: at once, or when it has changed."""

from filmgate.domain.problems import Problem
from filmgate.domain.task import Task
from filmgate.web.surroundings import Surroundings


async def own_task(around: Surroundings, account_id: int, name: str) -> Task:
    """Find an account's task by one of its names; raise Problem `task_not_found`."""
    task = await around.reader.find(name, account_id)
    if task is None:
        raise Problem("task_not_found")
    return task
