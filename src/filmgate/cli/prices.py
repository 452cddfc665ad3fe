"""`filmgate prices`."""

from collections.abc import Iterator, Sequence
from typing import Final, TypedDict, cast

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.text import Text
from filmgate.cli.verb import verb


class PriceShape(TypedDict):
    since: str
    per_second_micros: dict[str, int]
    silent_micros: dict[str, int]
    eight_seconds_micros: dict[str, int]


class CostShape(TypedDict):
    provider: str
    model: str
    since: str | None
    per_clip_micros: int | None
    per_second_micros: dict[str, int] | None
    eight_seconds_micros: dict[str, int] | None
    margin_micros: dict[str, int] | None


class ModelPriceShape(TypedDict):
    model: str
    price: PriceShape | None
    coming: list[PriceShape]
    costs: list[CostShape]


class PricePageShape(TypedDict):
    data: list[ModelPriceShape]
    unpriced: list[str]


_COLUMNS: Final = (
    Column(Text("model", "模型"), style="bold", shrinks=True),
    Column(Text("size", "尺寸"), right=True),
    Column(Text("a second", "每秒"), right=True),
    Column(Text("8 s", "8 秒"), right=True),
    Column(Text("provider", "上游"), shrinks=True),
    Column(Text("we pay", "成本"), right=True),
    Column(Text("margin", "毛利"), right=True),
    Column(Text("since", "生效"), style="dim", from_width=100),
)
_SILENT: Final = Text("{money} ({silent} silent)", "{money}（无声 {silent}）")
_COMING: Final = Text("{model} from {since}: {prices}", "{model} 自 {since} 起：{prices}")
_UNPRICED: Final = Text("✘ Without a price, so not sold: {models}", "✘ 未定价，因此不出售：{models}")
_UNSOLD: Final[PriceShape] = {
    "since": "",
    "per_second_micros": {},
    "silent_micros": {},
    "eight_seconds_micros": {},
}
_UNKNOWN: Final[CostShape] = {
    "provider": "",
    "model": "",
    "since": None,
    "per_clip_micros": None,
    "per_second_micros": None,
    "eight_seconds_micros": None,
    "margin_micros": None,
}


def prices(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """Say what each model costs and what it costs us, with 8 s written out; what has no price is named."""
    session = operator_session(manner, place)
    page = cast("PricePageShape", session.gate.ask("GET", "/admin/v1/prices"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
        return Exit.DONE
    if output.form is Form.PLAIN:
        output.rows(Grid((), [_plain(row) for model in page["data"] for row in _rows(model)]))
        return Exit.DONE
    output.rows(Grid(_COLUMNS, [cells for model in page["data"] for cells in _shown(model, output)]))
    _tell(page, output)
    return Exit.DONE


class _Row(TypedDict):
    """One size of a model at one provider; None is what nobody knows, or what is not sold."""

    model: str
    side: str
    second: int | None
    silent: int | None
    eight: int | None
    provider: str
    pays: int | None
    margin: int | None
    since: str


def _rows(model: ModelPriceShape) -> Iterator[_Row]:
    price = model["price"] or _UNSOLD
    for side in price["per_second_micros"] or [""]:
        for cost in model["costs"] or [_UNKNOWN]:
            yield {
                "model": model["model"],
                "side": side,
                "second": price["per_second_micros"].get(side),
                "silent": price["silent_micros"].get(side),
                "eight": price["eight_seconds_micros"].get(side),
                "provider": cost["provider"],
                "pays": (cost["eight_seconds_micros"] or {}).get(side),
                "margin": (cost["margin_micros"] or {}).get(side),
                "since": price["since"],
            }


def _plain(row: _Row) -> Sequence[str]:
    return ["" if value is None else str(value) for value in row.values()]


def _shown(model: ModelPriceShape, output: Output) -> Iterator[Sequence[Cell | str]]:
    """Draw a model's rows; what stands in the row above is not said again."""
    above: _Row | None = None
    for row in _together(model):
        margin = row["margin"]
        said = above is not None and above["side"] == row["side"]
        yield [
            "" if above else Cell(row["model"], "" if model["price"] else "red"),
            "" if said else row["side"] or "–",
            "" if said else _second(row, output),
            "" if said else _money(row["eight"]),
            row["provider"] or "–",
            _money(row["pays"]),
            Cell(_money(margin), "red" if margin is not None and margin < 0 else ""),
            "" if above else row["since"] or "–",
        ]
        above = row


def _together(model: ModelPriceShape) -> Iterator[_Row]:
    """Give one row for the providers that take the same for a size."""
    found: dict[tuple[str, int | None], _Row] = {}
    for row in _rows(model):
        known = found.setdefault((row["side"], row["pays"]), row)
        if known is not row:
            known["provider"] += f", {row['provider']}"
    yield from found.values()


def _second(row: _Row, output: Output) -> str:
    price, silent = row["second"], row["silent"]
    if price is None or silent is None:
        return _money(price)
    return output.say(_SILENT, money=money(price), silent=money(silent))


def _money(amount: int | None) -> str:
    return "–" if amount is None else money(amount)


def _tell(page: PricePageShape, output: Output) -> None:
    for model in page["data"]:
        for later in model["coming"]:
            said = ", ".join(
                f"{side} {money(amount)}/s" for side, amount in later["per_second_micros"].items()
            )
            output.styled(
                [(output.say(_COMING, model=model["model"], since=later["since"], prices=said), "")]
            )
    if page["unpriced"]:
        output.styled([(output.say(_UNPRICED, models=", ".join(page["unpriced"])), "red")])


app = verb(
    "prices",
    prices,
    ("filmgate prices", "filmgate prices --lang zh", "filmgate prices --json | jq .unpriced"),
)
