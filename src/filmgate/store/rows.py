"""From rows to the values of the domain."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import asyncpg

from filmgate.domain.price import Price
from filmgate.domain.record import Record
from filmgate.domain.request import FilmRequest
from filmgate.domain.states import AttemptState, State
from filmgate.domain.task import Attempt, Failure, Film, StoredClip, StoredFile, Task

Row: TypeAlias = asyncpg.Record

TASK_COLUMNS: Final = """t.id, t.account_id, t.key_id, t.dialect, t.names, t.request, t.state, t.progress,
    t.number, t.record, t.price, t.stage_at,
    t.error_code, t.error_parameters, t.film, t.hold_micros, t.cost_micros, t.version, t.created_at, t.changed_at,
    t.started_at, t.ended_at, t.deadline_at, t.start_by, t.content_until, t.cancel_requested_at"""


# What all of a state have in common, and has an index of its own.
_NARROW: Final[Mapping[State, str]] = {
    State.SUCCEEDED: "t.ended_at is not null",
    State.FAILED: "t.error_code is not null",
    State.EXPIRED: "t.error_code is not null",
    State.CANCELLED: "t.cancel_requested_at is not null",
}


def of_state(state: State | None) -> str:
    """Give the condition of tasks `t` in a state, so that where those are few they are found without the others."""
    return (
        "true"
        if state is None
        else f"t.state = '{state.value}' and {_NARROW.get(state, 't.ended_at is null')}"
    )


def task(row: Row) -> Task:
    """Read a row that has TASK_COLUMNS."""
    return Task(
        id=row["id"],
        number=row["number"],
        account_id=row["account_id"],
        key_id=row["key_id"],
        dialect=row["dialect"],
        names=row["names"],
        request=FilmRequest.from_json(row["request"]),
        record=Record.from_json(row["record"]),
        price=Price.from_json(row["price"]),
        state=State(row["state"]),
        progress=row["progress"],
        failure=None
        if row["error_code"] is None
        else Failure(row["error_code"], row["error_parameters"] or {}),
        film=None if row["film"] is None else Film.from_json(row["film"]),
        hold_micros=row["hold_micros"],
        cost_micros=row["cost_micros"],
        version=row["version"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        stage_at=row["stage_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        deadline_at=row["deadline_at"],
        start_by=row["start_by"],
        content_until=row["content_until"],
        cancel_requested_at=row["cancel_requested_at"],
    )


def attempt(row: Row) -> Attempt:
    return Attempt(
        clip=row["clip_no"],
        no=row["no"],
        provider=row["provider"],
        key=row["key"],
        state=AttemptState(row["state"]),
        sent_at=row["sent_at"],
        closed_at=row["closed_at"],
        error_class=row["error_class"],
        error_text=row["error_text"],
    )


def file(row: Row) -> StoredFile:
    return StoredFile(
        id=row["id"],
        account_id=row["account_id"],
        task_id=row["task_id"],
        role=row["role"],
        object_key=row["object_key"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
    )


def clip(value: Mapping[str, Any]) -> StoredClip:
    """Read a stored clip from the JSON that a query made of it."""
    return StoredClip(
        no=value["no"],
        role=value["role"],
        object_key=value["object_key"],
        film=Film.from_json(value["film"]),
    )
