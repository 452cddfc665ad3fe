"""A database of a test's own on the run's PostgreSQL, for gates in other processes, and a way to ask it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from kit.gates import free_port


@contextmanager
def own_database(postgres: dict[str, Any]) -> Iterator[str]:
    """Give the address of an empty database."""
    name = f"own_{free_port()}"
    dsn = f"postgresql://{postgres['user']}@/{{}}?host={postgres['host']}&port={postgres['port']}"
    sql(dsn.format(postgres["database"]), f"create database {name}")
    try:
        yield dsn.format(name)
    finally:
        sql(dsn.format(postgres["database"]), f"drop database {name} with (force)")


def sql(dsn: str, statement: str) -> list[dict[str, Any]]:
    """Run one statement from outside of any loop."""

    async def run() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    found: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: found.extend(asyncio.run(run())))
    thread.start()
    thread.join()
    return found
