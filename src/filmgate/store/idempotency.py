"""What a key stands for: the digest of the request that it came with, and the task, or entry, that was made of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.store.pool import Connection, Pool

# An answer that is a day old is forgotten, and its key is free again.
_FORGET: Final = """
delete from idempotency i using unnest($1::bigint[], $2::text[], $3::interval[]) as r(account_id, key, memory)
where i.account_id = r.account_id and i.key = r.key and i.created_at < now() - r.memory
"""

_REMEMBER: Final = """
insert into idempotency (account_id, key, body_sha256, task_id)
select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[])
on conflict do nothing
"""

_NOTE: Final = """
insert into idempotency (account_id, key, body_sha256, task_id)
select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[])
on conflict (account_id, key) do update
set body_sha256 = excluded.body_sha256, task_id = excluded.task_id, created_at = now()
"""

_REMEMBERED: Final = """
select i.account_id, i.key, i.body_sha256, i.task_id
from unnest($1::bigint[], $2::text[]) as r(account_id, key)
join idempotency i on i.account_id = r.account_id and i.key = r.key
"""

_KNOWN: Final = """
select body_sha256, task_id from idempotency where account_id = $1 and key = $2 and created_at >= now() - $3::interval
"""

_UNREMEMBER: Final = """
delete from idempotency i using unnest($1::bigint[], $2::text[], $3::uuid[]) as r(account_id, key, task_id)
where i.account_id = r.account_id and i.key = r.key and i.task_id = r.task_id
"""

Asked = tuple[int, str]
"""An account, and a key of its own."""
Known = tuple[bytes, UUID]
"""The digest of a request, and what was made of it."""


async def known(
    connection: "Connection | Pool", account_id: int, key: str, memory: timedelta | None
) -> Known | None:
    """Find what a key stands for that came no longer ago than that."""
    found = await connection.fetchrow(_KNOWN, account_id, key, memory)
    return None if found is None else (found["body_sha256"], found["task_id"])


async def note(connection: Connection, noted: Mapping[Asked, Known]) -> None:
    """Write what keys stand for from now on, whatever they stood for before."""
    if noted:
        await connection.execute(_NOTE, *_columns(list(noted.items())))


async def remember(
    connection: Connection, asked: Sequence[tuple[Asked, Known]], memories: Sequence[timedelta]
) -> Mapping[Asked, Known]:
    """Write each key; say for each what it stands for, which is something earlier where it was known already."""
    if not asked:
        return {}
    accounts, keys, digests, ids = _columns(asked)
    await connection.execute(_FORGET, accounts, keys, memories)
    await connection.execute(_REMEMBER, accounts, keys, digests, ids)
    found = await connection.fetch(_REMEMBERED, accounts, keys)
    return {(row["account_id"], row["key"]): (row["body_sha256"], row["task_id"]) for row in found}


async def unremember(connection: Connection, refused: Sequence[tuple[Asked, Known]]) -> None:
    """Free keys: what was refused may be asked again under its own. The caller holds the locks of their accounts."""
    if refused:
        accounts, keys, _, ids = _columns(refused)
        await connection.execute(_UNREMEMBER, accounts, keys, ids)


def _columns(
    entries: Sequence[tuple[Asked, Known]],
) -> tuple[list[int], list[str], list[bytes], list[UUID]]:
    return (
        [account_id for (account_id, _), _ in entries],
        [key for (_, key), _ in entries],
        [digest for _, (digest, _) in entries],
        [id_ for _, (_, id_) in entries],
    )
