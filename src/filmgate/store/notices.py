"""Notices: what an operator should look at, written in the transaction of what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.limits import LOG_TEXT_BYTES
from filmgate.domain.request import Json
from filmgate.store.pool import Connection, Pool

_NOTICE: Final = """
insert into notices (kind, task_id, provider, text)
select kind, task_id, provider, text
from jsonb_to_recordset($1::jsonb) as r(kind text, task_id uuid, provider text, text text)
"""

# One that lies ahead was given before the clock was set back, and silences nobody.
_ALARM: Final = """
insert into notices (kind, provider, text) select $1, $2, $3
where not exists (
    select from notices where kind = $1 and provider is not distinct from $2
        and at between now() - $4::interval and now() + interval '1 min'
)
"""
_HOUR: Final = timedelta(hours=1)

# Each is told by one engine, however many there are.
_TELL: Final = """
update notices n set told_at = now()
from (select id from notices where told_at is null order by id limit $1 for update skip locked) u
where n.id = u.id returning n.id, n.kind, n.task_id, n.provider, n.endpoint_id, n.text
"""
_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an operator should look at."""

    kind: str
    text: str
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Untold:
    """A notice that no log has yet."""

    kind: str
    text: str
    task_id: UUID | None
    provider: str | None
    endpoint_id: UUID | None


class Notices:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def alarm(self, kind: str, text: str, about: str | None = None, every: timedelta = _HOUR) -> None:
        """Tell operators of what is wrong, with a provider for example, at most so often."""
        await self._pool.execute(_ALARM, kind, about, plain(text), every)

    async def note(self, notice: Notice, task_id: UUID | None) -> None:
        """Tell operators of something that is done already."""
        async with self._pool.acquire() as connection:
            await insert_notices(connection, [(task_id, notice)])

    async def take(self) -> Sequence[Untold]:
        """Give the oldest that nobody took yet, some hundreds at most; whoever takes them tells them."""
        found = sorted(await self._pool.fetch(_TELL, _BATCH), key=lambda row: int(row["id"]))
        return [Untold(**{name: row[name] for name in Untold.__slots__}) for row in found]


async def insert_notices(connection: Connection, notices: Sequence[tuple[UUID | None, Notice]]) -> None:
    if notices:
        await connection.execute(_NOTICE, [_row(task_id, notice) for task_id, notice in notices])


def plain(text: str) -> str:
    """Give text of others as the database can hold it: without NUL, and with an end."""
    return text.replace("\0", "")[:LOG_TEXT_BYTES]


def _row(task_id: UUID | None, notice: Notice) -> dict[str, Json]:
    return {
        "kind": notice.kind,
        "task_id": None if task_id is None else str(task_id),
        "provider": notice.provider,
        "text": plain(notice.text),
    }
