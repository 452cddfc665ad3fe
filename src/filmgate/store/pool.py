"""Connections to PostgreSQL."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from filmgate.domain.limits import SUBMIT_SECONDS

WEB_STATEMENT_MS = 5_000
ENGINE_STATEMENT_MS = int(SUBMIT_SECONDS * 1000)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


_PREPARED: Final = 100
# What every session of ours needs; behind a pooler the database itself must say it.
SESSION: Final[Mapping[str, str]] = {"search_path": "film", "timezone": "UTC"}


async def open_pool(
    target: Mapping[str, Any], *, size: int, statement_ms: int, name: str, pooled: bool = False
) -> Pool:
    """Open a pool; `target` holds asyncpg's own arguments (`dsn`, or `host`, `user`, `database`).

    Behind a transaction pooler (`pooled`) no session is ours for longer than a transaction: nothing is prepared, and
    what a session needs is not sent, since poolers refuse it.
    """
    own = {} if pooled else {**SESSION, "statement_timeout": str(statement_ms)}
    return await asyncpg.create_pool(
        **target,
        min_size=1,
        max_size=size,
        init=speak_json,
        server_settings={"application_name": name, **own},
        command_timeout=statement_ms / 1000 if pooled else None,
        statement_cache_size=0 if pooled else _PREPARED,
    )


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
