"""The errors of the chat, in OpenAI's own form."""

from typing import Final

from filmgate.domain.contracts import Reply
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json

_LANGUAGE: Final = "zh"
_CODES: Final = {
    **dict.fromkeys(("missing_key", "invalid_key", "key_expired"), "invalid_api_key"),
    **dict.fromkeys(("rate_limited", "too_many_tasks", "too_many_failures"), "rate_limit_exceeded"),
}
_NO_MONEY: Final = 402
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
_CHAT_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def said_in_chat(problem: Problem) -> Reply:
    status = problem.wording.status
    if status == _NO_MONEY:
        error: dict[str, Json] = {
            "message": problem.text(_LANGUAGE),
            "type": "insufficient_quota",
            "param": None,
            "code": "insufficient_quota",
        }
        return Reply(_TOO_MANY, {"error": error}, {"x-should-retry": "false"})
    kind = "server_error" if status >= _SERVER_ERROR else _CHAT_TYPES.get(status, "invalid_request_error")
    error = {
        "message": problem.text(_LANGUAGE),
        "type": kind,
        "param": problem.field,
        "code": _CODES.get(problem.code, problem.code),
    }
    # The official clients repeat 408, 409, 429 and 5xx, also for a submit: only what may pass is worth repeating.
    passing = status >= _SERVER_ERROR or status == _TOO_MANY
    return Reply(status, {"error": error}, {} if passing else {"x-should-retry": "false"})
