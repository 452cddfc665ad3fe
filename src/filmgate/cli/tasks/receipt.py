"""A task's receipt: its price line by line, and what was held, charged and returned."""

from collections.abc import Sequence
from typing import Final

from filmgate.cli.grid import Cell, Column
from filmgate.cli.measures import money
from filmgate.cli.output import Form, Output
from filmgate.cli.shapes import LineShape, TaskDetailShape
from filmgate.cli.spending import line_arithmetic
from filmgate.cli.text import Text

RECEIPT_COLUMNS: Final = (
    Column(Text("receipt", "账单")),
    Column(Text("arithmetic", "计算"), right=True, style="dim"),
    Column(Text("amount", "金额"), right=True),
)
_CLIP: Final = Text("clip {no}", "第 {no} 段")
_DELIVERED: Final = Text("delivered: clip {no}", "已交付：第 {no} 段")
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
    rows = [line_row(line, output) for line in receipt["lines"]]
    delivered = receipt.get("delivered") or []
    if receipt["charged_micros"] and delivered != receipt["lines"]:
        rows += [line_row(line, output, _DELIVERED, "delivered {what}") for line in delivered]
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


def line_row(line: LineShape, output: Output, title: Text = _CLIP, plain: str = "{what}") -> list[Cell | str]:
    """Give one line of a price: what it is for, its arithmetic, its amount."""
    if output.form is Form.PLAIN:
        return [plain.format(what=line["what"]), line_arithmetic(line), str(line["amount_micros"])]
    size = line.get("size")
    named = output.say(title, no=line["clip"]) + (f", {size}" if size else "")
    return [named, line_arithmetic(line), money(line["amount_micros"])]
