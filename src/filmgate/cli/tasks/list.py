"""`filmgate tasks list`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.client import query_of
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.measures import age, moment, money, past
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.role import OPERATORS, OWN, Role, demand_operator, role_session
from filmgate.cli.session import Session
from filmgate.cli.shapes import TaskPageShape, TaskShape, key_name
from filmgate.cli.text import ENDS, Text, mark_of, state_word
from filmgate.cli.verb import verb

State = Literal[
    "queued", "preparing", "generating", "extending", "upsampling", "collecting", "succeeded", "failed", "cancelled",
    "expired",
]  # fmt: skip

_NONE: Final = Text(
    'No films yet. Make one: filmgate generate "a paper boat on a rainy street"',
    '还没有视频。生成一个：filmgate generate "雨巷里的纸船"',
)
_NONE_OF_ANYBODY: Final = Text("There is no such task of any account.", "所有账户中均没有这样的任务。")
_MORE: Final = Text(
    "More: filmgate tasks list --cursor {cursor}{again}", "更多：filmgate tasks list --cursor {cursor}{again}"
)
_COLUMNS: Final = (
    Column(Text("id", "编号")),
    Column(Text("age", "时间"), right=True, style="dim"),
    Column(Text("state", "状态")),
    Column(Text("model", "模型"), from_width=110),
    Column(Text("cost", "费用"), right=True, from_width=80),
    Column(Text("prompt", "提示词"), shrinks=True),
)
_WHOSE: Final = (Column(Text("account", "账户")), Column(Text("key", "密钥")))


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of everybody's tasks an operator looks for."""

    account: Annotated[str | None, Parameter(group=OPERATORS, help="Only those of this account.")] = None
    uncertain: Annotated[
        bool, Parameter(group=OPERATORS, negative="", help="Only those that wait for `tasks resolve`.")
    ] = False
    parked: Annotated[
        bool, Parameter(group=OPERATORS, negative="", help="Only those that killed their engines.")
    ] = False

    def asked(self, session: Session) -> Mapping[str, str | None]:
        """Give the query; raise CliError where nobody but an operator may ask so."""
        given = {"--account": self.account, "--uncertain": self.uncertain, "--parked": self.parked}
        demand_operator(session, *(flag for flag, value in given.items() if value))
        flags = {"uncertain": self.uncertain, "parked": self.parked}
        return {"account": self.account, **{name: "true" for name, value in flags.items() if value}}


EVERYBODYS: Final = Wanted()


def list_tasks(
    *,
    state: Annotated[State | None, Parameter(help="Only those in this state.")] = None,
    wanted: Wanted = EVERYBODYS,
    since: Annotated[
        str | None, Parameter(help="Only those since 2d ago, 12h ago, or a date such as 2026-11-01.")
    ] = None,
    limit: Annotated[int, Parameter(help="How many, at most 100; else 20.")] = 20,
    cursor: Annotated[str | None, Parameter(help="Go on after this id.")] = None,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """List films, newest first."""
    session = role_session(manner, place, role)
    try:
        start = None if since is None else past(since, session.clock.now())
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    page = _page(session, {"state": state, "limit": limit, "cursor": cursor, **wanted.asked(session)}, start)
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
        return Exit.DONE
    if page["data"]:
        columns = (*_COLUMNS[:-1], *_WHOSE, _COLUMNS[-1]) if session.operator else _COLUMNS
        output.rows(Grid(columns, [_row(task, output, session.clock.now()) for task in page["data"]]))
    else:
        output.note(output.say(_NONE_OF_ANYBODY if session.operator else _NONE))
    if page["next_cursor"]:
        output.note(output.say(_MORE, cursor=page["next_cursor"], again=session.again), "dim")
    return Exit.DONE


def _page(session: Session, asked: Mapping[str, str | int | None], start: datetime | None) -> TaskPageShape:
    """Read a page; the list is by age, so that it ends with the first film that is older than `start`."""
    page = cast("TaskPageShape", session.gate.ask("GET", f"{session.api}/tasks?{query_of(asked)}"))
    if start is None:
        return page
    recent = [task for task in page["data"] if datetime.fromisoformat(task["created_at"]) >= start]
    over = len(recent) < len(page["data"])
    return {"data": recent, "next_cursor": None if over else page["next_cursor"]}


def _row(task: TaskShape, output: Output, now: datetime) -> Sequence[Cell | str]:
    created = moment(task["created_at"])
    cost = task["cost_micros"] if task["cost_micros"] is not None else task["hold_micros"]
    whose = [task["account"], key_name(task)] if "account" in task else []
    if output.form is Form.PLAIN:
        said = (
            task["id"],
            task["created_at"],
            task["state"],
            task["progress"],
            task["model"],
            cost,
            *whose,
            task["prompt"],
        )
        return [str(value) for value in said]
    mark, style = mark_of(task["state"])
    word = state_word(task["state"], output.language)
    running = task["state"] not in ENDS and task["state"] != "queued"
    share = f" {task['progress']} %" if running else ""
    since = "" if created is None else age(created, now)
    return [
        task["id"],
        since,
        Cell(f"{mark} {word}{share}", style),
        task["model"],
        money(cost),
        *whose,
        task["prompt"],
    ]


app = verb(
    "list",
    list_tasks,
    (
        "filmgate tasks list --state generating",
        "filmgate tasks list --since 2d",
        "filmgate tasks list --as-operator --uncertain",
        "filmgate tasks list --limit 100 --json | jq '.data[].id'",
    ),
)
