"""Accounts: what they may spend, what they have, and what an operator gives or takes, each as a ledger entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from filmgate.store.funds import LOCK_ACCOUNTS
from filmgate.store.pool import Pool

_COLUMNS: Final = """a.id, a.name, a.balance_micros, a.credit_micros, a.held_micros, a.budget_micros, a.budget_period,
    a.spent_micros, a.unfinished, a.max_unfinished, a.max_running, a.submits_per_minute, a.created_at"""

_LIST: Final = f"select {_COLUMNS} from accounts a order by a.id"  # noqa: S608  # the columns are ours
_FIND: Final = f"select {_COLUMNS} from accounts a where a.name = $1"  # noqa: S608  # the columns are ours
_FIND_ID: Final = f"select {_COLUMNS} from accounts a where a.id = $1"  # noqa: S608  # the columns are ours

_SET: Final = f"""
update accounts a set credit_micros = case when $2 then $3 else a.credit_micros end,
    budget_micros = case when $4 then $5 else a.budget_micros end,
    budget_period = case when $6 then $7 else a.budget_period end,
    max_running = case when $8 then $9 else a.max_running end,
    max_unfinished = case when $10 then $11 else a.max_unfinished end,
    submits_per_minute = case when $12 then $13 else a.submits_per_minute end
where a.name = $1 returning {_COLUMNS}
"""  # noqa: S608  # the columns are ours

_GIVE: Final = """
with entry as (
    insert into ledger (kind, author, reason) values ($2, $3, $4) returning id
), sides as (
    insert into entries (ledger_id, account, amount_micros)
    select entry.id, side.account, side.amount from entry
    cross join lateral (values ('available:' || $1::bigint, $5::bigint), ($6::text, -$5::bigint)) as side(account, amount)
)
update accounts set balance_micros = balance_micros + $5 where id = $1 returning balance_micros
"""

_KEY: Final = """
select k.budget_micros, k.budget_period, k.spent_micros, k.held_micros, k.unfinished from keys k where k.id = $1
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
    held_micros: int
    unfinished: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A value to write, which may be None; a Setting that is not there leaves what is."""

    value: int | str | None


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

    async def set(
        self,
        name: str,
        *,
        credit: Setting | None = None,
        budget: Setting | None = None,
        budget_period: Setting | None = None,
        max_running: Setting | None = None,
        max_unfinished: Setting | None = None,
        submits_per_minute: Setting | None = None,
    ) -> AccountRow | None:
        """Write what is given; None where there is no such account."""
        row = await self._pool.fetchrow(
            _SET,
            name,
            *_given(credit),
            *_given(budget),
            *_given(budget_period),
            *_given(max_running),
            *_given(max_unfinished),
            *_given(submits_per_minute),
        )
        return None if row is None else _account(row)

    async def give(self, account_id: int, amount_micros: int, *, author: str, reason: str) -> int:
        """Add to a balance, or take from it where the amount is negative; give the new balance."""
        kind, other = ("topup", "grants") if amount_micros > 0 else ("adjust", "adjustments")
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK_ACCOUNTS, [account_id])
            values = (account_id, kind, author, reason, amount_micros, other)
            return int(await connection.fetchval(_GIVE, *values))


def _given(setting: Setting | None) -> tuple[bool, int | str | None]:
    return setting is not None, None if setting is None else setting.value


def _account(row: Any) -> AccountRow:  # noqa: ANN401  # asyncpg's Record types no column
    return AccountRow(**dict(row))
