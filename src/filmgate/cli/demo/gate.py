"""A gate for the length of a demo: a process of its own, on a free port, in a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filmgate.cli.address import CLIENT_FILE, Address
from filmgate.cli.client import Gate
from filmgate.cli.errors import CliError, trouble
from filmgate.domain.clock import Clock

_READY_S: Final = 60.0
_STOP_S: Final = 30.0
_ASK_S: Final = 2.0
_ASK_EVERY_S: Final = 0.1
_LOG_LINES: Final = 12
_LOG: Final = "gate.log"


@dataclass(slots=True)
class DemoGate:
    base_url: str
    key: str = field(repr=False)
    ready_s: float
    process: "subprocess.Popen[bytes]"
    data: Path
    exit_code: int | None = None

    @property
    def client(self) -> Gate:
        return Gate(Address(self.base_url, self.key, "", self.data, own_machine=True), "en", lambda _: None)


@contextmanager
def run_gate(data: Path, allow: str, clock: Clock) -> Iterator[DemoGate]:
    """Start a gate, wait until it is ready, and stop it; raise CliError with the end of its log where it is not."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = clock.monotonic()
    port = _free_port()
    with (data / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "filmgate", "serve", "--port", str(port), "--data", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(allow),
            cwd=data,
            # Ctrl-C is for the demo, which then stops its gate in order.
            process_group=0 if os.name == "posix" else None,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}", data, clock)
        said = json.loads((data / CLIENT_FILE).read_text())
        gate = DemoGate(said["base_url"], said["api_key"], clock.monotonic() - began, process, data)
        yield gate
    finally:
        exit_code = _stop(process)
    gate.exit_code = exit_code


def _environment(allow: str) -> dict[str, str]:
    """Give the environment without the operator's own settings: the demo must touch nothing of theirs."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
    return plain | {"FILMGATE_GUARD_ALLOW": allow}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", base_url: str, data: Path, clock: Clock) -> None:
    gate = Gate(Address(base_url, None, "", data, own_machine=True), "en", lambda _: None)
    give_up = clock.monotonic() + _READY_S
    while clock.monotonic() < give_up and process.poll() is None:
        try:
            gate.ask("GET", "/readyz", timeout_s=_ASK_S)
        except CliError:
            time.sleep(_ASK_EVERY_S)
        else:
            return
    lines = (data / _LOG).read_text(errors="replace").splitlines()[-_LOG_LINES:]
    log_end = "\n".join(lines)
    if process.poll() is not None:
        raise trouble("gate_died", log=log_end)
    raise trouble("not_ready", seconds=int(_READY_S), log=log_end)


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
