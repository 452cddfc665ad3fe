"""What the vendor is asked and what it answers, as values: it knows of no sockets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, TypeAlias

import orjson

NONE: Final[Mapping[str, str]] = MappingProxyType({})
_JSON: Final = {"content-type": "application/json"}
_HTML: Final = {"content-type": "text/html"}
_PAGE: Final = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"
_SERVER_ERRORS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The fields of a body of either form, nested ones as `a[b]`; `fault` says why it cannot be read."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    sha256: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; the names of `headers` are lower-case, `host` is what the client calls the vendor."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = field(default_factory=Body)
    host: str = "mirage"


class Manner(Enum):
    """How an answer goes out."""

    WHOLE = auto()
    UNANSWERED = auto()
    CUT_IN_HEAD = auto()
    CUT_IN_BODY = auto()
    OVERSTATED = auto()
    UNDERSTATED = auto()
    ENDLESS = auto()
    DRIPPING = auto()
    STALLED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """`wait_s` lies before its first byte, `lasts_s` is how long a dripping or a stalled one takes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE
    wait_s: float = 0
    lasts_s: float = 0


@dataclass(frozen=True, slots=True)
class Postponed:
    """Ask `then` for the answer, `wait_s` from now."""

    wait_s: float
    then: Callable[[], Answer]


Reaction: TypeAlias = Answer | Postponed


class RefusalError(Exception):
    """An answer that ends what is being done."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] = NONE) -> Answer:
    return Answer(status, orjson.dumps(value), {**_JSON, **headers})


def page(status: int = 200) -> Answer:
    return Answer(status, _PAGE, _HTML)


def error(
    status: int,
    code: str | None,
    message: str,
    param: str | None = None,
    headers: Mapping[str, str] = NONE,
) -> Answer:
    kind = "server_error" if status >= _SERVER_ERRORS else "invalid_request_error"
    return json_answer(
        {"error": {"message": message, "type": kind, "param": param, "code": code}}, status, headers
    )


def refusal(status: int, code: str | None, message: str, param: str | None = None) -> RefusalError:
    return RefusalError(error(status, code, message, param))
