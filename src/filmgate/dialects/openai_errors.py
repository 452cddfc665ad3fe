"""OpenAI's form of an error, which more than one dialect has: `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from filmgate.dialects.wording import said
from filmgate.domain.contracts import Reply
from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json

TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error", 403: "permission_error", 429: "rate_limit_error",
}  # fmt: skip
CODES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("missing_key", "invalid_key", "key_expired"), "invalid_api_key"),
    **dict.fromkeys(("rate_limited", "too_many_tasks", "too_many_failures"), "rate_limit_exceeded"),
}
_SERVER_ERROR: Final = 500
NO_MONEY: Final = 402
_TOO_MANY: Final = 429
NOT_AGAIN: Final[Mapping[str, str]] = {"x-should-retry": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIErrors:
    """How a dialect says a problem in this form: its types by status, its codes and statuses by our code."""

    language: Language
    """The dialect's own, for readers of whom nothing else is known."""
    types: Mapping[int, str] = field(default_factory=lambda: TYPES)
    codes: Mapping[str, str] = field(default_factory=lambda: CODES)
    statuses: Mapping[str, int] = field(default_factory=dict)

    def render(self, problem: Problem, language: Language | None = None) -> Reply:
        status = self.statuses.get(problem.code, problem.wording.status)
        if status == NO_MONEY:
            spent = "insufficient_quota"
            return Reply(_TOO_MANY, _body(self._said(problem, language), spent, None, spent), NOT_AGAIN)
        kind = "server_error" if status >= _SERVER_ERROR else self.types.get(status, "invalid_request_error")
        body = _body(
            self._said(problem, language), kind, problem.field, self.codes.get(problem.code, problem.code)
        )
        # The official clients repeat 408, 409, 429 and 5xx, also for a submit: only what may pass is worth repeating.
        passing = status >= _SERVER_ERROR or status == _TOO_MANY
        return Reply(status, body, {} if passing else NOT_AGAIN)

    def _said(self, problem: Problem, language: Language | None) -> str:
        language = language or self.language
        return said(problem, language) if self.language == "zh" else problem.text(language)


def _body(message: str, kind: str, param: str | None, code: str) -> dict[str, Json]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
