"""What the sweep asks of the store: partitions ahead, overdue tasks, and what should not be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from filmgate.domain.ids import uuid7_floor
from filmgate.domain.limits import (
    CIRCUIT_LONGEST,
    COLLECT_OVER,
    DELIVERY_RETENTION,
    DUE_FURTHEST,
    IDEMPOTENCY_MEMORY,
    POLL_SLOWEST,
    RECORD_RETENTION,
    SUBMIT_LEASE,
    WINDOW_AHEAD,
)
from filmgate.store.pool import Connection, Pool
from filmgate.store.retention import Forgot, forget
from filmgate.store.weeks import WEEK, partition, week_of
from filmgate.store.work import OWNED, Claim, Unreadable, readable

_WEEKS_AHEAD: Final = 4


def _s(time: timedelta) -> str:
    return f"interval '{time.total_seconds()} s'"


# The clock of the database was set back where something lies further ahead than anything is ever put. What is in hand
# gets a whole lease anew, so that it is no shorter than its owner believes.
_CATCH_UP: Final = f"""
with opened as (
    update credentials set refilled_at = least(refilled_at, now()), probing_until = least(probing_until, now()),
        blocked_until = case when blocked_until > now() + {_s(CIRCUIT_LONGEST + DUE_FURTHEST)} then now()
            else blocked_until end
    where id in (
        select id from credentials
        where refilled_at > now() + {_s(WINDOW_AHEAD)} or probing_until > now() + {_s(SUBMIT_LEASE + WINDOW_AHEAD)}
            or blocked_until > now() + {_s(CIRCUIT_LONGEST + DUE_FURTHEST)}
        order by id for no key update skip locked
    ) returning id
), due as (
    update work set due_at = now() + case when lease_by is not null then {_s(SUBMIT_LEASE)}
        else (hashtext(task_id::text) & 2147483647) % {int(POLL_SLOWEST.total_seconds())} * interval '1 s' end
    where task_id in (
        select task_id from work
        where step in ('prepare', 'submit', 'reconcile', 'poll', 'collect', 'render')
            and due_at > now() + {_s(SUBMIT_LEASE + WINDOW_AHEAD)} and (lease_by is not null
                or due_at > now() + greatest({_s(DUE_FURTHEST)}, pace_ms * interval '2 ms',
                    case when tried_as in ('collect', 'render') then {_s(COLLECT_OVER)} * power(4, tries - 7) end))
        for update skip locked
    ) returning task_id
), n as (
    select (select count(*) from opened) as credentials, (select count(*) from due) as tasks
)
insert into notices (kind, text)
select 'clock_set_back', format('the clock of the database was set back: %s tasks and %s credentials waited for times '
    'that lie far ahead, and go on now', tasks, credentials)
from n where tasks + credentials > 0 returning text
"""  # noqa: S608  # our own text

# What was claimed in vain, since nobody can read it, comes after all others the next time. Of the tasks only those are
# read that have not ended, however many have.
_OVERDUE: Final = f"""
with due as (
    select w.task_id from work w join tasks t on t.id = w.task_id and t.ended_at is null
    where (t.deadline_at < now() and w.step in ('prepare', 'poll')
            or t.start_by < now() and t.started_at is null and w.step = 'prepare')
        and (w.lease_by is null or w.due_at < now())
    order by w.due_at limit $1 for update of w skip locked
), mine as (
    update work w set fence = w.fence + 1, due_at = now() + interval '30 s'
    from due where w.task_id = due.task_id returning w.*
)
{OWNED}
"""  # noqa: S608  # the columns are ours

_FORGET: Final = """
delete from idempotency where ctid = any(array(
    select ctid from idempotency where created_at < now() - $1::interval order by created_at limit $2))
"""

# An unfinished task without its work row would wait for ever. Whoever held the lost row must not pass for its holder:
# the new fence is above any that was counted up from 0.
_REPAIR: Final = """
insert into work (fence, task_id, model, account_id, key_id, running, step, credential_id, due_at)
select (extract(epoch from now()) * 1000)::bigint, t.id, t.model, t.account_id, t.key_id, t.state <> 'queued',
    case when a.state = 'accepted' then 'poll' when a.state = 'sending' then 'submit'
    when a.state = 'uncertain' then 'reconcile'
    when a.state = 'done' and not exists (select from clips c where c.task_id = t.id and c.no = a.clip_no) then 'collect'
    else 'prepare' end,
    a.credential_id, now()
from tasks t left join lateral (
    select * from attempts a where a.task_id = t.id order by a.clip_no desc, a.no desc limit 1
) a on true
where t.ended_at is null and t.created_at < now() - interval '1 min'
    and not exists (select from work w where w.task_id = t.id)
on conflict do nothing
"""


_STRAYS: Final = """
delete from work w where not exists (select from tasks t where t.id = w.task_id and t.ended_at is null)
"""


_FORGET_DELIVERIES: Final = """
delete from deliveries where id in (
    select id from deliveries where state <> 'due' and created_at < now() - $1::interval order by created_at limit $2)
