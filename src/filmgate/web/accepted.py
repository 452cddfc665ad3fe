"""Accept a film: the one way in, whoever asks for it and in whatever form."""

from collections.abc import Mapping

from filmgate.domain.record import RecordChange
from filmgate.domain.request import Draft
from filmgate.domain.task import Owner, Task
from filmgate.engine.accept import NOTHING, Repeat, Terms
from filmgate.web.surroundings import Surroundings


async def accept_film(
    around: Surroundings,
    draft: Draft,
    *,
    owner: Owner,
    dialect: str,
    names: Mapping[str, str],
    repeat: Repeat,
    terms: Terms,
    record: RecordChange = NOTHING,
) -> tuple[Task, bool]:
    """Commit a task, wake the engine, and count and tell of it; the flag tells that it is an earlier one.

    Raise Problem where it is not accepted.
    """
    task, replayed = await around.acceptance.accept(
        draft, owner=owner, dialect=dialect, names=names, repeat=repeat, terms=terms, record=record
    )
    around.bell.set()
    if not replayed:
        _tell(around, task)
    return task, replayed


def _tell(around: Surroundings, task: Task) -> None:
    model = task.request.model
    around.telemetry.accepted(task.dialect, model, around.whereabouts.provider(model), task.hold_micros)
    around.telemetry.event(
        "task.accepted", task=str(task.id), dialect=task.dialect, model=model, cost_micros=task.hold_micros
    )
