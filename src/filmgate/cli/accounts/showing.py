"""What every verb of accounts says of one."""

from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import quote

from filmgate.cli.accounts.shapes import AccountShape
from filmgate.cli.grid import Cell, Grid
from filmgate.cli.limits import budget_text
from filmgate.cli.measures import moment, money
from filmgate.cli.output import Form, Json, Output
from filmgate.cli.text import Text

_FACTS: Final[Mapping[str, Text]] = {
    "account": Text("account", "账户"),
    "balance": Text("balance", "余额"),
    "credit": Text("credit", "信用额度"),
    "held": Text("held", "预扣"),
    "spent": Text("spent", "已用"),
    "budget": Text("budget", "预算"),
    "period": Text("begins anew", "重新计算"),
    "unfinished": Text("unfinished", "未结束"),
    "running": Text("at a time", "同时生成"),
    "submits": Text("submits a minute", "每分钟提交"),
}
_FREELY: Final = Text("spends freely", "不限")
_PREPAID: Final = Text("none: prepaid", "无（预付费）")


def path_of(name: str) -> str:
    return f"/admin/v1/accounts/{quote(name, safe='')}"


def answer_account(output: Output, account: AccountShape) -> None:
    """Give an account as the answer of a verb."""
    if output.form is Form.JSON:
        output.document(cast("Json", account))
        return
    ends, most = moment(account["period_ends_at"]), account["max_unfinished"]
    values: dict[str, str] = {
        "account": account["name"],
        "balance": money(account["balance_micros"]),
        "credit": credit_text(account, output),
        "held": money(account["held_micros"]),
        "spent": money(account["spent_micros"]),
        "budget": budget_text(account["budget_micros"], account["budget_period"], output),
        "period": "" if ends is None else ends.astimezone().strftime("%Y-%m-%d %H:%M"),
        "unfinished": str(account["unfinished"]) if most is None else f"{account['unfinished']}/{most}",
        "running": _limit(account["max_running"]),
        "submits": _limit(account["submits_per_minute"]),
    }
    human = output.form is Form.HUMAN
    titles = {name: output.say(text) if human else name for name, text in _FACTS.items()}
    output.rows(Grid((), [[Cell(titles[name], "dim"), value] for name, value in values.items() if value]))


def credit_text(account: AccountShape, output: Output) -> str:
    """Say how far below zero a balance may go; without a limit nothing is ever refused for it."""
    credit = account["credit_micros"]
    if credit is None:
        return output.say(_FREELY)
    return money(credit) if credit else output.say(_PREPAID)


def _limit(most: int | None) -> str:
    return "–" if most is None else str(most)