"""
_FORGET_ENDPOINTS: Final = "delete from endpoints where deleted_at < now() - 2 * $1::interval"
_FORGET_BATCH: Final = 5_000
_FORGET_QUOTES: Final = """
delete from quotes where id in (select id from quotes where expires_at < now() - $1::interval order by expires_at limit $2)
"""
_QUOTE_KEPT: Final = timedelta(days=30)

# A look by name may be answered from what this session saw before another made it.
_THERE: Final = (
    "select relname from pg_class where relname = any($1::text[]) and relnamespace = 'film'::regnamespace"
)
_BY_DEFAULT: Final = "select count(*) from (select from tasks_default limit $1) strays"
# Whoever waits for this lock holds up everybody who comes after it, and there are weeks of time to try again.
_LOCK_WAIT: Final = "500ms"
# It spells WEEKS.
_PARTITIONS_LOCK: Final = 0x5745454B53


class Upkeep:
    def __init__(self, pool: Pool, record_life: timedelta = RECORD_RETENTION) -> None:
        self._pool = pool
        self._record_life = record_life

    async def now(self) -> datetime:
        """Give the time by the database's own clock."""
        moment: datetime = await self._pool.fetchval("select now()")
        return moment

    async def make_partitions(self, now: datetime) -> Sequence[str]:
        """Make the weekly partitions of tasks up to four weeks ahead; give the new ones' names.

        Whoever reads the tasks for long, a backup for example, lets them wait for the next time.
        """
        weeks = [week_of(now) + ahead * WEEK for ahead in range(_WEEKS_AHEAD + 1)]
        found = await self._pool.fetch(_THERE, [partition(week) for week in weeks])
        there = {row["relname"] for row in found}
        missing = [week for week in weeks if partition(week) not in there]
        if not missing:
            return []
        async with self._pool.acquire() as connection, connection.transaction():
            # Two who make the same table at once would both fail.
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _PARTITIONS_LOCK):
                return []
            await connection.execute(f"set local lock_timeout = '{_LOCK_WAIT}'")
            return [partition(week) for week in missing if await _made(connection, week)]

    async def strays_by_default(self) -> int:
        """Count, up to a batch, the tasks that lie in no week's partition: those are made too late, or not at all."""
        return int(await self._pool.fetchval(_BY_DEFAULT, _FORGET_BATCH))

    async def forget_tasks(self, now: datetime) -> Forgot:
        """Take one step in forgetting the tasks whose time has come."""
        return await forget(self._pool, now - self._record_life)

    async def forget_quotes(self) -> None:
        """Remove prices that bind nobody any more; those that were used are kept for the audit a while."""
        await self._pool.execute(_FORGET_QUOTES, _QUOTE_KEPT, _FORGET_BATCH)

    async def overdue(self, limit: int, since: float, on_unreadable: Unreadable) -> Sequence[Claim]:
        """Claim tasks whose deadline has passed and of which nothing is in hand."""
        return readable(await self._pool.fetch(_OVERDUE, limit), since, on_unreadable)

    async def forget_keys(self) -> None:
        await self._pool.execute(_FORGET, IDEMPOTENCY_MEMORY, _FORGET_BATCH)

    async def forget_deliveries(self) -> None:
        """Remove deliveries that have been over for long, and endpoints that were deleted before them."""
        last = _FORGET_BATCH
        while last == _FORGET_BATCH:
            last = int(
                (await self._pool.execute(_FORGET_DELIVERIES, DELIVERY_RETENTION, _FORGET_BATCH)).split()[-1]
            )
        await self._pool.execute(_FORGET_ENDPOINTS, DELIVERY_RETENTION)

    async def catch_up(self) -> bool:
        """Let go on what waits for a clock that was set back; operators are told. Tell whether anything did."""
        return await self._pool.fetchval(_CATCH_UP) is not None

    async def remove_strays(self) -> int:
        """Remove work rows of tasks that have ended, or are not there; each of them is an alarm."""
        tag = await self._pool.execute(_STRAYS)
        return int(tag.split()[-1])

    async def repair(self) -> int:
        """Give unfinished tasks without a work row one again; each of them is an alarm."""
        tag = await self._pool.execute(_REPAIR)
        return int(tag.split()[-1])


async def _made(connection: Connection, week: datetime) -> bool:
    name, bounds = partition(week), (uuid7_floor(week), uuid7_floor(week + WEEK))
    if await connection.fetch(_THERE, [name]):
        return False
    try:
        async with connection.transaction():
            await connection.execute(
                f"create table {name} partition of tasks for values from ('{bounds[0]}') to ('{bounds[1]}') "
                "with (fillfactor = 85)"
            )
    except (asyncpg.CheckViolationError, asyncpg.LockNotAvailableError):
        # Rows of that week in the default partition forbid it, and they are as safe there; or the table is being read.
        return False
    return True
