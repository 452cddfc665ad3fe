"""How a transition between two steps is written: in a batch, every one under its fence.

A transition locks its `work` rows first; a row that is gone, or has another fence, raises StaleLease and writes
nothing: whoever holds it now decides. The transition and the change of its work row are one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from filmgate.domain.record import RecordChange
from filmgate.domain.request import Json
from filmgate.domain.states import State
from filmgate.domain.task import StoredClip, StoredFile
from filmgate.store.batch import Lane
from filmgate.store.credentials import LOCK, TAKE, Verdict, judge
from filmgate.store.files import file_row, insert_files
from filmgate.store.funds import lock_owners
from filmgate.store.listen import tell
from filmgate.store.notices import Notice, insert_notices
from filmgate.store.pool import Connection, Pool
from filmgate.store.starts import rest
from filmgate.store.work import Claim

_FENCE: Final = """
select w.task_id, w.fence from work w join unnest($1::uuid[], $2::bigint[]) as r(task_id, fence)
    on w.task_id = r.task_id and w.fence = r.fence
order by w.task_id for update of w
"""

# Progress moves forward only; 100 belongs to the end alone. Collecting shows as the phase before it.
_SHOW: Final = """
update tasks t set state = coalesce(r.state, t.state),
    progress = greatest(t.progress, least(coalesce(r.progress, 0), 99)),
    started_at = case when coalesce(r.state, t.state) in ('queued', 'preparing') then t.started_at
        else coalesce(t.started_at, now()) end,
    stage_at = case when (coalesce(r.state, t.state) <> t.state and r.state <> 'collecting')
            or (r.record ? 'stage' and r.record -> 'stage' is distinct from t.record -> 'stage') then now()
        else t.stage_at end,
    record = case when r.record is null then t.record else t.record || r.record end,
    changed_at = now(), version = version + 1
from jsonb_to_recordset($1::jsonb) as r(task_id uuid, state text, progress int, record jsonb)
where t.id = r.task_id and (coalesce(r.state, t.state) <> t.state
    or t.progress < least(coalesce(r.progress, 0), 99) or not t.record @> coalesce(r.record, '{}'))
returning t.id, t.account_id
"""

_NEXT: Final = """
update work w set step = coalesce(r.step, w.step), due_at = now() + case
        when w.step in ('submit', 'reconcile') and r.step = 'poll'
            and exists (select from tasks t where t.id = w.task_id and t.cancel_requested_at is not null) then 0
        else r.due_ms end * interval '1 ms',
    pace_ms = coalesce(r.pace_ms, w.pace_ms), lease_by = case when r.kept then w.lease_by end,
    folder = case when r.moved then r.folder else w.folder end,
    tries = case when r.kept then w.tries when r.tried_as is null then 0 when r.tried_as = w.tried_as then w.tries + 1
        else 1 end,
    tries_since = case when r.kept then w.tries_since when r.tried_as is null then null
        when r.tried_as = w.tried_as then w.tries_since else now() end,
    tried_as = case when r.kept then w.tried_as else r.tried_as end,
    deaths = case when r.kept then w.deaths else 0 end
from jsonb_to_recordset($1::jsonb) as r(task_id uuid, step text, due_ms float8, pace_ms int, kept boolean,
    tried_as text, moved boolean, folder uuid)
where w.task_id = r.task_id
"""

_ATTEMPT: Final = """
update attempts a set state = r.state, ticket = coalesce(r.ticket, a.ticket),
    vendor_ref = coalesce(r.ref, a.vendor_ref), result = coalesce(r.result, a.result),
    error_class = coalesce(r.error_class, a.error_class), error_text = coalesce(r.error_text, a.error_text),
    vendor_cost_micros = case r.state when 'done' then coalesce(r.cost_micros, a.list_cost_micros)
        else coalesce(r.cost_micros, a.vendor_cost_micros) end,
    repeated_at = case when r.repeated then now() else a.repeated_at end,
    closed_at = case when r.state in ('sending', 'accepted', 'uncertain') then null else now() end
from jsonb_to_recordset($1::jsonb) as r(task_id uuid, clip int, no int, state text, ticket jsonb, ref text,
    result jsonb, error_class text, error_text text, busy_s float8, heard boolean,
    cost_micros bigint, repeated boolean)
where a.task_id = r.task_id and a.clip_no = r.clip and a.no = r.no and a.closed_at is null
returning a.provider, a.state, a.credential_id, a.closed_at is not null as closed, r.error_class, r.error_text, r.busy_s,
    r.heard, coalesce(a.vendor_cost_micros, 0) as cost_micros
"""

_GIVE_BACK: Final = """
update credentials c set in_flight = c.in_flight - r.n
from unnest($1::int[], $2::int[]) as r(id, n) where c.id = r.id
"""

_SEND: Final = """
insert into attempts (task_id, clip_no, no, credential_id, provider, key, body_sha256, state, vendor_model,
    list_cost_micros)
select task_id, clip, no, credential_id, provider, key, decode(body_sha256, 'hex'), 'sending', vendor_model,
    list_cost_micros
from jsonb_to_recordset($1::jsonb) as r(task_id uuid, clip int, no int, credential_id int, provider text, key text,
    body_sha256 text, vendor_model text, list_cost_micros bigint)
"""


_CLIP: Final = """
insert into clips (task_id, no, role, object_key, film)
select task_id, no, role, object_key, film
from jsonb_to_recordset($1::jsonb) as r(task_id uuid, no int, role text, object_key text, film jsonb)
"""


class StaleLease(Exception):  # noqa: N818  # a lost lease is no error: another worker goes on
    """The step is owned by another by now, or the task has ended: write nothing, charge nothing."""


class NoRoom(Exception):  # noqa: N818  # a full provider is no error: the task waits
    """The provider's last slot was taken in between; nothing was written."""


class _Fate(Enum):
    WRITTEN = "written"
    STALE = "stale"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """T3: the intent, committed before the first byte leaves."""

    clip: int
    no: int
    credential_id: int
    provider: str
    key: str
    body_sha256: str
    folder: UUID | None = None
    """Where the clip is drawn on this very machine."""
    vendor_model: str | None = None
    list_cost_micros: int | None = None
    """What it will cost by the provider's list; None where the settings say nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a transition writes; built by `store.transitions`, and by nothing else."""

    claim: Claim
    step: str | None
    due: timedelta
    state: State | None = None
    progress: int | None = None
    pace: timedelta | None = None
    kept: bool = False
    tried_as: str | None = None
    """What failed: tries count only the same failure in a row."""
    attempt: Mapping[str, Json] | None = None
    sending: Sending | None = None
    record: RecordChange | None = None
    clip: StoredClip | None = None
    files: Sequence[StoredFile] = ()
    kept_for: timedelta | None = None
    """How long those files are kept."""
    rests: bool = False
    """Nothing was begun: the task counts as running no more."""
    folder: UUID | None = None
    """Which engine's machine draws the clip from now on."""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """An attempt that is over."""

    provider: str
    outcome: str
    cost_micros: int
    """What its provider takes for it, as far as is known."""


OnClosed = Callable[[str, str, int], None]
"""Is told of each attempt that is over, by its provider, outcome and cost, once that is committed."""


def uncounted(provider: str, outcome: str, cost_micros: int) -> None:
    """Take no notice of it."""


class Moves:
    """Writes transitions by group commit."""

    def __init__(self, pool: Pool, on_closed: OnClosed = uncounted) -> None:
        self._pool = pool
        self._on_closed = on_closed
        self._lane: Lane[Move, _Fate] = Lane(self._write)

    async def make(self, move: Move) -> None:
        """Write one transition; raise StaleLease where its fence has passed, NoRoom where its slot is taken."""
        match await self._lane.put(move):
            case _Fate.STALE:
                raise StaleLease(str(move.claim.task_id))
            case _Fate.FULL:
                raise NoRoom(str(move.claim.task_id))
            case _Fate.WRITTEN:
                return

    async def _write(self, batch: Sequence[Move]) -> Sequence[_Fate]:
        async with self._pool.acquire() as connection, connection.transaction():
            # Locks are taken in one order everywhere: accounts, credentials, work, or two batches block each other.
            resting = [move.claim.task for move in batch if move.rests]
            if resting:
                await lock_owners(connection, [t.account_id for t in resting], [t.key_id for t in resting])
            room = await _room(connection, batch)
            owned = await fenced(connection, [move.claim for move in batch])
            fates = [_fate(move, owned, room) for move in batch]
            moves = [move for move, fate in zip(batch, fates, strict=True) if fate is _Fate.WRITTEN]
            sent = [move for move in moves if move.sending]
            if sent:
                await connection.execute(_SEND, [_sending_row(move) for move in sent])
                await count_slots(connection, TAKE, [m.sending.credential_id for m in sent if m.sending])
            closed = await close_attempts(connection, [move.attempt for move in moves if move.attempt])
            await insert_files(connection, [file_row(f, move.kept_for) for move in moves for f in move.files])
            await insert_notices(
                connection, [(move.claim.task_id, move.notice) for move in moves if move.notice]
            )
            clips = [_clip_row(move.claim, move.clip) for move in moves if move.clip]
            if clips:
                await connection.execute(_CLIP, clips)
            shown = await connection.fetch(_SHOW, [_shown_row(move) for move in moves])
            await tell(connection, [(row["id"], row["account_id"]) for row in shown])
            if resting:
                await rest(connection, [move.claim.task_id for move in moves if move.rests])
            await connection.execute(_NEXT, [_work_row(move) for move in moves])
        for one in closed:
            self._on_closed(one.provider, one.outcome, one.cost_micros)
        return fates


