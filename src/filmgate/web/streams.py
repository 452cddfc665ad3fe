"""Streams: what stays open for long, counted so that one key cannot take every place."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from filmgate.domain.limits import CONTENT_STREAMS_OF_KEY, EVENT_STREAMS_OF_KEY
from filmgate.domain.problems import Problem

_AGAIN_S: Final = 5


class Stream(Enum):
    CONTENT = "content"
    EVENTS = "events"


_MOST: Final = {Stream.CONTENT: CONTENT_STREAMS_OF_KEY, Stream.EVENTS: EVENT_STREAMS_OF_KEY}


class Streams:
    """Counts the open streams of this process, by whose they are: a key, or for signed links an account."""

    def __init__(self) -> None:
        self._open: Counter[tuple[Stream, str]] = Counter()

    def demand(self, kind: Stream, whose: str) -> None:
        """Raise Problem `too_many_streams` where there is no place for another one."""
        if self._open[kind, whose] >= _MOST[kind]:
            problem = Problem("too_many_streams", limit=_MOST[kind])
            raise problem.with_headers({"retry-after": str(_AGAIN_S)})

    @contextmanager
    def one_of(self, kind: Stream, whose: str) -> Iterator[None]:
        """Hold a place for as long as the block lasts."""
        self._open[kind, whose] += 1
        try:
            yield
        finally:
            self._open[kind, whose] -= 1
            if not self._open[kind, whose]:
                del self._open[kind, whose]


class Held(Response):
    """A response that holds a place from its first byte to its last."""

    def __init__(self, inner: Response, streams: Streams, kind: Stream, whose: str) -> None:
        """Raise Problem `too_many_streams` where there is no place."""
        super().__init__()
        streams.demand(kind, whose)
        self._inner = inner
        self._streams = streams
        self._place = kind, whose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._streams.one_of(*self._place):
            await self._inner(scope, receive, send)
