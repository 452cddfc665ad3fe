"""Funds and limits of accounts and keys: decided one request after the other, under the locks of both.

An account with a credit is prepaid and never falls below it; one without spends freely. Budgets hold for a day, a
month or for good; what is held counts as spent until it is returned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from filmgate.domain.limits import RETRY_AFTER_LONGEST, WINDOW_AHEAD
from filmgate.domain.money import dollars
from filmgate.store.pool import Connection

_LOCK: Final = """
select id, {balance} held_micros, budget_micros, budget_period, period_start, spent_micros, unfinished, max_unfinished,
    submits_per_minute, minute_start, minute_submits, max_running, {over_limit} as over_limit,
    now() as now
from {table} where id = any($1::bigint[]) order by id for no key update
"""
_ACCOUNTS: Final = _LOCK.format(
    table="accounts", balance="balance_micros, credit_micros,", over_limit="'wait'"
)
_KEYS: Final = _LOCK.format(
    table="keys",
    balance="null::bigint as balance_micros, null::bigint as credit_micros,",
    over_limit="over_limit",
)

_WRITE: Final = """
update {table} p set {balance} held_micros = r.held_micros, spent_micros = r.spent_micros, unfinished = r.unfinished,
    period_start = r.period_start, minute_start = r.minute_start, minute_submits = r.minute_submits
from jsonb_to_recordset($1::jsonb) as r(id bigint, balance_micros bigint, held_micros bigint, spent_micros bigint,
    unfinished int, period_start timestamptz, minute_start timestamptz, minute_submits int)
where p.id = r.id
"""
_WRITE_ACCOUNTS: Final = _WRITE.format(table="accounts", balance="balance_micros = r.balance_micros,")
_WRITE_KEYS: Final = _WRITE.format(table="keys", balance="")

_LOCK_ACCOUNTS: Final = "select from accounts where id = any($1::bigint[]) order by id for no key update"
_LOCK_KEYS: Final = "select from keys where id = any($1::bigint[]) order by id for no key update"

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
# Nobody knows when a film ends; clients that are told nothing ask again at once.
_SOME_ARE_DONE_S: Final = 10
_TOO_DEAR: Final = frozenset({"insufficient_balance", "budget_exceeded"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request may not be accepted, as a code of the catalogue of problems."""

    code: str
    parameters: Mapping[str, str | int]
    affordable_micros: int | None = None
    """What a film may cost that its owner can pay, where it was too dear."""


class Budgeted(Protocol):
    """What may have a budget: an account, or a key of it."""

    @property
    def budget_micros(self) -> int | None: ...
    @property
    def spent_micros(self) -> int: ...
    @property
    def held_micros(self) -> int: ...


def left_of_balance(balance_micros: int | None, credit_micros: int | None) -> int | None:
    """Give what a balance can still pay; None where there is none, or it is spent from without limit."""
    return None if balance_micros is None or credit_micros is None else balance_micros + credit_micros


def left_of_budget(purse: Budgeted) -> int | None:
    """Give what a budget still allows, below zero where it was lowered; None where there is no budget."""
    return (
        None if purse.budget_micros is None else purse.budget_micros - purse.spent_micros - purse.held_micros
    )


def least(*left: int | None) -> int | None:
    """Give what may still be spent by whatever limits it most; None where nothing does."""
    return min((micros for micros in left if micros is not None), default=None)


