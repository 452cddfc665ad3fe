"""Claims: the only way to own a step, and the fence that every later write carries."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.domain.limits import DEATHS_BEFORE_ALONE, HASTENED_EVERY, SILENT_AFTER
from filmgate.domain.request import Json
from filmgate.domain.shares import Share
from filmgate.domain.states import AttemptState, Step
from filmgate.domain.task import StoredClip, Task
from filmgate.metrics import CLOCK_OFFSET
from filmgate.store import rows
from filmgate.store.pool import Connection, Pool

# What a claim hands to its worker: the row, its task, and the latest attempt of its clip.
OWNED_COLUMNS: Final = f"""
    mine.step, mine.fence, mine.tries, mine.tries_since, mine.tried_as, mine.deaths, mine.folder,
    mine.credential_id as work_credential_id,
    mine.pace_ms, {rows.TASK_COLUMNS},
    a.clip_no, a.no as attempt_no, a.credential_id, a.key, encode(a.body_sha256, 'hex') as body_sha256,
    a.state as attempt_state, a.ticket, a.vendor_ref,
    a.result, a.sent_at, a.repeated_at, c.stored, now() as claimed_at
"""
OWNED_FROM: Final = """
from mine join tasks t on t.id = mine.task_id and t.ended_at is null
left join lateral (
    select * from attempts a where a.task_id = mine.task_id order by a.clip_no desc, a.no desc limit 1
) a on true
left join lateral (
    select jsonb_agg(jsonb_build_object('no', no, 'role', role, 'object_key', object_key, 'film', film) order by no)
        as stored
    from clips where task_id = mine.task_id
) c on true
order by t.id
"""
OWNED: Final = f"select {OWNED_COLUMNS} {OWNED_FROM}"  # our own text

# The oldest of each credential: however many of one are due, those of the others are found.
_DUE: Final = """
select d.* from (select id from credentials where not id = any($5::int[])) c
cross join lateral (
    select task_id, credential_id, due_at from work
    where step = $1 and credential_id = c.id and due_at <= now() and not task_id = any($3::uuid[])
        and not coalesce(folder = any($4::uuid[]), false)
    order by due_at limit $2
) d
union all (
    select task_id, credential_id, due_at from work
    where step = $1 and credential_id is null and due_at <= now() and not task_id = any($3::uuid[])
        and not coalesce(folder = any($4::uuid[]), false)
    order by due_at limit $2
)
order by due_at, task_id
"""

# A name that is left means that an owner vanished. A poll never has one: asking again is free. Nor has a suspect until
# it is begun: a death that comes while it waits is not its own.
NAME: Final = (
    f"case when w.deaths + (w.lease_by is not null)::int < {DEATHS_BEFORE_ALONE} then {{name}}::uuid end"
)
_CLAIM: Final = f"""
with due as (
    select task_id, due_at from work where task_id = any($2::uuid[]) and step = $1 and due_at <= now()
    for update skip locked
), mine as (
    update work w set
        lease_by = case when w.step <> 'poll' then {NAME.format(name="$3")} end,
        fence = w.fence + 1,
        deaths = w.deaths + (w.lease_by is not null)::int,
        due_at = now() + greatest(case w.step when 'poll' then w.pace_ms * interval '1 ms' end, $4::interval)
    from due where w.task_id = due.task_id
    returning w.*, now() - due.due_at as late
)
select mine.late, {OWNED_COLUMNS} {OWNED_FROM}
"""  # noqa: S608  # the columns are ours

# What was found may have been taken by another engine just then.
_TURNS: Final = 2
_NOBODY: Final = object()

_RENEW: Final = """
update work set due_at = now() + $3::interval where task_id = $1 and fence = $2 returning task_id
"""

_RELEASE: Final = """
update work w set lease_by = null, due_at = now(), deaths = w.deaths + (b.supervisor = $2)::int
from boots b where w.lease_by = b.id and b.folder = $1 and b.id <> $3
"""

_PUT_BACK: Final = """
update work w set lease_by = null, due_at = now() + $3::interval
from unnest($1::uuid[], $2::bigint[]) as r(task_id, fence) where w.task_id = r.task_id and w.fence = r.fence
"""

# What carries no name is nobody's death; its lease runs out like any other.
_BLAME: Final = """
update work set lease_by = case when task_id = $2 and step <> 'poll' then $1 end
where lease_by = $1 or (task_id = $2 and fence = $3)
"""

_RELEASE_LOST: Final = """
update work set lease_by = null, due_at = now() where lease_by = $1 and not task_id = any($2::uuid[])
"""

# Anybody may call: a job is asked for once a second at most, and never later than it would have been.
_HASTEN: Final = """
update work w set due_at = least(w.due_at, greatest(now(), w.due_at - w.pace_ms * interval '1 ms' + $3::interval))
from attempts a join credentials c on c.id = a.credential_id
where c.provider = $1 and a.vendor_ref = $2 and a.closed_at is null and w.task_id = a.task_id and w.step = 'poll'
    and w.due_at > now() + $3::interval
