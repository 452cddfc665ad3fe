import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from filmgate.mirage.books import Books
from filmgate.mirage.gallery import Gallery, tiny_film
from filmgate.mirage.ledger import read_ledger
from filmgate.mirage.lies import read_die, read_lies
from filmgate.mirage.log import Log
from filmgate.mirage.server import Server
from filmgate.mirage.terms import Terms
from filmgate.mirage.vendor import Vendor


@dataclass
class Standing:
    """A clock that moves when it is told to."""

    time: float = 1_800_000_000.0

    def now(self):
        return self.time


@dataclass
class Shop:
    """A vendor that is asked over real sockets."""

    session: aiohttp.ClientSession
    base_url: str
    log: Path

    async def ask(self, method, path="", **arguments):
        async with self.session.request(method, f"{self.base_url}/videos{path}", **arguments) as response:
            body = await response.read()
            return response.status, json.loads(body) if response.content_type == "application/json" else body

    async def answer(self, method, path="", **arguments):
        """Give the status, the headers and the body."""
        async with self.session.request(method, f"{self.base_url}/videos{path}", **arguments) as response:
            return response.status, response.headers, await response.read()

    async def create(self, prompt="a boat", key=None, auth=None, **fields):
        headers = ({"idempotency-key": key} if key else {}) | ({"authorization": auth} if auth else {})
        body = {"prompt": prompt, "size": "128x96", "seconds": "1", **fields}
        return await self.ask("POST", json=body, headers=headers)

    async def job(self, prompt="a boat", key=None, **fields):
        """Make a job, and give its id."""
        return (await self.create(prompt, key, **fields))[1]["id"]

    async def lying(self, lie, **fields):
        return await self.job(f"a boat --mirage={lie}", **fields)

    async def poll(self, job_id):
        return await self.ask("GET", f"/{job_id}")

    async def stand(self, job_id):
        """Give status and progress as a poll tells them."""
        video = (await self.poll(job_id))[1]
        return video["status"], video["progress"]

    async def completed(self, job_id):
        async with asyncio.timeout(10):
            while (await self.ask("GET", f"/{job_id}"))[1]["status"] != "completed":  # noqa: ASYNC110  # as a client does
                await asyncio.sleep(0.02)

    async def raw(self, method, path, body=b"", *, within_s=5.0, most=1 << 20):
        """Send one request by hand, and give all that comes until the connection ends or nothing more does."""
        host, _, rest = self.base_url.removeprefix("http://").partition("/")
        name, _, port = host.partition(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        head = (
            f"{method} /{rest}/videos{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        got = b""
        try:
            async with asyncio.timeout(within_s):
                while len(got) < most and (piece := await reader.read(65536)):
                    got += piece
        except (TimeoutError, ConnectionResetError):
            pass
        writer.close()
        return got

    def events(self, *names):
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row for row in rows if not names or row["event"] in names]

    def lies(self, job_id=None):
        rows = self.events("lied")
        return [row["lie"] for row in rows if job_id is None or row["job"] == job_id]

    @property
    def ledger(self):
        return read_ledger(self.log)


@pytest.fixture
def clock():
    return Standing()


@pytest.fixture
async def opened(tmp_path, clock):
    """Open a vendor in this process, whose time is the test's own; nothing is drawn unless it is asked to."""
    stack = []

    @asynccontextmanager
    async def open_shop(*, lies=(), dice=(), takes_s=10.0, fast=True, **more):
        films = tmp_path / "films"
        films.mkdir(exist_ok=True)
        log = Log(tmp_path / "mirage.jsonl", clock.now)
        terms = Terms(
            lies=read_lies(lies), dice=tuple(map(read_die, dice)), takes_s=takes_s, fast=fast, **more
        )
        gallery = Gallery(films, tiny_film(films) if fast else None)
        server = Server(Vendor(Books(terms, log, gallery, clock.now)))
        port = await server.open("127.0.0.1", 0)
        async with aiohttp.ClientSession() as session:
            yield Shop(session, f"http://127.0.0.1:{port}/v1", tmp_path / "mirage.jsonl")
        await server.close()
        log.close()

    async def open_(**options):
        context = open_shop(**options)
        stack.append(context)
        return await context.__aenter__()

    yield open_
    for context in stack:
        await context.__aexit__(None, None, None)


@pytest.fixture
def running():
    """Run a vendor as a process; killing it is the test's affair."""

    @asynccontextmanager
    async def run(*arguments):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "filmgate.mirage", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
            async with aiohttp.ClientSession() as session:
                yield Shop(session, line["base_url"], Path(line["log"])), process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.communicate(), 20)

    return run
