"""The unified wire's errors: new-api's two forms, and OpenAI's for the chat."""

from typing import Final

from filmgate.domain.contracts import Reply
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json

_LANGUAGE: Final = "zh"
_KEY_CODES: Final = {"missing_key": "invalid_api_key", "invalid_key": "invalid_api_key"}
_AUTH: Final = frozenset({401, 403})
_STATUSES: Final = {"model_not_found": 400}
_TASK_CODES: Final = {"model_not_found": "model_not_found", "task_not_found": "task_not_exist"}
_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
_CHAT_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def said_of_a_task(problem: Problem) -> Reply:
    message = problem.text(_LANGUAGE)
    status = _STATUSES.get(problem.code, problem.wording.status)
    if status in _AUTH:
        if problem.request_id:
            message = f"{message} (request id: {problem.request_id})"
        code = _KEY_CODES.get(problem.code, problem.code)
        return Reply(status, {"error": {"message": message, "type": "new_api_error", "code": code}})
    return Reply(status, {"code": _task_code(problem, status), "message": message, "data": None})


def _task_code(problem: Problem, status: int) -> str:
    if problem.code == "missing_parameter" and problem.field == "model":
        return "missing_model"
    plain = "invalid_request" if status == _BAD_REQUEST else problem.code
    return _TASK_CODES.get(problem.code, plain)


def said_in_chat(problem: Problem) -> Reply:
    status = problem.wording.status
    kind = "server_error" if status >= _SERVER_ERROR else _CHAT_TYPES.get(status, "invalid_request_error")
    error: dict[str, Json] = {
        "message": problem.text(_LANGUAGE),
        "type": kind,
        "param": problem.field,
        "code": _KEY_CODES.get(problem.code, problem.code),
    }
    # The official clients repeat 408, 409, 429 and 5xx, also for a submit: only what may pass is worth repeating.
    passing = status >= _SERVER_ERROR or status == _TOO_MANY
    return Reply(status, {"error": error}, {} if passing else {"x-should-retry": "false"})
