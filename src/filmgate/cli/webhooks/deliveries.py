"""`filmgate webhooks deliveries`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.client import query_of
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.measures import age, moment
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.role import OWN, Role, role_session
from filmgate.cli.text import Text
from filmgate.cli.verb import verb
from filmgate.cli.webhooks.shapes import DeliveryPageShape, DeliveryShape, deliveries_path

State = Literal["due", "delivered", "given_up"]

_NONE: Final = Text(
    "Nothing was told yet: add an endpoint, or send a callback_url.",
    "还没有投递记录：请添加回调端点，或在请求中发送 callback_url。",
)
_MORE: Final = Text(
    "More: filmgate webhooks deliveries --cursor {cursor}{again}",
    "更多：filmgate webhooks deliveries --cursor {cursor}{again}",
)
_COLUMNS: Final = (
    Column(Text("id", "编号")),
    Column(Text("age", "时间"), right=True, style="dim"),
    Column(Text("state", "状态")),
    Column(Text("event", "事件"), from_width=110),
    Column(Text("tries", "次数"), right=True),
    Column(Text("last answer", "最近应答"), shrinks=True),
    Column(Text("address", "地址"), shrinks=True),
)
_ACCOUNT: Final = Column(Text("account", "账户"))
_STATES: Final = {
    "due": (Text("due", "待投递"), "yellow"),
    "delivered": (Text("delivered", "已送达"), "green"),
    "given_up": (Text("given up", "已放弃"), "red"),
}


def deliveries(
    *,
    state: Annotated[State | None, Parameter(help="Only those in this state.")] = None,
    task: Annotated[str | None, Parameter(help="Only those of this task.")] = None,
    endpoint: Annotated[str | None, Parameter(help="Only those of this endpoint.")] = None,
    limit: Annotated[int, Parameter(help="How many, at most 100; else 20.")] = 20,
    cursor: Annotated[str | None, Parameter(help="Go on after this id.")] = None,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """List what was told of films, newest first."""
    session = role_session(manner, place, role)
    asked = {"state": state, "task": task, "endpoint": endpoint, "limit": limit, "cursor": cursor}
    path = f"{deliveries_path(session)}?{query_of(asked)}"
    page = cast("DeliveryPageShape", session.gate.ask("GET", path))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
        return Exit.DONE
    if page["data"]:
        columns = (*_COLUMNS, _ACCOUNT) if session.operator else _COLUMNS
        output.rows(Grid(columns, [_row(one, output, session.clock.now()) for one in page["data"]]))
    else:
        output.note(output.say(_NONE))
    if page["next_cursor"]:
        output.note(output.say(_MORE, cursor=page["next_cursor"], again=session.again), "dim")
    return Exit.DONE


def _row(delivery: DeliveryShape, output: Output, now: datetime) -> Sequence[Cell | str]:
    last = delivery["attempts"][-1] if delivery["attempts"] else None
    answered = "" if last is None else str(last["error"] or last["status"])
    state, created = delivery["state"], moment(delivery["created_at"])
    whose = [delivery["account"]] if "account" in delivery else []
    rest = (delivery["event"], str(len(delivery["attempts"])), answered, delivery["url"], *whose)
    if output.form is Form.PLAIN:
        return [delivery["id"], delivery["created_at"], state, *rest]
    word, style = _STATES[state]
    return [
        delivery["id"],
        "" if created is None else age(created, now),
        Cell(output.say(word), style),
        *rest,
    ]


app = verb(
    "deliveries",
    deliveries,
    (
        "filmgate webhooks deliveries --state given_up",
        "filmgate webhooks deliveries --task video_... --json",
        "filmgate webhooks deliveries --state given_up --as-operator",
    ),
)
