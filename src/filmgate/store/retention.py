"""Forget tasks whose time has come, a week at a time: what hangs on them first, the week itself last.

Bookings are kept for ever. What a week held and was charged is written down before anything of it is removed, and
the audit goes on to compare the bookings with it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final
from uuid import UUID

import asyncpg

from filmgate.domain.ids import uuid7_floor
from filmgate.store.pool import Connection, Pool
from filmgate.store.weeks import WEEK, partition, partitioned, week_of

BATCH: Final = 5_000
# One machine at a time forgets; it spells FORGET.
_LOCK: Final = 0x464F52474554
# Who cannot have the table soon tries again at the next sweep, and holds nobody up meanwhile.
_LOCK_WAIT: Final = "2s"

_OLDEST: Final = "select id from tasks_default order by id limit 1"

_BEGUN: Final = "select from_id, to_id from forgotten where done_at is null order by from_id limit 1"
_UNFINISHED: Final = "select count(*) from tasks where id >= $1 and id < $2 and ended_at is null"
_BEGIN: Final = """
insert into forgotten (from_id, to_id, tasks, held_micros, charged_micros)
select $1, $2, count(*), coalesce(sum(hold_micros), 0), coalesce(sum(cost_micros), 0)
from tasks where id >= $1 and id < $2
"""
_DONE: Final = "update forgotten set done_at = now() where from_id = $1"

# The object goes first, the row second; until then the week waits.
_LET_FILES_GO: Final = """
update files set delete_after = now()
where task_id >= $1 and task_id < $2 and (delete_after is null or delete_after > now())
"""
_FILES: Final = "select exists (select from files where task_id >= $1 and task_id < $2)"

_REMOVE: Final = """
delete from {table} where ctid = any(array(
    select ctid from {table} where {column} >= $1 and {column} < $2 limit $3))
"""
_DEPENDENTS: Final = ("attempts", "clips", "aliases", "deliveries", "notices", "quotes")


class Outcome(Enum):
    NOTHING = "nothing"
    """No week's time has come, or another machine sees to it."""
    GOING_ON = "going on"
    """Some was removed, and more is left for the next time."""
    WAITING = "waiting"
    """Files of the week are still kept, or a reader holds the table."""
    STUCK = "stuck"
    """A task of the week has never ended, which is for an operator to see."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Forgot:
    outcome: Outcome
    week: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Week:
    from_id: UUID
    to_id: UUID

    @property
    def start(self) -> datetime:
        return _moment(self.from_id)

    @property
    def partition(self) -> str:
        return partition(self.start)


async def forget(pool: Pool, before: datetime) -> Forgot:
    """Go on forgetting the oldest week that was over before a time, for one bounded step."""
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
            return Forgot(Outcome.NOTHING)
        week = await _begun(connection) or await _due(connection, before)
        if week is None:
            return Forgot(Outcome.NOTHING)
        return Forgot(await _step(connection, week), week.start)


async def _begun(connection: Connection) -> _Week | None:
    row = await connection.fetchrow(_BEGUN)
    return None if row is None else _Week(row["from_id"], row["to_id"])


async def _due(connection: Connection, before: datetime) -> _Week | None:
    weeks = [*await partitioned(connection)]
    oldest = await connection.fetchval(_OLDEST)
    if oldest is not None:
        weeks.append(week_of(_moment(oldest)))
    start = min(weeks, default=None)
    if start is None or start + WEEK > before:
        return None
    return _Week(uuid7_floor(start), uuid7_floor(start + WEEK))


async def _step(connection: Connection, week: _Week) -> Outcome:
    bounds = week.from_id, week.to_id
    if await connection.fetchval(_UNFINISHED, *bounds):
        return Outcome.STUCK
    if not await connection.fetchval(
        "select exists (select from forgotten where from_id = $1)", week.from_id
    ):
        await connection.execute(_BEGIN, *bounds)
    await connection.execute(_LET_FILES_GO, *bounds)
    for table in _DEPENDENTS:
        if await _removed(connection, table, "task_id", week) == BATCH:
            return Outcome.GOING_ON
    if await connection.fetchval(_FILES, *bounds):
        return Outcome.WAITING
    if await _removed(connection, "tasks_default", "id", week) == BATCH:
        return Outcome.GOING_ON
    if not await _dropped(connection, week):
        return Outcome.WAITING
    await connection.execute(_DONE, week.from_id)
    return Outcome.DONE


async def _removed(connection: Connection, table: str, column: str, week: _Week) -> int:
    tag = await connection.execute(
        _REMOVE.format(table=table, column=column), week.from_id, week.to_id, BATCH
    )
    return int(tag.split()[-1])


async def _dropped(connection: Connection, week: _Week) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{_LOCK_WAIT}'")
            await connection.execute(f"drop table if exists {week.partition}")
            await connection.execute("set local lock_timeout = 0")
    except asyncpg.LockNotAvailableError:
        return False
    return True


def _moment(id_: UUID) -> datetime:
    return datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)
