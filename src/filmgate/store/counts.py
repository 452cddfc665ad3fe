"""What the processes of the gate have counted, kept where each of them can sum it up."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.metrics import Counts, less, summed
from filmgate.store.pool import Pool

_KEEP: Final = "update counts set counts = $2, at = now() where process = $1 returning process"
_BEGIN: Final = "insert into counts (process, counts) values ($1, $2) on conflict (process) do nothing"
_ALL: Final = "select counts from counts"

# One row holds what all those had counted that are gone.
_FORMER: Final = UUID(int=0)
_LOCK: Final = "select counts from counts where process = $1 for update"
_SILENT: Final = """
delete from counts where process in (
    select process from counts where at < now() - $1::interval and process <> $2 order by process limit 100
    for update skip locked
) returning counts
"""
SILENT_AFTER: Final = timedelta(hours=1)


class KeptCounts:
    """The counts of one process, beside those of all others."""

    def __init__(self, pool: Pool, process: UUID) -> None:
        self._pool = pool
        self._process = process
        self._kept: Counts = {}
        self._former: Counts = {}
        self._begun = False

    async def keep(self, counts: Counts, new_name: UUID) -> None:
        """Keep what this process has counted by now.

        One that said nothing for so long that its counts were added to those of the dead goes on under a new name.
        """
        if counts == self._kept and self._begun:
            return
        if self._begun:
            if await self._pool.fetchval(_KEEP, self._process, less(counts, self._former)) is not None:
                self._kept = counts
                return
            self._process, self._former = new_name, self._kept
        await self._pool.execute(_BEGIN, self._process, less(counts, self._former))
        self._kept, self._begun = counts, True

    async def all(self) -> Counts:
        """Sum up what every process has counted."""
        return summed([_read(row) for row in await self._pool.fetch(_ALL)])

    async def bury(self, silent_after: timedelta = SILENT_AFTER) -> int:
        """Add what dead processes had counted to one row, so that sums never fall; give how many those were."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_BEGIN, _FORMER, {})
            former = await connection.fetchval(_LOCK, _FORMER)
            found: Sequence[Any] = await connection.fetch(_SILENT, silent_after, _FORMER)
            if found:
                total = summed([former, *(_read(row) for row in found)])
                await connection.fetchval(_KEEP, _FORMER, total)
        return len(found)


def _read(row: Any) -> Counts:  # noqa: ANN401  # asyncpg's Record types no column
    return {name: list(rows) for name, rows in row["counts"].items()}
