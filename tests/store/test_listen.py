"""Word of changes reaches whoever waits, also after the connection for it was lost."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from filmgate.store.listen import Listener, payloads, tell
from filmgate.store.pool import Pool

TASK, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
async def listener(database: dict[str, Any]) -> AsyncIterator[Listener]:
    lost: list[Exception] = []
    listener = Listener(lambda: asyncpg.connect(**database), lost.append)
    running = asyncio.create_task(listener.run())
    await asyncio.wait_for(listener.listening.wait(), 5)
    yield listener
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def told(pool: Pool, *changed: tuple[UUID, int]) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await tell(connection, changed)


async def test_whoever_waits_for_a_task_or_its_account_hears_of_it_and_nobody_else(
    pool: Pool, listener: Listener
) -> None:
    with listener.task(TASK) as one, listener.account(7) as mine, listener.account(8) as foreign:
        await told(pool, (TASK, 7), (OTHER, 7))
        assert await one.changed(5) == {TASK}
        assert await mine.changed(5) == {TASK, OTHER}
        assert await foreign.changed(0.1) == frozenset()


async def test_a_word_that_came_before_the_waiting_is_not_slept_through(
    pool: Pool, listener: Listener
) -> None:
    with listener.task(TASK) as watch:
        await told(pool, (TASK, 7))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(1):
            assert await watch.changed(30) == {TASK}


async def test_nothing_is_heard_of_a_change_that_was_rolled_back(pool: Pool, listener: Listener) -> None:
    with listener.task(TASK) as watch:
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await tell(connection, [(TASK, 7)])
            await transaction.rollback()
        assert await watch.changed(0.2) == frozenset()


async def test_a_lost_connection_is_made_again_and_everyone_looks(pool: Pool, listener: Listener) -> None:
    with listener.task(TASK) as watch:
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' "
            "and datname = current_database() and pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(5):
            assert await watch.changed(30) == frozenset()
        await told(pool, (TASK, 7))
        async with asyncio.timeout(5):
            assert await watch.changed(30) == {TASK}


async def test_who_waits_no_longer_is_forgotten(listener: Listener) -> None:
    with listener.task(TASK), listener.account(7):
        pass
    assert (listener._tasks, listener._accounts) == ({}, {})


async def test_ten_thousand_changes_of_one_batch_are_told_in_words_that_fit(
    pool: Pool, listener: Listener
) -> None:
    changed = [(UUID(int=no), 2**62) for no in range(10_000)]
    texts = payloads(changed)
    assert max(len(text) for text in texts) < 8_000
    assert max(text.count(",") + 1 for text in texts) <= 200
    with listener.account(2**62) as watch:
        await told(pool, *changed)
        heard: set[UUID] = set()
        async with asyncio.timeout(10):
            while len(heard) < len(changed):
                heard |= await watch.changed(5)


async def test_another_versions_word_makes_everyone_look(pool: Pool, listener: Listener) -> None:
    with listener.task(TASK) as watch:
        await pool.execute("select pg_notify('film_tasks', 'v2;whatever')")
        async with asyncio.timeout(5):
            assert await watch.changed(30) == frozenset()
