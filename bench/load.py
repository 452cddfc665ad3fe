"""A small closed-loop HTTP client: N connections, each asks again as soon as it was answered."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class Rate:
    per_s: float
    p50_ms: float
    p99_ms: float


class _Asker(asyncio.Protocol):
    """One connection; counts answers by their length, and keeps each answer's time."""

    def __init__(self, request: Callable[[], bytes], until: float, done: asyncio.Event) -> None:
        self._request = request
        self._until = until
        self._done = done
        self._pending = b""
        self._sent = 0.0
        self.times: list[float] = []
        self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        if time.perf_counter() >= self._until:
            self._transport.close()
            self._done.set()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._request())  # type: ignore[attr-defined]  # a plain socket's transport writes

    def connection_lost(self, exc: Exception | None) -> None:
        # A server that hangs up ends this connection's share of the run, and is told of.
        if not self._done.is_set():
            print(f"the server hung up: {exc}", file=sys.stderr)
            self._done.set()

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        self._pending += data
        head, mark, body = self._pending.partition(b"\r\n\r\n")
        if not mark:
            return
        low = head.lower()
        assert low.startswith((b"http/1.1 200", b"http/1.1 206", b"http/1.1 201")), head + body
        start = low.index(b"content-length:") + 15
        length = int(low[start : (low + b"\r\n").index(b"\r\n", start)])
        if len(body) >= length:
            self._pending = body[length:]
            self.times.append(time.perf_counter() - self._sent)
            self._ask()


async def drive(port: int, request: Callable[[], bytes], *, connections: int, seconds: float) -> Rate:
    """Drive a server for some seconds; give its rate and how long answers took."""
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    events = [asyncio.Event() for _ in range(connections)]
    askers: list[_Asker] = []
    for event in events:
        asker = _Asker(request, until, event)
        await loop.create_connection(partial(_itself, asker), "127.0.0.1", port)
        askers.append(asker)
    await asyncio.gather(*(event.wait() for event in events))
    times = sorted(moment for asker in askers for moment in asker.times)
    return Rate(
        per_s=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
    )


def _itself(asker: _Asker) -> _Asker:
    return asker


def get(path: str, key: str | None = None) -> bytes:
    said = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{said}\r\n".encode()


def post(path: str, body: bytes, key: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
