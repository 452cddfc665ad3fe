"""What the rest of the house knows of HTTP: one request and its reply, or why there is none.

NotSent     nothing of the request left: it may be sent again
ReplyLost   some of it may have left and no whole reply came: it may have been obeyed
TooLarge    a reply came, and was larger than the caller will hold
HttpStatus  a stream was asked for, and the answer was not 200
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply of any status; header names are in lower case, repeated headers joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FormFile:
    filename: str
    media_type: str
    content: bytes = field(repr=False)


class NotSent(Exception):  # noqa: N818  # it says what is known, which is what the caller decides by
    """Nothing of the request reached the other side: no address, refused, no connection, TLS failed."""


class ReplyLost(Exception):  # noqa: N818  # as NotSent
    """Some of the request may have been sent, and no whole reply came: timed out, reset, cut short."""


class TooLarge(Exception):  # noqa: N818  # as NotSent
    """The reply passed its limit; what had come of it was dropped."""


class HttpStatus(Exception):  # noqa: N818  # as NotSent
    """A stream was answered with another status than 200; `body` is at most its first 4 KiB."""

    def __init__(self, status: int, body: bytes, text: str = "") -> None:
        super().__init__(text or f"the answer was {status}")
        self.status = status
        self.body = body


class Http(Protocol):
    """The one way out. Nothing is ever sent twice, and no reply is cached."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        json: object = None,
        form: Sequence[tuple[str, str | FormFile]] | None = None,
        timeout_s: float,
        limit_bytes: int,
        fresh: bool = False,
    ) -> HttpReply:
        """Send one request and read its whole reply, redirects included: none is followed.

        `fresh` opens a connection for this request alone. A form goes as multipart, unless the headers say
        `content-type: application/x-www-form-urlencoded`. Raise NotSent, ReplyLost or TooLarge.
        """
        ...

    def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float,
        idle_s: float,
        limit_bytes: int,
    ) -> AsyncIterator[bytes]:
        """Get a body piece by piece, following up to 3 redirects; another origin is sent none of `headers`.

        `idle_s` is the longest wait for the next byte. Raise HttpStatus, NotSent, ReplyLost or TooLarge.
        """
        ...
