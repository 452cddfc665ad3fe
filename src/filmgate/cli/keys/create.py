"""`filmgate keys create`."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import expiry, micros_per
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.session import Session
from filmgate.cli.shapes import CreatedKeyShape
from filmgate.cli.spending import SPENDING
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_ONCE: Final = Text(
    "Key `{name}` of account `{account}`. It is shown this once; the gate keeps only its hash.",
    "账户 `{account}` 的密钥 `{name}`。仅显示这一次，网关只保存其哈希。",
)
_NEXT: Final = Text("Next, with FILMGATE_API_KEY set to it:", "下一步（先将 FILMGATE_API_KEY 设为该密钥）：")


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a key may spend, and how much of it at a time."""

    budget: Annotated[
        str | None,
        Parameter(group=SPENDING, help="What it may spend, in dollars: 20/month, 5/day, or 100 for good."),
    ] = None
    limits: Annotated[
        Literal["relay"] | None,
        Parameter(group=SPENDING, help="A preset; relay: 100 submits a minute, 10 unfinished films."),
    ] = None
    max_running: Annotated[
        int | None, Parameter(group=SPENDING, help="How many films at a time; more of them wait.")
    ] = None
    over_limit: Annotated[
        Literal["wait", "refuse"] | None,
        Parameter(
            group=SPENDING, help="Whether films beyond --max-running wait (as they do else) or are refused."
        ),
    ] = None
    max_unfinished: Annotated[
        int | None, Parameter(group=SPENDING, help="How many unfinished films; more are refused.")
    ] = None
    submits_per_minute: Annotated[
        int | None, Parameter(group=SPENDING, help="How many submits a minute; more are refused.")
    ] = None

    def asked(self) -> Mapping[str, Json]:
        """Give the gate's own words for it; raise ValueError for what is no budget."""
        amount, period = (None, None) if self.budget is None else micros_per(self.budget)
        said: dict[str, Json] = {
            "budget_micros": amount,
            "budget_period": period,
            "limits": self.limits,
            "max_running": self.max_running,
            "max_unfinished": self.max_unfinished,
            "submits_per_minute": self.submits_per_minute,
        }
        return said if self.over_limit is None else said | {"over_limit": self.over_limit}


UNLIMITED: Final = Limits()


def create(
    name: str,
    /,
    *,
    account: Annotated[str | None, Parameter(help="Join this account (a team); else one of its own.")] = None,
    dialect: Annotated[str | None, Parameter(help="Always speak this dialect on shared paths.")] = None,
    language: Annotated[
        Literal["zh", "en"] | None,
        Parameter(help="What its errors say, whatever a request or its dialect asks for."),
    ] = None,
    strict: Annotated[
        bool, Parameter(negative="", help="Answer with exactly the documented fields.")
    ] = False,
    soften: Annotated[
        bool, Parameter(negative="", help="Let a refused prompt be softened and sent once more.")
    ] = False,
    expires: Annotated[str | None, Parameter(help="30d, 12h, or a date such as 2026-12-31.")] = None,
    limits: Limits = UNLIMITED,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Create a key; its secret is shown this once."""
    session = operator_session(manner, place)
    try:
        until = None if expires is None else expiry(expires, session.clock.now())
        limited = limits.asked()
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    asked: dict[str, Json] = {"name": name, "account": account, "dialect": dialect, "strict": strict}
    asked["soften"] = soften
    if language is not None:
        asked["language"] = language
    asked |= {"expires_at": None if until is None else until.isoformat(), **limited}
    made = cast("CreatedKeyShape", session.gate.ask("POST", "/admin/v1/keys", asked))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", made))
        return Exit.DONE
    output.answer(made["key"])
    if output.form is Form.HUMAN:
        tell_once(session, made)
    return Exit.DONE


def tell_once(session: Session, made: CreatedKeyShape) -> None:
    """Say whose key it is, and what to do with it."""
    output = session.output
    output.note(output.say(_ONCE, name=made["name"], account=made["account"]))
    output.note()
    output.note(output.say(_NEXT), "dim")
    output.note(_curl(session.gate.address.base_url), "dim")


def _curl(base_url: str) -> str:
    return (
        f"curl -sS {shlex.quote(base_url)}/v1/videos \\\n"
        '  -H "Authorization: Bearer $FILMGATE_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"model": "animatic", "prompt": "a paper boat on a rainy street"}\''
    )


app = verb(
    "create",
    create,
    (
        "filmgate keys create team-a",
        "filmgate keys create ci --account team-a --budget 20/month --max-running 2",
        "filmgate keys create app --limits relay --expires 90d",
        "filmgate keys create ci --json | jq -r .key",
    ),
)