@dataclass(slots=True)
class Purse:
    """What an account, or a key, has and has used."""

    id: int
    balance_micros: int | None
    credit_micros: int | None
    held_micros: int
    budget_micros: int | None
    budget_period: str | None
    period_start: datetime
    spent_micros: int
    unfinished: int
    max_unfinished: int | None
    submits_per_minute: int | None
    minute_start: datetime
    minute_submits: int
    max_running: int | None
    over_limit: str
    now: datetime

    def begin(self) -> None:
        """Start a new period, and a new minute, where the old one is over."""
        # One that begins in the future was begun before the clock was set back. Who waited for a lock may be behind a
        # little without that.
        if self.now - self.minute_start >= _MINUTE or self.minute_start - self.now > WINDOW_AHEAD:
            self.minute_start, self.minute_submits = self.now, 0
        start = _period_start(self.budget_period, self.now)
        if start is not None and self.period_start < start:
            self.period_start, self.spent_micros = start, 0
        elif start is not None and self.period_start - self.now > WINDOW_AHEAD:
            # What was spent is spent, and counts until the next period begins.
            self.period_start = start

    def refusal(self, price_micros: int) -> Refusal | None:
        """Say why a film of that price may not be accepted; None where it may."""
        if self.submits_per_minute is not None and self.minute_submits >= self.submits_per_minute:
            wait = max(1, int((self.minute_start + _MINUTE - self.now).total_seconds()) + 1)
            return Refusal("rate_limited", {"limit": self.submits_per_minute, "retry_after_s": wait})
        if self.max_unfinished is not None and self.unfinished >= self.max_unfinished:
            return Refusal(
                "too_many_tasks", {"limit": self.max_unfinished, "retry_after_s": _SOME_ARE_DONE_S}
            )
        left = left_of_balance(self.balance_micros, self.credit_micros)
        if left is not None and price_micros > left:
            return _short("insufficient_balance", price_micros, left)
        left = left_of_budget(self)
        if left is not None and price_micros > left:
            refusal = _short("budget_exceeded", price_micros, max(left, 0))
            return self._passing(refusal, price_micros)
        return None

    @property
    def left_micros(self) -> int | None:
        """What it can still pay; None where nothing limits that."""
        return least(left_of_balance(self.balance_micros, self.credit_micros), left_of_budget(self))

    def _passing(self, refusal: Refusal, price_micros: int) -> Refusal:
        """Say when to come again where the next period is near, and its budget is enough."""
        start = _period_start(self.budget_period, self.now)
        if start is None or self.budget_micros is None or price_micros > self.budget_micros:
            return refusal
        # The first days of this period and of the next are less than 32 apart.
        within = start + (_DAY if self.budget_period == "day" else 32 * _DAY)
        left = (_period_start(self.budget_period, within) or within) - self.now
        if left > RETRY_AFTER_LONGEST:
            return refusal
        wait = int(left.total_seconds()) + 1
        return replace(refusal, parameters={**refusal.parameters, "retry_after_s": wait})

    def full(self) -> Refusal | None:
        """Say why a film would have to wait for others of the same owner; None where it would not."""
        if self.max_running is None or self.unfinished < self.max_running:
            return None
        return Refusal("too_many_tasks", {"limit": self.max_running, "retry_after_s": _SOME_ARE_DONE_S})

    def take(self, price_micros: int) -> None:
        self.minute_submits += 1
        self.unfinished += 1
        self.held_micros += price_micros
        if self.balance_micros is not None:
            self.balance_micros -= price_micros

    def row(self) -> dict[str, object]:
        row = asdict(self)
        return {name: _plain(value) for name, value in row.items()}


class Purses:
    """The locked purses of a batch."""

    def __init__(self, accounts: Mapping[int, Purse], keys: Mapping[int, Purse]) -> None:
        self._accounts = _begun(accounts)
        self._keys = _begun(keys)
        self._found = (accounts, keys)

    @property
    def now(self) -> datetime:
        """The database's time."""
        return next(iter(self._accounts.values())).now

    def spend(self, account_id: int, key_id: int, price_micros: int) -> Refusal | None:
        """Take a price from both purses, or from none and say why."""
        purses = [self._accounts[account_id]]
        if key_id in self._keys:
            purses.append(self._keys[key_id])
        refuses = purses[-1].over_limit == "refuse"
        for purse in purses:
            refusal = purse.refusal(price_micros) or (purse.full() if refuses else None)
            if refusal is not None and refusal.code in _TOO_DEAR:
                return replace(refusal, affordable_micros=least(*(one.left_micros for one in purses)))
            if refusal is not None:
                return refusal
        for purse in purses:
            purse.take(price_micros)
        return None

    async def write(self, connection: Connection) -> None:
        """Write the purses that are not as they were found, be it only that a minute or a period began."""
        written = (_WRITE_ACCOUNTS, self._accounts), (_WRITE_KEYS, self._keys)
        for (statement, purses), found in zip(written, self._found, strict=True):
            changed = [purse.row() for purse in purses.values() if purse != found[purse.id]]
            if changed:
                await connection.execute(statement, changed)


async def lock_purses(connection: Connection, owners: Iterable[tuple[int, int]]) -> Purses:
    """Lock the accounts and keys of some requests, in the order in which everybody locks them."""
    pairs = list(owners)
    accounts = await connection.fetch(_ACCOUNTS, sorted({account_id for account_id, _ in pairs}))
    keys = await connection.fetch(_KEYS, sorted({key_id for _, key_id in pairs}))
    return Purses(_purses(accounts), _purses(keys))


async def lock_owners(connection: Connection, accounts: Iterable[int], keys: Iterable[int] = ()) -> None:
    """Lock accounts, and keys after them; everybody does so before credentials and work."""
    for statement, ids in ((_LOCK_ACCOUNTS, set(accounts)), (_LOCK_KEYS, set(keys))):
        if ids:
            await connection.execute(statement, sorted(ids))


def _purses(found: Sequence[Any]) -> dict[int, Purse]:
    return {row["id"]: Purse(**dict(row)) for row in found}


def _begun(found: Mapping[int, Purse]) -> dict[int, Purse]:
    purses = {id_: replace(purse) for id_, purse in found.items()}
    for purse in purses.values():
        purse.begin()
    return purses


def _period_start(period: str | None, now: datetime) -> datetime | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "day":
            return midnight
        case "month":
            return midnight.replace(day=1)
        case _:
            return None


def _short(code: str, price_micros: int, left_micros: int) -> Refusal:
    return Refusal(code, {"price": dollars(price_micros), "left": dollars(left_micros)})


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
