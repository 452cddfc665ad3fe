"""The database's own health, and what waits in it or went wrong of late: for operators alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final

from filmgate.domain.limits import NOTICES_SHOWN, SILENT_AFTER
from filmgate.store.migrate import MigrationError, pending
from filmgate.store.pool import Connection, Pool
from filmgate.store.weeks import partition, partitioned

# Counting what others took of the connections: those reserved for superusers are nobody's.
_SERVER: Final = """
select clock_timestamp() as at, current_setting('server_version') as version,
    pg_database_size(current_database()) as size_bytes,
    (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections_limit,
    (select name from migrations order by no desc limit 1) as schema_name
"""

_WAITING: Final = """
select
    (select count(*) from boots where seen_at > now() - $1::interval) as engines,
    (select extract(epoch from now() - min(due_at))::float8 from work
        where step <> 'prepare' and due_at < now()) as late_s,
    (select count(*) from work where step = 'prepare' and not running) as queued,
    (select extract(epoch from now() - t.created_at)::float8 from tasks t where t.id = (
        select (min(task_id::text))::uuid from work where step = 'prepare' and not running)) as queued_s,
    (select count(*) from attempts where state = 'uncertain') as uncertain,
    (select count(*) from tasks where error_code = 'engine_error' and ended_at > now() - $2::interval) as parked,
    (select count(*) from endpoints
        where failing_since is not null and disabled_at is null and deleted_at is null) as failing,
    (select count(*) from endpoints where disabled_at is not null and deleted_at is null) as disabled,
    (select count(*) from deliveries where state = 'given_up' and ended_at > now() - $2::interval) as given_up
"""

_NOTICED: Final = """
select distinct on (kind) kind, count(*) over (partition by kind) as count, at, text from notices
where at > now() - $1::interval order by kind, at desc, id desc
"""

_UNPARTITIONED: Final = "select exists (select from tasks_default)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What operators were told of one kind: how often of late, and the last of them."""

    kind: str
    count: int
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    at: datetime
    """The database's own clock."""
    version: str
    size_bytes: int
    connections: int
    connections_limit: int
    schema_name: str
    schema_trouble: str | None
    """What keeps this program and the database's schema from fitting together."""
    engines: int
    """How many engines were heard of lately."""
    late_s: float | None
    """By how much the step that is late most is late; starts wait for a provider and are not counted."""
    queued: int
    queued_s: float | None
    uncertain: int
    parked: int
    failing: int
    disabled: int
    given_up: int
    notices: Sequence[Noticed]
    newest_partition: str | None
    unpartitioned: bool


async def read_vitals(pool: Pool) -> Vitals:
    """Read how the database is; `at` is read last, right before this answers."""
    async with pool.acquire() as connection:
        trouble = await _schema_trouble(connection)
        waiting = await connection.fetchrow(_WAITING, SILENT_AFTER, NOTICES_SHOWN)
        noticed = await connection.fetch(_NOTICED, NOTICES_SHOWN)
        weeks = await partitioned(connection)
        unpartitioned = await connection.fetchval(_UNPARTITIONED)
        server = await connection.fetchrow(_SERVER)
    return Vitals(
        **dict(server or {}),
        **dict(waiting or {}),
        schema_trouble=trouble,
        notices=[Noticed(**dict(row)) for row in noticed],
        newest_partition=partition(weeks[-1]) if weeks else None,
        unpartitioned=unpartitioned,
    )


async def _schema_trouble(connection: Connection) -> str | None:
    steps = files("filmgate.store").joinpath("migrations")
    try:
        missing = await pending(connection, steps)  # type: ignore[arg-type]  # a pool's proxy of one does as well
    except MigrationError as error:
        return str(error)
    return f"not run yet: {', '.join(missing)}" if missing else None
