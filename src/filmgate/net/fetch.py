"""Fetching what others named by URL: pictures of clients, and results of vendors that are not trusted."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin

import aiohttp

from filmgate.domain.contracts_http import NO_HEADERS, HttpStatus, NotSent, ReplyLost, TooLarge
from filmgate.domain.limits import MIB
from filmgate.net.denied import Denied
from filmgate.net.dial import GuardedDial
from filmgate.net.exchange import demand_length, demand_size, next_piece, opening
from filmgate.net.guard import Checked
from filmgate.net.http import REDIRECT_STATUSES, REDIRECTS, STATUS_BODY_BYTES
from filmgate.net.pace import Pace
from filmgate.net.urls import SCHEME, demand_plain

SLOWEST_BYTES_PER_S: Final = 16 * 1024
PACE_WINDOW_SECONDS: Final = 30.0

_UNREACHABLE: Final = "the URL could not be fetched"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole body; `media_type` is what its sender calls it, in lower case without parameters."""

    body: bytes = field(repr=False)
    media_type: str
    final_url: str = field(repr=False)


class FetchFailed(Exception):  # noqa: N818  # as the house names what happened
    """Nothing usable came. `str()` may be shown to a client, `operator` says what happened."""

    def __init__(self, reason: str, status: int | None = None, *, operator: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.operator = operator or reason


class FetchTooLarge(FetchFailed):
    """More came than was wanted."""


@dataclass(slots=True)
class _Limits:
    deadline: float
    first_byte_s: float
    idle_s: float
    pace: Pace
    limit_bytes: int


class GuardedFetch:
    """GETs through the guard: each hop checked from the first rule on, each on a connection of its own."""

    def __init__(self, dial: GuardedDial, *, pace_window_s: float = PACE_WINDOW_SECONDS) -> None:
        self._dial = dial
        self._pace_window_s = pace_window_s

    async def fetch(
        self,
        url: str,
        *,
        limit_bytes: int,
        total_s: float,
        first_byte_s: float,
        min_rate_bytes_s: float = SLOWEST_BYTES_PER_S,
    ) -> Fetched:
        """Get a whole body. Raise Denied or FetchFailed, both of whose texts may be shown to a client."""
        try:
            limits = self._limits(total_s, first_byte_s, total_s, min_rate_bytes_s, limit_bytes)
            body = bytearray()
            media_type, final_url = "", url
            async with aclosing(self._pieces(url, NO_HEADERS, limits)) as pieces:
                async for checked, response, piece in pieces:
                    media_type, final_url = _media_type(response), checked.url
                    body += piece
            return Fetched(bytes(body), media_type, final_url)
        except HttpStatus as answer:
            raise FetchFailed(_answered(answer), answer.status, operator=str(answer)) from answer
        except TooLarge as large:
            raise FetchTooLarge(f"the file is larger than {_size(limit_bytes)}") from large
        except (NotSent, ReplyLost) as failure:
            raise FetchFailed(_UNREACHABLE, operator=str(failure)) from failure

    async def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float,
        idle_s: float,
        limit_bytes: int,
    ) -> AsyncGenerator[bytes, None]:
        """Get a body piece by piece, as `Http.stream` promises, and raise Denied besides."""
        limits = self._limits(timeout_s, idle_s, idle_s, SLOWEST_BYTES_PER_S, limit_bytes)
        async with aclosing(self._pieces(url, headers, limits)) as pieces:
            async for _, _, piece in pieces:
                if piece:
                    yield piece

    def _limits(
        self, total_s: float, first_byte_s: float, idle_s: float, rate: float, limit_bytes: int
    ) -> _Limits:
        return _Limits(
            deadline=asyncio.get_running_loop().time() + total_s,
            first_byte_s=first_byte_s,
            idle_s=idle_s,
            pace=Pace(rate, self._pace_window_s),
            limit_bytes=limit_bytes,
        )

    async def _pieces(
        self, url: str, headers: Mapping[str, str], limits: _Limits
    ) -> AsyncGenerator[tuple[Checked, aiohttp.ClientResponse, bytes], None]:
        """Give the body's pieces with what they came from; the first is empty, as a body may be."""
        loop = asyncio.get_running_loop()
        checked = self._dial.guard.check(url)
        for hop in range(REDIRECTS + 1):
            within_s = min(limits.first_byte_s, limits.deadline - loop.time())
            async with self._dial.request("GET", checked, headers=headers, within_s=within_s) as response:
                if response.status == HTTPStatus.OK:
                    yield checked, response, b""
                    async for piece in _body(response, limits):
                        yield checked, response, piece
                    return
                if hop == REDIRECTS or response.status not in REDIRECT_STATUSES:
                    raise HttpStatus(response.status, await opening(response, STATUS_BODY_BYTES, within_s))
                to = self._next_hop(checked, response)
            # What was once dropped stays dropped, also when a foreign origin sends us back.
            headers = headers if to.origin == checked.origin else NO_HEADERS
            checked = to

    def _next_hop(self, at: Checked, response: aiohttp.ClientResponse) -> Checked:
        location = response.headers.get("location")
        if location is None:
            raise HttpStatus(response.status, b"", f"the answer was {response.status}, to nowhere")
        demand_plain(location)
        absolute = SCHEME.match(location) is not None
        to = self._dial.guard.check(location if absolute else urljoin(at.url, location))
        if at.scheme == "https" and to.scheme == "http":
            raise Denied("G13", f"a redirect from {at.host} leaves https")
        return to


async def _body(response: aiohttp.ClientResponse, limits: _Limits) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    demand_length(response, limits.limit_bytes)
    size = 0
    while True:
        began = loop.time()
        within_s = min(limits.idle_s, limits.pace.patience_s(), limits.deadline - began)
        piece = await next_piece(response, within_s)
        if not piece:
            return
        limits.pace.took(loop.time() - began, len(piece))
        size += len(piece)
        demand_size(response, size, limits.limit_bytes)
        yield piece


def _media_type(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _answered(answer: HttpStatus) -> str:
    if answer.status in REDIRECT_STATUSES:
        return "the URL redirects too often, or to nowhere"
    return f"the server of the URL answered {answer.status}"


def _size(count: int) -> str:
    return f"{count // MIB} MiB" if count >= MIB else f"{count} bytes"
