"""`filmgate models`."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.measures import money, span
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.session import open_session
from filmgate.cli.shapes import EtaShape, ModelPageShape, ModelShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_COLUMNS: Final = (
    Column(Text("model", "模型"), style="bold", shrinks=True),
    Column(Text("seconds", "秒"), right=True),
    Column(Text("sizes", "尺寸"), shrinks=True, from_width=140),
    Column(Text("images", "图片"), from_width=100),
    Column(Text("sound", "声音"), from_width=110),
    Column(Text("dialects", "方言"), from_width=190),
    Column(Text("price", "价格"), right=True),
    Column(Text("usual time", "通常用时"), right=True, from_width=80),
    Column(Text("available", "可用")),
)
_FRAME: Final = Text("{count} frame", "{count} 帧")
_FRAMES: Final = Text("{count} frames", "{count} 帧")
_REFERENCES: Final = Text("{count} refs", "{count} 参考")
_YES: Final = Text("yes", "是")
_NO: Final = Text("no", "否")
_PER_SECOND: Final = Text("{prices}/s", "{prices}/秒")


def models(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """Say what each model can do, what it costs, and how long it usually takes."""
    session = open_session(manner, place)
    page = cast("ModelPageShape", session.gate.ask("GET", "/gate/v1/models"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
    else:
        output.rows(Grid(_COLUMNS, [_row(model, output) for model in page["data"]]))
    return Exit.DONE


def _row(model: ModelShape, output: Output) -> Sequence[Cell | str]:
    available = Cell(output.say(_YES), "green") if model["available"] else Cell(output.say(_NO), "red")
    return [
        model["name"],
        spans(model["seconds"]),
        ", ".join(model["sizes"]),
        " / ".join(output.say(part) for part in pictures(model["pictures"])) or "–",
        output.say(_YES if model["sound"] else _NO),
        ", ".join(model["dialects"]),
        _price(model, output),
        usual_time(model.get("eta"), output.form),
        available,
    ]


def _price(model: ModelShape, output: Output) -> str:
    """Give `$0.10/s`, or `$0.10–0.40/s` where it depends on the size and the sound."""
    amounts = [line["unit_price_micros"] for line in model.get("prices", ())]
    if not amounts:
        return "" if output.form is Form.PLAIN else "–"
    low, high = min(amounts), max(amounts)
    if output.form is Form.PLAIN:
        return str(low) if low == high else f"{low}-{high}"
    said = money(low) if low == high else f"{money(low)}–{money(high).removeprefix('$')}"
    return output.say(_PER_SECOND, prices=said)


def usual_time(eta: EtaShape | None, form: Form) -> str:
    """Give how long half of the runs took at most, and nine of ten; nothing where too few stand for it."""
    if eta is None or eta["low_s"] is None or eta["high_s"] is None:
        return "" if form is Form.PLAIN else "–"
    if form is Form.PLAIN:
        return f"{eta['low_s']:g}-{eta['high_s']:g}"
    return span(eta["low_s"], eta["high_s"])


def pictures(counts: Mapping[str, int]) -> Sequence[Text]:
    """Say which pictures a model takes: frames to start from and to end on, or references."""
    frames, references = counts.get("first", 0) + counts.get("last", 0), counts.get("reference", 0)
    said = ((_FRAMES if frames > 1 else _FRAME, frames), (_REFERENCES, references))
    return [text.filled(count=count) for text, count in said if count]


def spans(numbers: Sequence[int]) -> str:
    """Give `4-15`, or `4, 8, 12`."""
    if len(numbers) > 1 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers))


app = verb("models", models, ("filmgate models", "filmgate models --json | jq -r '.data[].name'"))
