"""Which objects rows know, and how the two differ."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from filmgate.store.pool import Connection, Pool

_CLAIM: Final = (
    "update chores set due_at = now() + $2::interval where name = $1 and due_at <= now() returning name"
)

# What is sent of a clip is known by its own row, the clip's: files of clips are dropped with the task.
_KNOWN: Final = """
select object_key from files where object_key = any($1::text[])
union select object_key from clips where object_key = any($1::text[])
"""
_UNFINISHED: Final = "select id from tasks where id = any($1::uuid[]) and ended_at is null"

_FORGET: Final = "delete from shipments where created_at < now() - $1::interval and ended_at is not null"

_LISTED: Final = """
create temporary table listed (key text not null, size_bytes bigint not null, modified_at timestamptz not null)
    on commit drop
"""
# A file that is due for removal may be gone before its row is.
_MISSING: Final = """
select f.object_key, count(*) over () as total from files f left join listed l on l.key = f.object_key
where l.key is null and f.created_at < $1 and coalesce(f.delete_after > now() + interval '1 minute', true)
order by f.created_at desc limit $2
"""
_STRANGE: Final = """
select l.key as object_key, count(*) over () as total from listed l left join files f on f.object_key = l.key
where f.id is null and l.modified_at < $1 and l.key like 'tasks/%' order by l.modified_at desc limit $2
"""
_SIZES: Final = """
select f.object_key, count(*) over () as total from files f join listed l on l.key = f.object_key
where l.size_bytes <> f.size_bytes order by f.created_at desc limit $1
"""
_COUNTS: Final = "select (select count(*) from files) as rows, (select count(*) from listed) as objects"
_USED: Final = "select role, count(*) as files, sum(size_bytes)::bigint as size_bytes from files group by role order by role"

_OF_TASKS: Final = frozenset({"uploads", "tasks"})

Page = Sequence[tuple[str, int, datetime]]
"""Key, size in bytes, and when it was stored."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """Keys in which rows and objects differ: how many there are, and the newest of them."""

    total: int
    keys: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    rows: int
    objects: int
    missing: Unlike
    """Rows without an object."""
    strange: Unlike
    """Objects without a row."""
    resized: Unlike
    """Objects of another size than their row says."""


@dataclass(frozen=True, slots=True)
class Used:
    role: str
    files: int
    size_bytes: int


class Stock:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def turn(self, chore: str, every: timedelta) -> bool:
        """Say whether it is this machine's turn to do a chore; then it is nobody else's for so long."""
        return await self._pool.fetchval(_CLAIM, chore, every) is not None

    async def known(self, keys: Sequence[str]) -> Collection[str]:
        """Give those of the keys that something still needs: a row names them, or they are of a task that has not ended."""
        rows = await self._pool.fetch(_KNOWN, list(keys))
        known = {row["object_key"] for row in rows}
        made_for = {key: task for key in keys if key not in known and (task := _task_of(key)) is not None}
        if made_for:
            found = await self._pool.fetch(_UNFINISHED, list(set(made_for.values())))
            unfinished = {row["id"] for row in found}
            known |= {key for key, task in made_for.items() if task in unfinished}
        return known

    async def forget_shipments(self, age: timedelta) -> None:
        """Forget films that were delivered, or given up, so long ago."""
        await self._pool.execute(_FORGET, age)

    async def used(self) -> Sequence[Used]:
        found = await self._pool.fetch(_USED)
        return [Used(row["role"], row["files"], row["size_bytes"] or 0) for row in found]

    async def differences(
        self, pages: AsyncIterator[Page], *, began: datetime, before: datetime, shown: int
    ) -> Differences:
        """Compare all rows with a listing that began then; what came after `before` may still be on its way."""
        # One transaction, since behind a pooler a session lasts no longer.
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LISTED)
            async for page in pages:
                await connection.copy_records_to_table(
                    "listed", records=page, columns=["key", "size_bytes", "modified_at"]
                )
            counts = await connection.fetchrow(_COUNTS)
            return Differences(
                rows=counts["rows"] if counts else 0,
                objects=counts["objects"] if counts else 0,
                missing=await _unlike(connection, _MISSING, began, shown),
                strange=await _unlike(connection, _STRANGE, before, shown),
                resized=await _unlike(connection, _SIZES, shown),
            )


async def _unlike(connection: Connection, statement: str, *values: object) -> Unlike:
    found = await connection.fetch(statement, *values)
    return Unlike(found[0]["total"] if found else 0, [row["object_key"] for row in found])


def _task_of(key: str) -> UUID | None:
    """Say for which task a client's own file, or a film, was kept; None for any other key."""
    folder, _, rest = key.partition("/")
    try:
        return UUID(rest.partition("/")[0]) if folder in _OF_TASKS else None
    except ValueError:
        return None
