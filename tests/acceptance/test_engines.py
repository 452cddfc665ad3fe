"""Several engines and several credentials, as real processes over one PostgreSQL and one folder of objects."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from kit.gates import RealGate, RealWorker
from kit.shelves import waited_for
from kit.sites import Site, open_site
from kit.vendors import start_vendor

ROUTES = """
[[providers]]
name = "vendor"
kind = "openai"
base_url = "{url}"
credentials = ["env:VENDOR_KEY_1", "env:VENDOR_KEY_2"]
limits = {{ in_flight = 6 }}
options = {{ idempotent = true }}
[[routes]]
model = "sora-2*"
via = [{{ provider = "vendor", model = "sora-2" }}]
"""


@pytest.fixture
def site(tmp_path: Path, postgres: dict[str, Any]) -> Iterator[Site]:
    with open_site(tmp_path, postgres) as site:
        yield site


def submitted(gate: RealGate, count: int, **wanted: Any) -> list[str]:
    return [gate.make(prompt=f"boat {no}", **wanted) for no in range(count)]


def test_a_worker_without_its_gates_settings_says_what_it_lacks(tmp_path: Path) -> None:
    worker = RealWorker(tmp_path / "data", environment={"FILMGATE_SECRET": "x" * 40})
    worker.start(wait=False)
    assert worker.process is not None
    assert worker.process.wait(30) == 2
    assert "not set: FILMGATE_DATABASE_URL, FILMGATE_OBJECTS_URL" in worker.log.read_text()


def test_a_worker_makes_what_gates_accept_is_started_again_when_it_dies_and_leaves_nothing_behind(
    site: Site,
) -> None:
    gate = site.gate("gate", "--no-worker")
    worker = site.worker("worker")
    engine = worker.engine
    engine.kill()
    engine.wait(10)
    [id_] = submitted(gate, 1)
    task = gate.ended(id_)
    assert task["state"] == "succeeded"
    assert gate.ask("GET", task["urls"]["video"]).status == 200
    # A second gate on the same database shows it too.
    second = site.gate("second", "--no-worker")
    assert second.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json["state"] == "succeeded"
    family = worker.family()
    assert worker.stop() == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_two_engines_and_two_credentials_share_the_films_and_a_kill_of_either_loses_none(site: Site) -> None:
    vendor = start_vendor(site.folder / "mirage", "--takes", "2", "--idempotent")
    try:
        site.say(ROUTES.format(url=vendor.base_url))
        gate, worker = site.gate(), site.worker("worker")
        ids = submitted(gate, 10, model="sora-2", seconds=4, size="720x1280")
        waited_for(lambda: len(vendor.events("accepted")) >= len(ids) // 2, gate)
        worker.kill()
        worker.start()
        gate.kill()
        gate.start()
        tasks = [gate.ended(id_, within_s=180) for id_ in ids]
    finally:
        vendor.stop()
    assert Counter(task["state"] for task in tasks) == {"succeeded": 10}
    accepted = Counter(event["key"] for event in vendor.events("accepted"))
    assert (len(accepted), set(accepted.values())) == (10, {1})
    used = site.sql(
        "select c.name, count(*) > 0 as used, min(c.in_flight) as in_flight from film.attempts a "
        "join film.credentials c on c.id = a.credential_id group by 1 order by 1",
    )
    assert used == [
        {"name": "VENDOR_KEY_1", "used": True, "in_flight": 0},
        {"name": "VENDOR_KEY_2", "used": True, "in_flight": 0},
    ]


def frozen_when(worker: RealWorker, ready: Callable[[], bool]) -> psutil.Process:
    """Stop a worker's engine as a machine that hangs is stopped, once something has come about."""
    give_up = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < give_up, worker.log.read_text()
        time.sleep(0.02)
    engine = worker.engine
    engine.send_signal(signal.SIGSTOP)
    return engine


def frozen_at(worker: RealWorker, marker: Path) -> psutil.Process:
    """Wait until a worker's engine has stopped itself at the failpoint that leaves that marker."""
    engine, give_up = worker.engine, time.monotonic() + 30
    while not (marker.exists() and engine.status() == psutil.STATUS_STOPPED):
        assert time.monotonic() < give_up, worker.log.read_text()
        time.sleep(0.02)
    return engine


def unchanged(gate: RealGate, site: Site, task: dict[str, Any]) -> bool:
    """See that a task ended once, and is still what it was then."""
    after = gate.ask("GET", f"/gate/v1/tasks/{task['id']}?attempts=true", key=gate.key).json
    closes = site.sql("select count(*) as n from film.ledger where kind = 'close'")
    tried = [attempt["state"] for attempt in after["attempts"]]
    return (after, after["state"], tried, closes) == (task, "succeeded", ["done"], [{"n": 1}])


def test_a_frozen_engine_loses_its_drawing_to_another_and_changes_nothing_when_it_wakes(site: Site) -> None:
    gate, frozen = site.gate("gate", "--no-worker"), site.worker("frozen")
    id_ = gate.make(prompt="a boat on a lake --sandbox=slow:2")

    def drawing() -> bool:
        return bool(gate.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json["state"] == "generating")

    engine = frozen_when(frozen, drawing)
    # Half a minute of silence is what others wait for.
    site.sql("update film.boots set seen_at = now() - interval '31 s'")
    site.worker("other")
    task = gate.ended(id_, within_s=90)
    assert "attempt.adopted" in (site.folder / "other" / "data.log").read_text()
    engine.send_signal(signal.SIGCONT)
    time.sleep(2)
    assert unchanged(gate, site, task)


