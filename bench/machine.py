"""The processes that are measured: a gate, a bare server, nginx where there is one, pgbench."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from filmgate.store.embedded.address import address_of
from filmgate.store.embedded.programs import PostgresPrograms, find_programs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, path: str = "/readyz", within_s: float = 60) -> float:
    """Wait until a server answers; give how long that took."""
    began = time.perf_counter()
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
                if reply.status == 200:
                    return time.perf_counter() - began
        except OSError:
            assert time.perf_counter() - began < within_s
            time.sleep(0.02)


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def gate(data: Path) -> Iterator[tuple[int, str, float, psutil.Process]]:
    """Run a gate on an empty folder; give its port, a key, its start time, and its process."""
    port = free_port()
    began = time.perf_counter()
    with running(
        sys.executable, "-m", "filmgate", "serve", "--port", str(port), "--data", str(data)
    ) as process:
        wait_for(port)
        took = time.perf_counter() - began
        yield (
            port,
            json.loads((data / "client.json").read_text())["api_key"],
            took,
            psutil.Process(process.pid),
        )


@contextmanager
def bare_server() -> Iterator[int]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--port",
        str(port),
        "--no-ws",
        "--no-log",
    ]
    with running(*command, "bench.hello:application"):
        wait_for(port)
        yield port


@contextmanager
def nginx(folder: Path, file: Path) -> Iterator[int | None]:
    """Serve a file by nginx, where the machine has one."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    (folder / "served").mkdir()
    shutil.copy(file, folder / "served" / "film.mp4")
    (folder / "served" / "readyz").write_text("ok")
    temporary = "".join(
        f"{kind}_temp_path {folder}/t;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; user root; worker_processes 1; events {{}}"
        f"http {{ access_log off; sendfile on; {temporary} server {{ listen 127.0.0.1:{port}; root {folder}/served; }} }}"
    )
    with running(program, "-c", str(folder / "nginx.conf")):
        wait_for(port)
        yield port


def ask_database(data: Path, statement: str) -> tuple[PostgresPrograms, Sequence[str]]:
    """Run a statement on the gate's own PostgreSQL; give its programs and how they find it."""
    programs = find_programs(None, os.environ["PATH"])
    address = address_of(data)
    where = ["-h", str(address.folder), "-p", str(address.port), "-U", address.user, address.database]
    subprocess.run([programs.bin / "psql", "-q", "-c", statement, *where], check=True, capture_output=True)
    return programs, where


def pgbench_inserts(data: Path, clients: int, seconds: int) -> float:
    """Give single-row inserts a second that pgbench reaches on the gate's own PostgreSQL."""
    ready = "create table if not exists bench_rows (id uuid primary key default uuidv7(), body text)"
    programs, where = ask_database(data, ready)
    script = data / "insert.sql"
    script.write_text("insert into bench_rows (body) values (repeat('x', 400));\n")
    done = subprocess.run(
        [programs.bin / "pgbench", "-n", "-f", script, "-c", str(clients), "-j", "1", "-T", str(seconds), *where],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(next(line for line in done.stdout.splitlines() if line.startswith("tps")).split()[2])


def resident_mib(process: psutil.Process) -> float:
    """Give what the whole family of a process holds for itself (proportional set size)."""
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family) / 2**20
