"""An engine in a process of its own over a vendor of the bench: all of it real, but for the looking at films.

A film is looked at by a child process for a tenth of a second or more, which would hide what the engine costs.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from filmgate.domain.contracts_provider import (
    ClipRequest,
    Pending,
    Polled,
    Power,
    Provider,
    ProviderConfig,
    Ticket,
    Tools,
)
from filmgate.domain.film import FilmFacts
from filmgate.domain.request import Json
from filmgate.engine.parts import Parts
from filmgate.engine.route import Access, Router, RouteRule, Via
from filmgate.engine.worker import Worker
from filmgate.media.findings import Inspection
from filmgate.media.renderers import Renderers
from filmgate.net.dial import GuardedDial
from filmgate.net.fetch import GuardedFetch
from filmgate.net.guard import Guard, GuardRules
from filmgate.net.http import open_http
from filmgate.net.resolver import SystemResolver
from filmgate.objects.store import open_store
from filmgate.prompts.enhancer import Enhancer
from filmgate.providers import build
from filmgate.store.cancel import Wishes
from filmgate.store.credentials import CredentialRow, Credentials
from filmgate.store.decisions import Decisions
from filmgate.store.ends import Ends
from filmgate.store.files import Files
from filmgate.store.moves import Moves
from filmgate.store.notices import Notices
from filmgate.store.pool import ENGINE_STATEMENT_MS, Pool, open_pool
from filmgate.store.read import Reader
from filmgate.store.starts import Starts
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot, Claims
from filmgate.telemetry import Telemetry, configure_logs
from filmgate.telling import Telling
from filmgate.world import SystemChance, SystemClock, new_loop

MODEL = "sora-2"
# Four ends at a time are told to one host: many customers have many of them.
RECEIVERS = 100
SECRET = b"the bench's own secret, of which nobody need keep anything secret"
_FACTS = FilmFacts("h264", 1280, 720, 24.0, 192, 8.0, "aac", 48000, 8204, faststart=True)


class Viewer:
    """Stands where films are looked at, and has seen each already."""

    async def inspect(self, film: Path) -> Inspection:
        return Inspection(_FACTS, b"webp", b"jpeg", b"jpeg", b"webp")

    async def faststart(self, film: Path, into: Path) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Held:
    key: str
    size_bytes: int
    sha256: bytes


class Shelf:
    """Stands where files are kept, and drops them: what a disk needs to make a file durable is its own matter."""

    async def put_file(self, key: str, path: Path) -> Held:
        return Held(key, 8204, bytes(32))

    async def put_bytes(self, key: str, content: bytes) -> Held:
        return Held(key, len(content), bytes(32))


class Paced:
    """A vendor that wants to be asked again after a given time."""

    replays: timedelta | None = None
    powers: frozenset[Power] = frozenset()

    def __init__(self, vendor: Provider, pace: timedelta) -> None:
        self._vendor = vendor
        self._pace = pace

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        return replace(await self._vendor.submit(request, key), ask_in=self._pace)

    async def poll(self, ticket: Ticket) -> Polled:
        answer = await self._vendor.poll(ticket)
        return replace(answer, ask_in=self._pace) if isinstance(answer, Pending) else answer

    def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        return self._vendor.fetch(result)


def receivers(port: int) -> Guard:
    """Let the bench's own receiver be told."""
    return Guard(
        GuardRules(allow=frozenset((f"127.0.0.{host}", port) for host in range(1, 101)), https_only=True),
        SystemResolver(),
    )


async def engine(
    database: Mapping[str, Any],
    folder: Path,
    port: int,
    pace: timedelta,
    stop: asyncio.Event,
    *,
    stored: bool,
) -> None:
    async with AsyncExitStack() as stack:
        pool = await open_pool(database, size=8, statement_ms=ENGINE_STATEMENT_MS, name="bench engine")
        stack.push_async_callback(pool.close)
        http = await stack.enter_async_context(open_http())
        tools = Tools(http=http, renderer=Renderers(folder / "renders", 1), clock=SystemClock())
        config = ProviderConfig(
            name="vendor", kind="openai", base_url=f"http://127.0.0.1:{port}/v1", credential="k"
        )
        parts = await _parts(pool, folder, Paced(build(config, tools), pace), stored=stored)
        told = Telling(parts.clock, parts.chance, Telemetry([MODEL], ["vendor"]), pool)
        subscriptions = told.subscriptions(receivers(port), [SECRET])
        worker = Worker(parts, Upkeep(pool), [told.deliverer(parts, subscriptions)])
        running = asyncio.create_task(worker.run())
        await stop.wait()
        await worker.stop()
        await running


async def _parts(pool: Pool, folder: Path, vendor: Paced, *, stored: bool) -> Parts:
    clock, chance = SystemClock(), SystemChance()
    credentials = Credentials(pool)
    ids = await credentials.sync([CredentialRow("vendor", "default", 1_000_000)])
    boot = Boot(*(UUID(bytes=chance.bytes(16)) for _ in range(3)))
    (folder / "workspace").mkdir(parents=True, exist_ok=True)

    def unreadable(task_id: UUID, error: Exception) -> None:
        raise RuntimeError(task_id) from error

    parts: dict[str, Any] = {
        "clock": clock,
        "chance": chance,
        "router": Router(
            [RouteRule(MODEL, (Via("vendor", MODEL),))], [Access("vendor", ids["vendor", "default"], vendor)]
        ),
        "claims": Claims(pool, boot, unreadable),
        "starts": Starts(pool, boot, unreadable),
        "moves": Moves(pool),
        "ends": Ends(pool),
        "reader": Reader(pool),
        "files": Files(pool),
        "credentials": credentials,
        "wishes": Wishes(pool),
        "decisions": Decisions(pool),
        "notices": Notices(pool),
        "objects": open_store(folder / "objects", clock=clock) if stored else Shelf(),
        "workshop": Viewer(),
        "enhancer": Enhancer(None, lambda _: None),
        "pictures": GuardedFetch(GuardedDial(receivers(1))),
        "telemetry": Telemetry([MODEL], ["vendor"]),
        "workspace": folder / "workspace",
        "scratch": (),
        "retention": timedelta(days=1),
    }
    return Parts(**parts)


async def main() -> None:
    database, folder, port, pace_s, stored = sys.argv[1:]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # Its log is written as a gate writes it, to where it costs nobody a disk.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    configure_logs(pretty=False)
    # The vendor and the receivers stand for others' machines: however many engines there are, they are not kept waiting.
    os.nice(10)
    pace = timedelta(seconds=float(pace_s))
    await engine(orjson.loads(database), Path(folder), int(port), pace, stop, stored=stored == "stored")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
