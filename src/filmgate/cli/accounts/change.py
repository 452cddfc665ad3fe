"""`filmgate accounts create`, `limit` and `credit`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar, cast

from cyclopts import Parameter

from filmgate.cli.accounts.shapes import AccountShape
from filmgate.cli.accounts.showing import answer_account, path_of
from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import micros_of, micros_per
from filmgate.cli.output import PLAIN_MANNER, Json, Manner
from filmgate.cli.spending import SPENDING
from filmgate.cli.verb import verb

T = TypeVar("T")

_NONE: Final = "none"
_NOTHING: Final = "Say what to change: --budget, --max-running, --max-unfinished or --submits-per-minute."


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """What all keys of an account may spend together, and how much of it at a time."""

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
            name: _read(value, _count) for name, value in counts.items() if value is not None
        }
        if self.budget is not None:
            said["budget_micros"], said["budget_period"] = _read(self.budget, micros_per) or (None, None)
        return said


UNNAMED: Final = AccountLimits()


def create(
    name: Annotated[str, Parameter(name="NAME")],
    /,
    *,
    credit: Annotated[
        str | None,
        Parameter(
            group=SPENDING,
            allow_leading_hyphen=True,
            help="How far below zero it may go: 0 is prepaid; else it spends freely.",
        ),
    ] = None,
    limits: AccountLimits = UNNAMED,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Open an account; `filmgate keys create NAME --account ACCOUNT` gives it keys."""
    asked: dict[str, Json] = {"name": name, **limits.asked()}
    if credit is not None:
        asked["credit_micros"] = _read(credit, micros_of)
    session = operator_session(manner, place)
    made = cast("AccountShape", session.gate.ask("POST", "/admin/v1/accounts", asked))
    answer_account(session.output, made)
    return Exit.DONE


def limit(
    name: Annotated[str, Parameter(name="NAME")],
    /,
    *,
    limits: AccountLimits = UNNAMED,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Say what an account may spend, and how much of it at a time; what is not named stays."""
    asked = limits.asked()
    if not asked:
        raise trouble("wrong_usage", reason=_NOTHING)
    return _change(name, asked, place, manner)


def credit(
    name: Annotated[str, Parameter(name="NAME")],
    amount: Annotated[str, Parameter(name="AMOUNT", allow_leading_hyphen=True)],
    /,
    *,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Say how far below zero an account's balance may go: 0 is prepaid, `none` spends freely."""
    return _change(name, {"credit_micros": _read(amount, micros_of)}, place, manner)


def _change(name: str, asked: Mapping[str, Json], place: Place, manner: Manner) -> int:
    session = operator_session(manner, place)
    changed = cast("AccountShape", session.gate.ask("PATCH", path_of(name), dict(asked)))
    answer_account(session.output, changed)
    return Exit.DONE


def _read(written: str, read: Callable[[str], T]) -> T | None:
    """Read a limit, or `none`; raise CliError for what is neither."""
    if written.strip().lower() == _NONE:
        return None
    try:
        return read(written)
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None


def _count(written: str) -> int:
    if not (written.isascii() and written.isdigit() and int(written)):
        raise ValueError(f"`{written}` is no limit: write a whole number above 0, or none")
    return int(written)


create_app = verb(
    "create",
    create,
    ("filmgate accounts create team-a", "filmgate accounts create team-a --credit 0 --budget 200/month"),
)
limit_app = verb(
    "limit",
    limit,
    (
        "filmgate accounts limit team-a --budget 200/month --max-running 4",
        "filmgate accounts limit team-a --budget none",
    ),
)
credit_app = verb(
    "credit",
    credit,
    ("filmgate accounts credit team-a 0", "filmgate accounts credit team-a none"),
)
