"""`filmgate providers test`."""

import os
from collections.abc import Sequence
from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import clock_time, moment, money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.providers.shapes import CheckShape, SeenTaskShape, TestedShape
from filmgate.cli.session import Session
from filmgate.cli.spending import CAREFUL, Spending, confirm
from filmgate.cli.text import ENDS, Text, state_word
from filmgate.cli.verb import verb

_ASK_S: Final = 90.0
_ROUND_S: Final = 1.0
_DONE: Final = "done"
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
_FILM: Final = Text(
    "A real test makes {model} · {seconds} s · {size} through {name}: {price} by our price list.",
    "真实测试将通过 {name} 生成 {model} · {seconds} 秒 · {size}，按价目表 {price}。",
)
_MADE: Final = Text(
    "✔ {name} made a film in {clock} · charged {money}", "✔ {name} 用时 {clock} 生成视频 · 实扣 {money}"
)
_NO_MODEL: Final = Text("no route leads to it", "没有路由指向它")
_BY_ANOTHER: Final = Text("{error}; {other} made it", "{error}；由 {other} 生成")


def try_out(
    name: Annotated[str, Parameter(name="NAME")],
    /,
    *,
    real: Annotated[
        bool, Parameter(negative="", help="Have it make its cheapest film, whose price is said first.")
    ] = False,
    spending: Spending = CAREFUL,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Ask a provider, through each of its credentials, whether it would take films; nothing is made or paid.

    With --real it makes one, for the account provider-tests; that is always asked about, unless --yes or --max-cost
    says enough.
    """
    consent = spending.consent(os.environ)
    session = operator_session(manner, place)
    tested = _asked(session, name, {})
    if not tested["ok"] or not real:
        return _told(session.output, tested)
    film = tested["film"]
    if film is None:
        raise trouble("trial_failed", name=name, reason=_NO_MODEL)
    price = film["price_micros"]
    said = _FILM.filled(
        name=name, model=film["model"], seconds=film["seconds"], size=film["size"], price=money(price)
    )
    session.output.note(said.pick(session.output.language))
    confirm(session.output, price, consent, ask_above_micros=-1)
    begun = _asked(session, name, {"real": True, "max_cost_micros": price})
    return _made(session, begun, _ended(session, str(begun["task_id"])))


def _asked(session: Session, name: str, said: dict[str, Json]) -> TestedShape:
    path = f"/admin/v1/providers/{quote(name, safe='')}/test"
    return cast("TestedShape", session.gate.ask("POST", path, said, timeout_s=_ASK_S))


def _told(output: Output, tested: TestedShape) -> int:
    if output.form is Form.JSON:
        output.document(cast("Json", tested))
    else:
        output.rows(Grid(_COLUMNS, [_row(one, output) for one in tested["checks"]]))
    if not tested["ok"]:
        count = sum(one["ok"] is False for one in tested["checks"])
        raise trouble("provider_unfit", name=tested["name"], count=count, total=len(tested["checks"]))
    return Exit.DONE


def _row(check: CheckShape, output: Output) -> Sequence[Cell | str]:
    took = f"{check['took_ms']} ms"
    if output.form is Form.PLAIN:
        return [check["credential"], _PLAIN[check["ok"]], str(check["took_ms"]), check["found"]]
    word, style = _VERDICTS[check["ok"]]
    return [check["credential"], Cell(output.say(word), style), took, check["found"]]


def _ended(session: Session, id_: str) -> SeenTaskShape:
    """Watch the film as an operator, who sees everybody's."""
    seen = ""
    while True:
        task = cast("SeenTaskShape", session.gate.ask("GET", f"/admin/v1/tasks/{id_}"))
        if task["state"] != seen:
            seen = task["state"]
            session.output.note(state_word(seen, session.output.language), "dim")
        if seen in ENDS:
            return task
        try:
            session.sleep(_ROUND_S)
        except KeyboardInterrupt:
            held = f" ({money(task['hold_micros'])})"
            raise trouble("detached_trial", held=held, id=id_) from None


def _made(session: Session, tested: TestedShape, task: SeenTaskShape) -> int:
    output, name = session.output, tested["name"]
    if output.form is Form.JSON:
        output.document({**cast("dict[str, Json]", tested), "task": cast("Json", task)})
    failed = _failure(name, task)
    if failed is not None:
        raise failed
    if output.form is not Form.JSON:
        created, ended = moment(task["created_at"]), moment(task["ended_at"])
        clock = "" if created is None or ended is None else clock_time((ended - created).total_seconds())
        charged = money(task["cost_micros"] or 0)
        output.styled([(output.say(_MADE, name=name, clock=clock, money=charged), "green")])
    return Exit.DONE


def _failure(name: str, task: SeenTaskShape) -> CliError | None:
    """Say why the film is not this provider's; another one may have made it in its stead."""
    last = task["attempts"][-1] if task["attempts"] else None
    if task["state"] == "succeeded" and last is not None and last["provider"] == name:
        return None
    own = next((one["error_text"] for one in task["attempts"] if one["provider"] == name), None)
    error = task["error"]
    reason = own or (task["state"] if error is None else error["message"])
    if last is not None and last["provider"] != name and last["state"] == _DONE:
        return trouble(
            "trial_failed", name=name, reason=_BY_ANOTHER.filled(error=reason, other=last["provider"])
        )
    return trouble("trial_failed", name=name, reason=reason)


app = verb(
    "test",
    try_out,
    ("filmgate providers test relay", "filmgate providers test relay --real --max-cost 0.5"),
)
