"""What went wrong on our side, as a client may hear of it."""

import asyncpg

from filmgate.domain.faults import StorageFault
from filmgate.domain.problems import Problem
from filmgate.store.patience import AWAY

UNAVAILABLE = (
    *AWAY,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    TimeoutError,
)


def as_problem(error: Exception, request_id: str) -> Problem:
    """Turn any error into a Problem; never with a trace, a statement or an address in it."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StorageFault):
        if error.absent:
            return Problem("film_absent")
        return Problem("files_unavailable").with_headers({"retry-after": "5"})
    if isinstance(error, UNAVAILABLE):
        return Problem("store_unavailable").with_headers({"retry-after": "5"})
    return Problem("internal_error", request_id=request_id)
