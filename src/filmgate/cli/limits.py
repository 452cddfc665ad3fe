"""Limits as operators change them, where what is not named stays, and as they read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter

from filmgate.cli.errors import trouble
from filmgate.cli.measures import micros_per, money
from filmgate.cli.output import Json, Output
from filmgate.cli.spending import SPENDING
from filmgate.cli.text import Text

T = TypeVar("T")

_NONE: Final = "none"
_PERIODS: Final = {"day": Text("{money}/day", "{money}/日"), "month": Text("{money}/month", "{money}/月")}


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an account, or a key, may spend, and how much of it at a time; `none` takes a limit away."""

    budget: Annotated[
        str | None,
        Parameter(
            group=SPENDING,
            allow_leading_hyphen=True,
            help="What it may spend, in dollars: 20/month, 5/day, 100 for good, or none.",
        ),
    ] = None
    max_running: Annotated[
        str | None,
        Parameter(
            group=SPENDING,
            allow_leading_hyphen=True,
            help="How many films at a time, or none; more of them wait.",
        ),
    ] = None
    max_unfinished: Annotated[
        str | None,
        Parameter(
            group=SPENDING,
            allow_leading_hyphen=True,
            help="How many unfinished films, or none; more are refused.",
        ),
    ] = None
    submits_per_minute: Annotated[
        str | None,
        Parameter(
            group=SPENDING,
            allow_leading_hyphen=True,
            help="How many submits a minute, or none; more are refused.",
        ),
    ] = None

    def asked(self) -> Mapping[str, Json]:
        """Give the gate's own words for what was named; raise CliError for what is no limit."""
        counts = {
            "max_running": self.max_running,
            "max_unfinished": self.max_unfinished,
            "submits_per_minute": self.submits_per_minute,
        }
        said: dict[str, Json] = {
            name: or_none(value, _count) for name, value in counts.items() if value is not None
        }
        if self.budget is not None:
            said["budget_micros"], said["budget_period"] = or_none(self.budget, micros_per) or (None, None)
        return said


UNNAMED: Final = Limits()


def or_none(written: str, read: Callable[[str], T]) -> T | None:
    """Read a limit, or `none`; raise CliError for what is neither."""
    if written.strip().lower() == _NONE:
        return None
    try:
        return read(written)
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None


def budget_text(micros: int | None, period: str | None, output: Output) -> str:
    """Give `$20.00/month` as it was written."""
    if micros is None:
        return "–"
    amount, said = money(micros), _PERIODS.get(period or "")
    return amount if said is None else output.say(said, money=amount)


def _count(written: str) -> int:
    if not (written.isascii() and written.isdigit() and int(written)):
        raise ValueError(f"`{written}` is no limit: write a whole number above 0, or none")
    return int(written)
