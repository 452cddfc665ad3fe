"""One request over aiohttp, sent once, with an honest answer to whether any of it left.

That answer is not read from aiohttp's exceptions, whose classes overlap, but from where the request stood
when it failed: until its headers are handed to a connection nothing has left, from then on anything may have.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, TypeAlias

import aiohttp
from yarl import URL

from filmgate.domain.contracts_http import HttpReply, NotSent, ReplyLost, TooLarge

CONNECT_SECONDS: Final = 5.0
AGENT: Final = "Filmgate"

Body: TypeAlias = aiohttp.payload.Payload | aiohttp.FormData | None
Tls: TypeAlias = ssl.SSLContext | None

# uvloop may refuse a connect by RuntimeError, as aiohttp says that it is closed; ValueError is a bad URL.
_FAILURES: Final = (aiohttp.ClientError, OSError, RuntimeError, ValueError)
_BREAK: Final = re.compile(r"[\r\n\0]")
_URL: Final = re.compile(r"(https?://)(?:[^/\s@]*@)?([^/\s?#]*)\S*")


@dataclass(slots=True)
class _Stand:
    """How far a request came; `sent` says that its bytes may have begun to leave."""

    sent: bool = False


class _FailedOnce(Exception):  # noqa: N818  # it carries a failure, and is none of its own
    pass


def new_session(
    connector: aiohttp.BaseConnector, connect_s: float = CONNECT_SECONDS
) -> aiohttp.ClientSession:
    """Make a session that takes nothing from its surroundings and remembers nothing between requests."""
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        headers={"user-agent": AGENT, "accept-encoding": "identity"},
        timeout=aiohttp.ClientTimeout(connect=connect_s, sock_connect=connect_s),
        trace_configs=[_standing()],
        middlewares=(_once,),
    )


async def begin(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    headers: Mapping[str, str],
    body: Body = None,
    within_s: float,
) -> aiohttp.ClientResponse:
    """Send a request and wait for the head of its reply. Raise NotSent or ReplyLost."""
    demand_one_line(headers)
    stand = _Stand()
    try:
        async with asyncio.timeout(within_s):
            return await session.request(
                method, url, headers=headers, data=body, allow_redirects=False, trace_request_ctx=stand
            )
    except _FailedOnce as failed:
        raise _meaning(stand, failed.__cause__ or failed) from failed.__cause__
    except _FAILURES as failure:
        raise _meaning(stand, failure) from failure


async def next_piece(response: aiohttp.ClientResponse, within_s: float) -> bytes:
    """Wait for the next bytes of a body, decoded; empty at its end. Raise ReplyLost."""
    try:
        if within_s <= 0:
            # A peer that sends without pause would never let a timer fire.
            raise TimeoutError
        async with asyncio.timeout(within_s):
            return await response.content.readany()
    except _FAILURES as failure:
        response.close()
        raise ReplyLost(f"the reply was cut short: {_words(failure)}") from failure


async def pieces(
    response: aiohttp.ClientResponse, *, deadline: float, idle_s: float, limit_bytes: int
) -> AsyncIterator[bytes]:
    """Give a body piece by piece until `deadline` on the loop's clock. Raise ReplyLost or TooLarge."""
    loop = asyncio.get_running_loop()
    demand_length(response, limit_bytes)
    size = 0
    while piece := await next_piece(response, min(idle_s, deadline - loop.time())):
        size += len(piece)
        demand_size(response, size, limit_bytes)
        yield piece
        if response.content.at_eof():
            return


async def opening(response: aiohttp.ClientResponse, most_bytes: int, within_s: float) -> bytes:
    """Read how a body begins, as much of it as comes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    text = bytearray()
    try:
        while len(text) < most_bytes and (piece := await next_piece(response, deadline - loop.time())):
            text += piece
    except ReplyLost:
        pass  # The status is what counts, and it came.
    return bytes(text[:most_bytes])


def demand_length(response: aiohttp.ClientResponse, limit_bytes: int) -> None:
    """Raise TooLarge where the reply says itself that it will pass the limit."""
    demand_size(response, response.content_length or 0, limit_bytes)


def demand_size(response: aiohttp.ClientResponse, size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        response.close()
        raise TooLarge(f"the reply is larger than {limit_bytes} bytes")


def whole(response: aiohttp.ClientResponse, body: bytes) -> HttpReply:
    names = dict.fromkeys(name.lower() for name in response.headers)
    headers = {name: ", ".join(response.headers.getall(name)) for name in names}
    return HttpReply(response.status, headers, body)


def demand_one_line(headers: Mapping[str, str]) -> None:
    """Raise NotSent for a header that would become two, such as a key read with its line's end."""
    for name, value in headers.items():
        if _BREAK.search(name) or _BREAK.search(value):
            raise NotSent(f"the header {name!r} has a line break or NUL in it")


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
        # aiohttp sends GET, PUT and DELETE a second time after these, unless they are called something else.
        raise _FailedOnce from failure


def _standing() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_sent)
    return trace


async def _note_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    # aiohttp calls this before the first byte is handed to the connection.
    context.trace_request_ctx.sent = True


def _meaning(stand: _Stand, failure: BaseException) -> NotSent | ReplyLost:
    if stand.sent:
        return ReplyLost(f"no reply came: {_words(failure)}")
    return NotSent(f"nothing was sent: {_words(failure)}")


def _words(failure: BaseException) -> str:
    # Keys stand in queries, and secrets of webhooks in paths: what aiohttp says of a URL ends with its host.
    return _URL.sub(r"\1\2", f"{type(failure).__name__}: {failure}".removesuffix(": "))
