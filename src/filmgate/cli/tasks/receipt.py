"""A task's receipt: its price line by line, and what was held, charged and returned."""

from collections.abc import Sequence
from typing import Final

from filmgate.cli.grid import Cell, Column
from filmgate.cli.measures import money
from filmgate.cli.output import Form, Output
from filmgate.cli.shapes import TaskDetailShape
from filmgate.cli.spending import line_arithmetic
from filmgate.cli.text import Text

RECEIPT_COLUMNS: Final = (
    Column(Text("receipt", "账单")),
    Column(Text("arithmetic", "计算"), right=True, style="dim"),
    Column(Text("amount", "金额"), right=True),
)
_CLIP: Final = Text("clip {no}", "第 {no} 段")
_SUMS: Final = {
    "held": Text("held", "预扣"),
    "charged": Text("charged", "实扣"),
    "returned": Text("returned", "退回"),
}


def receipt_rows(task: TaskDetailShape, output: Output) -> Sequence[Sequence[Cell | str]]:
    receipt = task.get("receipt")
    if receipt is None:
        return []
    plain = output.form is Form.PLAIN
    rows: list[list[Cell | str]] = [
        [
            line["what"] if plain else output.say(_CLIP, no=line["clip"]),
            line_arithmetic(line),
            str(line["amount_micros"]) if plain else money(line["amount_micros"]),
        ]
        for line in receipt["lines"]
    ]
    sums = {
        "held": receipt["held_micros"],
        "charged": receipt["charged_micros"],
        "returned": receipt["returned_micros"],
    }
    for name, micros in sums.items():
        if micros is not None:
            amount = str(micros) if plain else money(micros)
            title = name if plain else output.say(_SUMS[name])
            rows.append([Cell(title, "bold"), "", Cell(amount, "bold")])
    return rows
