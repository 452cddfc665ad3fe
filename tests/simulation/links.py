"""The connections to PostgreSQL that all processes of all worlds share, and the time that it reads."""

import asyncio
from typing import TYPE_CHECKING, Final

import asyncpg

from simulation.loop import Process

PATH: Final = "film, simulated, pg_catalog"
# Functions of an earlier schema come before those of the same name that every database has. Within a transaction the
# time stands still; else it stands in a file, which costs no question more. Only what is stable is worked out once for
# a statement, so the function that reads a file has to be declared anew.
CLOCK: Final = """
do $$ begin execute format('create function simulated.read(text) returns text language internal stable strict as %L',
    (select prosrc from pg_proc where oid = 'pg_read_file(text)'::regprocedure)); end $$;
create function simulated.now() returns timestamptz language sql stable return to_timestamp(
    coalesce(nullif(current_setting('simulated.time', true), ''), simulated.read('{file}'))::float8);
create function simulated.clock_timestamp() returns timestamptz language sql stable return simulated.now();
"""
SESSION: Final = {
    "application_name": "simulation",
    "search_path": PATH,
    "timezone": "UTC",
    "synchronous_commit": "off",
    # Who waits too long, and who gives way, is not for real time to say.
    "deadlock_timeout": "1d",
    # Planning costs more than these few rows.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}

if TYPE_CHECKING:
    # Only the stubs know that a connection is generic.
    Plain = asyncpg.Connection[asyncpg.Record]
else:
    Plain = asyncpg.Connection


class Quick(Plain):
    """A connection that keeps nothing between two uses, so that nothing needs to be reset."""

    def get_reset_query(self) -> str:
        return ""


class Link:
    """One real connection, and what it is in the middle of."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.connection = connection
        self.pid = connection.get_server_pid()
        self.depth = 0
        self.number = 0
        """Of its latest call, among all calls of this world."""
        self.gives_way = False
        """Its call was ended since some waited for each other."""
        self.driver: asyncio.Task[None] | None = None
        self.timed: asyncio.Task[None] | None = None
        self.process: Process | None = None
        self.begun: float | None = None
