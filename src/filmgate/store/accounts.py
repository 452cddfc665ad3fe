"""Accounts: what they may spend, what they have, and what an operator gives or takes, each as a ledger entry."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from filmgate.domain.limits import IDEMPOTENCY_MEMORY
from filmgate.store.allowance import PERIOD_ENDS, SPENT, Allowance, Setting
from filmgate.store.funds import lock_owners
from filmgate.store.idempotency import known, note
from filmgate.store.patience import whole_again
from filmgate.store.pool import Connection, Pool

_COLUMNS: Final = f"""a.id, a.name, a.balance_micros, a.credit_micros, a.held_micros, a.budget_micros, a.budget_period,
    {SPENT.format(row="a")}, {PERIOD_ENDS.format(row="a")},
    a.unfinished, a.max_unfinished, a.max_running, a.submits_per_minute, a.created_at"""

_LIST: Final = f"select {_COLUMNS} from accounts a order by a.id"  # noqa: S608  # the columns are ours
_FIND: Final = f"select {_COLUMNS} from accounts a where a.name = $1"  # noqa: S608  # the columns are ours
_FIND_ID: Final = f"select {_COLUMNS} from accounts a where a.id = $1"  # noqa: S608  # the columns are ours

_OPEN: Final = "insert into accounts (name) values ($1) on conflict (name) do nothing returning id"
_LOCK_NAMED: Final = "select id from accounts where name = $1 for no key update"

_ALLOWED: Final = Allowance(
    table="accounts",
    columns=(
        "credit_micros", "budget_micros", "budget_period", "max_running", "max_unfinished", "submits_per_minute",
    ),
    owns="l.account_id = p.id",
)  # fmt: skip
_SET: Final = _ALLOWED.statement

_GIVE: Final = """
with entry as (
    insert into ledger (kind, author, reason, account_id) values ($2, $3, $4, $1) returning id
), sides as (
    insert into entries (ledger_id, account, amount_micros)
    select entry.id, side.account, side.amount from entry
    cross join lateral (values ('available:' || $1::bigint, $5::bigint), ($6::text, -$5::bigint)) as side(account, amount)
)
update accounts set balance_micros = balance_micros + $5 where id = $1
returning balance_micros, (select id from entry) as entry
"""

# No header of a client can say the line break: no key of a submit is one of a gift.
_GIFT_KEY: Final = "\ngift "
# Bookings of an account are written under its lock, so those up to one are those before it.
_AFTER_GIFT: Final = """
select coalesce(sum(amount_micros), 0)::bigint from entries where account = 'available:' || $1::bigint and ledger_id <= $2
"""

_KEY: Final = f"""
select k.budget_micros, k.budget_period, {SPENT.format(row="k")}, {PERIOD_ENDS.format(row="k")},
    k.held_micros, k.unfinished from keys k where k.id = $1
"""  # noqa: S608  # our own text

_RETURNED: Final = """
select coalesce(sum(e.amount_micros), 0)::bigint
from keys k join ledger l on l.account_id = k.account_id and l.key_id = k.id and l.kind = 'close'
    and l.at >= coalesce(date_trunc(k.budget_period, now(), 'UTC'), k.created_at)
join entries e on e.ledger_id = l.id and e.account like 'available:%'
where k.id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account as operators see it; without a credit it spends freely."""

    id: int
    name: str
    balance_micros: int
    credit_micros: int | None
    held_micros: int
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    period_ends_at: datetime | None
    unfinished: int
    max_unfinished: int | None
    max_running: int | None
    submits_per_minute: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFunds:
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    period_ends_at: datetime | None
    held_micros: int
    unfinished: int


@dataclass(frozen=True, slots=True)
class Given:
    """A gift as it was booked; `replayed` where it was booked before, and this time not."""

    balance_micros: int
    replayed: bool = False


class GiftMismatchError(Exception):
    """The key stands for another gift."""


class Accounts:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> "list[AccountRow]":
        return [_account(row) for row in await self._pool.fetch(_LIST)]

    async def find(self, name: str) -> AccountRow | None:
        row = None if "\0" in name else await self._pool.fetchrow(_FIND, name)
        return None if row is None else _account(row)

    async def of_owner(self, account_id: int, key_id: int) -> tuple[AccountRow | None, KeyFunds | None]:
        """Give the funds of a request's account and of its key."""
        account = await self._pool.fetchrow(_FIND_ID, account_id)
        key = await self._pool.fetchrow(_KEY, key_id)
        return (
            None if account is None else _account(account),
            None if key is None else KeyFunds(**dict(key)),
        )

    async def returned_micros(self, key_id: int) -> int:
        """Sum what was held for a key in its period, and given back."""
        return int(await self._pool.fetchval(_RETURNED, key_id))

    async def create(self, name: str, **settings: Setting) -> AccountRow | None:
        """Open an account with what is given, by the names that `set` has; None where there is one of that name."""
        async with self._pool.acquire() as connection, connection.transaction():
            opened = await connection.fetchval(_OPEN, name)
            return None if opened is None else await _set(connection, opened, settings)

    async def set(self, name: str, **settings: Setting) -> AccountRow | None:
        """Write what is given of `credit_micros`, `budget_micros`, `budget_period`, and the three limits.

        None where there is no such account.
        """
        if "\0" in name:
            return None
        async with self._pool.acquire() as connection, connection.transaction():
            found = await connection.fetchval(_LOCK_NAMED, name)
            return None if found is None else await _set(connection, found, settings)

    @whole_again
    async def give(
        self, account_id: int, amount_micros: int, *, author: str, reason: str, key: str | None = None
    ) -> Given:
        """Add to a balance, or take from it where the amount is negative; with a key only once.

        Raise GiftMismatchError where the key stands for another gift.
        """
        kind, other = ("topup", "grants") if amount_micros > 0 else ("adjust", "adjustments")
        digest = hashlib.sha256(orjson.dumps([amount_micros, reason])).digest()
        async with self._pool.acquire() as connection, connection.transaction():
            await lock_owners(connection, [account_id])
            before = await _known_gift(connection, account_id, key, digest)
            if before is not None:
                return Given(before, replayed=True)
            values = (account_id, kind, author, reason, amount_micros, other)
            made = await connection.fetchrow(_GIVE, *values)
            if made is None:
                raise LookupError(account_id)
            if key is not None:
                entry = UUID(int=made["entry"])
                await note(connection, {(account_id, _GIFT_KEY + key): (digest, entry)})
        return Given(made["balance_micros"])


async def _known_gift(connection: Connection, account_id: int, key: str | None, digest: bytes) -> int | None:
    """Give the balance after a gift that was booked under that key; None where none was."""
    if key is None:
        return None
    found = await known(connection, account_id, _GIFT_KEY + key, IDEMPOTENCY_MEMORY)
    if found is None:
        return None
    before, entry = found
    if before != digest:
        raise GiftMismatchError
    return int(await connection.fetchval(_AFTER_GIFT, account_id, entry.int))


async def _set(connection: Connection, account_id: int, settings: Mapping[str, Setting]) -> AccountRow:
    await connection.execute(_SET, account_id, *_ALLOWED.values(settings))
    return _account(await connection.fetchrow(_FIND_ID, account_id))


def _account(row: Any) -> AccountRow:  # noqa: ANN401  # asyncpg's Record types no column
    return AccountRow(**dict(row))
