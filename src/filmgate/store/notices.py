"""Notices: what an operator should look at, written in the transaction of what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from filmgate.domain.limits import LOG_TEXT_BYTES
from filmgate.domain.request import Json
from filmgate.store.pool import Connection

_NOTICE: Final = """
insert into notices (kind, task_id, provider, text)
select kind, task_id, provider, text
from jsonb_to_recordset($1::jsonb) as r(kind text, task_id uuid, provider text, text text)
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an operator should look at."""

    kind: str
    text: str
    provider: str | None = None


async def insert_notices(connection: Connection, notices: Sequence[tuple[UUID, Notice]]) -> None:
    if notices:
        await connection.execute(_NOTICE, [_row(task_id, notice) for task_id, notice in notices])


def plain(text: str) -> str:
    """Give text of others as the database can hold it: without NUL, and with an end."""
    return text.replace("\0", "")[:LOG_TEXT_BYTES]


def _row(task_id: UUID, notice: Notice) -> dict[str, Json]:
    return {
        "kind": notice.kind,
        "task_id": str(task_id),
        "provider": notice.provider,
        "text": plain(notice.text),
    }
