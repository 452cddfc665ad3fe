"""`filmgate serve` and `filmgate worker`: take the folder's lock, start what is needed, and again what dies.

They outlive their children: PostgreSQL, the web processes (granian's), and with several of those the engine.
"""

import asyncio
import errno
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import asyncpg
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer as Granian

from filmgate import __version__
from filmgate.app import secrets_of, sessions_of
from filmgate.domain import ids
from filmgate.domain.limits import HEADERS_SECONDS, RESTART_FIRST, RESTART_SLOWEST, SHUTDOWN
from filmgate.domain.task import Owner
from filmgate.node import Node, node_folder
from filmgate.secrets import derive, write_private
from filmgate.server import DRAIN
from filmgate.settings import BadSettingsError, Settings, load_catalogue
from filmgate.store.embedded.cluster import cluster_major
from filmgate.store.embedded.errors import EmbeddedPostgresError
from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import find_programs
from filmgate.store.keys import Keys
from filmgate.store.lock import AlreadyRunningError, FolderLock
from filmgate.store.migrate import MigrationError, migrate
from filmgate.store.pool import WEB_STATEMENT_MS, open_pool, set_session
from filmgate.store.upkeep import Upkeep
from filmgate.storing import tell_of_store
from filmgate.world import SystemChance, SystemClock

CLIENT_FILE: Final = "client.json"
LOCAL_ACCOUNT: Final = "local"
_RESTART_FIRST_S: Final = RESTART_FIRST.total_seconds()
_RESTART_SLOWEST_S: Final = RESTART_SLOWEST.total_seconds()
# What lived so many times longer than it was waited for before is started again as quickly as at first.
_LIVED_WELL: Final = 10
_PORT_PATIENCE_S: Final = 3.0
_STARTED: Final = 0


class CannotServeError(Exception):
    """The gate cannot start; the text says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What an operator is told once the gate is up."""

    base_url: str
    signin_url: str
    data: Path
    database: str
    admin_key: str | None
    web_workers: int
    sandbox: bool
    version: str = __version__


Tell = Callable[[str], None]


def serve(
    settings: Settings,
    flags: dict[str, Any],
    config: Path | None,
    tell: Tell,
    greet: Callable[[Welcome], None],
) -> int:
    """Serve until SIGTERM or SIGINT; raise CannotServeError where it cannot even start."""
    multiprocessing.set_start_method("spawn", force=True)
    clock, chance = SystemClock(), SystemChance()
    try:
        # Said here, a fault is one line; in a process of the gate it would be a restart without end.
        load_catalogue(settings)
        with ExitStack() as stack:
            lock = stack.enter_context(FolderLock.acquire(settings.data, started=clock.now()))
            settings.data.chmod(0o700)
            tell_of_store(settings, clock, chance, tell)
            port = _free_port(settings)
            base_url = f"http://{_shown(settings.host)}:{port}"
            database = stack.enter_context(_database(settings, lock, tell))
            supervisor = ids.uuid7(clock.now(), chance)
            flags = {**flags, "port": port, "data": str(settings.data.resolve())}
            folder = node_folder(settings.data)
            node = Node(flags, config, database, folder, supervisor, base_url, _direct(settings))
            signin_url, admin_key = asyncio.run(_prepare(settings, node, clock, chance))
            lock.announce(base_url)
            node.hand_down()
            if settings.worker and settings.web_workers > 1:
                stack.enter_context(_engine_process(tell))
            greet(_welcome(settings, node, signin_url, admin_key))
            return _serve_web(settings, port, tell)
    except _REASONS as error:
        raise _cannot(error) from error


