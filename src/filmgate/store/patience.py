"""Waiting for a database that is away for a moment: some clients give up at the first 5xx.

What is read is asked again. What is written is written again only where whoever writes it can tell, by reading, what
became of the first time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import asyncpg

Answer = TypeVar("Answer")
Arguments = ParamSpec("Arguments")

# The database does not answer, has no room for us, or takes no writes: it is none of the asker's doing, and passes.
AWAY: Final = (
    OSError,
    asyncpg.InterfaceError,
    # A connection that was lost in the middle of a word is called so by its driver.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    # It took this process for one that stands still.
    asyncpg.IdleInTransactionSessionTimeoutError,
)
# Whatever a store may raise that is no bug of who asks; an engine goes on after it.
STORE_FAULTS: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
# Two that got into each other's way: nothing of this one was written.
COLLIDED: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
# A statement that took too long, or waited too long for another: nothing of it was written either.
PASSING: Final = (*AWAY, *COLLIDED, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
# What is written says something that can never be written: to repeat it is no use.
UNFIT: Final = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
PATIENCE_S: Final = 5.0
# Where one of the database's processes stands still, the others go on: so does who asks again over another connection.
CLAIM_WITHIN_S: Final = 15.0
AGAIN_S: Final = 0.1
_COLLISIONS: Final = 5
_APART_S: Final = 0.01


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again for up to 5 s while the database is away; for questions alone, never for writes."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + PATIENCE_S
    while True:
        try:
            return await ask()
        except AWAY:
            if loop.time() + AGAIN_S > give_up:
                raise
            await asyncio.sleep(AGAIN_S)


def whole_again(
    write: Callable[Arguments, Coroutine[Any, Any, Answer]],
) -> Callable[Arguments, Coroutine[Any, Any, Answer]]:
    """Run a whole transaction again, five times at most in all, where it collided with another."""

    @wraps(write)
    async def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        for collisions in range(1, _COLLISIONS):
            try:
                return await write(*args, **kwargs)
            except COLLIDED:
                await asyncio.sleep(_APART_S * collisions)
        return await write(*args, **kwargs)

    return run
