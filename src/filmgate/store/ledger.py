"""The books as operators read them: the audit, every entry, and sums of what was charged and what it cost."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from filmgate.store.audit import Finding, audit
from filmgate.store.pool import Pool

Dimension = Literal["account", "key", "model", "provider", "day"]
DIMENSIONS: Final[Sequence[Dimension]] = ("account", "key", "model", "provider", "day")

# What is there when it begins: of a booking that is made meanwhile, nothing.
_LAST: Final = "select coalesce(max(id), 0) from ledger"
# A page at a time: a reader that is slow must not hold a connection. A booking without entries is a row of its own,
# since its page goes on from it.
_EXPORT: Final = """
with page as (
    select * from ledger l
    where l.id > $3 and l.id <= $4 and ($1::timestamptz is null or l.at >= $1) and ($2::timestamptz is null or l.at < $2)
    order by l.id limit $5
)
select l.at, l.id, l.kind, l.task_id, l.model, a.name as account, l.key_id, k.name as key, e.account as side,
    e.amount_micros, l.author, l.reason
from page l left join entries e on e.ledger_id = l.id
left join accounts a on a.id = l.account_id left join keys k on k.id = l.key_id
order by l.id, e.account
"""
_PAGE: Final = 2_000

# What an attempt cost belongs to its own provider; what a film was charged, to the one that was asked last.
_SUMS: Final = """
with ended as (
    select t.id, t.account_id, t.key_id, t.model, (t.ended_at at time zone 'UTC')::date as day, t.state, t.hold_micros,
        t.cost_micros
    from tasks t where t.ended_at is not null
        and ($1::timestamptz is null or t.ended_at >= $1) and ($2::timestamptz is null or t.ended_at < $2)
), parts as (
    select e.account_id, e.key_id, e.model, last.provider, e.day, 1 as films, e.cost_micros as charged,
        e.hold_micros - e.cost_micros as returned, 0::bigint as cost, 0::bigint as perhaps, 0 as unpriced
    from ended e left join lateral (
        select provider from attempts a where a.task_id = e.id order by a.clip_no desc, a.no desc limit 1
    ) last on true
    union all
    select e.account_id, e.key_id, e.model, a.provider, e.day, 0, 0, 0, coalesce(a.vendor_cost_micros, 0),
        case when a.vendor_cost_micros is null and a.state = 'abandoned' and e.state <> 'cancelled'
            then coalesce(a.list_cost_micros, 0) else 0 end,
        (a.vendor_cost_micros is null and a.state = 'done')::int
    from ended e join attempts a on a.task_id = e.id
)
select {chosen} sum(p.films)::bigint as films, sum(p.charged)::bigint as charged_micros,
    sum(p.returned)::bigint as returned_micros, sum(p.cost)::bigint as cost_micros,
    sum(p.charged - p.cost)::bigint as margin_micros, sum(p.perhaps)::bigint as perhaps_micros,
    sum(p.unpriced)::bigint as unpriced_attempts
from parts p left join accounts a on a.id = p.account_id left join keys k on k.id = p.key_id
{grouped}
"""
_CHOSEN: Final[dict[Dimension, tuple[str, str]]] = {
    "account": ("a.name as account", "a.name"),
    "key": ("p.key_id, k.name as key", "p.key_id, k.name"),
    "model": ("p.model", "p.model"),
    "provider": ("p.provider", "p.provider"),
    "day": ("p.day", "p.day"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What films that have ended came to; of what it was not summed by is None."""

    account: str | None = None
    key_id: int | None = None
    key: str | None = None
    model: str | None = None
    provider: str | None = None
    day: date | None = None
    films: int
    charged_micros: int
    returned_micros: int
    cost_micros: int
    """What vendors are paid: what they said themselves, else by the costs in the settings."""
    margin_micros: int
    perhaps_micros: int
    """What attempts would cost of which nobody knows whether the vendor bills them."""
    unpriced_attempts: int
    """How many clips were made of which nobody knows what they cost."""


class Ledger:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def check(self) -> Sequence[Finding]:
        """Audit the books as they stand at one moment; an empty answer is a clean bill."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute("set local statement_timeout = 0")
            # Hashing a hundred thousand bookings in memory, where spilling them takes as long again.
            await connection.execute("set local work_mem = '64MB'")
            return await audit(connection)

    async def export(self, start: datetime | None, end: datetime | None) -> AsyncIterator[dict[str, Any]]:
        """Give every entry of a time, oldest first, that was there at the beginning."""
        after, last = 0, await self._pool.fetchval(_LAST)
        while found := await self._pool.fetch(_EXPORT, start, end, after, last, _PAGE):
            for row in found:
                if row["side"] is not None:
                    yield dict(row)
            after = found[-1]["id"]

    async def sums(
        self, start: datetime | None, end: datetime | None, by: Sequence[Dimension]
    ) -> Sequence[Sum]:
        """Sum what films came to that ended in a time; without dimensions all of them are one."""
        chosen = "".join(f"{_CHOSEN[dimension][0]}, " for dimension in by)
        places = ", ".join(_CHOSEN[dimension][1] for dimension in by)
        grouped = f"group by {places} order by {places}" if by else "having count(*) > 0"
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute("set local statement_timeout = '60s'")
            found = await connection.fetch(_SUMS.format(chosen=chosen, grouped=grouped), start, end)
        return [Sum(**dict(row)) for row in found]
