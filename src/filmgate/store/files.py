"""Rows of stored files, and what retention does to them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.task import StoredFile
from filmgate.store import rows
from filmgate.store.pool import Pool

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

# Who sends the same again after deleting it means a new film.
_FORGET_REPEATS: Final = "delete from idempotency where task_id = $1"

_DUE: Final = """
select * from files where delete_after is not null and delete_after <= now() order by delete_after limit $1
"""

_GONE: Final = "delete from files where id = any($1::uuid[])"


class Files:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def inputs(self, task_id: UUID) -> Sequence[StoredFile]:
        """Give the checked pictures of a task, in the order in which they were named."""
        return [rows.file(row) for row in await self._pool.fetch(_INPUTS, task_id)]

    async def keep_input(self, file: StoredFile, kept: timedelta) -> None:
        values = (file.object_key, file.media_type, file.size_bytes, file.sha256, kept)
        await self._pool.execute(_KEEP_INPUT, file.id, file.task_id, file.account_id, *values)

    async def delete_task(self, task_id: UUID, account_id: int) -> bool:
        """Hide an ended task from its owner and let its files go; False where there was none."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_DELETE_TASK, task_id, account_id) is None:
                return False
            await connection.execute(_FORGET_FILES, task_id)
            await connection.execute(_FORGET_REPEATS, task_id)
            return True

    async def due_for_removal(self, limit: int) -> Sequence[StoredFile]:
        return [rows.file(row) for row in await self._pool.fetch(_DUE, limit)]

    async def gone(self, ids: Sequence[UUID]) -> None:
        """Remove rows whose objects are removed already: the object first, the row second."""
        await self._pool.execute(_GONE, list(ids))
