"""`filmgate ledger export`."""

import http.client
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place, reason_of
from filmgate.cli.client import UnreachableError, query_of
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.ledger.shapes import EntryShape
from filmgate.cli.measures import moment, money, past
from filmgate.cli.output import PLAIN_MANNER, Form, Manner
from filmgate.cli.session import Session
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_READ_S: Final = 120.0
_COLUMNS: Final = (
    Column(Text("at", "时间"), style="dim"),
    Column(Text("kind", "类型")),
    Column(Text("account", "账户"), shrinks=True),
    Column(Text("model", "模型"), from_width=110),
    Column(Text("task", "任务"), from_width=150),
    Column(Text("side", "科目")),
    Column(Text("amount", "金额"), right=True),
)
_WRITTEN: Final = Text("{count} lines in {path}", "{path}：共 {count} 行")


def export(
    *,
    start: Annotated[
        str | None,
        Parameter(name="--from", help="A date such as 2026-11-01, or 30d ago; else the first entry."),
    ] = None,
    end: Annotated[str | None, Parameter(name="--to", help="The same, exclusive; else up to now.")] = None,
    csv: Annotated[bool, Parameter(negative="", help="CSV, instead of a JSON object a line.")] = False,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="A new file for it; else stdout.")
    ] = None,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Give every entry of a time, oldest first: in a pipe as a JSON object a line, or as CSV."""
    session = operator_session(manner, place)
    now = session.clock.now()
    asked = {"from": _time(start, now), "to": _time(end, now), "format": "csv" if csv else "json"}
    lines = _lines(session, query_of(asked))
    if output is not None:
        return _write(session, lines, output)
    if csv or session.output.form is Form.JSON:
        for line in lines:
            session.output.answer(line)
        return Exit.DONE
    entries = [cast("EntryShape", json.loads(line)) for line in lines]
    session.output.rows(Grid(_COLUMNS, [_row(one, session.output.form) for one in entries]))
    return Exit.DONE


def _time(written: str | None, now: datetime) -> str | None:
    try:
        return None if written is None else past(written, now).isoformat()
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None


def _lines(session: Session, query: str) -> Iterator[str]:
    """Read the export line by line; raise CliError where it does not come whole."""
    gate = session.gate
    with gate.open("GET", f"/admin/v1/ledger/export?{query}", timeout_s=_READ_S) as answer:
        gate.demand(answer)
        try:
            for line in answer:
                yield line.decode().rstrip("\r\n")
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(gate.address, error, sent=True) from error


def _write(session: Session, lines: Iterator[str], path: Path) -> int:
    """Write a file that is whole or not there, and never over another."""
    said, count = session.output, 0
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                for line in lines:
                    file.write(f"{line}\n")
                    count += 1
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise trouble("unwritable", path=str(path), reason=reason_of(error)) from error
    if said.form is Form.JSON:
        said.document({"path": str(path.absolute()), "lines": count})
    else:
        said.note(said.say(_WRITTEN, count=count, path=str(path)), "dim")
        said.answer(str(path))
    return Exit.DONE


def _row(entry: EntryShape, form: Form) -> Sequence[Cell | str]:
    if form is Form.PLAIN:
        return ["" if value is None else str(value) for value in entry.values()]
    at = moment(entry["at"])
    return [
        "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        entry["kind"],
        entry["account"] or "–",
        entry["model"] or "–",
        entry["task_id"] or "–",
        entry["side"],
        Cell(money(entry["amount_micros"]), "red" if entry["amount_micros"] < 0 else ""),
    ]


app = verb(
    "export",
    export,
    (
        "filmgate ledger export --from 2026-11-01 --to 2026-12-01 --csv -o november.csv",
        "filmgate ledger export --from 7d | jq -s 'map(select(.side == \"revenue\").amount_micros) | add'",
    ),
)