def work(
    settings: Settings, flags: dict[str, Any], config: Path | None, tell: Tell, greet: Callable[[], None]
) -> int:
    """Run the engine alone until SIGTERM or SIGINT, for a gate whose database, bucket and secret it shares."""
    clock, chance = SystemClock(), SystemChance()
    _demand_shared(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        load_catalogue(settings)
        with ExitStack() as stack:
            lock = stack.enter_context(FolderLock.acquire(settings.data, started=clock.now()))
            settings.data.chmod(0o700)
            tell_of_store(settings, clock, chance, tell)
            database = stack.enter_context(_database(settings, lock, tell))
            flags = {**flags, "data": str(settings.data.resolve()), "worker": True, "web_workers": 1}
            supervisor = ids.uuid7(clock.now(), chance)
            folder = node_folder(settings.data)
            public_url = settings.public_url or ""
            node = Node(flags, config, database, folder, supervisor, public_url, _direct(settings))
            asyncio.run(_migrate(node))
            node.hand_down()
            stack.enter_context(_engine_process(tell))
            greet()
            stopping.wait()
    except _REASONS as error:
        raise _cannot(error) from error
    return _STARTED


_REASONS: Final = (
    AlreadyRunningError,
    EmbeddedPostgresError,
    MigrationError,
    BadSettingsError,
    OSError,
    asyncpg.PostgresError,
)


def _cannot(error: Exception) -> CannotServeError:
    named = isinstance(error, OSError | asyncpg.PostgresError) and not isinstance(error, AlreadyRunningError)
    return CannotServeError(f"{type(error).__name__}: {error}" if named else str(error))


def _demand_shared(settings: Settings) -> None:
    shared = {
        "FILMGATE_DATABASE_URL": settings.database_url,
        "FILMGATE_OBJECTS_URL": settings.objects_url,
        "FILMGATE_SECRET": settings.secret,
    }
    missing = ", ".join(name for name, value in shared.items() if value is None)
    if missing:
        raise CannotServeError(
            f"a worker needs its gate's database, bucket and secret; not set: {missing}. "
            "Set them here and for `filmgate serve` alike"
        )


def _welcome(settings: Settings, node: Node, signin_url: str, admin_key: str | None) -> Welcome:
    database = (
        "PostgreSQL of its own" if settings.database_url is None else "PostgreSQL by FILMGATE_DATABASE_URL"
    )
    sandbox = not settings.providers
    return Welcome(
        base_url=node.base_url,
        signin_url=signin_url,
        data=settings.data,
        database=database,
        admin_key=admin_key,
        web_workers=settings.web_workers,
        sandbox=sandbox,
    )


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _free_port(settings: Settings) -> int:
    """Find the port: granian shares ports, so one that is in use must be noticed here.

    What was killed a moment ago may hold it until it is quite dead.
    """
    give_up = time.monotonic() + _PORT_PATIENCE_S
    while True:
        try:
            return _bound(settings)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotServeError(f"cannot listen on {settings.host}: {error.strerror}") from None
            if time.monotonic() > give_up:
                way_out = f"stop what holds it, or choose another: filmgate serve --port {settings.port + 1}"
                raise CannotServeError(f"port {settings.port} is in use: {way_out}") from None
        time.sleep(_PORT_PATIENCE_S / 20)


def _bound(settings: Settings) -> int:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((settings.host, settings.port))
        probe.listen()
        return int(probe.getsockname()[1])


@contextmanager
def _database(settings: Settings, lock: FolderLock, tell: Tell) -> Iterator[dict[str, Any]]:
    if settings.database_url is not None:
        yield {"dsn": settings.database_url.get_secret_value()}
        return
    major = cluster_major(settings.data)
    programs = find_programs(settings.postgres_bin, os.environ.get("PATH", ""), cluster_major=major)
    keeper = PostgresKeeper(lock, programs, tell=tell)
    address = keeper.start()
    try:
        yield dict(address.connect_arguments)
    finally:
        keeper.stop()


def _direct(settings: Settings) -> dict[str, Any] | None:
    if (url := settings.database_direct_url) is None:
        return None
    if settings.database_url is None:
        raise CannotServeError("FILMGATE_DATABASE_DIRECT_URL is the way past FILMGATE_DATABASE_URL: set both")
    return {"dsn": url.get_secret_value()}


async def _prepare(
    settings: Settings, node: Node, clock: SystemClock, chance: SystemChance
) -> tuple[str, str | None]:
    """Bring the database up to date; give a one-time sign-in address, and the admin key if it is new."""
    await _migrate(node)
    direct = node.direct or node.database
    pool = await open_pool(direct, size=1, statement_ms=WEB_STATEMENT_MS, name="filmgate start")
    try:
        await Upkeep(pool).make_partitions(clock.now())
        keys = Keys(pool, [derive(secret, "pepper") for secret in secrets_of(settings, chance)])
        owner = await _write_client(settings, node, keys, chance)
        ticket = sessions_of(settings, clock, chance).issue_ticket(owner)
        return f"{node.base_url}/signin?ticket={ticket}", await _admin_key(settings, keys, chance)
    finally:
        await pool.close()


async def _migrate(node: Node) -> None:
    connection = await asyncpg.connect(**(node.direct or node.database))
    try:
        await connection.execute("set search_path = film")
        await _demand_durability(connection)
        await migrate(connection, files("filmgate.store").joinpath("migrations"))
        if node.direct is not None:
            await set_session(connection)
    finally:
        await connection.close()


async def _demand_durability(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Refuse a database that answers a commit before it is on the disk: a film that was paid for could be lost."""
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        value = await connection.fetchval(f"show {name}")
        if value == "off":
            raise CannotServeError(
                f"PostgreSQL has {name} off: what was accepted could be lost. Set it to on."
            )


async def _write_client(settings: Settings, node: Node, keys: Keys, chance: SystemChance) -> Owner:
    """Write what the client verbs of this machine need; give the owner that they act for."""
    path = settings.data / CLIENT_FILE
    key = json.loads(path.read_text()).get("api_key", "") if path.exists() else ""
    owner = await keys.owner(key)
    if owner is None:
        key = ids.new_key(chance)
        await keys.create(key, name=LOCAL_ACCOUNT, account=LOCAL_ACCOUNT)
        owner = await keys.owner(key)
    if owner is None:
        raise CannotServeError("the key of this machine cannot be read back from the database")
    said = {"base_url": node.base_url, "api_key": key}
    write_private(path, json.dumps(said, indent=2).encode() + b"\n")
    return owner


async def _admin_key(settings: Settings, keys: Keys, chance: SystemChance) -> str | None:
    if settings.admin_key is not None:
        await keys.create(settings.admin_key.get_secret_value(), name="admin (settings)", account=None)
        return None
    if await keys.has_operator():
        return None
    made = ids.new_key(chance)
    await keys.create(made, name="admin", account=None)
    return made


def _serve_web(settings: Settings, port: int, tell: Tell) -> int:
    """Run granian; where it gives up on children that died too often, start it again, more and more slowly."""
    delay_s = _RESTART_FIRST_S
    stopping = threading.Event()
    while True:
        began = time.monotonic()
        server = _web_server(settings, port)

        @server.on_shutdown
        def ended(server: _WebServer = server) -> None:
            if server.interrupt_signal:
                stopping.set()

        try:
            server.serve()
        except SystemExit:
            tell("the web processes died; starting them again")
        delay_s = _RESTART_FIRST_S if _lived_well(began, delay_s) else delay_s
        # A signal that comes during the wait still reaches the server that is gone.
        if stopping.wait(delay_s) or server.interrupt_signal:
            return _STARTED
        delay_s = min(delay_s * 2, _RESTART_SLOWEST_S)


def _lived_well(began: float, delay_s: float) -> bool:
    return time.monotonic() - began > delay_s * _LIVED_WELL


class _WebServer(Granian):
    """granian, that tells its workers before it ends them."""

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            with suppress(ProcessLookupError, TypeError):
                os.kill(worker.inner.pid, DRAIN)
        super()._stop_workers()  # type: ignore[no-untyped-call]  # granian types few of its methods


def _web_server(settings: Settings, port: int) -> _WebServer:
    return _WebServer(
        "filmgate.server:application",
        factory=True,
        address=settings.host,
        port=port,
        interface=Interfaces.ASGI,
        workers=settings.web_workers,
        websockets=False,
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=int(HEADERS_SECONDS * 1000)),
        respawn_failed_workers=True,
        workers_kill_timeout=int(SHUTDOWN.total_seconds()),
        process_name=None,
    )


@contextmanager
def _engine_process(tell: Tell) -> Iterator[None]:
    """Keep an engine process of its own beside several web processes."""
    stopping = threading.Event()
    current: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        delay_s = _RESTART_FIRST_S
        while not stopping.is_set():
            began = time.monotonic()
            process = subprocess.Popen([sys.executable, "-m", "filmgate.server"])
            current[:] = [process]
            if stopping.is_set():
                process.send_signal(signal.SIGTERM)
            process.wait()
            if not stopping.is_set():
                tell(f"the engine died ({process.returncode}); starting it again")
                delay_s = _RESTART_FIRST_S if _lived_well(began, delay_s) else delay_s
                stopping.wait(delay_s)
                delay_s = min(delay_s * 2, _RESTART_SLOWEST_S)

    thread = threading.Thread(target=keep, name="engine-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        for process in current:
            process.send_signal(signal.SIGTERM)
        thread.join(SHUTDOWN.total_seconds())
