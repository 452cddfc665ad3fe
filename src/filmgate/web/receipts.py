"""A task's receipt: what was agreed to, line by line, and what became of the money."""

from collections.abc import Iterable

from filmgate.domain.charge import charge
from filmgate.domain.price import Line
from filmgate.domain.task import Task
from filmgate.web.shapes import LineOut, ReceiptOut


def receipt_out(task: Task) -> ReceiptOut:
    charged = task.cost_micros
    return ReceiptOut(
        lines=_out(task.price.lines),
        delivered=None if charged is None else _out(charge(task, task.state, task.film)),
        since=task.price.since,
        held_micros=task.hold_micros,
        charged_micros=charged,
        returned_micros=None if charged is None else task.hold_micros - charged,
    )


def _out(lines: Iterable[Line]) -> list[LineOut]:
    return [LineOut.model_validate(line.as_json()) for line in lines]
