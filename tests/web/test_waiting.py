"""Whoever waits for a task asks the database once for each time it may have changed."""

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from filmgate.domain.problems import Problem
from filmgate.domain.task import Task
from filmgate.store.listen import Listener, tell
from filmgate.store.pool import Pool
from filmgate.store.read import Reader
from filmgate.web.found import awaited, own_task
from filmgate.web.surroundings import Surroundings
from filmgate.world import SystemClock
from kit.worlds import World, make_world


class Counted:
    """The store's reader, and how often it was asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.reads = asyncio.Semaphore(0)
        self.count = 0

    async def find(self, name: str, account_id: int) -> Task | None:
        self.count += 1
        found = await self._reader.find(name, account_id)
        self.reads.release()
        return found


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


@pytest.fixture
async def around(world: World, database: dict[str, Any]) -> AsyncIterator[Any]:
    listener = Listener(lambda: asyncpg.connect(**database), lambda _: None)
    listening = asyncio.create_task(listener.run())
    await asyncio.wait_for(listener.listening.wait(), 5)
    yield SimpleNamespace(
        reader=Counted(world.reader), listener=listener, clock=SystemClock(), draining=asyncio.Event()
    )
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_wait_in_which_nothing_happens_reads_once_for_each_look(around: Any, world: World) -> None:
    task = (await world.accept()).task
    assert task is not None
    waiting = asyncio.create_task(awaited(cast("Surroundings", around), task, 2.0, lambda _: False))
    async with asyncio.timeout(20):
        await around.reader.reads.acquire()
        for _ in range(3):
            async with world.pool.acquire() as connection:
                await tell(connection, [(task.id, task.account_id)])
            await around.reader.reads.acquire()
        assert await waiting == task
    # Before it waits, for each of three words, and at its end.
    assert around.reader.count == 5


async def test_what_is_so_already_is_not_waited_for(around: Any, world: World) -> None:
    task = (await world.accept()).task
    assert task is not None
    began = time.monotonic()
    assert await awaited(around, task, 30.0, lambda found: found.version >= task.version) == task
    around.draining.set()
    assert await awaited(around, task, 30.0, lambda _: False) == task
    assert (around.reader.count, time.monotonic() - began < 10) == (2, True)


async def test_nobody_finds_what_is_anothers(around: Any, world: World) -> None:
    task = (await world.accept()).task
    assert task is not None
    assert await own_task(around, task.account_id, task.name) == task
    with pytest.raises(Problem) as missed:
        await own_task(around, task.account_id + 1, task.name)
    assert missed.value.code == "task_not_found"
