"""`filmgate providers test`."""

from collections.abc import Sequence
from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.providers.shapes import CheckShape, TestedShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_COLUMNS: Final = (
    Column(Text("credential", "凭据"), style="bold"),
    Column(Text("verdict", "结果")),
    Column(Text("took", "用时"), right=True, style="dim"),
    Column(Text("found", "说明"), wraps=True),
)
_VERDICTS: Final = {
    True: (Text("✔ ok", "✔ 正常"), "green"),
    False: (Text("✘ fails", "✘ 失败"), "red"),
    None: (Text("– not asked", "– 未检查"), "dim"),
}
_PLAIN: Final = {True: "ok", False: "fail", None: "none"}


def try_out(
    name: Annotated[str, Parameter(name="NAME")],
    /,
    *,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Ask a provider, through each of its credentials, whether it would take films. Nothing is made or paid."""
    session = operator_session(manner, place)
    path = f"/admin/v1/providers/{quote(name, safe='')}/test"
    tested = cast("TestedShape", session.gate.ask("POST", path, timeout_s=60.0))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", tested))
    else:
        output.rows(Grid(_COLUMNS, [_row(one, output) for one in tested["checks"]]))
    if not tested["ok"]:
        raise trouble("provider_unfit", name=name)
    return Exit.DONE


def _row(check: CheckShape, output: Output) -> Sequence[Cell | str]:
    took = f"{check['took_ms']} ms"
    if output.form is Form.PLAIN:
        return [check["credential"], _PLAIN[check["ok"]], str(check["took_ms"]), check["found"]]
    word, style = _VERDICTS[check["ok"]]
    return [check["credential"], Cell(output.say(word), style), took, check["found"]]


app = verb("test", try_out, ("filmgate providers test relay",))
