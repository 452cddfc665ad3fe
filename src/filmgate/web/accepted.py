"""What is counted and told of a task that was just accepted."""

from filmgate.domain.task import Task
from filmgate.web.surroundings import Surroundings


def told_accepted(around: Surroundings, dialect: str, task: Task) -> None:
    model = task.request.model
    around.telemetry.accepted(dialect, model, around.whereabouts.provider(model), task.hold_micros)
    around.telemetry.event(
        "task.accepted", task=str(task.id), dialect=dialect, model=model, cost_micros=task.hold_micros
    )
