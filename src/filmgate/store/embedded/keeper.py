"""A PostgreSQL that is there until it is stopped: started, watched, and started again when it dies."""

import subprocess
import threading
import time
from concurrent.futures import Future

from filmgate.store.embedded.address import PostgresAddress
from filmgate.store.embedded.errors import EmbeddedPostgresError, StartFailedError
from filmgate.store.embedded.programs import PostgresPrograms
from filmgate.store.embedded.runner import Tell
from filmgate.store.embedded.running import STOP_TIMEOUT_S, RunningPostgres
from filmgate.store.embedded.server import READY_TIMEOUT_S, start
from filmgate.store.lock import FolderLock

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0
_STEADY_S = 60.0


class PostgresKeeper:
    """Does all forking and reaping in one thread of its own, which lives as long as the process.

    The kernel ends PostgreSQL with the thread that forked it: had a short-lived thread done so, its end
    would take the database along. Every method may be called from any thread; they block, so an event loop
    calls them by `asyncio.to_thread`. `tell` is called in the keeper's thread and must not raise.
    """

    def __init__(
        self,
        lock: FolderLock,
        programs: PostgresPrograms,
        *,
        tell: Tell,
        ready_timeout_s: float = READY_TIMEOUT_S,
        namespaces: bool = True,
    ) -> None:
        self._lock = lock
        self._programs = programs
        self._tell = tell
        self._ready_timeout_s = ready_timeout_s
        self._namespaces = namespaces
        self._stopping = threading.Event()
        self._first: Future[PostgresAddress] = Future()
        self._guard = threading.Lock()
        self._running: RunningPostgres | None = None
        # A daemon: a process that ends without stop() leaves the ending to the kernel instead of hanging.
        self._thread = threading.Thread(target=self._keep, name="postgres-keeper", daemon=True)

    def start(self) -> PostgresAddress:
        """Return once it takes connections; raise what kept it from that, and try no further then."""
        self._thread.start()
        return self._first.result()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End PostgreSQL in order and return when it is gone; clients are not waited for."""
        self._stopping.set()
        with self._guard:
            running = self._running
        if running is not None:
            running.stop(timeout_s)
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def running(self) -> RunningPostgres | None:
        """The server as it runs now, None while there is none."""
        with self._guard:
            return self._running

    def _keep(self) -> None:
        try:
            running = self._start_once()
        except BaseException as error:  # noqa: BLE001  # Whoever waits in start() gets it, whatever it is.
            self._first.set_exception(error)
            return
        self._first.set_result(running.address)
        delay_s = _FIRST_DELAY_S
        while not self._stopping.is_set():
            since = time.monotonic()
            status = running.wait()
            self._set(None)
            if self._stopping.is_set():
                return
            delay_s = _FIRST_DELAY_S if time.monotonic() - since > _STEADY_S else delay_s
            self._tell(f"PostgreSQL has ended ({status}) and is started again in {delay_s:.1f} s")
            again = self._start_again(delay_s)
            if again is None:
                return
            running, delay_s = again

    def _start_again(self, delay_s: float) -> tuple[RunningPostgres, float] | None:
        """Try until it runs; return it with the delay that its next end shall cost, None once stopped."""
        while not self._stopping.wait(delay_s):
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)
            try:
                return self._start_once(), delay_s
            except (EmbeddedPostgresError, OSError, subprocess.SubprocessError) as error:
                if not self._stopping.is_set():
                    self._tell(f"PostgreSQL does not start, next try in {delay_s:.1f} s: {error}")
        return None

    def _start_once(self) -> RunningPostgres:
        running = start(
            self._lock,
            self._programs,
            tell=self._tell,
            cancelled=self._stopping,
            ready_timeout_s=self._ready_timeout_s,
            namespaces=self._namespaces,
        )
        self._set(running)
        # stop() may have looked just before: then nobody else would end this one.
        if self._stopping.is_set():
            running.stop()
            raise StartFailedError("PostgreSQL was stopped while it started")
        return running

    def _set(self, running: RunningPostgres | None) -> None:
        with self._guard:
            self._running = running
