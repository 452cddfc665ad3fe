"""A provider, a route or a model that is taken out of the settings while films run; and a task that kills its engines."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from kit.databases import sql
from kit.gates import RealGate
from kit.shelves import waited_for

VENDOR = """
[[providers]]
name = "vendor"
kind = "openai"
base_url = "{url}"
credentials = "env:VENDOR_KEY"
options = {{ idempotent = true }}
"""
OTHER = """
[[providers]]
name = "other"
kind = "openai"
base_url = "http://127.0.0.1:9"
credentials = "env:VENDOR_KEY"
"""
ROUTE = """
[[routes]]
model = "{model}"
via = [{{ provider = "vendor", model = "sora-2" }}]
"""
MODEL = """
[[models]]
name = "house-film"
owner = "house"
about = "A model of the operator's own."
created = 1759708800
offers = { gate = "yishang-sora" }
[[prices]]
models = "house-film"
since = 2025-01-01
per_second = { 720p = 0.10 }
"""
WANTED = {"seconds": 4, "size": "720x1280"}


class Vendor:
    """A vendor that makes each job until it is told that they are done; it may kill whoever sends it a word."""

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}
        self.asked: list[str] = []
        self.refuses = False
        self.on_submit: Callable[[str], None] = lambda _: None
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the standard library's name
                body = self.rfile.read(int(self.headers["Content-Length"])).decode(errors="replace")
                outer.on_submit(body)
                id_ = outer.jobs.setdefault(self.headers["Idempotency-Key"], f"video_{len(outer.jobs)}")
                self._say({"id": id_, "object": "video", "status": "in_progress", "progress": 10})

            def do_GET(self) -> None:  # the standard library's name
                outer.asked.append(self.path)
                id_ = self.path.rsplit("/", 1)[-1]
                status = "failed" if outer.refuses else "in_progress"
                error = {"code": "moderation_blocked", "message": "not this"} if outer.refuses else None
                self._say({"id": id_, "object": "video", "status": status, "progress": 10, "error": error})

            def _say(self, said: dict[str, Any]) -> None:
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def selling() -> Iterator[Vendor]:
    vendor = Vendor()
    threading.Thread(target=vendor.server.serve_forever, daemon=True).start()
    try:
        yield vendor
    finally:
        vendor.server.shutdown()
        vendor.server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with selling() as vendor:
        yield vendor


@pytest.fixture
def gate(tmp_path: Path, dsn: str) -> Iterator[RealGate]:
    gate = RealGate(
        tmp_path / "data", environment={"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "x", "LANG": "C.UTF-8"}
    )
    yield gate
    if gate.process is not None and gate.process.poll() is None:
        gate.kill()


def configured(gate: RealGate, *tables: str) -> None:
    (gate.data.parent / "filmgate.toml").write_text("".join(tables))


def state(gate: RealGate, id_: str) -> str:
    return str(gate.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json["state"])


def notices(gate: RealGate) -> list[tuple[str, str | None]]:
    page = gate.ask("GET", "/admin/v1/notices", key="sk-admin").json["data"]
    return [(one["kind"], one["provider"]) for one in page]


def doctor(gate: RealGate) -> tuple[int, dict[str, list[Any]]]:
    command = [sys.executable, "-m", "filmgate", "doctor", "--json", "--data", str(gate.data)]
    environment = {**os.environ, **gate.environment, "FILMGATE_ADMIN_KEY": "sk-admin"}
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
        cwd=gate.data.parent,
    )
    found: dict[str, list[Any]] = {}
    for check in json.loads(ran.stdout)["checks"]:
        found.setdefault(check["name"], []).append(check)
    return ran.returncode, found


def test_films_of_a_provider_that_is_taken_away_wait_for_it_and_operators_are_told_everywhere(
    gate: RealGate, vendor: Vendor, dsn: str
) -> None:
    configured(gate, VENDOR.format(url=vendor.url), ROUTE.format(model="sora-2*"))
    gate.start()
    waits, ends = (gate.make(model="sora-2", prompt=f"film {no}", **WANTED) for no in range(2))
    waited_for(lambda: {state(gate, waits), state(gate, ends)} == {"generating"}, gate)
    assert gate.stop() == 0
    configured(gate, OTHER)
    gate.start()
    told = waited_for(lambda: "notice.provider_missing" in gate.log.read_text() and notices(gate), gate)
    assert told == [("provider_missing", "vendor")]
    metrics = gate.ask("GET", "/metrics").body.decode()
    assert re.search(r'^filmgate_notices_total\{kind="provider_missing"\} 1\.0$', metrics, re.MULTILINE)
    code, checks = doctor(gate)
    assert (code, checks["routes"][0]["verdict"]) == (0, "warn")
    assert (
        "vendor makes 2 films of sora-2, and is not in the settings any more" in checks["routes"][0]["found"]
    )
    assert "ends free at its deadline" in checks["routes"][0]["way_out"]
    assert {state(gate, waits), state(gate, ends)} == {"generating"}
    # One reaches its deadline meanwhile, and costs nothing.
    sql(dsn, f"update film.tasks set deadline_at = now() where id = '{ends}'")  # noqa: S608  # an id of ours
    sql(dsn, "update film.work set due_at = now()")
    expired = gate.ended(ends)
    assert (expired["state"], expired["cost_micros"]) == ("expired", 0)
    # It comes back: what waited goes on with the job that it had, and none is sent anew.
    vendor.refuses = True
    assert gate.stop() == 0
    configured(gate, VENDOR.format(url=vendor.url), ROUTE.format(model="sora-2*"))
    gate.start()
    ended = gate.ended(waits)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "content_refused")
    assert len(vendor.jobs) == 2


def test_films_of_a_model_that_is_taken_away_go_on_and_are_shown(
    gate: RealGate, vendor: Vendor, tmp_path: Path
) -> None:
    (tmp_path / "models.toml").write_text(MODEL)
    configured(
        gate, 'catalogue = "models.toml"\n', VENDOR.format(url=vendor.url), ROUTE.format(model="house-*")
    )
    gate.start()
    id_ = gate.make(model="house-film", **WANTED)
    waited_for(lambda: state(gate, id_) == "generating", gate)
    assert gate.stop() == 0
    configured(gate, VENDOR.format(url=vendor.url), ROUTE.format(model="house-*"))
    gate.start()
    refused = gate.ask(
        "POST", "/gate/v1/tasks", json_body={"prompt": "x", "model": "house-film", **WANTED}, key=gate.key
    )
    assert (refused.status, refused.json["error"]["code"]) == (404, "model_not_found")
    listed = gate.ask("GET", "/gate/v1/tasks", key=gate.key).json["data"]
    assert [(task["id"], task["model"]) for task in listed] == [(id_, "house-film")]
    vendor.refuses = True
    assert gate.ended(id_)["error"]["code"] == "content_refused"
    assert 'model="other"' in gate.ask("GET", "/metrics").body.decode()


@pytest.mark.slow
def test_a_task_that_kills_every_engine_is_parked_and_all_others_are_made(
    gate: RealGate, vendor: Vendor
) -> None:
    engines: list[int] = []

    def kill(body: str) -> None:
        if "poison" not in body:
            return
        for process in psutil.process_iter(["cmdline"]):
            if "filmgate.server" in (process.info["cmdline"] or []) and process.pid in family():
                engines.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)
                time.sleep(0.2)

    def family() -> set[int]:
        return {one.pid for one in gate.family()}

    vendor.on_submit = kill
    configured(gate, VENDOR.format(url=vendor.url), ROUTE.format(model="sora-2*"))
    gate.arguments = ("--web-workers", "2")
    gate.start()
    others = [gate.make(model="sora-2", prompt=f"boat {no}", **WANTED) for no in range(2)]
    poison = gate.make(model="sora-2", prompt="poison", **WANTED)
    others += [gate.make(model="sora-2", prompt=f"boat {no}", **WANTED) for no in range(2, 4)]
    task = gate.ended(poison, within_s=300)
    assert (task["state"], task["error"]["code"], task["cost_micros"]) == ("failed", "engine_error", 0)
    # Five times at most, once it is known to be the one; the first death may be of a step before.
    assert 5 <= len(set(engines)) <= 7
    vendor.refuses = True
    for id_ in others:
        assert gate.ended(id_)["error"]["code"] == "content_refused"
    assert ("parked", None) in notices(gate)
    waited_for(lambda: "notice.parked" in gate.log.read_text(), gate)
    code, checks = doctor(gate)
    assert (code, checks["parked"][0]["verdict"]) == (0, "warn")
    held = gate.ask("GET", "/gate/v1/balance", key=gate.key).json
    assert (held["held_micros"], held["unfinished"]) == (0, 0)