"""

_LOCK: Final = "select from work where task_id = $1 for update"
# What was true before the lock was got may be so no more: this is a statement of its own.
_HELD: Final = f"with mine as (select * from work where task_id = $1) {OWNED}"  # noqa: S608  # the columns are ours
_TAKE: Final = """
update work set fence = fence + 1, lease_by = null, due_at = now() + $2::interval where task_id = $1 returning fence
"""

# What lies on the disk of a machine is that machine's to go on with, as long as it gives a sign of life.
_BEAT: Final = "update boots set seen_at = now() where id = $1 returning now()"
# Beside what is counted, under the engine's own name: it goes as counts do once nobody writes it any more.
_KEEP_OFFSET: Final = """
insert into counts (process, counts) values ($1, $2) on conflict (process) do update set counts = $2, at = now()
"""
_OTHERS: Final = "select distinct folder from boots where seen_at > now() - $2::interval and folder <> $1"

# It may have been written before, and the word of it lost.
_BOOT: Final = "insert into boots (id, folder, supervisor) values ($1, $2, $3) on conflict (id) do nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """The latest attempt of a task's clip, as the worker that claimed the task needs it."""

    clip: int
    no: int
    credential_id: int
    key: str
    body_sha256: str
    """The digest, in hex, of all that makes the request."""
    state: AttemptState
    ref: str | None
    ticket: Mapping[str, Json] | None
    result: Mapping[str, Json] | None
    sent_at: datetime
    repeated_at: datetime | None = None
    """When it was last sent again under its key, the reply having been lost."""

    @property
    def last_sent_at(self) -> datetime:
        return self.sent_at if self.repeated_at is None else max(self.sent_at, self.repeated_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A step that this worker owns until its lease runs out; `fence` must be in each of its writes."""

    task: Task
    step: Step
    fence: int
    tries: int
    tries_since: datetime | None
    tried_as: str | None
    deaths: int
    pace: timedelta
    credential_id: int | None
    attempt: OpenAttempt | None
    folder: UUID | None = None
    """The data folder of the engine that draws the clip on its own machine."""
    clips: Sequence[StoredClip] = ()
    claimed_at: datetime
    since: float
    """When this process began to own the step, on its own monotonic clock."""
    late: timedelta = timedelta(0)
    """How long after its time it was claimed."""

    @property
    def task_id(self) -> UUID:
        return self.task.id

    @property
    def clip_no(self) -> int:
        """Which clip of the plan is next, or is being made."""
        return len(self.clips) + 1

    def times(self, why: str) -> int:
        """Say how often in a row the step has failed in one way; in another it failed never."""
        return self.tries if self.tried_as == why else 0

    @property
    def tried(self) -> OpenAttempt | None:
        """The latest attempt of the clip that is being made."""
        return self.attempt if self.attempt and self.attempt.clip == self.clip_no else None


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of an engine: who it is, on whose folder, under which supervisor."""

    id: UUID
    folder: UUID
    supervisor: UUID


Unreadable = Callable[[UUID, Exception], None]


class Claims:
    def __init__(self, pool: Pool, boot: Boot, on_unreadable: Unreadable) -> None:
        self._pool = pool
        self._boot = boot
        self._on_unreadable = on_unreadable
        self._others: Sequence[UUID] = ()

    @property
    def boot(self) -> Boot:
        return self._boot

    @property
    def folder(self) -> UUID:
        return self._boot.folder

    @property
    def on_unreadable(self) -> Unreadable:
        """Told of each claimed row that cannot be read."""
        return self._on_unreadable

    async def begin(self) -> int:
        """Announce this boot and release what former boots on this folder held; give how many those were.

        Whoever calls this holds the folder's lock, so the former boots are dead. A death counts against a task
        only where the supervisor outlived the engine: a power cut proves nothing against a film.
        """
        await self._pool.execute(_BOOT, self._boot.id, self._boot.folder, self._boot.supervisor)
        tag = await self._pool.execute(_RELEASE, self._boot.folder, self._boot.supervisor, self._boot.id)
        await self.beat()
        return int(tag.split()[-1])

    async def beat(self) -> datetime | None:
        """Give a sign of life, and learn who else lives; tell the database's time, None where this boot is unknown."""
        told: datetime | None = await self._pool.fetchval(_BEAT, self._boot.id)
        found = await self._pool.fetch(_OTHERS, self._boot.folder, SILENT_AFTER)
        self._others = [row["folder"] for row in found]
        return told

    async def keep_offset(self, seconds: float) -> None:
        """Keep by how much the clock of this engine is ahead of the database's."""
        await self._pool.execute(_KEEP_OFFSET, self._boot.id, {CLOCK_OFFSET: [[[], [round(seconds, 1)]]]})

    async def due(
        self,
        step: Step,
        *,
        limit: int,
        lease: timedelta,
        busy: Sequence[UUID] = (),
        since: float,
        named: bool = True,
        share: Share | None = None,
    ) -> Sequence[Claim]:
        """Claim due rows of a step, the oldest first, and of each credential no more than its share.

        Whatever its pace, a poll is nobody else's for its lease: engines that are too busy to keep a short pace would
        else take it from one another, and none would get through. A row of `busy` is left alone, since this worker
        already has it in hand. A row that does not carry the engine's name is not blamed when the engine dies.
        """
        name = self._boot.id if named else None
        found: Sequence[rows.Row] = ()
        for _ in range(_TURNS):
            chosen = await self._chosen(step, limit, busy, share)
            if not chosen:
                break
            found = await self._pool.fetch(_CLAIM, step.value, chosen, name, lease)
            if found:
                break
        return readable(found, since, self._on_unreadable)

    async def _chosen(
        self, step: Step, limit: int, busy: Sequence[UUID], share: Share | None
    ) -> Sequence[UUID]:
        full = [one for one in share.full() if one is not None] if share else []
        most = min(limit, share.room(_NOBODY)) if share else limit
        due = await unlike(
            busy, lambda passed: self._pool.fetch(_DUE, step.value, most, passed, self._others, full)
        )
        shared = share.copy() if share else None
        return [row["task_id"] for row in due if shared is None or shared.take(row["credential_id"])][:limit]

    async def hasten(self, provider: str, ref: str) -> bool:
        """Let a provider's job be asked for at once; False where none is, or it soon will be anyway."""
        return (await self._pool.execute(_HASTEN, provider, ref, HASTENED_EVERY)).endswith(" 1")

    async def release_lost(self, in_hand: Sequence[UUID]) -> None:
        """Give back what this boot had claimed and holds no more, since the database went away meanwhile."""
        await self._pool.execute(_RELEASE_LOST, self._boot.id, list(in_hand))

    async def put_back(self, claims: Sequence[Claim], due: timedelta) -> None:
        """Give back steps that were not begun, to be claimed again later; that is no death."""
        await self._pool.execute(
            _PUT_BACK, [claim.task_id for claim in claims], [claim.fence for claim in claims], due
        )

    async def blame(self, suspect: Claim) -> None:
        """Let a death of this engine from now on be the suspect's alone, whatever else is in hand."""
        await self._pool.execute(_BLAME, self._boot.id, suspect.task_id, suspect.fence)

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        """Extend a lease; False when it was lost."""
        return await self._pool.fetchval(_RENEW, claim.task_id, claim.fence, lease) is not None


async def held(connection: Connection, task_id: UUID) -> Claim | None:
    """Hold a task still until the transaction ends, and give its step, owned by whoever it is; None where it has ended."""
    await connection.execute(_LOCK, task_id)
    row = await connection.fetchrow(_HELD, task_id)
    return None if row is None else _claim_of(row, 0.0)


async def taken(connection: Connection, claim: Claim, lease: timedelta) -> Claim:
    """Own a step that is held still; whoever had it in hand has lost its lease, and sends and writes nothing."""
    return replace(claim, fence=await connection.fetchval(_TAKE, claim.task_id, lease))


async def unlike(
    busy: Sequence[UUID], look: Callable[[Sequence[UUID]], Awaitable[Sequence[rows.Row]]]
) -> Sequence[rows.Row]:
    """Look for rows that are not of `busy`; those are many, and seldom due, so they are named only where one shows."""
    found = await look(())
    if busy and not {row["task_id"] for row in found}.isdisjoint(busy):
        found = await look(busy)
    return found


def readable(found: Iterable[rows.Row], since: float, on_unreadable: Unreadable) -> Sequence[Claim]:
    """Read claimed rows; one that cannot be read hurts only itself."""
    claims: list[Claim] = []
    for row in found:
        try:
            claims.append(_claim_of(row, since))
        except (KeyError, TypeError, ValueError) as error:
            on_unreadable(row["id"], error)
    return claims


def _claim_of(row: Any, since: float) -> Claim:  # noqa: ANN401  # asyncpg's Record types no column
    """Read a row of OWNED."""
    attempt = None
    if row["attempt_no"] is not None:
        attempt = OpenAttempt(
            clip=row["clip_no"],
            no=row["attempt_no"],
            credential_id=row["credential_id"],
            key=row["key"],
            body_sha256=row["body_sha256"] or "",
            state=AttemptState(row["attempt_state"]),
            ref=row["vendor_ref"],
            ticket=row["ticket"],
            result=row["result"],
            sent_at=row["sent_at"],
            repeated_at=row["repeated_at"],
        )
    return Claim(
        task=rows.task(row),
        step=Step(row["step"]),
        fence=row["fence"],
        tries=row["tries"],
        tries_since=row["tries_since"],
        tried_as=row["tried_as"],
        deaths=row["deaths"],
        pace=timedelta(milliseconds=row["pace_ms"]),
        credential_id=row["work_credential_id"],
        attempt=attempt,
        folder=row["folder"],
        clips=tuple(rows.clip(one) for one in row["stored"] or ()),
        claimed_at=row["claimed_at"],
        since=since,
        late=row.get("late") or timedelta(0),
    )
