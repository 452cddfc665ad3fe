"""Whoever is slow is slow for itself: the films of other vendors and other customers go on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.contracts_provider import ClipRequest, Ticket
from filmgate.domain.request import Json, Picture, PictureRole
from filmgate.domain.states import Step
from filmgate.domain.task import Owner
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.worker import Worker
from filmgate.net.dial import GuardedDial
from filmgate.net.fetch import GuardedFetch
from filmgate.net.guard import Guard, GuardRules, allowed_pairs
from filmgate.net.resolver import SystemResolver
from filmgate.store.keys import Keys
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from kit.engines import Engine, Vendor, make_engine
from kit.worlds import World, make_world

RULES = [RouteRule("veo3", (Via("a", "m-a"),)), RouteRule("sora-2", (Via("b", "m-b"),))]
WITHIN_S = 20.0


@dataclass(slots=True)
class Snail(Vendor):
    """A vendor whose answers to submits, and whose films, hardly come."""

    still: asyncio.Event = field(default_factory=asyncio.Event)
    in_hand: int = 0
    slow_submits: bool = False

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        if self.slow_submits:
            self.in_hand += 1
            await self.still.wait()
        return await Vendor.submit(self, request, key)

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        self.in_hand += 1
        await self.still.wait()
        yield b"no film"


@pytest.fixture
async def world(pool: Pool) -> World:
    await pool.execute("alter table accounts alter column max_running set default 1000")
    return await make_world(pool)


async def asked(world: World, model: str, count: int, owner: Owner | None = None, **said: Any) -> None:
    for _ in range(count):
        new = world.new()
        request = replace(new.request, model=model, **said)
        await world.acceptor.accept(
            replace(new, credential_id=None, request=request, owner=owner or world.owner)
        )


async def opened(pool: Pool, folder: Path, slow: Vendor, quick: Vendor) -> tuple[Engine, Worker]:
    vendors = {("a", "A"): slow, ("b", "B"): quick}
    engine = await make_engine(pool, folder, vendors, RULES, in_flight=1000)
    return engine, Worker(engine.parts, Upkeep(pool))


async def works(worker: Worker, until: Any, within_s: float = WITHIN_S) -> None:
    """Let a worker claim until something holds."""
    async with asyncio.timeout(within_s):
        while not until():
            if not await worker._claim():
                await asyncio.sleep(0.01)


async def ended(worker: Worker) -> None:
    for _, task in worker._running.values():
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*(task for _, task in worker._running.values()), return_exceptions=True)


async def test_films_that_hardly_come_leave_hands_for_those_of_another_vendor(
    world: World, tmp_path: Path
) -> None:
    slow, quick = Snail(), Vendor()
    _, worker = await opened(world.pool, tmp_path / "engine", slow, quick)
    await asked(world, "veo3", 40)
    await works(worker, lambda: slow.in_hand >= 16)
    await asked(world, "sora-2", 1)
    await works(worker, lambda: quick.polled)
    assert len(worker._in_hand(Step.COLLECT)) - 16 <= 1
    assert slow.in_hand == 16
    await ended(worker)


async def test_submits_that_are_not_answered_leave_hands_for_another_vendor(
    world: World, tmp_path: Path
) -> None:
    slow, quick = Snail(slow_submits=True), Vendor()
    _, worker = await opened(world.pool, tmp_path / "engine", slow, quick)
    await asked(world, "veo3", 70)
    await works(worker, lambda: slow.in_hand >= 64)
    await asked(world, "sora-2", 1)
    await works(worker, lambda: quick.keys)
    assert slow.in_hand == 64
    await ended(worker)


async def test_pictures_that_hardly_come_are_their_owners_alone(world: World, tmp_path: Path) -> None:
    still = asyncio.Event()
    asking = 0

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asking
        asking += 1
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 100000\r\n\r\n\x89PNG")
        await still.wait()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    origin = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    quick = Vendor()
    engine, worker = await opened(world.pool, tmp_path / "engine", Vendor(), quick)
    guard = Guard(GuardRules(allow=allowed_pairs(origin)), SystemResolver())
    worker._parts = replace(engine.parts, pictures=GuardedFetch(GuardedDial(guard)))
    picture = Picture(PictureRole.FIRST, url=f"http://{origin}/a.png")
    await asked(world, "sora-2", 70, pictures=(picture,))
    await works(worker, lambda: asking >= 64)
    keys = Keys(world.pool, [b"pepper"])
    await keys.create("sk-other", name="other", account="other")
    await asked(world, "sora-2", 1, await keys.owner("sk-other"))
    await works(worker, lambda: quick.keys)
    assert asking == 64
    still.set()
    await ended(worker)
    server.close()
