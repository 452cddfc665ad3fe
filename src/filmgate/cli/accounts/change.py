"""`filmgate accounts create`, `limit` and `credit`."""

from collections.abc import Mapping
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.accounts.shapes import AccountShape
from filmgate.cli.accounts.showing import answer_account, path_of
from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.limits import UNNAMED, Limits, or_none
from filmgate.cli.measures import micros_of
from filmgate.cli.output import PLAIN_MANNER, Json, Manner
from filmgate.cli.spending import SPENDING
from filmgate.cli.verb import verb

_NOTHING: Final = "Say what to change: --budget, --max-running, --max-unfinished or --submits-per-minute."


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
    limits: Limits = UNNAMED,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Open an account; `filmgate keys create NAME --account ACCOUNT` gives it keys."""
    asked: dict[str, Json] = {"name": name, **limits.asked()}
    if credit is not None:
        asked["credit_micros"] = or_none(credit, micros_of)
    session = operator_session(manner, place)
    made = cast("AccountShape", session.gate.ask("POST", "/admin/v1/accounts", asked))
    answer_account(session.output, made)
    return Exit.DONE


def limit(
    name: Annotated[str, Parameter(name="NAME")],
    /,
    *,
    limits: Limits = UNNAMED,
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
    return _change(name, {"credit_micros": or_none(amount, micros_of)}, place, manner)


def _change(name: str, asked: Mapping[str, Json], place: Place, manner: Manner) -> int:
    session = operator_session(manner, place)
    changed = cast("AccountShape", session.gate.ask("PATCH", path_of(name), dict(asked)))
    answer_account(session.output, changed)
    return Exit.DONE


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
