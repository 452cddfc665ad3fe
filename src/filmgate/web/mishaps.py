"""What went wrong on our side, as a client may hear of it."""

from typing import Protocol

import asyncpg

from filmgate.domain.faults import StorageFault
from filmgate.domain.problems import Problem
from filmgate.seal import BrokenSealError
from filmgate.store.patience import AWAY

UNAVAILABLE = (*AWAY, asyncpg.QueryCanceledError)


class Events(Protocol):
    def event(self, event: str, **fields: object) -> None: ...


def noticed(error: Exception, request_id: str, telemetry: Events) -> Problem:
    """Give the problem that is answered, and log what is none of a client's doing."""
    problem = as_problem(error, request_id)
    problem.request_id = request_id
    if problem.code == "internal_error":
        telemetry.event("http.broken", error=error, request_id=request_id)
    return problem


def as_problem(error: Exception, request_id: str) -> Problem:
    """Turn any error into a Problem; never with a trace, a statement or an address in it."""
    match error:
        case Problem():
            return error
        case StorageFault():
            away = Problem("files_unavailable").with_headers({"retry-after": "5"})
            return Problem("film_absent") if error.absent else away
        case BrokenSealError():
            return Problem("secret_unreadable")
        case asyncpg.CharacterNotInRepertoireError():
            # Bodies are read without; what is left is a path or a query.
            reason, reason_zh = "a text in it holds a NUL character.", "其中含有 NUL 字符。"
            return Problem("invalid_parameter", field="url", reason=reason, reason_zh=reason_zh)
    if not isinstance(error, UNAVAILABLE):
        return Problem("internal_error", request_id=request_id)
    return Problem("store_unavailable").with_headers({"retry-after": "5"})
