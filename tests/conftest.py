"""What most tests share: one PostgreSQL of the run, with a fresh database for each test that asks for one."""

import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import asyncpg
import pytest
from hypothesis import settings

from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import find_programs
from filmgate.store.lock import FolderLock
from filmgate.store.migrate import migrate
from filmgate.store.pool import Pool, open_pool
from filmgate.store.upkeep import Upkeep
from kit.encoding import real_time

# A machine that is busy with something else proves nothing against the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A run in the background may have been started with Ctrl-C switched off, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What kills, freezes and starves whole gates takes half of all the time: `make check` runs it, `make test` does not.
# Long ones begin first, so that at the end no process of the run waits for another's.
_THOROUGH = (
    "engines",
    "kills",
    "failpoints",
    "bucket",
    "faults",
    "uncertain",
    "settings_change",
    "lost_replies",
    "destinations",
    "nodes",
    "full_disk",
    "pooler",
)
_TEMPLATE = "film_template"
_numbers = itertools.count()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)
    for item in items:
        if _turn(item) < len(_THOROUGH):
            item.add_marker("thorough")


def _turn(item: pytest.Item) -> int:
    """Say when a test's file comes; those of one turn keep their order."""
    name = item.path.stem.removeprefix("test_")
    if item.path.parent.name != "acceptance":
        return len(_THOROUGH) + 1
    return _THOROUGH.index(name) if name in _THOROUGH else len(_THOROUGH)


@pytest.fixture(autouse=True)
def _fair() -> Iterator[None]:
    """No test leaves its process at a real-time priority, which all that is started later would inherit."""
    yield
    assert not real_time()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Start a PostgreSQL for the whole run; give asyncpg's arguments for it."""
    with FolderLock.acquire(tmp_path_factory.mktemp("gate") / "data", started=datetime.now(UTC)) as lock:
        keeper = PostgresKeeper(lock, find_programs(None, os.environ["PATH"]), tell=lambda _: None)
        address = keeper.start()
        try:
            yield dict(address.connect_arguments)
        finally:
            keeper.stop()


@pytest.fixture(scope="session")
async def template(postgres: dict[str, Any]) -> str:
    """Migrate one database and make the partitions of a start, of which each test gets a copy."""
    root = await asyncpg.connect(**postgres)
    await root.execute(f"create database {_TEMPLATE}")
    await root.close()
    connection = await asyncpg.connect(**{**postgres, "database": _TEMPLATE})
    await connection.execute("create schema film")
    await connection.execute("set search_path = film")
    await migrate(connection, files("filmgate.store").joinpath("migrations"))
    await connection.close()
    pool = await open_pool({**postgres, "database": _TEMPLATE}, size=1, statement_ms=60_000, name="template")
    await Upkeep(pool).make_partitions(datetime.now(UTC))
    await pool.close()
    return _TEMPLATE


@pytest.fixture
async def database(postgres: dict[str, Any], template: str) -> AsyncIterator[dict[str, Any]]:
    """Give a migrated database of the test's own."""
    name = f"film_{next(_numbers)}"
    root = await asyncpg.connect(**postgres)
    await root.execute(f"create database {name} template {template}")
    yield {**postgres, "database": name}
    await root.execute(f"drop database {name} with (force)")
    await root.close()


@pytest.fixture
async def pool(database: dict[str, Any]) -> AsyncIterator[Pool]:
    pool = await open_pool(database, size=4, statement_ms=5000, name="test")
    yield pool
    await pool.close()
