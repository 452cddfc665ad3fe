"""What the replies of vendors have in common, whatever their wire format."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin

import orjson

from filmgate.domain.contracts_http import NO_HEADERS, Http, HttpStatus, NotSent, ReplyLost, TooLarge
from filmgate.domain.faults import Broken
from filmgate.domain.limits import FILM_BYTES, FILM_IDLE_SECONDS, FILM_SECONDS, KIB
from filmgate.domain.request import Json

SHORTEST_WAIT: Final = timedelta(seconds=0.25)
LONGEST_WAIT: Final = timedelta(minutes=10)
PUBLIC_CHARACTERS: Final = 200
_READ_CHARACTERS: Final = 1000
_LINK_BYTES: Final = 64 * KIB
_PRIVATE: Final = re.compile(
    r"\b\w+://\S+"  # addresses
    r"|\S+@[\w.-]+"  # people
    r"|\b(?:sk|pk|key|org|proj|acct|user|req)[-_][A-Za-z0-9_-]{4,}"  # keys, accounts
    r"|[A-Za-z0-9_-]{28,}"  # whatever else nobody can read
    r"|(?<!\w)(?:/[\w.-]+){2,}"  # paths
)


def json_object(body: bytes) -> Mapping[str, Json] | None:
    """Read a body that is one JSON object; None for anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def wait_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read how long to wait from `retry-after-ms` and `retry-after`, in seconds or as a date."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return bounded(timedelta(milliseconds=milliseconds))
    said = headers.get("retry-after")
    if (seconds := _number(said)) is not None:
        return bounded(timedelta(seconds=seconds))
    return None if said is None else _until(said, now)


def bounded(wait: timedelta) -> timedelta:
    """Hold a vendor's wish within what a film can wait for."""
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def public(text: str, secret: str = "") -> str:
    """Give a vendor's words as customers may read them: one line, without keys, accounts, addresses or paths."""
    if secret:
        text = text.replace(secret, "[...]")
    # The pattern takes time by the square of what it reads.
    line = " ".join(_PRIVATE.sub("[...]", text[:_READ_CHARACTERS]).split())
    return line if len(line) <= PUBLIC_CHARACTERS else f"{line[: PUBLIC_CHARACTERS - 1]}…"


async def film(http: Http, url: str, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    """Give a film's bytes, and follow `{"url": ...}` once, without `headers`. Raise Broken."""
    try:
        async for piece in _followed(http, url, headers):
            yield piece
    except HttpStatus as answer:
        words = public(answer.body.decode(errors="replace"))
        raise Broken(f"the film could not be fetched: {answer}: {words}") from answer
    except (NotSent, ReplyLost, TooLarge) as error:
        raise Broken(f"the film could not be fetched: {error}") from error


async def _followed(http: Http, url: str, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    opening, text = b"", True
    async for piece in _stream(http, url, headers):
        if text:
            opening += piece
            # No film begins with a brace: its first four bytes are a length of a few dozen.
            text = opening.startswith(b"{") or not opening
            if text and len(opening) > _LINK_BYTES:
                raise Broken("the film is a long text")
            if not text:
                yield opening
        else:
            yield piece
    if text:
        async for piece in _stream(http, _link(url, opening), NO_HEADERS):
            yield piece


def _stream(http: Http, url: str, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    return http.stream(
        url, headers=headers, timeout_s=FILM_SECONDS, idle_s=FILM_IDLE_SECONDS, limit_bytes=FILM_BYTES
    )


def _link(url: str, body: bytes) -> str:
    link = (json_object(body) or {}).get("url")
    if not isinstance(link, str) or not link:
        raise Broken(f"the film is text: {public(body.decode(errors='replace'))!r}")
    try:
        return urljoin(url, link)
    except ValueError as error:
        raise Broken("the film is a link to no address") from error


def _number(text: str | None) -> float | None:
    if text is None or re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip(), re.ASCII) is None:
        return None
    return float(text)


def _until(date: str, now: datetime) -> timedelta | None:
    try:
        then = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return bounded((then if then.tzinfo else then.replace(tzinfo=UTC)) - now)
