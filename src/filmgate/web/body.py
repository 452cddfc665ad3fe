"""Bodies: read within limits of size and time, as JSON or as a form."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import ClientDisconnect, Request

from filmgate.domain.contracts import Fields
from filmgate.domain.limits import (
    BODIES,
    BODIES_OF_ADDRESS,
    BODY_BYTES,
    BODY_GRACE_BYTES,
    BODY_GRACE_SECONDS,
    BODY_IDLE_SECONDS,
    BODY_SECONDS,
    JSON_BYTES,
    MIB,
)
from filmgate.domain.problems import Problem
from filmgate.domain.strict_json import InexactError, read_json
from filmgate.web.forms import FormReader

_FORM: Final = "multipart/form-data"
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json")
_DATA_URI: Final = re.compile(rb'"data:[^"]*"', re.IGNORECASE)
_URLENCODED: Final = "application/x-www-form-urlencoded"


class Bodies:
    """Counts the bodies that are large or slow, until they are whole; one address may send only so many."""

    def __init__(self) -> None:
        self._unfinished: Counter[str] = Counter()

    @contextmanager
    def one_of(self, address: str) -> Iterator["Place"]:
        """Give a body its place, which it takes once it needs it."""
        place = Place(self, address)
        timer = asyncio.get_running_loop().call_later(BODY_GRACE_SECONDS, place.take)
        try:
            yield place
        finally:
            timer.cancel()
            if place.held:
                self._give_back(address)

    def take(self, address: str) -> bool:
        """Tell whether there was room."""
        if self._unfinished[address] >= BODIES_OF_ADDRESS or self._unfinished.total() >= BODIES:
            return False
        self._unfinished[address] += 1
        return True

    def _give_back(self, address: str) -> None:
        self._unfinished[address] -= 1
        if not self._unfinished[address]:
            del self._unfinished[address]


class Place:
    """A place among the bodies that are not whole yet."""

    def __init__(self, bodies: Bodies, address: str) -> None:
        self._bodies = bodies
        self._address = address
        self.held = False
        self.refused = False
        self.waiting: asyncio.Timeout | None = None
        """What its reader waits by; there may be no room any more while it waits."""

    def take(self) -> None:
        if self.held or self.refused:
            return
        self.held = self._bodies.take(self._address)
        self.refused = not self.held
        if self.refused and self.waiting is not None and not self.waiting.expired():
            self.waiting.reschedule(asyncio.get_running_loop().time())

    def weigh(self, size: int) -> None:
        """Count what is large. Raise Problem `too_many_bodies`."""
        if size > BODY_GRACE_BYTES:
            self.take()
        if self.refused:
            raise Problem("too_many_bodies").with_headers({"retry-after": "5"})


async def read_fields(request: Request, bodies: Bodies) -> tuple[Fields, bool]:
    """Read a body's fields; the flag tells that it was a form."""
    with bodies.one_of(request.client.host if request.client else "") as place:
        return await _fields(request, place)


async def _fields(request: Request, place: Place) -> tuple[Fields, bool]:
    declared = request.headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    chunks = _chunks(request, place)
    if kind == _FORM:
        reader = FormReader(declared)
        async for chunk in chunks:
            reader.feed(chunk)
        return reader.fields(), True
    if kind and kind != _URLENCODED and not _JSON.fullmatch(kind):
        raise Problem("wrong_content_type", given=kind[:80])
    body = b"".join([chunk async for chunk in chunks])
    _weigh(body)
    if kind == _URLENCODED and not body.lstrip().startswith(b"{"):
        # Only a forgotten header is forgiven: curl names this type for any body that it is not told about.
        raise Problem("wrong_content_type", given=kind)
    return json_object(body), False


async def read_body(request: Request, bodies: Bodies) -> bytes:
    """Read a JSON body of our own API whole, within every limit, and checked like any dialect's."""
    with bodies.one_of(request.client.host if request.client else "") as place:
        body = b"".join([chunk async for chunk in _chunks(request, place)])
    _weigh(body)
    json_object(body)
    return body


def _weigh(body: bytes) -> None:
    """Refuse much JSON before it is parsed; only pictures as data URIs may be large."""
    if len(body) > JSON_BYTES and len(body) - sum(map(len, _DATA_URI.findall(body))) > JSON_BYTES:
        raise Problem("body_too_large", limit_mib=JSON_BYTES // MIB)


async def _chunks(request: Request, place: Place) -> AsyncIterator[bytes]:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > BODY_BYTES:
        raise _too_large()
    size = 0
    stream = request.stream().__aiter__()
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS
    while True:
        idle = asyncio.get_running_loop().time() + BODY_IDLE_SECONDS
        try:
            async with asyncio.timeout_at(min(deadline, idle)) as place.waiting:
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except (TimeoutError, ClientDisconnect):
            place.weigh(size)
            raise Problem("body_too_slow") from None
        finally:
            place.waiting = None
        size += len(chunk)
        if size > BODY_BYTES:
            raise _too_large()
        place.weigh(size)
        yield chunk


def json_object(body: bytes) -> Fields:
    if not body.strip():
        return {}
    try:
        value = read_json(body)
    except InexactError as error:
        reason, reason_zh = f"{error}: -2^53 to 2^53 is right.", "数值过大，应在 -2^53 到 2^53 之间。"
        raise Problem("invalid_parameter", field=error.field, reason=reason, reason_zh=reason_zh) from None
    except ValueError as error:
        raise Problem("malformed_json", reason=str(error)) from None
    if not isinstance(value, dict):
        raise Problem("malformed_json", reason="an object is right")
    return value


def _too_large() -> Problem:
    return Problem("body_too_large", limit_mib=BODY_BYTES // MIB)
