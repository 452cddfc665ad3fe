"""`filmgate keys change`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.keys.list import answer_keys
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.limits import UNNAMED, Limits, or_none
from filmgate.cli.measures import expiry
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.shapes import KeyShape
from filmgate.cli.spending import SPENDING
from filmgate.cli.verb import verb

_NOTHING: Final = (
    "Say what to change: --budget, --max-running, --expires, --language, or another of its settings."
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a key is answered, and for how long."""

    over_limit: Annotated[
        Literal["wait", "refuse"] | None,
        Parameter(group=SPENDING, help="Whether films beyond --max-running wait or are refused."),
    ] = None
    expires: Annotated[str | None, Parameter(help="30d, 12h, a date such as 2026-12-31, or none.")] = None
    dialect: Annotated[str | None, Parameter(help="Always speak this dialect on shared paths, or none.")] = (
        None
    )
    language: Annotated[
        Literal["zh", "en", "none"] | None,
        Parameter(help="What its errors say; none: what each request, or else its dialect, asks for."),
    ] = None
    strict: Annotated[bool | None, Parameter(help="Answer with exactly the documented fields.")] = None
    soften: Annotated[bool | None, Parameter(help="Let a refused prompt be softened and sent once more.")] = (
        None
    )

    def asked(self, now: datetime) -> Mapping[str, Json]:
        """Give the gate's own words for what was named; raise CliError for what is no time."""
        plain = {"over_limit": self.over_limit, "strict": self.strict, "soften": self.soften}
        said: dict[str, Json] = {name: value for name, value in plain.items() if value is not None}
        for name, value in (("dialect", self.dialect), ("language", self.language)):
            if value is not None:
                said[name] = or_none(value, str)
        if self.expires is not None:
            said["expires_at"] = or_none(self.expires, lambda text: expiry(text, now).isoformat())
        return said


UNCHANGED: Final = Manners()


def change(
    key: Annotated[str, Parameter(name="ID-OR-NAME")],
    /,
    *,
    limits: Limits = UNNAMED,
    manners: Manners = UNCHANGED,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Change what a key may spend, how much of it at a time, and how it is answered; what is not named stays.

    The key itself stays, and so does what it has spent: a budget that is set counts it from the beginning of its period.
    """
    session = operator_session(manner, place)
    asked = {**limits.asked(), **manners.asked(session.clock.now())}
    if not asked:
        raise trouble("wrong_usage", reason=_NOTHING)
    changed = cast("KeyShape", session.gate.ask("PATCH", f"/admin/v1/keys/{quote(key, safe='')}", asked))
    if session.output.form is Form.JSON:
        session.output.document(cast("Json", changed))
    else:
        answer_keys(session, [changed])
    return Exit.DONE


app = verb(
    "change",
    change,
    (
        "filmgate keys change ci --budget 50/month --max-running 4",
        "filmgate keys change 7 --budget none --expires 90d",
        "filmgate keys change ci --language en --strict",
    ),
)
