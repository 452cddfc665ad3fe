"""The two forms of an error that relays of the new-api kind have: one at the door, and one about tasks.

At the door it is about keys and rights: `{"error": {"message", "type", "code"}}`; everything else is
`{"code", "message", "data": null}`. Known clients look for Chinese words in the message.
"""

from typing import Final

from filmgate.dialects.wording import said
from filmgate.domain.contracts import Reply
from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem

_LANGUAGE: Final[Language] = "zh"
_KEY_CODES: Final = {
    "missing_key": "invalid_api_key",
    "invalid_key": "invalid_api_key",
    "key_expired": "invalid_api_key",
    "makes_no_films": "access_denied",
}
_TASK_CODES: Final = {
    "task_not_found": "task_not_exist",
    "model_not_found": "model_not_found",
    "insufficient_balance": "quota_not_enough",
    "budget_exceeded": "quota_not_enough",
    "max_cost_exceeded": "quota_not_enough",
    "too_many_failures": "rate_limit_exceeded",
    "rate_limited": "rate_limit_exceeded",
    "too_many_tasks": "rate_limit_exceeded",
}
_NO_MONEY: Final = 402
_STATUSES: Final = {"wrong_content_type": 400, "model_not_found": 400}
_AT_THE_DOOR: Final = frozenset({401, 403})
_INVALID: Final = frozenset({400, 408, 413, 415, 422})


def relay_error(problem: Problem, language: Language | None = None) -> Reply:
    """Say a problem in the form that fits it, in Chinese unless its reader reads something else."""
    status = _STATUSES.get(problem.code, problem.wording.status)
    message = said(problem, language or _LANGUAGE)
    if status in _AT_THE_DOOR:
        if problem.request_id:
            message = f"{message} (request id: {problem.request_id})"
        code = _KEY_CODES.get(problem.code, problem.code)
        return Reply(status, {"error": {"message": message, "type": "new_api_error", "code": code}})
    sent = 403 if status == _NO_MONEY else status
    return Reply(sent, {"code": _task_code(problem, status), "message": message, "data": None})


def _task_code(problem: Problem, status: int) -> str:
    if problem.code == "missing_parameter" and problem.field == "model":
        return "missing_model"
    return _TASK_CODES.get(problem.code, "invalid_request" if status in _INVALID else problem.code)
