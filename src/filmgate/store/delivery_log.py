"""The log of deliveries, for whoever owns them and for operators; and the replay of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.domain.limits import REPLAYED_TRIES, REPLAYED_WITHIN, TRIES_SHOWN
from filmgate.domain.webhook import host_of
from filmgate.store.pool import Pool

# A delivery that is replayed again and again has as many tries as one likes: the latest are shown.
_COLUMNS: Final = f"""d.id, d.account_id, (select name from accounts where id = d.account_id) as account,
    d.endpoint_id, d.url, d.task_id, d.event, d.state, d.tries, d.created_at,
    d.ended_at, case when d.lease_by is null or d.due_at <= now() then d.due_at end as next_at,
    (select coalesce(jsonb_agg(jsonb_build_object('at', y.at, 'status', y.status, 'duration_ms', y.duration_ms,
        'answer', y.answer, 'error', y.error) order by y.id), '[]') from (
            select * from delivery_tries where delivery_id = d.id order by id desc limit {TRIES_SHOWN}) y) as tried"""  # noqa: S608  # a number of ours
_MINE: Final = "($1::bigint is null or d.account_id = $1)"

# What is asked for is written out, so that an index is read of what is few.
_OF_STATE: Final = {
    "due": "(d.ready or d.state = 'due' and not d.ready)",
    "delivered": "d.state = 'delivered'",
    "given_up": "d.state = 'given_up'",
}
_PAGE: Final = f"""
select {_COLUMNS} from deliveries d
where {{whose}} and {{of_state}} and {{of_task}} and ($3::uuid is null or d.endpoint_id = $3)
    and ($4::uuid is null or (d.created_at, d.id) < (select c.created_at, c.id from deliveries c where c.id = $4))
order by d.created_at desc, d.id desc limit $5
"""  # noqa: S608  # the columns are ours

_FIND: Final = f"select {_COLUMNS} from deliveries d where {_MINE} and d.id = $2"  # noqa: S608  # the columns are ours

_ADDRESS: Final = """
select coalesce(e.url, d.url) from deliveries d left join endpoints e on e.id = d.endpoint_id where d.id = $1
"""

# One that is in hand is being told just now: there is nothing to replay. It goes where its endpoint is now.
_REPLAY: Final = f"""
update deliveries d set url = $3, host = $4, state = 'due', due_at = now(), ended_at = null, tries = 0, lease_by = null,
    ready = true
where {_MINE} and d.id = $2 and (d.lease_by is null or d.due_at <= now())
"""  # noqa: S608  # the condition is ours

# Since when it was told as often as it may be.
_OFTEN: Final = """
select min(at) - now() + $3::interval from (
    select at from delivery_tries where delivery_id = $1 order by id desc limit $2) y
having count(*) filter (where at > now() - $3::interval) >= $2
"""

_TELLABLE: Final = f"""
select d.endpoint_id is null or exists (
    select from endpoints e where e.id = d.endpoint_id and e.deleted_at is null and e.disabled_at is null)
from deliveries d where {_MINE} and d.id = $2
"""  # noqa: S608  # the condition is ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    at: datetime
    status: int | None
    duration_ms: int
    answer: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event for one address, with all tries so far."""

    id: UUID
    account_id: int
    account: str
    endpoint_id: UUID | None
    url: str
    task_id: UUID
    event: str
    state: str
    tries: int
    created_at: datetime
    ended_at: datetime | None
    next_at: datetime | None
    """None while a try is in hand, and when there will be none."""
    tried: Sequence[Try]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries to list; what is None does not matter."""

    account_id: int | None
    state: str | None = None
    task_id: UUID | None = None
    endpoint_id: UUID | None = None
    after: UUID | None = None


class DeliveryLog:
    """Reads for one account, or for operators, who name None."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, wanted: Wanted, limit: int) -> tuple[Sequence[Delivery], bool]:
        """Give up to `limit` deliveries, newest first, and whether there are more."""
        asked = _PAGE.format(
            whose="$1::bigint is null" if wanted.account_id is None else "d.account_id = $1::bigint",
            of_task="$2::uuid is null" if wanted.task_id is None else "d.task_id = $2::uuid",
            of_state="true" if wanted.state is None else _OF_STATE[wanted.state],
        )
        values = (wanted.account_id, wanted.task_id, wanted.endpoint_id, wanted.after)
        found = [_delivery(row) for row in await self._pool.fetch(asked, *values, limit + 1)]
        return found[:limit], len(found) > limit

    async def find(self, account_id: int | None, id_: UUID) -> Delivery | None:
        row = await self._pool.fetchrow(_FIND, account_id, id_)
        return None if row is None else _delivery(row)

    async def tellable(self, account_id: int | None, id_: UUID) -> bool | None:
        """Say whether its endpoint still takes deliveries; None where there is no such delivery."""
        found: bool | None = await self._pool.fetchval(_TELLABLE, account_id, id_)
        return found

    async def too_often(self, id_: UUID) -> timedelta | None:
        """Say for how long a delivery may not be replayed, since it was told so often; None where it may be."""
        wait: timedelta | None = await self._pool.fetchval(_OFTEN, id_, REPLAYED_TRIES, REPLAYED_WITHIN)
        return wait

    async def replay(self, account_id: int | None, id_: UUID) -> None:
        """Make it due now, with its whole schedule before it; its id and its bytes stay what they were."""
        url = await self._pool.fetchval(_ADDRESS, id_)
        if url is not None:
            await self._pool.execute(_REPLAY, account_id, id_, url, host_of(url))


def _delivery(row: Any) -> Delivery:  # noqa: ANN401  # asyncpg's Record types no column
    tried = [Try(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in row["tried"]]
    return Delivery(**{**dict(row), "tried": tried})
