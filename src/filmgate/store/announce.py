"""What is to be told of ended tasks: written in the transaction that ends them, so that none is forgotten."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from filmgate.domain.states import State
from filmgate.domain.task import Task
from filmgate.domain.webhook import delivery_id, event_body, event_of, host_of
from filmgate.store.pool import Connection

# The moment comes along also where there is no endpoint.
_ENDPOINTS: Final = """
select now() as now, e.id, e.account_id, e.url, e.events from (select) as one left join endpoints e
    on e.account_id = any($1::bigint[]) and not e.callback and e.deleted_at is null and e.disabled_at is null
order by e.id
"""

_INSERT: Final = """
insert into deliveries (id, account_id, endpoint_id, url, host, task_id, event, body, due_at, ready)
select r.*, now(), true from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[],
    $8::bytea[]) as r
on conflict do nothing
"""

Row = tuple[UUID, int, UUID | None, str, str, UUID, str, bytes]


async def announce(connection: Connection, ended: Sequence[tuple[Task, State]]) -> None:
    """Write a delivery for each endpoint that wants to know, and for the address that the request named."""
    accounts = sorted({task.account_id for task, _ in ended})
    if not accounts:
        return
    found = await connection.fetch(_ENDPOINTS, accounts)
    now = found[0]["now"]
    endpoints = [row for row in found if row["id"] is not None]
    rows = [row for task, state in ended for row in _deliveries(task, state, endpoints, now)]
    if rows:
        await connection.execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)))


def _deliveries(task: Task, state: State, endpoints: Sequence[Any], now: datetime) -> Iterator[Row]:
    event = event_of(state)
    body = event_body(event, task_id=task.id, name=task.name, at=now)
    told: set[str] = set()
    for row in endpoints:
        if row["account_id"] == task.account_id and event in row["events"]:
            told.add(row["url"])
            yield _row(task, event, body, row["id"], row["url"])
    own = task.request.callback_url
    if own is not None and own not in told:
        yield _row(task, event, body, None, own)


def _row(task: Task, event: str, body: bytes, endpoint_id: UUID | None, url: str) -> Row:
    id_ = delivery_id(task.id, endpoint_id)
    return id_, task.account_id, endpoint_id, url, host_of(url), task.id, str(event), body
