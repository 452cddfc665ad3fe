"""Reads wait for a database that restarts: some clients give up at the first 5xx."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg

Answer = TypeVar("Answer")

AWAY: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_WAIT_S: Final = 5.0
_AGAIN_S: Final = 0.1


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again for up to 5 s while the database is away; for questions alone, never for writes."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + _WAIT_S
    while True:
        try:
            return await ask()
        except AWAY:
            if loop.time() > give_up:
                raise
            await asyncio.sleep(_AGAIN_S)
