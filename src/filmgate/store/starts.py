"""Starts: which waiting tasks come next, in rounds over their owners, and never more of an owner than may run."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.domain.request import FilmRequest
from filmgate.store.funds import lock_owners
from filmgate.store.patience import whole_again
from filmgate.store.pool import Connection, Pool
from filmgate.store.work import NAME, OWNED_COLUMNS, OWNED_FROM, Boot, Claim, Unreadable, readable, unlike

_FAILED: Final = """
select a.credential_id, count(*) as n from attempts a
where a.task_id = {task_id} and a.clip_no = {clip}
    and (a.state = 'lost' or a.error_class in ('broken', 'misconfigured', 'failed'))
group by a.credential_id
"""

_LINE: Final = """
select w.task_id, w.account_id, w.key_id, w.credential_id, w.running, w.due_at from work w
where w.step = 'prepare' and w.model = h.model and w.account_id = h.account_id and w.key_id = h.key_id
    and w.due_at <= now() and not w.task_id = any($2::uuid[])
"""
# Whether any more of an owner may run is asked before its line is read: it may be long.
# Of each owner and model the next few are looked up by the index; a loop steps from one owner to the next.
_NEXT: Final = f"""
with recursive heads as (
    (select model, account_id, key_id from work where step = 'prepare' order by model, account_id, key_id limit 1)
    union all
    select n.* from heads h cross join lateral (
        select w.model, w.account_id, w.key_id from work w
        where w.step = 'prepare' and (w.model, w.account_id, w.key_id) > (h.model, h.account_id, h.key_id)
        order by w.model, w.account_id, w.key_id limit 1
    ) n
), lines as (
    select w.*, a.served_at, k.served_at as key_served_at, a.max_running - a.running as free,
        row_number() over (partition by w.account_id, w.key_id order by w.running desc, w.task_id) as nth
    from heads h join accounts a on a.id = h.account_id join keys k on k.id = h.key_id
    cross join lateral (
        ({_LINE} and w.running order by w.task_id limit $3)
        union all
        ({_LINE} and not w.running
            and (a.running >= a.max_running) is not true and (k.running >= k.max_running) is not true
            order by w.task_id limit $3)
    ) w
    where h.model = any($1::text[]) and not h.account_id = any($4::bigint[])
), ranked as (
    select *, row_number() over (partition by account_id order by running desc, nth, key_served_at, key_id) as place
    from lines
), first as (
    select * from ranked where running or free is null or place <= free
    order by place, served_at, account_id limit $3
)
select f.task_id, f.account_id, f.key_id, f.running, now() - f.due_at as waited, t.request,
    case when t.kind <> 'create' or exists (select from attempts a where a.task_id = f.task_id)
        then f.credential_id end as preferred,
    (select jsonb_object_agg(x.credential_id, x.n) from ({
    _FAILED.format(task_id="f.task_id", clip="1 + (select count(*) from clips c where c.task_id = f.task_id)")
}) x) as failed
from first f join tasks t on t.id = f.task_id and t.ended_at is null
order by f.place, f.served_at, f.account_id
"""  # noqa: S608  # our own text

_FREE: Final = """
select id, max_running - running as free from {table} where id = any($1::bigint[]) order by id for no key update
"""
_FREE_OF_ACCOUNTS: Final = _FREE.format(table="accounts")
_FREE_OF_KEYS: Final = _FREE.format(table="keys")

_CLAIM: Final = f"""
with due as (
    select w.task_id, w.running, r.credential_id
    from work w join unnest($1::uuid[], $2::int[], $3::boolean[]) as r(task_id, credential_id, running)
        on r.task_id = w.task_id
    where w.step = 'prepare' and w.due_at <= now() and (w.running or not r.running)
    order by w.task_id for update of w skip locked
), mine as (
    update work w set lease_by = {NAME.format(name="$4")}, fence = w.fence + 1,
        deaths = w.deaths + (w.lease_by is not null)::int,
        due_at = now() + $5::interval, running = true, credential_id = due.credential_id
    from due where w.task_id = due.task_id
    returning w.*, due.running as ran
)
select mine.ran, {OWNED_COLUMNS} {OWNED_FROM}
"""  # noqa: S608  # our own text

_COUNT: Final = """
with account as (
    update accounts a set running = a.running + r.n, served_at = clock_timestamp()
    from unnest($1::bigint[], $2::int[]) as r(id, n) where a.id = r.id
)
update keys k set running = k.running + r.n, served_at = clock_timestamp()
from unnest($3::bigint[], $4::int[]) as r(id, n) where k.id = r.id
"""

# The caller has locked accounts, keys and work, in this order.
_REST: Final = """
with rested as (
    update work w set running = false where w.task_id = any($1::uuid[]) and w.running
    returning w.account_id, w.key_id
), account as (
    update accounts a set running = a.running - r.n
    from (select account_id as id, count(*) as n from rested group by 1) r where a.id = r.id
)
update keys k set running = k.running - r.n
from (select key_id as id, count(*) as n from rested group by 1) r where k.id = r.id
"""

# What is counted and what is there change together, so a difference in one snapshot is damage.
_MISCOUNTED: Final = """
select p.id from {table} p
left join (select {column} as id, count(*) as n from work where running group by 1) w on w.id = p.id
where p.running <> coalesce(w.n, 0)
"""
_RECOUNT: Final = """
update {table} p set running = (select count(*) from work w where w.{column} = p.id and w.running)
where p.id = any($1::bigint[])
"""

_MODELS: Final = """
with recursive heads as (
    (select model from work where step = 'prepare' order by model limit 1)
    union all
    select n.* from heads h cross join lateral (
        select w.model from work w where w.step = 'prepare' and w.model > h.model order by w.model limit 1) n
)
select model from heads
"""

# What waits is counted as one, whoever has tried it before: it is told of once.
_STRANDED: Final = """
select w.model, w.credential_id, w.waits, w.n, c.provider from (
    select model, case when step <> 'prepare' then credential_id end as credential_id, step = 'prepare' as waits,
        count(*) as n
    from work group by 1, 2, 3
) w left join credentials c on c.id = w.credential_id
order by w.model, w.waits, w.credential_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A task that may start: what it asks for, and what it has tried."""

    task_id: UUID
    account_id: int
    key_id: int
    request: FilmRequest
    running: bool
    """It was started before, and goes on."""
    preferred: int | None
    """The credential that it was sent to last, or that made what it goes on from."""
    failed: Mapping[int, int]
    """How often each credential has failed at its present clip."""
    waited: timedelta


@dataclass(frozen=True, slots=True)
class Stranded:
    """How many tasks of a model wait, or are made through a credential."""

    model: str
    credential_id: int | None
    provider: str | None
    waits: bool
    count: int


class Starts:
    def __init__(self, pool: Pool, boot: Boot, on_unreadable: Unreadable) -> None:
        self._pool = pool
        self._boot = boot
        self._on_unreadable = on_unreadable

    async def next(
        self,
        models: Sequence[str],
        *,
        limit: int,
        busy: Sequence[UUID] = (),
        without: Sequence[Hashable] = (),
    ) -> Sequence[Waiting]:
        """Give the tasks of these models that come next: one of each account in turn, the least lately served first.

        Those of accounts `without` are passed over.
        """
        found = await unlike(
            busy, lambda passed: self._pool.fetch(_NEXT, list(models), passed, limit, list(without))
        )
        waiting: list[Waiting] = []
        for row in found:
            try:
                waiting.append(_waiting(row))
            except (KeyError, TypeError, ValueError) as error:
                self._on_unreadable(row["task_id"], error)
        return waiting

    async def models(self) -> Sequence[str]:
        """Name the models of which films wait."""
        return [row["model"] for row in await self._pool.fetch(_MODELS)]

    @whole_again
    async def claim(
        self, chosen: Sequence[tuple[Waiting, int]], *, lease: timedelta, since: float, named: bool = True
    ) -> Sequence[Claim]:
        """Claim tasks, each for the credential that was chosen for it, as far as their owners' limits allow."""
        async with self._pool.acquire() as connection, connection.transaction():
            allowed = await _allowed(connection, [waiting for waiting, _ in chosen])
            taken = [pair for pair in chosen if pair[0].task_id in allowed]
            found = await connection.fetch(
                _CLAIM,
                [waiting.task_id for waiting, _ in taken],
                [credential_id for _, credential_id in taken],
                [waiting.running for waiting, _ in taken],
                self._boot.id if named else None,
                lease,
            )
            fresh = [row for row in found if not row["ran"]]
            accounts = Counter(row["account_id"] for row in fresh)
            keys = Counter(row["key_id"] for row in fresh)
            if fresh:
                await connection.execute(
                    _COUNT, list(accounts), list(accounts.values()), list(keys), list(keys.values())
                )
        return readable(found, since, self._on_unreadable)

    async def failed(self, task_id: UUID, clip: int) -> Mapping[int, int]:
        """Tell how often each credential has failed at a clip; a busy one has not."""
        found = await self._pool.fetch(_FAILED.format(task_id="$1", clip="$2"), task_id, clip)
        return {row["credential_id"]: row["n"] for row in found}

    async def stranded(self) -> Sequence[Stranded]:
        """Count unfinished tasks by what they need to go on."""
        found = await self._pool.fetch(_STRANDED)
        return [
            Stranded(row["model"], row["credential_id"], row["provider"], row["waits"], row["n"])
            for row in found
        ]

    @whole_again
    async def recount(self) -> int:
        """Set right how many tasks run for whom, where rows were changed by hand; give for how many it was wrong."""
        wrong: dict[str, list[int]] = {}
        for table, column in _COUNTED:
            found = await self._pool.fetch(_MISCOUNTED.format(table=table, column=column))
            wrong[table] = [row["id"] for row in found]
        if any(wrong.values()):
            async with self._pool.acquire() as connection, connection.transaction():
                await lock_owners(connection, wrong["accounts"], wrong["keys"])
                for table, column in _COUNTED:
                    await connection.execute(_RECOUNT.format(table=table, column=column), wrong[table])
        return sum(map(len, wrong.values()))


