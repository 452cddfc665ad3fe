"""Bytes of finished films: whole or by range, for their owners' caches alone."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from filmgate.domain.faults import StorageFault
from filmgate.domain.task import StoredFile

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)
_PATHSEND: Final = "http.response.pathsend"


class OpenObjects(Protocol):
    """Where the web reads films from."""

    def local_path(self, key: str) -> Path | None: ...
    def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]: ...
    async def signed_url(self, key: str, expires: timedelta, filename: str, content_type: str) -> str | None:
        """Give an address that leads straight to the bucket, or None where there is none."""
        ...


class RangeBeyondEndError(Exception):
    """A range that begins past the end; `size_bytes` is what there is."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


class FilmResponse(Response):
    """A response over one stored file, with the gate's own headers beside the film's."""

    def __init__(
        self,
        request: Request,
        file: StoredFile,
        objects: OpenObjects,
        filename: str,
        headers: Mapping[str, str],
        direct: timedelta | None = None,
    ) -> None:
        """Raise RangeBeyondEndError where nothing of the wanted range is there.

        `direct` says for how long a reader may be led straight to the bucket; with None all bytes come from here.
        """
        super().__init__()
        self._filename = filename
        self._direct = direct
        self._file = file
        self._objects = objects
        self._head = request.method == "HEAD"
        etag = f'"{file.sha256}"'
        known = request.headers.get("if-none-match", "")
        self._same = etag in known or known.strip() == "*"
        # A condition comes before a range, and only a GET has a range (RFC 9110, 13.2.2 and 14.2).
        whole = self._same or self._head
        self._span = None if whole else _span(request, file.size_bytes, etag)
        self._said = {
            **headers,
            "content-type": file.media_type,
            "etag": etag,
            "accept-ranges": "bytes",
            "cache-control": "private, max-age=300",
            "vary": "Authorization",
            "x-content-type-options": "nosniff",
            "content-security-policy": "sandbox",
            "content-disposition": f'inline; filename="{filename}"',
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        start, end = self._span or (0, self._file.size_bytes)
        status = 304 if self._same else 206 if self._span else 200
        if not self._same:
            self._said["content-length"] = str(end - start)
        if self._span:
            self._said["content-range"] = f"bytes {start}-{end - 1}/{self._file.size_bytes}"
        if self._head or self._same:
            await self._start(send, status)
            await send({"type": "http.response.body", "body": b""})
            return
        if (address := await self._address()) is not None:
            await self._lead(send, address)
            return
        path = self._objects.local_path(self._file.object_key)
        if path is not None and not self._span and _PATHSEND in scope.get("extensions", {}):
            await self._start(send, status)
            await send({"type": _PATHSEND, "path": str(path)})
            return
        chunks = self._objects.stream(self._file.object_key, start, end)
        # Until the first bytes are there it may still turn out that they cannot be had.
        first = await anext(chunks, b"")
        await self._start(send, status)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _start(self, send: Send, status: int) -> None:
        raw = [(name.encode(), value.encode()) for name, value in self._said.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})

    async def _address(self) -> str | None:
        if self._direct is None:
            return None
        key, media_type = self._file.object_key, self._file.media_type
        # A bucket that signs nothing now still gives its bytes.
        with suppress(StorageFault):
            return await self._objects.signed_url(key, self._direct, self._filename, media_type)
        return None

    async def _lead(self, send: Send, address: str) -> None:
        """Send the reader to the bucket, and ask that nobody keeps the address longer than it works."""
        ours = (
            "content-type",
            "content-length",
            "content-range",
            "etag",
            "accept-ranges",
            "content-disposition",
        )
        self._said = {name: value for name, value in self._said.items() if name not in ours}
        self._said |= {
            "location": address,
            "cache-control": "private, no-store",
            "referrer-policy": "no-referrer",
            "content-length": "0",
        }
        await self._start(send, HTTPStatus.FOUND)
        await send({"type": "http.response.body", "body": b""})


def _span(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """Read a single range; several, or one that cannot be read, mean the whole file (RFC 9110, 14.2)."""
    wanted = request.headers.get("range", "")
    condition = request.headers.get("if-range")
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or (not found[1] and not found[2]) or (condition is not None and condition != etag):
        return None
    if not found[1]:
        length = int(found[2])
        if length == 0:
            raise RangeBeyondEndError(size)
        return max(size - length, 0), size
    start = int(found[1])
    end = min(int(found[2]) + 1 if found[2] else size, size)
    if start >= size:
        raise RangeBeyondEndError(size)
    return (start, end) if start < end else None
