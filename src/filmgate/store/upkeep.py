"""What the sweep asks of the store: partitions ahead, overdue tasks, and what should not be."""

from collections.abc import Sequence
from contextlib import suppress
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
    SUBMIT_LEASE,
    WINDOW_AHEAD,
)
from filmgate.store.pool import Pool
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

# What was claimed in vain, since nobody can read it, comes after all others the next time.
_OVERDUE: Final = f"""
with due as (
    select w.task_id from work w join tasks t on t.id = w.task_id
    where t.deadline_at < now() and w.step in ('prepare', 'poll') and (w.lease_by is null or w.due_at < now())
    order by w.due_at limit $1 for update of w skip locked
), mine as (
    update work w set fence = w.fence + 1, due_at = now() + interval '30 s'
    from due where w.task_id = due.task_id returning w.*
)
{OWNED}
"""  # noqa: S608  # the columns are ours

_FORGET: Final = "delete from idempotency where created_at < now() - $1::interval"

# An unfinished task without its work row would wait for ever.
_REPAIR: Final = """
insert into work (task_id, model, account_id, key_id, running, step, credential_id, due_at)
select t.id, t.model, t.account_id, t.key_id, t.state <> 'queued',
    case when a.state in ('accepted') then 'poll' when a.state in ('sending', 'uncertain') then 'reconcile'
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


_STRAYS: Final = "delete from work w using tasks t where t.id = w.task_id and t.ended_at is not null"


_FORGET_DELIVERIES: Final = """
delete from deliveries where id in (
    select id from deliveries where state <> 'due' and created_at < now() - $1::interval order by created_at limit $2)
"""
_FORGET_ENDPOINTS: Final = "delete from endpoints where deleted_at < now() - 2 * $1::interval"
_FORGET_BATCH: Final = 5_000


class Upkeep:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def make_partitions(self, now: datetime) -> Sequence[str]:
        """Make the weekly partitions of tasks up to four weeks ahead; give the new ones' names."""
        monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        made: list[str] = []
        for week in range(_WEEKS_AHEAD + 1):
            start = monday + timedelta(weeks=week)
            bounds = uuid7_floor(start), uuid7_floor(start + timedelta(weeks=1))
            name = f"tasks_{start:%Y_%m_%d}"
            if await self._pool.fetchval("select to_regclass('film.' || $1)", name) is None:
                # Rows of that week in the default partition forbid it; they are as safe there.
                with suppress(asyncpg.CheckViolationError):
                    await self._pool.execute(
                        f"create table if not exists {name} partition of tasks "
                        f"for values from ('{bounds[0]}') to ('{bounds[1]}') with (fillfactor = 85)"
                    )
                    made.append(name)
        return made

    async def overdue(self, limit: int, since: float, on_unreadable: Unreadable) -> Sequence[Claim]:
        """Claim tasks whose deadline has passed and of which nothing is in hand."""
        return readable(await self._pool.fetch(_OVERDUE, limit), since, on_unreadable)

    async def forget_keys(self) -> None:
        await self._pool.execute(_FORGET, IDEMPOTENCY_MEMORY)

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
        """Remove work rows of tasks that have ended; each of them is an alarm."""
        tag = await self._pool.execute(_STRAYS)
        return int(tag.split()[-1])

    async def repair(self) -> int:
        """Give unfinished tasks without a work row one again; each of them is an alarm."""
        tag = await self._pool.execute(_REPAIR)
        return int(tag.split()[-1])