_COUNTED: Final = (("accounts", "account_id"), ("keys", "key_id"))


async def rest(connection: Connection, task_ids: Sequence[UUID]) -> None:
    """Let tasks wait again as if they had not begun; the caller has locked their owners and their work rows."""
    await connection.execute(_REST, list(task_ids))


async def _allowed(connection: Connection, wanted: Sequence[Waiting]) -> set[UUID]:
    """Say which of them their owners' limits let run; what ran before has its place already."""
    accounts = await connection.fetch(_FREE_OF_ACCOUNTS, sorted({one.account_id for one in wanted}))
    keys = await connection.fetch(_FREE_OF_KEYS, sorted({one.key_id for one in wanted}))
    of_account = {row["id"]: row["free"] for row in accounts}
    of_key = {row["id"]: row["free"] for row in keys}
    allowed: set[UUID] = set()
    for one in wanted:
        rooms = ((of_account, one.account_id), (of_key, one.key_id))
        if not one.running:
            if any(room[id_] is not None and room[id_] <= 0 for room, id_ in rooms):
                continue
            for room, id_ in rooms:
                room[id_] = None if room[id_] is None else room[id_] - 1
        allowed.add(one.task_id)
    return allowed


def _waiting(row: Any) -> Waiting:  # noqa: ANN401  # asyncpg's Record types no column
    return Waiting(
        task_id=row["task_id"],
        account_id=row["account_id"],
        key_id=row["key_id"],
        request=FilmRequest.from_json(row["request"]),
        running=row["running"],
        preferred=row["preferred"],
        failed={int(id_): count for id_, count in (row["failed"] or {}).items()},
        waited=row["waited"],
    )
