"""Rows of stored files, and what retention does to them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.request import Json
from filmgate.domain.task import StoredFile
from filmgate.store import rows
from filmgate.store.patience import whole_again
from filmgate.store.pool import Connection, Pool
from filmgate.store.shipments import drop_shipments

_INPUTS: Final = "select * from files where task_id = $1 and role = 'input' order by object_key"

_KEEP_INPUT: Final = """
insert into files (id, task_id, account_id, role, object_key, media_type, size_bytes, sha256, delete_after)
values ($1, $2, $3, 'input', $4, $5, $6, $7, now() + $8::interval)
"""

_DELETE_TASK: Final = """
update tasks set deleted_at = now(), version = version + 1
where id = $1 and account_id = $2 and ended_at is not null and deleted_at is null returning id
"""

_FORGET_FILES: Final = "update files set delete_after = now() where task_id = $1"

# A film that is still on its way to its customer's bucket is kept until it is there, or was tried often enough; clips
# and pictures are kept until the film that is made of them has ended, however short films are kept.
_DUE: Final = """
select * from files f where delete_after is not null and delete_after <= now()
    and not exists (select from shipments s where s.object_key = f.object_key and s.state = 'due')
    and not exists (select from tasks t where t.id = f.task_id and t.ended_at is null)
order by delete_after limit $1
"""

_GONE: Final = "delete from files where id = any($1::uuid[])"


_INSERT: Final = """
insert into files (id, task_id, account_id, role, object_key, media_type, size_bytes, sha256, delete_after)
select id, task_id, account_id, role, object_key, media_type, size_bytes, sha256, now() + make_interval(secs => kept_s)
from jsonb_to_recordset($1::jsonb) as r(id uuid, task_id uuid, account_id bigint, role text, object_key text,
    media_type text, size_bytes bigint, sha256 text, kept_s float8)
"""


async def insert_files(connection: Connection, written: Sequence[Mapping[str, Json]]) -> None:
    """Write rows of `file_row`."""
    if written:
        await connection.execute(_INSERT, list(written))


def file_row(file: StoredFile, kept: timedelta | None) -> dict[str, Json]:
    return {
        "id": str(file.id),
        "task_id": str(file.task_id),
        "account_id": file.account_id,
        "role": file.role,
        "object_key": file.object_key,
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "kept_s": None if kept is None else kept.total_seconds(),
    }


class Files:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def inputs(self, task_id: UUID) -> Sequence[StoredFile]:
        """Give the checked pictures of a task, in the order in which they were named."""
        return [rows.file(row) for row in await self._pool.fetch(_INPUTS, task_id)]

    async def keep_input(self, file: StoredFile, kept: timedelta) -> None:
        values = (file.object_key, file.media_type, file.size_bytes, file.sha256, kept)
        await self._pool.execute(_KEEP_INPUT, file.id, file.task_id, file.account_id, *values)

    @whole_again
    async def delete_task(self, task_id: UUID, account_id: int) -> bool:
        """Hide an ended task from its owner and let its files go; False where there was none."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_DELETE_TASK, task_id, account_id) is None:
                return False
            await connection.execute(_FORGET_FILES, task_id)
            await drop_shipments(connection, task_id)
            return True

    async def due_for_removal(self, limit: int) -> Sequence[StoredFile]:
        return [rows.file(row) for row in await self._pool.fetch(_DUE, limit)]

    async def gone(self, ids: Sequence[UUID]) -> None:
        """Remove rows whose objects are removed already: the object first, the row second."""
        await self._pool.execute(_GONE, list(ids))
