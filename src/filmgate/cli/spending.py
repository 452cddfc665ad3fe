"""Money before a film is made: its price with the arithmetic, what is left, and who agreed to it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, cast

from cyclopts import Group, Parameter

from filmgate.cli.address import setting
from filmgate.cli.errors import CliError, trouble
from filmgate.cli.measures import clip_lengths, micros_of, money
from filmgate.cli.output import Json, Output
from filmgate.cli.session import STRANGER_S, Session
from filmgate.cli.shapes import LineShape, QuoteShape
from filmgate.cli.text import Text, printable

SPENDING: Final = Group("Spending", sort_key=30)

_QUOTE_S: Final = 60.0
_CONFIRM_ABOVE: Final = "1"
_NOTHING_STARTED: Final = Text("Nothing was started.", "未开始任何任务。")
_ASKED: Final = Text("Make this film for {money}? [y/N] ", "确认以 {money} 生成该视频？[y/N] ")
_HELD: Final = Text("{money} held", "预扣 {money}")
_CHARGED: Final = Text("{money} charged", "实扣 {money}")
_LEFT: Final = Text("left {money}", "剩余 {money}")


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """How much a film may cost before somebody is asked, and at all."""

    max_cost: Annotated[
        str | None, Parameter(group=SPENDING, help="The most that it may cost, in dollars: 0.5.")
    ] = None
    yes: Annotated[
        bool,
        Parameter(
            name=["--yes", "-y"],
            group=SPENDING,
            negative="",
            help="Do not ask, whatever it costs. Else a price above $1 is asked about (FILMGATE_CONFIRM_ABOVE).",
        ),
    ] = False

    def consent(self, env: Mapping[str, str]) -> "Consent":
        """Read the amounts; raise CliError for what is none."""
        above = setting(env, "FILMGATE_CONFIRM_ABOVE") or _CONFIRM_ABOVE
        try:
            limit = None if self.max_cost is None else micros_of(self.max_cost)
            return Consent(yes=self.yes, limit_micros=limit, ask_above_micros=micros_of(above))
        except ValueError as error:
            raise trouble("wrong_usage", reason=str(error)) from None


CAREFUL: Final = Spending()


@dataclass(frozen=True, slots=True)
class Consent:
    yes: bool
    limit_micros: int | None
    ask_above_micros: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The ceiling again, for the gate to hold by itself."""
        return {} if self.limit_micros is None else {"x-filmgate-max-cost": str(self.limit_micros)}


def ask_price(session: Session, body: Mapping[str, Json], *, key: str | None = None) -> QuoteShape:
    """Ask what a film would cost, as an operator what it would cost another's key; nothing is started by that."""
    path, said = ("/gate/v1/quote", body) if key is None else ("/admin/v1/quote", {**body, "key": key})

    def ask() -> QuoteShape:
        return cast("QuoteShape", session.gate.ask("POST", path, said, timeout_s=_QUOTE_S))

    try:
        return session.persist(ask, stranger_s=STRANGER_S, after=_NOTHING_STARTED)
    except KeyboardInterrupt:
        raise trouble("not_started") from None


def agree(output: Output, quote: QuoteShape, consent: Consent) -> None:
    """Return where the price is agreed to; raise CliError, with nothing started, where it is not."""
    short = shortage(quote)
    if short is not None:
        raise short
    confirm(output, quote["amount_micros"], consent, ask_above_micros=consent.ask_above_micros)


def confirm(output: Output, price: int, consent: Consent, *, ask_above_micros: int) -> None:
    """Return where a price is agreed to: it is small, was allowed beforehand, or somebody says yes."""
    if consent.limit_micros is not None and price > consent.limit_micros:
        raise trouble("max_cost", price=money(price), limit=money(consent.limit_micros))
    if price <= ask_above_micros or consent.yes or consent.limit_micros is not None:
        return
    if not (sys.stdin.isatty() and output.stderr.isatty()):
        raise trouble("unconfirmed", price=money(price))
    try:
        agreed = output.agreed(_ASKED.filled(money=money(price)))
    except KeyboardInterrupt:
        output.note()
        raise trouble("not_started") from None
    if not agreed:
        raise trouble("declined")


def shortage(quote: QuoteShape) -> CliError | None:
    """Say that a film cannot be paid, where it cannot."""
    left = quote["remaining_micros"]
    if left is None or quote["amount_micros"] <= left:
        return None
    return trouble("unaffordable", price=money(quote["amount_micros"]), left=money(max(left, 0)))


def spent_text(cost_micros: int | None, held_micros: int) -> Text:
    """Say what a task was charged, which may be nothing; or what it holds, while that is not known."""
    if cost_micros is None:
        return _HELD.filled(money=money(held_micros))
    return _CHARGED.filled(money=money(cost_micros))


def price_line(quote: QuoteShape, output: Output) -> str:
    """Give `veo-3.1-fast · 8 s · 1280x720 · $0.80 (8 s × $0.10) · left $12.40`."""
    price = money(quote["amount_micros"])
    if quote["amount_micros"]:
        price += f" ({arithmetic(quote['lines'])})"
    left = quote["remaining_micros"]
    parts = [quote["model"], clip_lengths(quote["clips"]), quote["size"], price]
    return printable(" · ".join(parts + ([] if left is None else [output.say(_LEFT, money=money(left))])))


def arithmetic(lines: Sequence[LineShape]) -> str:
    return " + ".join(line_arithmetic(line) for line in lines)


def line_arithmetic(line: LineShape) -> str:
    """Give `8 s × $0.10`; a unit that this program does not know is said as the gate names it."""
    unit = "s" if line["unit"] == "second" else line["unit"]
    return f"{line['quantity']} {unit} × {money(line['unit_price_micros'])}"
