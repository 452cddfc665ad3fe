"""One run of PostgreSQL on a data folder, from start to stop."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from filmgate.store.embedded.address import PostgresAddress, prepare_address
from filmgate.store.embedded.cluster import open_for, prepare_cluster
from filmgate.store.embedded.errors import StartCancelledError, StartFailedError
from filmgate.store.embedded.pidfile import cure, living_server
from filmgate.store.embedded.probe import Answer, Readiness, ask
from filmgate.store.embedded.programs import PostgresPrograms
from filmgate.store.embedded.runner import Runner, Tell, choose_runner
from filmgate.store.embedded.running import RunningPostgres
from filmgate.store.embedded.serverlog import LogTail, open_log
from filmgate.store.lock import FolderLock

# Given as arguments: they win over every configuration file in the folder.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "idle_in_transaction_session_timeout": "60s",
    # Statements and their rows hold prompts, and a log is not the place for those.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}

READY_TIMEOUT_S = 300.0

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.5
# The backends of a killed server end by themselves as soon as they notice; until then the folder is taken.
_TAKEN = re.compile(r'pre-existing shared memory block|lock file ".*" already exists')
_TAKEN_TIMEOUT_S = 30.0
_QUIET_S = 1.0


def start(
    lock: FolderLock,
    programs: PostgresPrograms,
    *,
    tell: Tell,
    cancelled: threading.Event | None = None,
    ready_timeout_s: float = READY_TIMEOUT_S,
    namespaces: bool = True,
) -> RunningPostgres:
    """Start PostgreSQL on the locked data folder and return once it takes connections.

    On Linux the kernel ends it, in order, together with the THREAD that called this: call it from one that
    lives as long as the process, which is what `PostgresKeeper` is for. `tell` gets a line for everything
    noteworthy, among them the server's own log once a start takes longer than a moment. `namespaces=False`
    behaves as where user namespaces are forbidden. Raises EmbeddedPostgresError.
    """
    if not lock.held:
        raise StartFailedError(f"{lock.data} must be locked before its database is started")
    patience = _Patience(ready_timeout_s, cancelled or threading.Event())
    runner = choose_runner(programs, tell=tell, namespaces=namespaces)
    cluster = prepare_cluster(lock.data, programs, runner, tell=tell)
    address = prepare_address(lock.data, runner.owner_uid, runner.owner_gid)
    while True:
        adopted = _settle_former(cluster, address, patience, tell=tell)
        if adopted is not None:
            return adopted
        started = _spawn(lock.data, cluster, address, runner, patience, tell)
        if started is not None:
            return started


class _Patience:
    """Pauses that grow, until the time is up or the caller wants no more."""

    def __init__(self, timeout_s: float, cancelled: threading.Event) -> None:
        self._since = time.monotonic()
        self._timeout_s = timeout_s
        self._cancelled = cancelled
        self.pause_s = _FIRST_PAUSE_S

    def pause(self) -> bool:
        """Return False when the time is up."""
        if self._cancelled.wait(self.pause_s):
            raise StartCancelledError("the start of PostgreSQL was given up")
        self.pause_s = min(self.pause_s * 1.5, _LONGEST_PAUSE_S)
        return self.spent_s < self._timeout_s

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self._since


def _settle_former(
    cluster: Path, address: PostgresAddress, patience: _Patience, *, tell: Tell
) -> RunningPostgres | None:
    """Adopt the server that a killed holder left behind, or return None once the folder is free."""
    told = False
    while True:
        answer = ask(address)
        if answer.readiness is Readiness.READY:
            pid = answer.pid or living_server(cluster, address)
            tell(f"PostgreSQL runs already on {cluster} (process {pid}) and is taken over")
            return RunningPostgres(address, pid, None)
        if answer.readiness is Readiness.REFUSING:
            raise StartFailedError(f"a server on {address.socket} refuses us: {answer.text}")
        former = living_server(cluster, address)
        if answer.readiness is Readiness.ABSENT and former is None:
            for cured in cure(cluster, address):
                tell(f"{cured} named a process that is no PostgreSQL of this folder; it is ignored")
            return None
        if not told:
            tell(f"waiting for a former PostgreSQL on {cluster} (process {former}): {answer.readiness}")
            told = True
        if not patience.pause():
            raise StartFailedError(
                f"a former PostgreSQL (process {former}) holds {cluster} and takes no connection; "
                f"end it with: kill -INT {former}"
            )


def _spawn(
    data: Path, cluster: Path, address: PostgresAddress, runner: Runner, patience: _Patience, tell: Tell
) -> RunningPostgres | None:
    """Return the ready server, None where the folder is still taken by remains that are about to go."""
    log = open_log(data)
    tail = LogTail(data)
    name, descriptor = open_for(runner, cluster)
    # Beside its files the socket needs no path that the server could be kept from.
    socket_folder = "." if address.folder == cluster else str(address.folder)
    settings = {"unix_socket_directories": socket_folder, "port": str(address.port), **SETTINGS}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    try:
        child = subprocess.Popen(
            runner.command("postgres", "-D", name, *options),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=runner.environment(),
            pass_fds=() if descriptor is None else (descriptor,),
            # Ctrl-C in a terminal must reach us first, and PostgreSQL last.
            start_new_session=True,
        )
    finally:
        os.close(log)
        if descriptor is not None:
            os.close(descriptor)
    running = RunningPostgres(address, child.pid, child)
    try:
        return running if _await_ready(running, tail, patience, tell) else None
    except BaseException:
        running.stop()
        raise


def _await_ready(running: RunningPostgres, tail: LogTail, patience: _Patience, tell: Tell) -> bool:
    waited_since = time.monotonic()
    while True:
        answer = ask(running.address)
        if answer.readiness is Readiness.READY and answer.pid in {None, running.pid}:
            return True
        # A start of a moment is nobody's news; one that takes longer says what it is doing.
        if time.monotonic() - waited_since > _QUIET_S:
            for line in tail.new_lines():
                tell(line)
        if not running.alive():
            return _judge_end(running, tail, patience)
        if answer.readiness is Readiness.REFUSING:
            raise StartFailedError(f"PostgreSQL runs but refuses us: {answer.text}")
        if not patience.pause():
            raise StartFailedError(_explain("PostgreSQL was not ready in time", answer, tail))


def _judge_end(running: RunningPostgres, tail: LogTail, patience: _Patience) -> bool:
    tail.new_lines()
    taken = _TAKEN.search("\n".join(tail.last)) is not None
    if taken and patience.spent_s < _TAKEN_TIMEOUT_S and patience.pause():
        return False
    status = running.wait(0)
    raise StartFailedError(_explain(f"PostgreSQL ended with {status} instead of starting", None, tail))


def _explain(what: str, answer: Answer | None, tail: LogTail) -> str:
    tail.new_lines()
    said = f" ({answer.text})" if answer is not None and answer.text else ""
    return "\n".join([f"{what}{said}; its log ends with:", *tail.last])
