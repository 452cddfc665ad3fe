"""What the engine costs: whole lives of films, many of them in flight, and telling of their ends."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil

from bench import machine
from bench.engine import MODEL, RECEIVERS
from filmgate.domain import ids
from filmgate.domain.price import Line, Price
from filmgate.domain.request import FilmRequest
from filmgate.domain.size import Size
from filmgate.domain.task import Owner
from filmgate.store.accept import Acceptor, NewTask
from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import find_programs
from filmgate.store.keys import Keys
from filmgate.store.lock import FolderLock
from filmgate.store.migrate import migrate
from filmgate.store.pool import Connection, Pool, open_pool
from filmgate.world import SystemChance

DELIVERED = "select count(*) from deliveries where state = 'delivered'"
_chance = SystemChance()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a second of work was, and what a unit of it cost in milliseconds of CPU."""

    per_s: float
    client_ms: float
    postgres_ms: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is used while many films are in flight, in cores, and the engine's memory."""

    polls_per_s: float
    client_cores: float
    postgres_cores: float
    client_mib: float


class Ground:
    """A PostgreSQL of the bench's own, with a fresh database for each run."""

    def __init__(self, folder: Path, arguments: dict[str, Any], keeper: PostgresKeeper) -> None:
        self.folder = folder
        self._arguments = arguments
        self._keeper = keeper
        self._numbers = 0

    @asynccontextmanager
    async def store(self) -> AsyncIterator[tuple[dict[str, Any], Pool, Owner]]:
        self._numbers += 1
        name = f"bench_{self._numbers}"
        root = await asyncpg.connect(**self._arguments)
        await root.execute(f"create database {name}")
        database = {**self._arguments, "database": name}
        connection = await asyncpg.connect(**database)
        await connection.execute("create schema film")
        await connection.execute("set search_path = film")
        await migrate(connection, files("filmgate.store").joinpath("migrations"))
        await connection.close()
        pool = await open_pool(database, size=8, statement_ms=600_000, name="bench")
        keys = Keys(pool, [b"pepper"])
        await keys.create("sk-bench", name="bench", account="bench")
        owner = await keys.owner("sk-bench")
        assert owner is not None
        await pool.execute("update accounts set max_running = null, max_unfinished = null")
        yield database, pool, owner
        await pool.close()
        await root.execute(f"drop database {name} with (force)")
        await root.close()

    def cpu_s(self) -> float:
        """Give what PostgreSQL has used, with all that its ended processes did."""
        running = self._keeper.running
        assert running is not None
        assert running.pid is not None
        postmaster = psutil.Process(running.pid)
        ended = postmaster.cpu_times()
        return (
            ended.children_user
            + ended.children_system
            + sum(_cpu_of(one) for one in [postmaster, *postmaster.children(recursive=True)])
        )


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    with FolderLock.acquire(folder / "data", started=datetime.now(UTC)) as lock:
        keeper = PostgresKeeper(lock, find_programs(None, os.environ["PATH"]), tell=lambda _: None)
        address = keeper.start()
        try:
            yield Ground(folder, dict(address.connect_arguments), keeper)
        finally:
            keeper.stop()


async def lives(ground: Ground, count: int, *, workers: int, stored: bool = False) -> Cost:
    """Lead films from their acceptance to the telling of their end: six HTTP calls each."""
    async with ground.store() as (database, pool, owner):
        with (
            _vendor(questions=2) as port,
            _engines(ground, database, port, workers, pace_s=0.05, stored=stored) as engines,
        ):
            await _until(pool, "select count(*) from boots", workers)
            before, began = _used(engines), time.perf_counter()
            postgres = ground.cpu_s()
            await _accept(pool, owner, count, port)
            await _until(pool, DELIVERED, count)
            took = time.perf_counter() - began
            return Cost(
                count / took,
                (_used(engines) - before) / count * 1000,
                (ground.cpu_s() - postgres) / count * 1000,
            )


async def in_flight(ground: Ground, count: int, *, pace_s: float = 20, seconds: float = 40) -> Load:
    """Keep films in flight at a vendor that is never done, and see what asking for them uses."""
    async with ground.store() as (database, pool, owner):
        with _vendor(questions=-1) as port:
            with _engines(ground, database, port, 1, pace_s=pace_s):
                await _accept(pool, owner, 1, None)
                # Its first answer is written down; after that, what is unchanged writes nothing.
                await _until(pool, "select sign(progress) from tasks", 1)
            await _multiply(pool, count, pace_s)
            with _engines(ground, database, port, 1, pace_s=pace_s) as engines:
                await asyncio.sleep(10)
                before, postgres, began = _used(engines), ground.cpu_s(), time.perf_counter()
                fences = await pool.fetchval("select sum(fence) from work")
                await asyncio.sleep(seconds)
                took = time.perf_counter() - began
                polls = await pool.fetchval("select sum(fence) from work") - fences
                return Load(
                    float(polls) / took,
                    (_used(engines) - before) / took,
                    (ground.cpu_s() - postgres) / took,
                    sum(one.memory_full_info().uss for one in engines) / 2**20,
                )


