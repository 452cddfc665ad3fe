"""T1: a task is written before its client is answered, with its hold, in one transaction for all who wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from filmgate.domain.record import RecordChange
from filmgate.domain.request import FilmRequest
from filmgate.domain.task import Owner, Task
from filmgate.store import rows
from filmgate.store.batch import Lane
from filmgate.store.pool import Connection, Pool

LOCK_ACCOUNTS: Final = "select from accounts where id = any($1::bigint[]) order by id for no key update"

# An answer that is a day old is forgotten, and its key is free again.
_FORGET: Final = """
delete from idempotency i using unnest($1::bigint[], $2::text[], $3::interval[]) as r(account_id, key, memory)
where i.account_id = r.account_id and i.key = r.key and i.created_at < now() - r.memory
"""

_REMEMBER: Final = """
insert into idempotency (account_id, key, body_sha256, task_id)
select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[])
on conflict do nothing
"""

_NOTE: Final = """
insert into idempotency (account_id, key, body_sha256, task_id)
select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[])
on conflict (account_id, key) do update
set body_sha256 = excluded.body_sha256, task_id = excluded.task_id, created_at = now()
"""

_REMEMBERED: Final = """
select i.account_id, i.key, i.body_sha256, i.task_id
from unnest($1::bigint[], $2::text[]) as r(account_id, key)
join idempotency i on i.account_id = r.account_id and i.key = r.key
"""

_INSERT: Final = """
with r as (
    select * from jsonb_to_recordset($1::jsonb) as r(
        id uuid, account_id bigint, key_id bigint, dialect text, names jsonb, request jsonb, model text,
        hold_micros bigint, deadline_s float8, credential_id int, kind text, parent_id uuid, record jsonb)
), task as (
    insert into tasks (id, account_id, key_id, dialect, names, model, kind, parent_id, request, record, hold_micros,
        deadline_at)
    select id, account_id, key_id, dialect, names, model, kind, parent_id, request, record, hold_micros,
        now() + make_interval(secs => deadline_s) from r
), names as (
    insert into aliases (alias, task_id) select n.value, r.id from r, jsonb_each_text(r.names) n
), hold as (
    insert into ledger (task_id, kind) select id, 'hold' from r returning id, task_id
), entry as (
    insert into entries (ledger_id, account, amount_micros)
    select hold.id, side.account, side.amount
    from hold join r on r.id = hold.task_id and r.hold_micros > 0
    cross join lateral (values ('available:' || r.account_id, -r.hold_micros),
                               ('held:' || r.account_id, r.hold_micros)) as side(account, amount)
)
insert into work (task_id, step, credential_id, due_at) select id, 'prepare', credential_id, now() from r
"""

_HOLD: Final = """
update accounts a set balance_micros = balance_micros - r.micros, held_micros = held_micros + r.micros
from unnest($1::bigint[], $2::bigint[]) as r(account_id, micros) where a.id = r.account_id
"""

_SELECT: Final = f"select {rows.TASK_COLUMNS} from tasks t where t.id = any($1::uuid[])"  # noqa: S608  # our columns


class Verdict(Enum):
    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True)
class Remember:
    """Under which key a task is remembered; `replay` says how old an earlier task may be that it stands for.

    Without `replay` the task is only noted, and an earlier note is forgotten.
    """

    key: str
    replay: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    id: UUID
    owner: Owner
    dialect: str
    names: Mapping[str, str]
    request: FilmRequest
    hold_micros: int
    deadline: timedelta
    credential_id: int | None
    body_sha256: bytes
    remember: Remember | None
    record: RecordChange

    @property
    def remembered_as(self) -> tuple[int, str]:
        return self.owner.account_id, self.remember.key if self.remember else ""

    @property
    def replays(self) -> bool:
        return self.remember is not None and self.remember.replay is not None

    def row(self) -> dict[str, object]:
        source = self.request.source
        return {
            "kind": "create" if source is None else source.kind.value,
            "parent_id": None if source is None else str(source.task_id),
            "record": dict(self.record),
            "id": str(self.id),
            "account_id": self.owner.account_id,
            "key_id": self.owner.key_id,
            "dialect": self.dialect,
            "names": dict(self.names),
            "request": self.request.as_json(),
            "model": self.request.model,
            "hold_micros": self.hold_micros,
            "deadline_s": self.deadline.total_seconds(),
            "credential_id": self.credential_id,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a new task: itself, an earlier task that it repeats, or none."""

    verdict: Verdict
    task: Task | None


class Acceptor:
    """Writes new tasks by group commit; the answer follows the commit."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lane: Lane[NewTask, Decision] = Lane(self._accept)

    async def accept(self, new: NewTask) -> Decision:
        return await self._lane.put(new)

    async def _accept(self, batch: Sequence[NewTask]) -> Sequence[Decision]:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK_ACCOUNTS, sorted({new.owner.account_id for new in batch}))
            noted = {new.remembered_as: new for new in batch if new.remember and not new.replays}
            await _note(connection, list(noted.values()))
            earlier = await _remember(connection, [new for new in batch if new.replays])
            fresh = [new for new in batch if _stands_for(new, earlier)[1] == new.id]
            await connection.execute(_INSERT, [new.row() for new in fresh])
            held = _sums(fresh)
            if held:
                await connection.execute(_HOLD, list(held), list(held.values()))
            wanted = {new.id for new in fresh} | {task_id for _, task_id in earlier.values()}
            found = {row["id"]: rows.task(row) for row in await connection.fetch(_SELECT, list(wanted))}
        return [_decide(new, earlier, found) for new in batch]


Earlier = Mapping[tuple[int, str], tuple[bytes, UUID]]


async def _note(connection: Connection, noted: Sequence[NewTask]) -> None:
    if noted:
        await connection.execute(_NOTE, *_columns(noted))


async def _remember(connection: Connection, keyed: Sequence[NewTask]) -> Earlier:
    """Write each key; say for each what it stands for, which is an earlier task where it was known already."""
    if not keyed:
        return {}
    accounts, keys, digests, ids = _columns(keyed)
    memories = [new.remember.replay for new in keyed if new.remember]
    await connection.execute(_FORGET, accounts, keys, memories)
    await connection.execute(_REMEMBER, accounts, keys, digests, ids)
    found = await connection.fetch(_REMEMBERED, accounts, keys)
    return {(row["account_id"], row["key"]): (row["body_sha256"], row["task_id"]) for row in found}


def _columns(keyed: Sequence[NewTask]) -> tuple[list[int], list[str], list[bytes], list[UUID]]:
    accounts, keys = [list(column) for column in zip(*(new.remembered_as for new in keyed), strict=True)]
    return accounts, keys, [new.body_sha256 for new in keyed], [new.id for new in keyed]


def _stands_for(new: NewTask, earlier: Earlier) -> tuple[bytes, UUID]:
    own = new.body_sha256, new.id
    return earlier.get(new.remembered_as, own) if new.replays else own


def _sums(fresh: Sequence[NewTask]) -> dict[int, int]:
    held: dict[int, int] = {}
    for new in fresh:
        if new.hold_micros:
            held[new.owner.account_id] = held.get(new.owner.account_id, 0) + new.hold_micros
    return held


def _decide(new: NewTask, earlier: Earlier, found: Mapping[UUID, Task]) -> Decision:
    digest, task_id = _stands_for(new, earlier)
    if task_id == new.id:
        return Decision(Verdict.ACCEPTED, found[new.id])
    if digest != new.body_sha256:
        return Decision(Verdict.MISMATCH, None)
    return Decision(Verdict.REPLAYED, found.get(task_id))
