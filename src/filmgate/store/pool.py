"""Connections to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from filmgate.domain.limits import SUBMIT_SECONDS
from filmgate.store.patience import PATIENCE_S, patiently

WEB_STATEMENT_MS = 5_000
ENGINE_STATEMENT_MS = int(SUBMIT_SECONDS * 1000)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


# A server that stands still answers no cancellation either: then the connection is given up.
_RELEASE_S: Final = 0.5


class _PatientPool(asyncpg.Pool):
    """Waits for connections and for answers only so long, also where the other end stands still."""

    def acquire(self, *, timeout: float | None = None) -> Any:  # noqa: ANN401  # as asyncpg has it
        return super().acquire(timeout=PATIENCE_S if timeout is None else timeout)

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:  # noqa: ANN401, ASYNC109  # as above
        # What was asked is answered by now: that the connection was closed, and not kept, is nobody's concern.
        with suppress(TimeoutError):
            await super().release(connection, timeout=_RELEASE_S if timeout is None else timeout)


_PREPARED: Final = 100
# What every session of ours needs; behind a pooler the database itself must say it. Whoever stands still within a
# transaction, or is cut off, holds what others wait for: it is ended before those lose their patience.
SESSION: Final[Mapping[str, str]] = {
    "search_path": "film",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "3s",
}


async def open_pool(
    target: Mapping[str, Any], *, size: int, statement_ms: int, name: str, pooled: bool = False
) -> Pool:
    """Open a pool; `target` holds asyncpg's own arguments (`dsn`, or `host`, `user`, `database`).

    Behind a transaction pooler (`pooled`) no session is ours for longer than a transaction: nothing is prepared, and
    what a session needs is not sent, since poolers refuse it.
    """
    own = {} if pooled else {**SESSION, "statement_timeout": str(statement_ms)}

    async def connect(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # asyncpg's own arguments
        # Nothing was asked yet, so that trying again is free: for reads and writes alike.
        return await patiently(lambda: asyncpg.connect(*args, **kwargs))

    pool = _PatientPool(
        **target,
        min_size=1,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        connect=connect,
        init=speak_json,
        reset=_leave,
        timeout=PATIENCE_S,
        command_timeout=statement_ms / 1000,
        server_settings={"application_name": name, **own},
        statement_cache_size=0 if pooled else _PREPARED,
    )
    return await pool


async def _leave(_connection: Connection) -> None:
    """Ask the server nothing as a connection is given back: no statement of ours leaves anything in its session."""


@asynccontextmanager
async def begun(pool: Pool, within_s: float = PATIENCE_S) -> AsyncIterator[Connection]:
    """Begin a transaction that somebody waits for; a connection that hangs is given up, with all that it wrote."""
    async with pool.acquire() as connection:
        watchdog = asyncio.get_running_loop().call_later(within_s, connection.terminate)
        try:
            async with connection.transaction():
                yield connection
        finally:
            watchdog.cancel()


async def set_session(connection: Connection) -> None:
    """Let the database give every session of this user what ours need, for poolers that pass nothing on."""
    for name, value in SESSION.items():
        await connection.execute(
            f"do $$ begin execute format('alter role current_user in database %I set {name} = %L', "
            f"current_database(), '{value}'); end $$"
        )


async def speak_json(connection: Connection) -> None:
    """Let jsonb columns and parameters be Python values."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )
