"""A task's receipt: what was agreed to, line by line, and what became of the money."""

from filmgate.domain.task import Task
from filmgate.web.shapes import LineOut, ReceiptOut


def receipt_out(task: Task) -> ReceiptOut:
    charged = task.cost_micros
    return ReceiptOut(
        lines=[LineOut.model_validate(line.as_json()) for line in task.price.lines],
        since=task.price.since,
        held_micros=task.hold_micros,
        charged_micros=charged,
        returned_micros=None if charged is None else task.hold_micros - charged,
    )
