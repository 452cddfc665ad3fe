"""Connections to PostgreSQL."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from filmgate.domain.limits import SUBMIT_SECONDS

WEB_STATEMENT_MS = 5_000
ENGINE_STATEMENT_MS = int(SUBMIT_SECONDS * 1000)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


async def open_pool(target: Mapping[str, Any], *, size: int, statement_ms: int, name: str) -> Pool:
    """Open a pool; `target` holds asyncpg's own arguments (`dsn`, or `host`, `user`, `database`)."""
    return await asyncpg.create_pool(
        **target,
        min_size=1,
        max_size=size,
        init=speak_json,
        server_settings={
            "application_name": name,
            "search_path": "film",
            "statement_timeout": str(statement_ms),
            "timezone": "UTC",
        },
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
