"""The relay's two forms of an error: one at its door, about keys and rights, and one about tasks."""

from typing import Final

from filmgate.dialects.newapi.words import LANGUAGE
from filmgate.domain.contracts import Reply
from filmgate.domain.problems import Problem

_KEY_CODES: Final = {
    "missing_key": "invalid_api_key",
    "invalid_key": "invalid_api_key",
    "makes_no_films": "access_denied",
}
_TASK_CODES: Final = {
    "task_not_found": "task_not_exist",
    "too_many_failures": "rate_limit_exceeded",
    "model_not_found": "model_not_found",
}
_STATUSES: Final = {"wrong_content_type": 400, "model_not_found": 400}
_AT_THE_DOOR: Final = frozenset({401, 403})
_INVALID: Final = frozenset({400, 408, 413, 415, 422})


def render_error(problem: Problem, *, strict: bool, verb: str = "") -> Reply:
    del strict, verb
    status = _STATUSES.get(problem.code, problem.wording.status)
    message = problem.text(LANGUAGE)
    if status in _AT_THE_DOOR:
        if problem.request_id:
            message = f"{message} (request id: {problem.request_id})"
        code = _KEY_CODES.get(problem.code, problem.code)
        return Reply(status, {"error": {"message": message, "type": "new_api_error", "code": code}})
    return Reply(status, {"code": _task_code(problem, status), "message": message, "data": None})


def _task_code(problem: Problem, status: int) -> str:
    if problem.code == "missing_parameter" and problem.field == "model":
        return "missing_model"
    return _TASK_CODES.get(problem.code, "invalid_request" if status in _INVALID else problem.code)