Fence = tuple[UUID, int]


async def fenced(connection: Connection, claims: Sequence[Claim]) -> set[Fence]:
    """Lock the work rows that are still owned, and name them with their fences."""
    found = await connection.fetch(
        _FENCE, [claim.task_id for claim in claims], [claim.fence for claim in claims]
    )
    return {(row["task_id"], row["fence"]) for row in found}


async def lock_credentials(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Lock credentials in order; give each one's free slots."""
    found = await connection.fetch(LOCK, sorted(set(ids)))
    return {row["id"]: row["room"] for row in found}


async def close_attempts(connection: Connection, changes: Sequence[Mapping[str, Json]]) -> Sequence[Closed]:
    """Write what became of attempts; one that closes gives its provider's slot back, here and nowhere else."""
    if not changes:
        return ()
    found = await connection.fetch(_ATTEMPT, [dict(change) for change in changes])
    await count_slots(connection, _GIVE_BACK, [row["credential_id"] for row in found if row["closed"]])
    await judge(
        connection,
        [
            Verdict(row["credential_id"], row["error_class"], row["error_text"], row["busy_s"])
            for row in found
            if row["heard"]
        ],
    )
    return [
        Closed(row["provider"], "busy" if row["error_class"] == "busy" else row["state"], row["cost_micros"])
        for row in found
        if row["closed"]
    ]


async def count_slots(connection: Connection, statement: str, credentials: Sequence[int]) -> None:
    counted = {id_: credentials.count(id_) for id_ in sorted(set(credentials))}
    if counted:
        await connection.execute(statement, list(counted), list(counted.values()))


async def _room(connection: Connection, batch: Sequence[Move]) -> dict[int, int]:
    touched = [move.sending.credential_id for move in batch if move.sending]
    touched += [move.claim.attempt.credential_id for move in batch if move.attempt and move.claim.attempt]
    return await lock_credentials(connection, touched) if touched else {}


def _fate(move: Move, owned: set[Fence], room: dict[int, int]) -> _Fate:
    if (move.claim.task_id, move.claim.fence) not in owned:
        return _Fate.STALE
    if move.sending is None:
        return _Fate.WRITTEN
    if room[move.sending.credential_id] <= 0:
        return _Fate.FULL
    room[move.sending.credential_id] -= 1
    return _Fate.WRITTEN


def _sending_row(move: Move) -> dict[str, Json]:
    sending = move.sending
    if sending is None:
        raise ValueError(move.claim.task_id)
    return {
        "task_id": str(move.claim.task_id),
        "clip": sending.clip,
        "no": sending.no,
        "credential_id": sending.credential_id,
        "provider": sending.provider,
        "key": sending.key,
        "body_sha256": sending.body_sha256,
        "vendor_model": sending.vendor_model,
        "list_cost_micros": sending.list_cost_micros,
    }


def _shown_row(move: Move) -> dict[str, Json]:
    state = None if move.state is None else move.state.value
    record = None if move.record is None else dict(move.record)
    return {
        "task_id": str(move.claim.task_id),
        "state": state,
        "progress": move.progress,
        "record": record,
    }


def _clip_row(claim: Claim, clip: StoredClip) -> dict[str, Json]:
    return {
        "task_id": str(claim.task_id),
        "no": clip.no,
        "role": clip.role,
        "object_key": clip.object_key,
        "film": clip.film.as_json(),
    }


def _work_row(move: Move) -> dict[str, Json]:
    return {
        "task_id": str(move.claim.task_id),
        "step": move.step,
        "due_ms": move.due.total_seconds() * 1000,
        "pace_ms": None if move.pace is None else max(1, int(move.pace.total_seconds() * 1000)),
        "kept": move.kept,
        "tried_as": move.tried_as,
        "moved": move.sending is not None or move.folder is not None,
        "folder": _folder(move),
    }


def _folder(move: Move) -> str | None:
    folder = move.sending.folder if move.sending else move.folder
    return None if folder is None else str(folder)
