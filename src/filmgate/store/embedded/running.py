import os
import signal
import subprocess
import time
from contextlib import suppress

from filmgate.store.embedded.address import PostgresAddress
from filmgate.store.embedded.probe import Readiness, ask
from filmgate.store.embedded.process import process_state

STOP_TIMEOUT_S = 60.0

_ADOPTED_PAUSE_S = 0.2


class RunningPostgres:
    """A server that took a connection when it was handed over.

    An adopted one is no child of ours: it was left by a former holder of the data folder.
    """

    def __init__(
        self, address: PostgresAddress, pid: int | None, child: subprocess.Popen[bytes] | None
    ) -> None:
        self.address = address
        self.pid = pid
        self._child = child

    @property
    def adopted(self) -> bool:
        return self._child is None

    def alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        if self.pid is not None:
            state = process_state(self.pid)
            # Its number may have gone to a stranger, whom nobody must signal.
            return state is not None and not state.zombie and state.command == "postgres"
        return ask(self.address).readiness is not Readiness.ABSENT

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Return once it has ended, with its exit status where it was our child; raise TimeoutError else."""
        if self._child is not None:
            try:
                return self._child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                raise TimeoutError(f"PostgreSQL still runs after {timeout_s} s") from None
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.alive():
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"PostgreSQL still runs after {timeout_s} s")
            time.sleep(_ADOPTED_PAUSE_S)
        return None

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Send a signal: SIGINT ends it in order without waiting for clients, SIGQUIT at once."""
        if self.pid is not None and self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it in order; what is still there after `timeout_s` is ended hard, which loses no commit."""
        for number, patience_s in (
            (signal.SIGINT, timeout_s),
            (signal.SIGQUIT, 10.0),
            (signal.SIGKILL, 10.0),
        ):
            self.interrupt(number)
            with suppress(TimeoutError):
                self.wait(patience_s)
                return
        raise TimeoutError(f"PostgreSQL (process {self.pid}) cannot be ended")
