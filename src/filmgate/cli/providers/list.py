"""`filmgate providers list`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import age, clock_time, moment
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.providers.shapes import CredentialShape, ProviderPageShape, ProviderShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_COLUMNS: Final = (
    Column(Text("provider", "上游"), style="bold"),
    Column(Text("credential", "凭据"), from_width=70),
    Column(Text("state", "状态")),
    Column(Text("makes", "生成中"), right=True),
    Column(Text("a minute", "每分钟"), right=True, from_width=90),
    Column(Text("failed in a row", "连续失败"), right=True, from_width=120),
    Column(Text("last error", "最近错误"), shrinks=True),
)
_LIGHTS: Final = {
    "green": ("●", Text("takes films", "正常"), "green"),
    "yellow": ("◐", Text("waits", "等待"), "yellow"),
    "trying": ("◐", Text("is tried", "试探中"), "yellow"),
    "red": ("✘", Text("shut", "已熔断"), "red"),
    "paused": ("–", Text("paused", "已暂停"), "dim"),
    "gone": ("–", Text("not in the settings", "已不在配置中"), "dim"),
}
_FOR: Final = Text("{word} for {clock}", "{word}，剩余 {clock}")
_AGO: Final = Text("{error} ({age} ago)", "{error}（{age}前）")


def list_providers(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """List providers: their lights, how much they make, and how much they may."""
    session = operator_session(manner, place)
    page = cast("ProviderPageShape", session.gate.ask("GET", "/admin/v1/providers"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", page))
        return Exit.DONE
    now = session.clock.now()
    rows = [
        _row(provider, credential, output, now)
        for provider in page["data"]
        for credential in provider["credentials"]
    ]
    output.rows(Grid(_COLUMNS, rows))
    return Exit.DONE


def _row(
    provider: ProviderShape, credential: CredentialShape, output: Output, now: datetime
) -> Sequence[Cell | str]:
    rate = credential["submits_per_minute"]
    making = f"{credential['in_flight']}/{credential['in_flight_limit']}"
    numbers = (making, "–" if rate is None else f"{rate:g}", str(credential["failures_in_row"]))
    if output.form is Form.PLAIN:
        light = "paused" if provider["paused_at"] else credential["light"]
        return [provider["name"], credential["name"], light, *numbers, credential["last_error"] or ""]
    return [
        provider["name"],
        credential["name"],
        _light(provider, credential, output, now),
        *numbers,
        _error(credential, output, now),
    ]


def _light(provider: ProviderShape, credential: CredentialShape, output: Output, now: datetime) -> Cell:
    light, until = credential["light"], moment(credential["blocked_until"])
    if not credential["configured"]:
        light = "gone"
    elif provider["paused_at"]:
        light = "paused"
    elif light == "yellow" and until is None:
        light = "trying"
    mark, text, style = _LIGHTS.get(light, ("●", Text(light, light), ""))
    word = output.say(text)
    if until is not None and light in {"yellow", "red"}:
        word = output.say(_FOR, word=word, clock=clock_time(max(0.0, (until - now).total_seconds())))
    return Cell(f"{mark} {word}", style)


def _error(credential: CredentialShape, output: Output, now: datetime) -> str:
    error, at = credential["last_error"], moment(credential["last_error_at"])
    if not error:
        return ""
    return error if at is None else output.say(_AGO, error=error, age=age(at, now))


app = verb(
    "list",
    list_providers,
    (
        "filmgate providers list",
        "filmgate providers list --json | jq -r '.data[] | select(.light != \"green\").name'",
    ),
)
