"""A real gate in real processes, for tests that use it as its users do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

READY_WITHIN_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class RealGate:
    """`filmgate serve` in a process group of its own."""

    data: Path
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return str(json.loads((self.data / "client.json").read_text())["api_key"])

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    def start(self, *, wait: bool = True) -> None:
        command = [
            sys.executable, "-m", "filmgate", "serve",
            "--port", str(self.port), "--data", str(self.data), *self.arguments,
        ]  # fmt: skip
        environment = {**os.environ, "FILMGATE_ADMIN_KEY": "sk-admin", **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
                cwd=self.data.parent,
            )  # fmt: skip
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        give_up = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                if self.ask("GET", "/readyz").status == 200:
                    return
            except OSError:
                pass
            assert self.process is None or self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.05)

    def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Send one request; every status is an answer."""
        said = dict(headers or {})
        if key is not None:
            said.setdefault("Authorization", f"Bearer {key}")
        if json_body is not None:
            body = json.dumps(json_body).encode()
            said.setdefault("Content-Type", "application/json")
        address = path if path.startswith("http") else self.base_url + path
        request = urllib.request.Request(address, data=body, headers=said, method=method)
        try:
            with urllib.request.urlopen(request, timeout=70) as reply:
                return Answer(reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())

    def new_key(self, name: str, **wanted: Any) -> str:
        """Create a customer's key, as an operator does."""
        answer = self.ask("POST", "/admin/v1/keys", json_body={"name": name, **wanted}, key="sk-admin")
        assert answer.status == 201, answer.body
        return str(answer.json["key"])

    def make(self, **wanted: Any) -> str:
        """Submit a small film in the gate's own form; give its id."""
        asked = {
            "prompt": "a paper boat on a lake",
            "model": "animatic",
            "seconds": 1,
            "size": "640x360",
            **wanted,
        }
        answer = self.ask("POST", "/gate/v1/tasks", json_body=asked, key=self.key)
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def ended(self, id_: str, *, key: str | None = None, within_s: float = 60.0) -> Any:
        """Wait for a task's end; give the task with its attempts. Without a key it is the local account's."""
        give_up = time.monotonic() + within_s
        while True:
            try:
                task = self.ask("GET", f"/gate/v1/tasks/{id_}?attempts=true", key=key or self.key).json
                if task.get("ended_at"):
                    return task
            except (OSError, ValueError):
                pass
            assert time.monotonic() < give_up, f"{id_} has not ended\n{self.log.read_text()[-4000:]}"
            time.sleep(0.1)

    def stop(self) -> int:
        """End it in order, as an operator does; give its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """Kill the whole process group at once, as a power cut does; PostgreSQL is in a session of its own."""
        assert self.process is not None
        for one in self.family():
            try:
                os.kill(one.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(30)

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            mine = psutil.Process(self.process.pid)
            return [mine, *mine.children(recursive=True)]
        except psutil.NoSuchProcess:
            # It is dead already, and its children die with it.
            return []

    def named(self, part: str) -> list[psutil.Process]:
        """Find processes of this gate by a part of their command line."""
        found = []
        for process in self.family()[1:]:
            try:
                if part in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found


class RealWorker(RealGate):
    """`filmgate worker` in a process group of its own."""

    def start(self, *, wait: bool = True) -> None:
        command = [sys.executable, "-m", "filmgate", "worker", "--data", str(self.data), *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self.environment},
                start_new_session=True, cwd=self.data.parent,
            )  # fmt: skip
        give_up = time.monotonic() + 60
        while wait and "worker.started" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.05)

    @property
    def engine(self) -> psutil.Process:
        [found] = self.named("filmgate.server")
        return found
