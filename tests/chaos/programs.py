"""Programs in process groups of their own, as a run starts, kills and starts them again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

STARTING: Final = "--- started by its runner"


@dataclass(slots=True)
class Program:
    """`arguments` are those of Python; all that it says goes into its log."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = field(default=0)

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as log:
            log.write(STARTING.encode() + b"\n")
            log.flush()
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment}, start_new_session=True, cwd=self.log.parent,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        """Give the program's own process and all that it started."""
        if self.process is None:
            return []
        try:
            mine = psutil.Process(self.process.pid)
            return [mine, *mine.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def working(self) -> psutil.Process | None:
        """Give the process that does the work: what a supervisor starts again when it dies."""
        for one in self.family()[1:]:
            with suppress(psutil.NoSuchProcess):
                words = " ".join(one.cmdline())
                if "filmgate.server" in words or "spawn_main" in words:
                    return one
        return None

    @property
    def up(self) -> bool:
        """Say whether the engine of a worker has begun to work since it was started last."""
        said = self.tail(20_000)
        begun = said.rfind("worker.started")
        return begun >= max(said.rfind(STARTING), said.rfind("the engine died"))

    def kill(self) -> None:
        """Kill all of it at once."""
        for one in self.family():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(30)

    def stop(self, within_s: float = 30.0) -> int:
        """End it in order; give its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def wake(self) -> None:
        """Let go on whatever was frozen."""
        for one in self.family():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)

    def tail(self, size_bytes: int = 3000) -> str:
        """Read the end of the log."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - size_bytes))
            return log.read().decode(errors="replace")
