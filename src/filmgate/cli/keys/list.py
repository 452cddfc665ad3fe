"""`filmgate keys list`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, cast

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.limits import budget_text
from filmgate.cli.measures import age, moment, money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.session import Session
from filmgate.cli.shapes import KeyPageShape, KeyShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_COLUMNS: Final = (
    Column(Text("id", "编号"), right=True),
    Column(Text("name", "名称"), style="bold", shrinks=True),
    Column(Text("key", "密钥"), style="dim", from_width=110),
    Column(Text("account", "账户"), from_width=100),
    Column(Text("dialect", "方言"), from_width=120),
    Column(Text("ways", "方式"), from_width=130),
    Column(Text("budget", "预算"), right=True),
    Column(Text("used", "已用"), right=True),
    Column(Text("running", "生成中"), right=True),
    Column(Text("unfinished", "未结束"), right=True, from_width=150),
    Column(Text("a minute", "每分钟"), right=True, from_width=150),
    Column(Text("age", "时间"), right=True, style="dim", from_width=90),
    Column(Text("expires", "到期"), from_width=90),
    Column(Text("state", "状态")),
)
_WAYS: Final[Mapping[Literal["strict", "soften"], Text]] = {
    "strict": Text("strict", "严格"),
    "soften": Text("soften", "缓和"),
}
_OPERATOR: Final = Text("operator", "管理员")
_STATES: Final = {
    "revoked": (Text("✘ revoked", "✘ 已吊销"), "red"),
    "expired": (Text("✘ expired", "✘ 已过期"), "yellow"),
    "replaced": (Text("→ key {successor}", "→ 密钥 {successor}"), "yellow"),
    "valid": (Text("✔ valid", "✔ 有效"), "green"),
}


def list_keys(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """List all keys; none of them can be read back."""
    session = operator_session(manner, place)
    page = cast("KeyPageShape", session.gate.ask("GET", "/admin/v1/keys"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
    else:
        answer_keys(session, page["data"])
    return Exit.DONE


def answer_keys(session: Session, keys: Sequence[KeyShape]) -> None:
    """Give keys as the answer of a verb, a row for each."""
    now = session.clock.now()
    session.output.rows(Grid(_COLUMNS, [_row(key, session.output, now) for key in keys]))


def _row(key: KeyShape, output: Output, now: datetime) -> Sequence[Cell | str]:
    created, expires = moment(key["created_at"]), moment(key["expires_at"])
    successor = key.get("successor_id")
    state = _state(key, now)
    word, style = _STATES[state]
    ways = ", ".join(
        [*(output.say(_WAYS[way]) for way in _WAYS if key[way]), *filter(None, [key["language"]])]
    )
    whose = (
        str(key["id"]),
        key["name"],
        key["hint"],
        output.say(_OPERATOR) if key["operator"] else key["account"] or "",
        key["dialect"] or "–",
        ways or "–",
    )
    if output.form is Form.PLAIN:
        numbers = (
            key["budget_micros"],
            key["budget_period"],
            key["spent_micros"],
            key["held_micros"],
            key["running"],
        )
        rest = (key["created_at"], key["expires_at"], state)
        return [*whose, *("" if value is None else str(value) for value in (*numbers, *rest))]
    return [
        *whose,
        budget_text(key["budget_micros"], key["budget_period"], output),
        "–" if key["operator"] else Cell(money(_used(key)), "red" if _spent_up(key) else ""),
        "–" if key["operator"] else _running(key),
        "–" if key["operator"] else _unfinished(key),
        str(key.get("submits_per_minute") or "–"),
        "" if created is None else age(created, now),
        "–" if expires is None else expires.astimezone().strftime("%Y-%m-%d"),
        Cell(output.say(word, successor=successor or ""), style),
    ]


def _state(key: KeyShape, now: datetime) -> str:
    if key["revoked_at"]:
        return "revoked"
    expires = moment(key["expires_at"])
    if expires is not None and expires <= now:
        return "expired"
    return "valid" if key.get("successor_id") is None else "replaced"


def _used(key: KeyShape) -> int:
    return key["spent_micros"] + key["held_micros"]


def _spent_up(key: KeyShape) -> bool:
    return key["budget_micros"] is not None and _used(key) >= key["budget_micros"]


def _running(key: KeyShape) -> str:
    most = key["max_running"]
    return str(key["running"]) if most is None else f"{key['running']}/{most}"


def _unfinished(key: KeyShape) -> str:
    count, most = key.get("unfinished", key["running"]), key.get("max_unfinished")
    return str(count) if most is None else f"{count}/{most}"


app = verb("list", list_keys, ("filmgate keys list",))
