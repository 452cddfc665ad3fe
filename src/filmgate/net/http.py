"""The one way out, over aiohttp: nothing from the environment, no cookies, nothing sent twice."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
import orjson
from yarl import URL

from filmgate.domain.contracts_http import NO_HEADERS, FormFile, HttpReply, HttpStatus, NotSent
from filmgate.net.exchange import CONNECT_SECONDS, Body, Tls, begin, new_session, opening, pieces, whole

REDIRECTS: Final = 3
REDIRECT_STATUSES: Final = frozenset((301, 302, 303, 307, 308))
STATUS_BODY_BYTES: Final = 4096

# Common servers hang up after five idle seconds: less, so that a request seldom meets a closing connection.
_KEEP_ALIVE_SECONDS: Final = 4.0
_PRINTABLE: Final = re.compile("[!-~]*")
_URLENCODED: Final = "application/x-www-form-urlencoded"


@asynccontextmanager
async def open_http(tls: Tls = None, connect_s: float = CONNECT_SECONDS) -> AsyncIterator["HttpClient"]:
    """Open the way out; `tls` replaces the machine's own list of trusted authorities."""
    trust = True if tls is None else tls
    pooled = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=trust)
    fresh = aiohttp.TCPConnector(limit=0, force_close=True, ssl=trust)
    async with (
        new_session(pooled, connect_s) as pooled_session,
        new_session(fresh, connect_s) as fresh_session,
    ):
        yield HttpClient(pooled_session, fresh_session)


class HttpClient:
    """The house's Http, as `open_http` makes it."""

    def __init__(self, pooled: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> None:
        self._pooled = pooled
        self._fresh = fresh

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
        deadline = asyncio.get_running_loop().time() + timeout_s
        body = _written(headers, json, form)
        session = self._fresh if fresh else self._pooled
        response = await begin(
            session, method, _readable(url), headers=headers, body=body, within_s=timeout_s
        )
        async with response:
            content = [
                piece
                async for piece in pieces(
                    response, deadline=deadline, idle_s=timeout_s, limit_bytes=limit_bytes
                )
            ]
        return whole(response, b"".join(content))

    async def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float,
        idle_s: float,
        limit_bytes: int,
    ) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        at = _readable(url)
        for hop in range(REDIRECTS + 1):
            within_s = min(idle_s, deadline - loop.time())
            async with await begin(self._fresh, "GET", at, headers=headers, within_s=within_s) as response:
                if response.status == HTTPStatus.OK:
                    async for piece in pieces(
                        response, deadline=deadline, idle_s=idle_s, limit_bytes=limit_bytes
                    ):
                        yield piece
                    return
                if hop == REDIRECTS or response.status not in REDIRECT_STATUSES:
                    body = await opening(response, STATUS_BODY_BYTES, within_s)
                    raise HttpStatus(response.status, body)
                to = _next_hop(at, response)
            # What was once dropped stays dropped, also when a foreign origin sends us back.
            headers = headers if to.origin() == at.origin() else NO_HEADERS
            at = to


def exact(url: str) -> URL:
    """Take a URL as it is written, since a signature may cover its spelling; quote it only where it must."""
    return URL(url, encoded=_PRINTABLE.fullmatch(url) is not None)


def _readable(url: str) -> URL:
    try:
        return exact(url)
    except ValueError as error:
        raise NotSent(f"nothing was sent: {error}") from error


def _next_hop(at: URL, response: aiohttp.ClientResponse) -> URL:
    status = response.status
    location = response.headers.get("location")
    try:
        to = at.join(exact(location)) if location else None
    except ValueError:
        to = None
    if to is None or to.scheme not in {"http", "https"} or not to.raw_host:
        raise HttpStatus(status, b"", f"the answer was {status}, to no URL of http or https")
    if at.scheme == "https" and to.scheme == "http":
        raise HttpStatus(status, b"", f"the answer was {status}, from https to http")
    return to


def _written(
    headers: Mapping[str, str], json: object, form: Sequence[tuple[str, str | FormFile]] | None
) -> Body:
    if json is not None:
        # A file is sent in pieces; bytes of this size would hold the loop until they are written.
        content = io.BytesIO(orjson.dumps(json))
        return aiohttp.payload.BytesIOPayload(content, content_type="application/json")
    if form is None:
        return None
    urlencoded = any(name.lower() == "content-type" and _URLENCODED in headers[name] for name in headers)
    fields = aiohttp.FormData(quote_fields=False, default_to_multipart=not urlencoded)
    for name, value in form:
        if isinstance(value, FormFile):
            fields.add_field(
                name, io.BytesIO(value.content), filename=value.filename, content_type=value.media_type
            )
        else:
            fields.add_field(name, value)
    return fields
