"""What went wrong on our side, as a client may hear of it."""

import asyncpg

from filmgate.domain.problems import Problem

UNAVAILABLE = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.QueryCanceledError)
_ALSO_UNAVAILABLE = (asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
                     asyncpg.TooManyConnectionsError, asyncpg.DiskFullError, TimeoutError)  # fmt: skip


def as_problem(error: Exception, request_id: str) -> Problem:
    """Turn any error into a Problem; never with a trace, a statement or an address in it."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, UNAVAILABLE + _ALSO_UNAVAILABLE):
        return Problem("store_unavailable").with_headers({"retry-after": "5"})
    return Problem("internal_error", request_id=request_id)
