"""`filmgate accounts list` and `show`."""

from collections.abc import Sequence
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.accounts.shapes import AccountPageShape, AccountShape
from filmgate.cli.accounts.showing import answer_account, credit_text, path_of
from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.limits import budget_text
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_COLUMNS: Final = (
    Column(Text("account", "账户"), style="bold", shrinks=True),
    Column(Text("balance", "余额"), right=True),
    Column(Text("credit", "信用额度"), right=True),
    Column(Text("held", "预扣"), right=True),
    Column(Text("budget", "预算"), right=True, from_width=90),
    Column(Text("spent", "已用"), right=True),
    Column(Text("unfinished", "未结束"), right=True, from_width=90),
    Column(Text("at a time", "同时"), right=True, from_width=110),
    Column(Text("a minute", "每分钟"), right=True, from_width=110),
)


def list_accounts(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """List all accounts: what each has, holds, has spent and may spend."""
    session = operator_session(manner, place)
    page = cast("AccountPageShape", session.gate.ask("GET", "/admin/v1/accounts"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
    else:
        output.rows(Grid(_COLUMNS, [_row(account, output) for account in page["data"]]))
    return Exit.DONE


def show(
    name: Annotated[str, Parameter(name="NAME")], /, *, place: Place = HERE, manner: Manner = PLAIN_MANNER
) -> int:
    """Show an account: what it has, holds, has spent and may spend."""
    session = operator_session(manner, place)
    answer_account(session.output, cast("AccountShape", session.gate.ask("GET", path_of(name))))
    return Exit.DONE


def _row(account: AccountShape, output: Output) -> Sequence[Cell | str]:
    limits = (account["max_running"], account["submits_per_minute"])
    if output.form is Form.PLAIN:
        values = (
            account["balance_micros"],
            account["credit_micros"],
            account["held_micros"],
            account["budget_micros"],
            account["budget_period"],
            account["spent_micros"],
            account["unfinished"],
            *limits,
        )
        return [account["name"], *("" if value is None else str(value) for value in values)]
    return [
        account["name"],
        Cell(money(account["balance_micros"]), "red" if account["balance_micros"] < 0 else ""),
        credit_text(account, output),
        money(account["held_micros"]),
        budget_text(account["budget_micros"], account["budget_period"], output),
        money(account["spent_micros"]),
        str(account["unfinished"]),
        *("–" if limit is None else str(limit) for limit in limits),
    ]


list_app = verb(
    "list",
    list_accounts,
    ("filmgate accounts list", "filmgate accounts list --json | jq '.data[] | {name, balance_micros}'"),
)
show_app = verb("show", show, ("filmgate accounts show team-a",))
