import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from filmgate.mirage.jobs import Jobs
from filmgate.mirage.log import Log
from filmgate.mirage.server import Mirage


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

    async def create(self, prompt="a boat", key=None, **fields):
        headers = {"idempotency-key": key} if key else {}
        body = {"prompt": prompt, "size": "128x96", "seconds": "1", **fields}
        return await self.ask("POST", json=body, headers=headers)

    async def completed(self, job_id):
        async with asyncio.timeout(10):
            while (await self.ask("GET", f"/{job_id}"))[1]["status"] != "completed":  # noqa: ASYNC110  # as a client does
                await asyncio.sleep(0.05)

    def events(self, *names):
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row for row in rows if not names or row["event"] in names]


@pytest.fixture
def clock():
    return Standing()


@pytest.fixture
async def opened(tmp_path, clock):
    """Open a vendor in this process, whose time is the test's own."""
    stack = []

    @asynccontextmanager
    async def open_shop(*, idempotent=False, key="", seed=0, lies=frozenset(), lose_replies=0.0, takes=10.0):
        films = tmp_path / "films"
        films.mkdir(exist_ok=True)
        log = Log(tmp_path / "mirage.jsonl", clock.now)
        jobs = Jobs(seed=seed, takes=takes, lies=lies, lose_replies=lose_replies)
        jobs.rebuild(log.past)
        mirage = Mirage(jobs, log, films, clock.now, idempotent=idempotent, key=key)
        runner = web.AppRunner(mirage.application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            yield Shop(session, f"http://127.0.0.1:{runner.addresses[0][1]}/v1", tmp_path / "mirage.jsonl")
        await runner.cleanup()
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
