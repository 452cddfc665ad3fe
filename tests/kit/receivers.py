"""A receiver of webhooks that does to each delivery what the test says, and remembers what came."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[Received], Awaitable[web.StreamResponse]]


async def thanks(_: Received) -> web.StreamResponse:
    return web.Response(text="thanks")


@dataclass(slots=True)
class Receiver:
    port: int = 0
    answer: Answer = thanks
    pour: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    """What writes its answer by itself, piece by piece."""
    received: list[Received] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def origin(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/hook") -> str:
        return f"http://{self.origin}{path}"

    async def count(self, number: int, within_s: float = 30.0) -> list[Received]:
        """Wait until that many came; give them."""
        async with asyncio.timeout(within_s):
            while len(self.received) < number:
                self.came.clear()
                await self.came.wait()
        return self.received


@asynccontextmanager
async def receiving(answer: Answer = thanks, port: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver on this machine."""
    receiver = Receiver(answer=answer)

    async def receive(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Received(request.path_qs, headers, await request.read())
        receiver.received.append(got)
        receiver.came.set()
        receiver.at_once += 1
        receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
        try:
            if receiver.pour is not None:
                return await receiver.pour(request)
            return await receiver.answer(got)
        finally:
            receiver.at_once -= 1

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receive)
    runner = web.AppRunner(application, handle_signals=False, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


@contextmanager
def receiving_beside(port: int) -> Iterator[Receiver]:
    """Run a receiver in a thread of its own, for tests that block."""
    ready: queue.Queue[tuple[Receiver, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        async with receiving(port=port) as receiver:
            over = asyncio.Event()
            ready.put((receiver, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    receiver, loop, over = ready.get(timeout=10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
