"""Quotes: prices that bind for a while, for one request, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.domain.price import Price
from filmgate.store.pool import Connection, Pool

_KEEP: Final = """
insert into quotes (id, account_id, key_id, body_sha256, price, amount_micros, expires_at)
values ($1, $2, $3, $4, $5, $6, now() + $7::interval) returning expires_at
"""

_LOCK: Final = """
select id, account_id, body_sha256, price, task_id, expires_at > now() as binding
from quotes where id = any($1::uuid[]) order by id for update
"""

_USE: Final = """
update quotes q set task_id = r.task_id from unnest($1::uuid[], $2::uuid[]) as r(id, task_id) where q.id = r.id
"""


@dataclass(frozen=True, slots=True)
class Quote:
    account_id: int
    body_sha256: bytes
    price: Price
    task_id: UUID | None
    binding: bool
    """Whether it has not expired."""


class Quotes:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def now(self) -> datetime:
        """Give the database's time, by which prices hold: that of no node counts."""
        now: datetime = await self._pool.fetchval("select now()")
        return now

    async def keep(
        self, id_: UUID, *, account_id: int, key_id: int, body_sha256: bytes, price: Price, binds: timedelta
    ) -> datetime:
        """Keep a quote; give when it expires."""
        values = (id_, account_id, key_id, body_sha256, price.as_json(), price.amount_micros, binds)
        expires: datetime = await self._pool.fetchval(_KEEP, *values)
        return expires


async def lock_quotes(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Quote]:
    if not ids:
        return {}
    found = await connection.fetch(_LOCK, sorted(set(ids)))
    return {row["id"]: _quote(row) for row in found}


async def use_quotes(connection: Connection, used: Mapping[UUID, UUID]) -> None:
    """Note which task each quote became."""
    if used:
        await connection.execute(_USE, list(used), list(used.values()))


def _quote(row: Any) -> Quote:  # noqa: ANN401  # asyncpg's Record types no column
    return Quote(
        account_id=row["account_id"],
        body_sha256=bytes(row["body_sha256"]),
        price=Price.from_json(row["price"]),
        task_id=row["task_id"],
        binding=row["binding"],
    )
