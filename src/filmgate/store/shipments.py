"""Films on their way into buckets of customers: written with a task's end, claimed under a fence, tried until there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from filmgate.domain.request import Json
from filmgate.store.notices import plain
from filmgate.store.pool import Connection, Pool
from filmgate.store.work import Boot

_INSERT: Final = """
insert into shipments (id, task_id, account_id, destination, name, object_key, size_bytes, due_at)
select r.id, f.task_id, f.account_id, r.destination, r.name, f.object_key, f.size_bytes, now()
from jsonb_to_recordset($1::jsonb) as r(id uuid, destination text, name text, file_id uuid)
join files f on f.id = r.file_id
on conflict (task_id, destination) do nothing
"""

# Whose film it is, for its name there, and where the films of that key go.
_WHOSE: Final = """
select k.name as key, a.name as account, k.destination from keys k join accounts a on a.id = k.account_id where k.id = $1
"""

# Asked for again it has its whole schedule before it; its name stays, so that no second copy comes to be.
_AGAIN: Final = """
update shipments set state = 'due', due_at = now(), ended_at = null, tries = 0, lease_by = null
where task_id = $1 and destination = $2 and (lease_by is null or due_at <= now()) returning id
"""

_ANY: Final = "select exists (select from shipments where state = 'due' and due_at <= now())"

# Some of each destination, so that what waits for a dead one hides nothing else; the rest are of none that is known.
_CLAIM: Final = """
with room as (
    select r.destination, r.most - (
        select count(*) from shipments b
        where b.lease_by is not null and b.destination = r.destination and b.lease_by = $1 and b.due_at > now()) as free
    from unnest($2::text[], $3::int[]) as r(destination, most)
), due as (
    select d.id from room cross join lateral (
        select s.id from shipments s
        where s.state = 'due' and s.due_at <= now() and s.destination = room.destination
        order by s.due_at limit greatest(0, room.free) for update skip locked
    ) d
), nowhere as (
    select s.id from shipments s
    where s.state = 'due' and s.due_at <= now() and not s.destination = any($2) limit 10 for update skip locked
)
update shipments s set fence = s.fence + 1, lease_by = $1, due_at = now() + $4::interval
from (select id from due union all select id from nowhere) mine where s.id = mine.id returning s.*
"""

_RENEW: Final = """
update shipments set due_at = now() + $3::interval where id = $1 and fence = $2 and state = 'due' returning id
"""

_SETTLE: Final = """
update shipments set state = $3, lease_by = null, tries = tries + 1, trouble = $5, error = $6,
    due_at = case $3 when 'due' then now() + $4::interval end, ended_at = case when $3 <> 'due' then now() end
where id = $1 and fence = $2 and state = 'due' returning id
"""

_RELEASE: Final = """
update shipments s set lease_by = null, due_at = now()
from boots b where s.lease_by = b.id and b.folder = $1 and b.id <> $2
"""

_KEPT: Final = (
    "select exists (select from files where object_key = $1 and coalesce(delete_after > now(), true))"
)

_OF_TASK: Final = "select * from shipments where task_id = $1 order by created_at, id"

# What is asked for is written out, so that an index is read of what is few.
_PAGE: Final = """
select * from shipments
where {of_state} and ($1::text is null or destination = $1)
    and ($2::uuid is null or (created_at, id) < (select created_at, id from shipments where id = $2))
order by created_at desc, id desc limit $3
"""

_SUMS: Final = """
select destination, count(*) filter (where state = 'due') as due, count(*) filter (where state = 'delivered') as delivered,
    count(*) filter (where state = 'given_up') as given_up, min(created_at) filter (where state = 'due') as oldest_at,
    max(trouble) filter (where state = 'due' and tries > 0) as trouble
from shipments group by destination order by destination
"""

_DROP: Final = """
update shipments set state = 'given_up', due_at = null, lease_by = null, ended_at = now(), trouble = 'absent',
    error = 'the task was deleted'
where task_id = $1 and state = 'due'
"""

_SET_DEFAULT: Final = """
update keys set destination = $2 where id = $1 and revoked_at is null and not operator returning id
"""


ShipmentState: TypeAlias = Literal["due", "delivered", "given_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShipment:
    """A film that is to be delivered; `name` is what it is called there."""

    id: UUID
    destination: str
    name: str
    file_id: UUID


@dataclass(frozen=True, slots=True)
class Whose:
    key: str
    account: str
    destination: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    id: UUID
    task_id: UUID
    account_id: int
    destination: str
    name: str
    object_key: str
    size_bytes: int
    state: ShipmentState
    due_at: datetime | None
    tries: int
    fence: int
    trouble: str | None
    error: str | None
    created_at: datetime
    ended_at: datetime | None
    leased: bool
    """Whether a try is, or was, in hand when it was read."""


@dataclass(frozen=True, slots=True)
class Sum:
    destination: str
    due: int
    delivered: int
    given_up: int
    oldest_at: datetime | None
    trouble: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What became of one try; with `wait` there is another, without one it is over."""

    shipment: Shipment
    delivered: bool
    wait: timedelta | None = None
    trouble: str | None = None
    error: str | None = None

    @property
    def state(self) -> str:
        if self.delivered:
            return "delivered"
        return "given_up" if self.wait is None else "due"


