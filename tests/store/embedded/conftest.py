"""Real servers on real folders; one database is made by initdb, the tests work on copies of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

import filmgate
from filmgate.store.embedded.programs import PostgresPrograms, find_programs
from filmgate.store.embedded.running import RunningPostgres
from filmgate.store.embedded.server import start
from filmgate.store.lock import FolderLock

SOURCES = Path(filmgate.__file__).parents[1]

# Holds a data folder as `serve` does, until a line or the end of its standard input.
HOLDER = """
import json, sys
from datetime import datetime, UTC
from pathlib import Path
from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import inspect_programs
from filmgate.store.lock import FolderLock

def say(**what):
    print(json.dumps(what), flush=True)

data, bin, namespaces = sys.argv[1:]
def tell(line):
    say(told=line)

with FolderLock.acquire(Path(data), started=datetime.now(UTC)) as lock:
    programs = inspect_programs(Path(bin), "setting")
    keeper = PostgresKeeper(lock, programs, tell=tell, namespaces=namespaces == "True")
    address = keeper.start()
    say(folder=str(address.folder), pid=keeper.running.pid)
    sys.stdin.readline()
    keeper.stop()
"""


@pytest.fixture(scope="session")
def programs() -> PostgresPrograms:
    return find_programs(None, "")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder on the disk, from which programs can be run; short, since a socket's path is limited."""
    made = Path(tempfile.mkdtemp(prefix="fg-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A private folder in memory where there is room: databases come and go by the dozen here."""
    made = Path(tempfile.mkdtemp(prefix="fg-", dir=quick_parent()))
    yield made
    shutil.rmtree(made)


def quick_parent() -> str | None:
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3 else None


@pytest.fixture(scope="session")
def template(programs) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="fg-template-", dir=quick_parent()))
    with FolderLock.acquire(made / "data", started=datetime.now(UTC)) as lock:
        server = start(lock, programs, tell=print)
        # What no test needs is not copied for every test.
        for statement in (
            "update pg_database set datistemplate = false",
            "drop database template0",
            "drop database template1",
        ):
            psql = [programs.bin / "psql", "-qX", "-d", server.address.dsn, "-c", statement]
            subprocess.run(psql, check=True)
        server.stop()
    yield made / "data"
    shutil.rmtree(made)


@pytest.fixture
def data(quick_folder, template) -> Path:
    return Path(shutil.copytree(template, quick_folder / "data"))


@pytest.fixture
def lock(data) -> Iterator[FolderLock]:
    with FolderLock.acquire(data, started=datetime.now(UTC)) as held:
        yield held


@pytest.fixture
def launch(lock, programs) -> Iterator[Callable[..., RunningPostgres]]:
    """Start a server on `data`; whatever still runs at the end of the test is stopped."""
    with ExitStack() as running:

        def launched(**options) -> RunningPostgres:
            server = start(lock, programs, **{"tell": print, **options})
            running.callback(server.stop)
            return server

        yield launched


class Holder:
    def __init__(self, arguments: list[str], **options) -> None:
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        self.told: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "pid" in said:
                self.folder, self.pid = Path(said["folder"]), int(said["pid"])
                return
            self.told.append(said["told"])
        raise AssertionError(f"the holder ended with {self.process.wait()}: {self.told}")

    def end(self) -> int:
        self.process.communicate("\n", timeout=30)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def hold(programs) -> Iterator[Callable[..., Holder]]:
    """Run a process of its own that holds a data folder and keeps PostgreSQL on it."""
    holders: list[Holder] = []

    def held(
        data: Path, *, python: tuple[str, ...] = (sys.executable,), namespaces: bool = True, **options
    ) -> Holder:
        environment = {"PATH": os.defpath, "PYTHONPATH": str(SOURCES), **options.pop("env", {})}
        arguments = [*python, "-c", HOLDER, str(data), str(programs.bin), str(namespaces)]
        holders.append(Holder(arguments, env=environment, **options))
        return holders[-1]

    yield held
    for holder in holders:
        if holder.process.returncode is None:
            holder.kill()
