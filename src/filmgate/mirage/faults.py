"""The answers that lie, by the lie that they tell."""

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from filmgate.mirage.calls import Answer, Manner, error, json_answer, page

RETRY_AFTER_S: Final = 1
_HUGE_BYTES: Final = 4 * 1024 * 1024


def rate_limited(wait_s: int | None = RETRY_AFTER_S) -> Answer:
    headers = {} if wait_s is None else {"retry-after": str(wait_s)}
    return error(429, "rate_limit_exceeded", "Rate limit reached, nothing was created.", None, headers)


def server_error() -> Answer:
    return error(500, None, "The server had an error while processing your request.")


def unauthorized() -> Answer:
    return error(401, "invalid_api_key", "Incorrect API key provided.")


def unknown(ref: str | None, param: str = "video_id") -> Answer:
    return error(404, "video_not_found", f"Video with id {ref!r} not found.", param)


def cut() -> Answer:
    return Answer(manner=Manner.UNANSWERED)


def renamed(honest: Answer, ref: str) -> Answer:
    """Give the answer with the id of another job."""
    return _with(honest, id=ref)


def _in_manner(honest: Answer, manner: Manner) -> Answer:
    return Answer(honest.status, honest.body, honest.headers, manner)


def _half(honest: Answer) -> Answer:
    return Answer(honest.status, honest.body[: len(honest.body) // 2], honest.headers)


def _with(honest: Answer, **changes: object) -> Answer:
    """Change fields of the JSON; those that become None are left out."""
    fields = orjson.loads(honest.body) | changes
    return json_answer(
        {name: value for name, value in fields.items() if name not in changes or value is not None},
        honest.status,
        honest.headers,
    )


def _unavailable() -> Answer:
    return error(503, "overloaded", "The engine is currently overloaded, please try again later.")


UNMADE: Final[Mapping[str, Callable[[], Answer]]] = {
    "busy": rate_limited,
    "busy-bare": lambda: rate_limited(None),
    "unavailable": _unavailable,
    "unauthorized-submit": unauthorized,
    "quota": lambda: error(429, "insufficient_quota", "You exceeded your current quota."),
    "error-unmade": server_error,
    "lost-request": cut,
    "no-model": lambda: error(404, "model_not_found", "The model does not exist.", "model"),
    "invalid": lambda: error(400, "invalid_value", "The prompt cannot be used.", "prompt"),
    "refuse": lambda: error(400, "moderation_blocked", "Your request was blocked by our moderation system."),
}

# Each is made of the honest answer.
REPLY: Final[Mapping[str, Callable[[Answer], Answer]]] = {
    "lost-reply": lambda _: cut(),
    "cut-head": lambda honest: _in_manner(honest, Manner.CUT_IN_HEAD),
    "cut-body": lambda honest: _in_manner(honest, Manner.CUT_IN_BODY),
    "error-after-accept": lambda _: server_error(),
    "gateway-after-accept": lambda _: page(502),
    "html-reply": lambda _: page(),
    "half-reply": _half,
    "empty-reply": lambda _: Answer(),
    "no-id": lambda honest: _with(honest, id=None),
}

POLL: Final[Mapping[str, Callable[[Answer], Answer]]] = {
    "lost-poll": lambda _: cut(),
    "error-poll": lambda _: server_error(),
    "busy-poll": lambda _: rate_limited(),
    "busy-poll-bare": lambda _: rate_limited(None),
    "unavailable-poll": lambda _: _unavailable(),
    "html-poll": lambda _: page(),
    "half-poll": _half,
    "empty-poll": lambda _: Answer(),
    "huge-poll": lambda honest: _with(honest, padding="x" * _HUGE_BYTES),
    "error-in-200": lambda _: json_answer(
        {"error": {"message": "Something went wrong.", "type": "server_error", "param": None, "code": None}}
    ),
    "wrong-id": lambda honest: _with(honest, id="video_0123456789"),
    "no-status": lambda honest: _with(honest, status=None),
}

FILM: Final[Mapping[str, Callable[[], Answer]]] = {
    "html": page,
    "missing-film": lambda: error(404, "content_not_found", "The content was not found."),
    "forbidden-film": lambda: error(403, "permission_denied", "You may not read this."),
    "error-film": server_error,
    "busy-film": rate_limited,
}