def test_an_engine_that_froze_with_a_film_in_hand_ends_nothing_a_second_time(site: Site) -> None:
    marker = site.folder / "reached"
    gate = site.gate("gate", "--no-worker")
    frozen = site.worker("frozen", FILMGATE_FAILPOINTS=f"end.before=freeze:{marker}")
    id_ = gate.make()
    engine = frozen_at(frozen, marker)
    # Its lease runs out meanwhile, and nobody hears of it any more.
    site.sql("update film.boots set seen_at = now() - interval '31 s'")
    site.sql("update film.work set due_at = now()")
    site.worker("other")
    task = gate.ended(id_, within_s=90)
    engine.send_signal(signal.SIGCONT)
    waited_for(lambda: "lease.lost" in frozen.log.read_text(), frozen)
    assert unchanged(gate, site, task)


BLIND = ROUTES.replace(" idempotent = true ", "")
HELD_UP_S = 27


@pytest.mark.slow
def test_an_engine_that_froze_between_its_intent_and_its_send_sends_nothing_when_it_wakes(site: Site) -> None:
    """The vendor knows no keys: whatever was sent late would be a second film."""
    vendor = start_vendor(site.folder / "mirage", "--takes", "0.5")
    try:
        site.say(BLIND.format(url=vendor.base_url))
        gate, marker = site.gate("gate", "--no-worker"), site.folder / "reached"
        frozen = site.worker("frozen", FILMGATE_FAILPOINTS=f"submit.after_intent=freeze:{marker}")
        id_ = gate.make(model="sora-2", seconds=4, size="720x1280")
        engine = frozen_at(frozen, marker)
        since = time.monotonic()
        # Its lease runs out meanwhile, and another takes its submit for lost.
        site.sql("update film.work set due_at = now()")
        site.worker("other")
        wait_for_step(site, "reconcile")
        time.sleep(max(0, HELD_UP_S - (time.monotonic() - since)))
        engine.send_signal(signal.SIGCONT)
        task = gate.ended(id_, within_s=60)
    finally:
        vendor.stop()
    tried = site.sql("select state, error_class from film.attempts order by no")
    unsent = {"state": "failed", "error_class": "unsent"}
    assert (task["state"], tried) == ("succeeded", [unsent, {"state": "done", "error_class": None}])
    assert [event["key"] for event in vendor.events("accepted")] == [f"{id_}.1.2"]


def wait_for_step(site: Site, step: str) -> None:
    give_up = time.monotonic() + 30
    while site.sql("select step from film.work") != [{"step": step}]:
        assert time.monotonic() < give_up
        time.sleep(0.1)


class _Slow(BaseHTTPRequestHandler):
    """A vendor whose every answer to a poll takes longer than polls are apart."""

    polls: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:  # the standard library's name
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say({"id": "video_1", "object": "video", "status": "queued", "progress": 0})

    def do_GET(self) -> None:  # the standard library's name
        self.polls[self.path] += 1
        time.sleep(7)
        error = {"code": "moderation_blocked", "message": "not this"}
        self._say({"id": "video_1", "object": "video", "status": "failed", "progress": 0, "error": error})

    def _say(self, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        return


def test_a_vendor_slower_than_its_polls_is_heard_although_two_engines_poll(site: Site) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        site.say(ROUTES.format(url=f"http://127.0.0.1:{server.server_port}"))
        gate = site.gate()
        site.worker("worker")
        id_ = gate.make(model="sora-2", seconds=4, size="720x1280")
        task = gate.ended(id_, within_s=60)
    finally:
        server.shutdown()
        server.server_close()
    assert (task["state"], task["error"]["code"]) == ("failed", "content_refused")
    assert list(_Slow.polls.values()) == [1]


def test_operators_see_their_providers_and_switch_them(site: Site) -> None:
    vendor = start_vendor(site.folder / "mirage", "--key", "two", "--takes", "0.5")
    try:
        site.say(ROUTES.format(url=vendor.base_url))
        gate = site.gate()
        # The first credential is refused by the vendor; every film is made with the second.
        ids = submitted(gate, 3, model="sora-2", seconds=4, size="720x1280")
        tasks = [gate.ended(id_, within_s=60) for id_ in ids]
        listed = gate.ask("GET", "/admin/v1/providers", key="sk-admin").json["data"]
        paused = gate.ask("POST", "/admin/v1/providers/vendor/pause", key="sk-admin")
        waiting = gate.make(model="sora-2", seconds=4, size="720x1280")
        time.sleep(1)
        state = gate.ask("GET", f"/gate/v1/tasks/{waiting}", key=gate.key).json
        resumed = gate.ask("POST", "/admin/v1/providers/vendor/resume", key="sk-admin")
        unknown = gate.ask("POST", "/admin/v1/providers/nobody/pause", key="sk-admin")
        forbidden = gate.ask("GET", "/admin/v1/providers", key=gate.key)
        tasks.append(gate.ended(waiting, within_s=90))
    finally:
        vendor.stop()
    assert Counter(task["state"] for task in tasks) == {"succeeded": 4}
    vendor = next(each for each in listed if each["name"] == "vendor")
    shown = [(each["name"], each["light"], each["last_error_class"]) for each in vendor["credentials"]]
    assert shown in (
        [("VENDOR_KEY_1", "red", "misconfigured"), ("VENDOR_KEY_2", "green", None)],
        # By chance the first was never drawn.
        [("VENDOR_KEY_1", "green", None), ("VENDOR_KEY_2", "green", None)],
    )
    assert vendor["in_flight_limit"] == 12
    assert (paused.json, resumed.json["paused"]) == (
        {"name": "vendor", "paused": True, "running": 0},
        False,
    )
    assert (state["state"], state["queue_position"]) == ("queued", 0)
    assert (unknown.status, forbidden.status) == (404, 403)
