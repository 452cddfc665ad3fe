"""What a run leaves behind, as plain values: what vendors, the store, receivers and clients say of it.

The four are written by different hands, and nothing here knows how the product works.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import asyncpg

Rows = Sequence[Mapping[str, Any]]

TABLES: Final = {
    "tasks": """
        select id::text, account_id, key_id, state, progress, hold_micros, cost_micros, error_code, created_at,
            ended_at, deadline_at, deleted_at, content_until, film, record, request ->> 'prompt' as wish,
            request ->> 'callback_url' as callback_url,
            request -> 'source' ->> 'file_id' as goes_on_from,
            (request ->> 'upsample_to' is not null
                and not film -> 'files' ?| array['source', 'first']) as unscaled
            from film.tasks order by id""",
    "attempts": """
        select task_id::text, clip_no, no, key, provider, credential_id, state, vendor_ref, error_class, sent_at,
            closed_at from film.attempts order by task_id, clip_no, no""",
    "clips": "select task_id::text, no, role, object_key from film.clips order by task_id, no",
    "files": "select id::text, task_id::text, account_id, role, object_key, sha256, delete_after from film.files",
    "ledger": "select id, task_id::text, kind from film.ledger order by id",
    "entries": "select ledger_id, account, amount_micros from film.entries",
    "accounts": """
        select id, balance_micros, held_micros, credit_micros, unfinished, running from film.accounts order by id""",
    "keys": "select id, account_id, held_micros, unfinished, running from film.keys order by id",
    "credentials": "select id, provider, in_flight from film.credentials order by id",
    "work": "select task_id::text, step, lease_by::text, due_at from film.work",
    "endpoints": """
        select id::text, account_id, url, events, created_at, updated_at, disabled_at, deleted_at
        from film.endpoints where not callback order by id""",
    "deliveries": """
        select id::text, account_id, endpoint_id::text, url, task_id::text, event, state, body, created_at, ended_at
        from film.deliveries order by id""",
    "idempotency": "select account_id, key, task_id::text from film.idempotency",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """One request to make a film, as it came to the vendor."""

    key: str | None
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One film that a vendor began: it would be on its bill.

    `end` is completed, failed, cancelled or vanished, None while it goes on; times are by the vendor's clock.
    `served` are the digests of the whole films that it sent.
    """

    ref: str
    key: str | None
    at: float
    end: str | None = None
    ended_at: float | None = None
    served: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorLog:
    """`names` are those that the gate knows this vendor by; one that `replays` gives the first job for a known key."""

    names: frozenset[str]
    replays: bool
    submits: Sequence[Submit]
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class StoreLog:
    """The tables as they stand, and the digests of the objects that are stored, by their keys."""

    tables: Mapping[str, Rows]
    objects: Mapping[str, str] | None = None
    """None where nobody looked."""

    def rows(self, table: str) -> Rows:
        return self.tables[table]

    def of(self, table: str, task_id: str) -> Rows:
        return [row for row in self.tables[table] if row["task_id"] == task_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A webhook as it came; `verified` says that its signature is right, `status` what was answered, None nothing."""

    url: str
    id: str
    body: bytes
    verified: bool
    at: datetime
    status: int | None = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a client was told of a task: `began` and `ended` order the questions, by any one clock.

    `what` is accepted, refused, shown, hidden (there is no such task), cancelled, cannot_cancel or deleted.
    """

    client: int
    """The account that asked."""
    what: str
    began: float
    ended: float
    task: str | None = None
    wish: str | None = None
    """The prompt, which is unlike every other wish's."""
    idempotency_key: str | None = None
    state: str | None = None
    progress: int | None = None
    cost_micros: int | None = None


@dataclass(frozen=True, slots=True)
class ReceiverLog:
    """`owners` says whose address that is."""

    received: Sequence[Received] = ()
    owners: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Under what conditions is looked: whether all faults have stopped, when, and what else must not be seen."""

    at_rest: bool = True
    calm_since: datetime | None = None
    texts: Sequence[str] = ()
    """Logs, errors, events and bodies, in which no secret may stand."""
    secrets: Sequence[str] = ()


async def read_store(
    connection: "asyncpg.Connection[asyncpg.Record]", objects: Mapping[str, bytes] | None = None
) -> StoreLog:
    """Read all tables at one moment, by statements of our own."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        tables: dict[str, Rows] = {}
        for name, statement in TABLES.items():
            tables[name] = [dict(row) for row in await connection.fetch(statement)]
    digests = None if objects is None else {key: digest(content) for key, content in objects.items()}
    return StoreLog(tables, digests)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
