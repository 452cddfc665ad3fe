"""The weeks by which tasks are kept: each has a table of its own, from one Monday to the next."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from filmgate.store.pool import Connection

WEEK: Final = timedelta(weeks=1)

_PARTITION: Final = re.compile(r"tasks_(\d{4})_(\d{2})_(\d{2})")
_PARTITIONS: Final = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'film.tasks'::regclass
"""


def week_of(moment: datetime) -> datetime:
    """Say when the week of a moment began."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def partition(week: datetime) -> str:
    """Name the table of a week."""
    return f"tasks_{week:%Y_%m_%d}"


async def partitioned(connection: Connection) -> Sequence[datetime]:
    """Give the weeks that have a table, the oldest first."""
    found = [_PARTITION.fullmatch(row["relname"]) for row in await connection.fetch(_PARTITIONS)]
    return sorted(_week_named(name) for name in found if name)


def _week_named(name: re.Match[str]) -> datetime:
    year, month, day = map(int, name.groups())
    return datetime(year, month, day, tzinfo=UTC)