async def deliveries(ground: Ground, count: int) -> Cost:
    """Tell many receivers of ends, each signed, and sent to a receiver that answers at once."""
    async with ground.store() as (database, pool, owner):
        with _vendor(questions=1) as port:
            with _engines(ground, database, port, 1, pace_s=0.05):
                await _accept(pool, owner, 1, port)
                await _until(pool, DELIVERED, 1)
            await _again(pool, count)
            with _engines(ground, database, port, 1, pace_s=0.05) as engines:
                # What it needs to start is no matter of one delivery.
                await _until(pool, DELIVERED, count // 10)
                first = await pool.fetchval(DELIVERED)
                before, postgres, began = _used(engines), ground.cpu_s(), time.perf_counter()
                await _until(pool, DELIVERED, count)
                took, told = time.perf_counter() - began, count - first
                return Cost(
                    told / took,
                    (_used(engines) - before) / told * 1000,
                    (ground.cpu_s() - postgres) / told * 1000,
                )


async def _accept(pool: Pool, owner: Owner, count: int, port: int | None) -> None:
    acceptor = Acceptor(pool)
    room = asyncio.Semaphore(256)

    async def one(no: int) -> None:
        async with room:
            callback = None if port is None else f"http://127.0.0.{no % RECEIVERS + 1}:{port}/hook"
            await acceptor.accept(_task(owner, no, callback))

    await asyncio.gather(*(one(no) for no in range(count)))


def _task(owner: Owner, no: int, callback: str | None) -> NewTask:
    request = FilmRequest(
        model=MODEL, prompt=f"boat {no}", prompt_extend=None, size=Size(1280, 720), clips=(8,), pictures=(), seed=None,
        sound=True, enhance=False, upsample_to=None, soften=False, source=None, metadata={}, callback_url=callback,
    )  # fmt: skip
    id_ = ids.uuid7(datetime.now(UTC), _chance)
    digest = hashlib.sha256(request.prompt.encode()).digest()
    return NewTask(
        id=id_, owner=owner, dialect="openai", names={"id": f"video_{id_.hex}"}, request=request,
        price_at=lambda _: Price((Line("clip 1", 8, 1, 800_000),), "2025-01-01"), quote_id=None, max_cost_micros=None,
        quoted_sha256=None, deadline=timedelta(hours=1), credential_id=None, body_sha256=digest, remember=None,
        record={},
    )  # fmt: skip


async def _multiply(pool: Pool, count: int, pace_s: float) -> None:
    """Copy a film in flight with all its rows, as if each had been asked for."""
    changed = {
        "task_id": "c.id",
        "due_at": f"now() + random() * interval '{pace_s} s'",
        "key": "c.id || '.1.1'",
        "vendor_ref": "'video_' || c.id",
        "ticket": "jsonb_set(o.ticket, '{ref}', to_jsonb('video_' || c.id))",
    }
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"create temporary table copies as select uuidv7() as id from generate_series(2, {count})"
        )
        await _copy(connection, "tasks", {"id": "c.id"})
        await _copy(connection, "work", changed)
        await _copy(connection, "attempts", changed)
        for table in ("accounts", "keys"):
            await connection.execute(
                f"update {table} set unfinished = unfinished * {count}, held_micros = held_micros * {count},"
                f" running = running * {count}"
            )
        await connection.execute(f"update credentials set in_flight = in_flight * {count}")
    await pool.execute("vacuum analyze")


async def _again(pool: Pool, count: int) -> None:
    """Copy a delivery that was made, as if as many were due now, to as many receivers as there are."""
    told = {
        "id": "uuidv7()",
        "state": "'due'",
        "ready": "true",
        "due_at": "now()",
        "ended_at": "null",
        "tries": "0",
        "host": f"'127.0.0.' || c.n % {RECEIVERS} + 1",
        "url": f"replace(o.url, o.host, '127.0.0.' || c.n % {RECEIVERS} + 1) || '?no=' || c.n",
    }
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"create temporary table copies as select n from generate_series(2, {count}) n"
        )
        await _copy(connection, "deliveries", told)
    await pool.execute("vacuum analyze")


async def _copy(connection: Connection, table: str, changed: Mapping[str, str]) -> None:
    columns = [
        row["name"]
        for row in await connection.fetch(
            "select a.attname as name from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0"
            " and not a.attisdropped and a.attidentity = '' and a.attgenerated = ''",
            table,
        )
    ]
    given = ", ".join(changed.get(name, f"o.{name}") for name in columns)
    await connection.execute(
        f"insert into {table} ({', '.join(columns)}) select {given} from {table} o cross join copies c"
    )


class Unfinished(Exception):  # noqa: N818  # it is what happened
    """It took too long to be measured."""


async def _until(pool: Pool, question: str, count: int, within_s: float = 300) -> None:
    give_up = time.monotonic() + within_s
    while await pool.fetchval(question) < count:
        if time.monotonic() > give_up:
            raise Unfinished(f"not finished in {within_s:.0f} s")
        await asyncio.sleep(0.1)


@contextmanager
def _vendor(questions: int) -> Iterator[int]:
    port = machine.free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--host",
        "0.0.0.0",
        "--port",
        str(port),
        "--no-ws",
        "--no-log",
    ]
    with machine.running(*command, "bench.vendor:application", BENCH_QUESTIONS=str(questions)):
        machine.wait_for(port, "/v1/videos/none")
        yield port


@contextmanager
def _engines(
    ground: Ground, database: dict[str, Any], port: int, count: int, *, pace_s: float, stored: bool = False
) -> Iterator[Sequence[psutil.Process]]:
    started: list[subprocess.Popen[bytes]] = []
    for no in range(count):
        arguments = [
            orjson.dumps(database).decode(),
            str(ground.folder / f"engine-{no}"),
            str(port),
            str(pace_s),
            "stored" if stored else "dropped",
        ]
        started.append(subprocess.Popen([sys.executable, "-m", "bench.engine", *arguments]))
    try:
        yield [psutil.Process(one.pid) for one in started]
    finally:
        for one in started:
            one.send_signal(signal.SIGTERM)
        for one in started:
            one.wait(60)


def _used(processes: Sequence[psutil.Process]) -> float:
    return sum(_cpu_of(one) for one in processes)


def _cpu_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