async def insert_shipments(connection: Connection, new: Sequence[NewShipment]) -> None:
    """Write them; the rows of their files are there already."""
    if new:
        await connection.execute(_INSERT, [_row(one) for one in new])


async def drop_shipments(connection: Connection, task_id: UUID) -> None:
    """Let those go that are not there yet: their film is about to be removed."""
    await connection.execute(_DROP, task_id)


class Shipments:
    def __init__(self, pool: Pool, boot: Boot) -> None:
        self._pool = pool
        self._boot = boot

    async def begin(self) -> None:
        """Release what former boots on this folder had in hand; the caller holds the folder's lock."""
        await self._pool.execute(_RELEASE, self._boot.folder, self._boot.id)

    async def whose(self, key_id: int) -> Whose | None:
        row = await self._pool.fetchrow(_WHOSE, key_id)
        return None if row is None else Whose(row["key"], row["account"], row["destination"])

    async def claim(self, names: Sequence[str], most: int, lease: timedelta) -> Sequence[Shipment]:
        """Claim what is due, at most so many of one destination at a time in this process."""
        if not await self._pool.fetchval(_ANY):
            return []
        limits = [most] * len(names)
        return [
            _shipment(row)
            for row in await self._pool.fetch(_CLAIM, self._boot.id, list(names), limits, lease)
        ]

    async def renew(self, shipment: Shipment, lease: timedelta) -> bool:
        return await self._pool.fetchval(_RENEW, shipment.id, shipment.fence, lease) is not None

    async def settle(self, arrival: Arrival) -> bool:
        """Write what became of a try; False where its lease was lost, and then nothing is written."""
        one = arrival.shipment
        error = None if arrival.error is None else plain(arrival.error)
        values = (arrival.state, arrival.wait, arrival.trouble, error)
        return await self._pool.fetchval(_SETTLE, one.id, one.fence, *values) is not None

    async def kept(self, shipment: Shipment) -> bool:
        """Say whether there is still a film to deliver."""
        return bool(await self._pool.fetchval(_KEPT, shipment.object_key))

    async def send(self, task_id: UUID, new: NewShipment) -> bool:
        """Deliver a film now, for the first time or again; False where a try is in hand, or its file is gone."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_AGAIN, task_id, new.destination) is not None:
                return True
            await insert_shipments(connection, [new])
            found = await connection.fetchval("select id from shipments where id = $1", new.id)
            return found is not None

    async def of_task(self, task_id: UUID) -> Sequence[Shipment]:
        return [_shipment(row) for row in await self._pool.fetch(_OF_TASK, task_id)]

    async def page(
        self, *, state: ShipmentState | None, destination: str | None, after: UUID | None, limit: int
    ) -> tuple[Sequence[Shipment], bool]:
        """Give shipments of everybody, newest first, and whether there are more."""
        asked = _PAGE.format(of_state="true" if state is None else f"state = '{state}'")
        found = [_shipment(row) for row in await self._pool.fetch(asked, destination, after, limit + 1)]
        return found[:limit], len(found) > limit

    async def sums(self) -> Sequence[Sum]:
        return [Sum(**dict(row)) for row in await self._pool.fetch(_SUMS)]

    async def set_default(self, key_id: int, destination: str | None) -> bool:
        """Say where the films of a key go, if its requests say nothing else; False where there is no such key."""
        return await self._pool.fetchval(_SET_DEFAULT, key_id, destination) is not None


def _row(new: NewShipment) -> dict[str, Json]:
    return {
        "id": str(new.id),
        "destination": new.destination,
        "name": new.name,
        "file_id": str(new.file_id),
    }


def _shipment(row: Any) -> Shipment:  # noqa: ANN401  # asyncpg's Record types no column
    return Shipment(
        id=row["id"],
        task_id=row["task_id"],
        account_id=row["account_id"],
        destination=row["destination"],
        name=row["name"],
        object_key=row["object_key"],
        size_bytes=row["size_bytes"],
        state=row["state"],
        due_at=row["due_at"],
        tries=row["tries"],
        fence=row["fence"],
        trouble=row["trouble"],
        error=row["error"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        leased=row["lease_by"] is not None,
    )
