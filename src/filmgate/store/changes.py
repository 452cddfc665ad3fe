"""What changed of an account's tasks, for streams that tell of all of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.ids import uuid7_floor
from filmgate.domain.task import Task
from filmgate.store import rows
from filmgate.store.patience import patiently
from filmgate.store.pool import Pool

_MINE: Final = f"select {rows.TASK_COLUMNS} from tasks t where t.account_id = $1 and t.deleted_at is null"  # noqa: S608  # our columns

# The bound of ids keeps the search among the newest rows: nothing older can be unfinished.
_UNFINISHED: Final = f"{_MINE} and t.id >= $2 and t.ended_at is null order by t.id desc limit $3"
_SINCE: Final = f"{_MINE} and t.id >= $2 and t.changed_at >= $3 order by t.changed_at desc limit $4"
_NEW: Final = f"{_MINE} and t.id >= $2 order by t.id limit $3"
_OF: Final = f"{_MINE} and t.id = any($2::uuid[]) order by t.changed_at, t.id"

_LONGEST_TASK: Final = timedelta(days=1)


class Changes:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def unfinished(self, account_id: int, now: datetime, limit: int) -> Sequence[Task]:
        """Give the newest tasks that have not ended, oldest first."""
        floor = uuid7_floor(now - _LONGEST_TASK)
        found = await patiently(lambda: self._pool.fetch(_UNFINISHED, account_id, floor, limit))
        return [rows.task(row) for row in reversed(found)]

    async def since(self, account_id: int, moment: datetime, limit: int) -> Sequence[Task]:
        """Give the tasks that changed at that moment or later, in that order; of too many, the last."""
        floor = uuid7_floor(moment - _LONGEST_TASK)
        found = await patiently(lambda: self._pool.fetch(_SINCE, account_id, floor, moment, limit))
        return [rows.task(row) for row in reversed(found)]

    async def made_since(self, account_id: int, moment: datetime, limit: int) -> Sequence[Task]:
        """Give the tasks that were made at that moment or later, oldest first."""
        floor = uuid7_floor(moment)
        found = await patiently(lambda: self._pool.fetch(_NEW, account_id, floor, limit))
        return [rows.task(row) for row in found]

    async def of(self, account_id: int, ids: Sequence[UUID]) -> Sequence[Task]:
        """Give those of the tasks that are the account's, in the order in which they changed."""
        found = await patiently(lambda: self._pool.fetch(_OF, account_id, list(ids)))
        return [rows.task(row) for row in found]
