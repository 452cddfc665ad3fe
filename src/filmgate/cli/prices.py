"""`filmgate prices`."""

from collections.abc import Sequence
from typing import Final, TypedDict, cast

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.text import Text
from filmgate.cli.verb import verb


class PriceLineShape(TypedDict):
    what: str
    unit: str
    unit_price_micros: int
    since: str


class PriceShape(TypedDict):
    model: str
    lines: list[PriceLineShape]
    eight_seconds_micros: int | None
    pays_micros: int | None
    routes: list[str]
    problem: str | None


class PricePageShape(TypedDict):
    data: list[PriceShape]


_COLUMNS: Final = (
    Column(Text("model", "模型"), style="bold"),
    Column(Text("price", "价格"), shrinks=True),
    Column(Text("8 s", "8 秒"), right=True),
    Column(Text("we pay", "成本"), right=True),
    Column(Text("margin", "毛利"), right=True, from_width=90),
    Column(Text("since", "生效"), style="dim", from_width=100),
    Column(Text("routes", "上游"), from_width=120),
)
_PROBLEM: Final = Text("✘ {model}: {problem}", "✘ {model}：{problem}")


def prices(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """Say what each model costs and what it costs us, with 8 s written out; what cannot be sold is named."""
    session = operator_session(manner, place)
    page = cast("PricePageShape", session.gate.ask("GET", "/admin/v1/prices"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
        return Exit.DONE
    output.rows(Grid(_COLUMNS, [_row(price, output) for price in page["data"]]))
    for price in page["data"]:
        if price["problem"] and output.form is Form.HUMAN:
            output.styled([(output.say(_PROBLEM, model=price["model"], problem=price["problem"]), "red")])
    return Exit.DONE


def _row(price: PriceShape, output: Output) -> Sequence[Cell | str]:
    sold, pays = price["eight_seconds_micros"], price["pays_micros"]
    routes, since = ", ".join(price["routes"]), max((line["since"] for line in price["lines"]), default="")
    if output.form is Form.PLAIN:
        lines = "; ".join(
            f"{line['what']}={line['unit_price_micros']}/{line['unit']}" for line in price["lines"]
        )
        amounts = ["" if value is None else str(value) for value in (sold, pays, _margin(price))]
        return [price["model"], lines, *amounts, since, routes, price["problem"] or ""]
    margin = _margin(price)
    return [
        Cell(price["model"], "red" if price["problem"] else ""),
        ", ".join(_line(line) for line in price["lines"]) or "–",
        "–" if sold is None else money(sold),
        "–" if pays is None else money(pays),
        "–" if margin is None else Cell(money(margin), "red" if margin < 0 else ""),
        since,
        routes,
    ]


def _line(line: PriceLineShape) -> str:
    unit = "s" if line["unit"] == "second" else line["unit"]
    return f"{line['what']} {money(line['unit_price_micros'])}/{unit}"


def _margin(price: PriceShape) -> int | None:
    sold, pays = price["eight_seconds_micros"], price["pays_micros"]
    return None if sold is None or pays is None else sold - pays


app = verb(
    "prices",
    prices,
    ("filmgate prices", "filmgate prices --json | jq -r '.data[] | select(.problem).model'"),
)
