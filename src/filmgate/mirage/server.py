"""The vendor on the network: calls come in as HTTP, answers go out in their manner, callbacks are posted."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Final, cast

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from filmgate.mirage.callbacks import Callback
from filmgate.mirage.calls import Postponed, error
from filmgate.mirage.orders import Job
from filmgate.mirage.reading import BODY_BYTES, read_call
from filmgate.mirage.sending import send
from filmgate.mirage.vendor import Vendor

TICK_S: Final = 0.01
_CALLBACK_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)
_SHUTDOWN_S: Final = 1.0
_BACKLOG: Final = 1024


class Server:
    """Serve one vendor; open it, and close it in the end."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._books = vendor.books
        self._easels = asyncio.Semaphore(os.cpu_count() or 1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.ServerRunner | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen, and give the port; 0 asks for a free one."""
        server = web.Server(self._answer, request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, backlog=_BACKLOG).start()
        self._begin(self._tick())
        return cast("tuple[str, int]", self._runner.addresses[0])[1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, request: BaseRequest) -> web.StreamResponse:
        call = await read_call(request)
        if call is None:
            return await send(request, error(413, "too_large", f"a body has at most {BODY_BYTES} bytes"))
        reaction = self._vendor.answer(call)
        if isinstance(reaction, Postponed):
            await asyncio.sleep(reaction.wait_s)
            reaction = reaction.then()
        return await send(request, reaction)

    async def _tick(self) -> None:
        async with aiohttp.ClientSession(timeout=_CALLBACK_TIMEOUT) as session:
            while True:
                self._books.settle_due()
                while self._books.to_draw:
                    self._begin(self._draw(self._books.to_draw.popleft()))
                for callback in self._books.callbacks_due():
                    self._begin(self._call(session, callback))
                await asyncio.sleep(TICK_S)

    async def _draw(self, job: Job) -> None:
        async with self._easels:
            sha256 = await asyncio.to_thread(self._books.gallery.draw, job)
        self._books.drawn(job, sha256)

    async def _call(self, session: aiohttp.ClientSession, callback: Callback) -> None:
        status: int | None = None
        try:
            async with session.post(
                callback.url,
                data=callback.body,
                headers=callback.headers(self._books.now()),
                allow_redirects=False,
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            pass
        self._books.called(callback, status)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> BaseRequest:
    loop = asyncio.get_running_loop()
    return BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_BYTES)
