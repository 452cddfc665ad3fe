"""`filmgate accounts topup` and `adjust`."""

from typing import Annotated, Final, cast
from uuid import UUID

from cyclopts import Parameter

from filmgate.cli.accounts.shapes import BalanceAfterShape
from filmgate.cli.accounts.showing import path_of
from filmgate.cli.address import HERE, Place
from filmgate.cli.client import UnreachableError
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import micros_of, money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.session import Session
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_GIVEN: Final = Text(
    "{name} was given {amount}; its balance is {balance}.", "已为 {name} 充值 {amount}，余额 {balance}。"
)
_TAKEN: Final = Text(
    "{amount} was taken from {name}; its balance is {balance}.", "已从 {name} 扣回 {amount}，余额 {balance}。"
)
_UNKNOWN: Final = Text(
    "Whether the money was booked is not known: see `filmgate ledger export` before it is sent again.",
    "无法确认是否已入账：再次发送前请查看 `filmgate ledger export`。",
)
_WHY: Final = "Say why with --note: it stays in the ledger."
_AN_AMOUNT: Final = (
    "An amount above 0 is needed; what was given by mistake is taken by `filmgate accounts adjust`."
)


def topup(
    name: Annotated[str, Parameter(name="NAME")],
    amount: Annotated[str, Parameter(name="AMOUNT", allow_leading_hyphen=True)],
    /,
    *,
    note: Annotated[str, Parameter(help="Why; it stays in the ledger.")] = "",
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Give an account money, in dollars."""
    return _book(name, _amount(amount), note, place, manner)


def adjust(
    name: Annotated[str, Parameter(name="NAME")],
    /,
    *,
    take: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="How much, in dollars; at most what the balance has.")
    ],
    note: Annotated[str, Parameter(help="Why; it stays in the ledger.")] = "",
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Take money from an account again, such as what was given by mistake."""
    return _book(name, -_amount(take), note, place, manner)


def _book(name: str, micros: int, note: str, place: Place, manner: Manner) -> int:
    if not note.strip():
        raise trouble("wrong_usage", reason=_WHY)
    session = operator_session(manner, place)
    after = _booked(session, f"{path_of(name)}/topup", {"amount_micros": micros, "reason": note})
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", after))
        return Exit.DONE
    balance, said = money(after["balance_micros"]), _GIVEN if micros > 0 else _TAKEN
    output.answer(output.say(said, name=name, amount=money(abs(micros)), balance=balance))
    return Exit.DONE


def _booked(session: Session, path: str, gift: Json) -> BalanceAfterShape:
    """Send it until it is answered, always with the same key, so that it is booked once."""
    key = str(UUID(bytes=session.chance.bytes(16), version=4))

    def send() -> BalanceAfterShape:
        answer = session.gate.ask("POST", path, gift, headers={"idempotency-key": key})
        return cast("BalanceAfterShape", answer)

    try:
        return send()
    except UnreachableError as error:
        if not error.sent:
            raise
    return session.persist(send, after=_UNKNOWN)


def _amount(written: str) -> int:
    try:
        micros = micros_of(written)
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    if not micros:
        raise trouble("wrong_usage", reason=_AN_AMOUNT)
    return micros


topup_app = verb(
    "topup",
    topup,
    ('filmgate accounts topup team-a 50 --note "invoice 2026-11"',),
)
adjust_app = verb(
    "adjust",
    adjust,
    ('filmgate accounts adjust team-a --take 50 --note "given twice"',),
)
