"""A way across to a server, on which bytes can be counted, held up, changed and cut off."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.1\r\n")


@dataclass
class Crossing:
    """What passed, and what shall happen to what passes from now on."""

    port: int = 0
    requests: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    sent_bytes: int = 0
    cut_after: int | None = None
    """Hang up after so many bytes of an answer, once."""
    swap: tuple[bytes, bytes] | None = None
    """Bytes of requests that become others of the same length."""
    silent: bool = False
    """Take everything and let nothing come back."""
    bytes_per_s: int | None = None
    answers: dict[str, bytes] = field(default_factory=dict)
    """What is answered to requests that a pattern fits, instead of asking the server."""

    honest: bool = False
    """Say 206 where the server says 200 to a range."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def sent(self, size: float) -> None:
        """Wait until so many bytes of requests have come."""
        while self.sent_bytes < size:
            self.moved.clear()
            await asyncio.wait_for(self.moved.wait(), 20)

    async def asked(self, pattern: str) -> None:
        """Wait for such a request."""
        while not self.count(pattern):
            self.moved.clear()
            await asyncio.wait_for(self.moved.wait(), 20)

    def count(self, pattern: str) -> int:
        return sum(re.search(pattern, request) is not None for request in self.requests)


@asynccontextmanager
async def crossing_to(port: int) -> AsyncIterator[Crossing]:
    crossing = Crossing()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        both = [
            asyncio.ensure_future(_out(crossing, reader, there_writer, writer)),
            asyncio.ensure_future(_back(crossing, there_reader, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            writer.close()
            there_writer.close()

    server = await asyncio.start_server(passed, "127.0.0.1", 0)
    crossing.port = server.sockets[0].getsockname()[1]
    try:
        yield crossing
    finally:
        server.close()


@contextmanager
def crossing_beside(port: int) -> Iterator[Crossing]:
    """As crossing_to, in a thread of its own, for processes that cross."""
    loop, opened = asyncio.new_event_loop(), threading.Event()
    made: list[Crossing] = []
    over = asyncio.Event()

    async def run() -> None:
        async with crossing_to(port) as crossing:
            made.append(crossing)
            opened.set()
            await over.wait()
        loop.set_exception_handler(lambda *_: None)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    opened.wait(10)
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


async def _out(
    crossing: Crossing,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    back: asyncio.StreamWriter,
) -> None:
    while piece := await reader.read(65536):
        for method, path in REQUEST.findall(piece):
            crossing.requests.append(f"{method.decode()} {path.decode()}")
            crossing.heads.append(piece.partition(b"\r\n\r\n")[0])
            crossing.moved.set()
            for pattern, answer in crossing.answers.items():
                if re.search(pattern, crossing.requests[-1]):
                    back.write(answer)
                    await back.drain()
                    return
        crossing.sent_bytes += len(piece)
        crossing.moved.set()
        if crossing.swap is not None:
            piece = piece.replace(*crossing.swap)
        if crossing.bytes_per_s is not None:
            await asyncio.sleep(len(piece) / crossing.bytes_per_s)
        writer.write(piece)
        await writer.drain()


async def _back(crossing: Crossing, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    passed = 0
    while piece := await reader.read(65536):
        if crossing.silent:
            continue
        if crossing.cut_after is not None and passed + len(piece) > crossing.cut_after:
            writer.write(piece[: crossing.cut_after - passed])
            await writer.drain()
            crossing.cut_after = None
            return
        passed += len(piece)
        if crossing.honest and b"Content-Range" in piece[:2000]:
            piece = piece.replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 206 Partial Content", 1)
        writer.write(piece)
        await writer.drain()


def answer(status: str, code: str = "", message: str = "") -> bytes:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (
        status.encode(),
        len(body),
        body,
    )
