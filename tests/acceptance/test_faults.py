"""What goes wrong around a gate: nothing is lost, nothing is made twice, and clients and operators are told."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from kit.gates import Answer, RealGate
from kit.signals import called_postgres, send_to_all

SUBMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "laozhang": ("/laozhang/veo/v1/api/video/submit", {"model": "veo3"}),
    "unified": ("/unified/v1/video/create", {"model": "veo3"}),
    "newapi": ("/newapi/v1/videos", {"model": "veo_3_1-fast"}),
    "yishang": ("/yishang/v1/videos", {"model": "sora-2"}),
    "openai": ("/openai/v1/videos", {"model": "sora-2"}),
    "gate": ("/gate/v1/tasks", {"model": "animatic", "seconds": 1, "size": "640x360"}),
}
PATIENCE_S = 5.0


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGate]:
    gate = RealGate(tmp_path_factory.mktemp("faults") / "data")
    gate.start()
    yield gate
    send(gate, signal.SIGCONT)
    gate.kill()


def database(gate: RealGate) -> list[psutil.Process]:
    return called_postgres(gate.family())


def send(gate: RealGate, number: signal.Signals) -> None:
    send_to_all(lambda: database(gate), number)


def submit(gate: RealGate, dialect: str, prompt: str, key: str | None = None) -> tuple[Answer, float]:
    path, body = SUBMITS[dialect]
    headers = {} if key is None else {"Idempotency-Key": key}
    began = time.monotonic()
    answer = gate.ask(
        "POST", path, json_body={**body, "prompt": f"{prompt} --sandbox=fail"}, key=gate.key, headers=headers
    )
    return answer, time.monotonic() - began


def listed(gate: RealGate, said: str) -> list[Any]:
    page = gate.ask("GET", "/gate/v1/tasks?limit=100", key=gate.key).json["data"]
    return [task for task in page if said in task["prompt"]]


def doctor(gate: RealGate) -> tuple[int, Any]:
    command = [sys.executable, "-m", "filmgate", "doctor", "--json", "--lang", "en", "--data", str(gate.data)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    [ready] = [check for check in json.loads(ran.stdout)["checks"] if check["name"] == "ready"]
    return ran.returncode, ready


def code_of(answer: Answer) -> str:
    body = answer.json
    return str(body.get("error_code") or body.get("code") or body["error"]["code"])


def test_while_the_database_stands_still_each_dialect_says_503_in_time_and_nothing_comes_late(
    gate: RealGate,
) -> None:
    film = gate.make(prompt="a boat --sandbox=slow:3")
    send(gate, signal.SIGSTOP)
    began = time.monotonic()
    with ThreadPoolExecutor(len(SUBMITS) + 2) as threads:
        asked = {
            dialect: threads.submit(submit, gate, dialect, f"frozen {dialect}", f"frozen-{dialect}")
            for dialect in SUBMITS
        }
        read = threads.submit(gate.ask, "GET", f"/gate/v1/tasks/{film}", key=gate.key)
        answers = {dialect: one.result() for dialect, one in asked.items()}
        assert gate.ask("GET", "/readyz").json["store"].startswith("does not answer")
        code, ready = doctor(gate)
        assert (code, ready["verdict"]) == (1, "fail")
        assert ready["found"].startswith("store: does not answer")
        time.sleep(max(0.0, began + 6 - time.monotonic()))
        late = threads.submit(submit, gate, "gate", "after the frost")
        time.sleep(max(0.0, began + 8 - time.monotonic()))
        send(gate, signal.SIGCONT)
        assert (late.result()[0].status, read.result().status) == (201, 503)
    for dialect, (answer, took) in answers.items():
        assert (answer.status, answer.headers["retry-after"]) == (503, "5"), dialect
        assert code_of(answer).lower() in {"store_unavailable", "service_unavailable", "internal_error"}, (
            answer
        )
        assert took < PATIENCE_S + 2.5, dialect
    # What was told to come again comes again, once.
    again = {
        dialect: submit(gate, dialect, f"frozen {dialect}", f"frozen-{dialect}")[0] for dialect in SUBMITS
    }
    assert {answer.status for answer in again.values()} <= {200, 201, 202}
    assert len(listed(gate, "frozen")) == len(SUBMITS)
    assert gate.ended(film)["state"] == "succeeded"
    # Operators read of it, once it came and once it went, and metrics know.
    events = [line for line in gate.log.read_text().splitlines() if '"store.' in line]
    assert '"event": "store.unavailable"' in events[0]
    assert '"event": "store.back"' in events[-1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_requests_wait_while_the_database_restarts_and_each_that_was_accepted_is_there_once(
    gate: RealGate, how: signal.Signals
) -> None:
    films = [gate.make(prompt=f"{how.name} film {no}") for no in range(2)]
    prompts = [f"{how.name} {no}" for no in range(24)]
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(submit, gate, "gate", prompt, prompt) for prompt in prompts[:12]]
        time.sleep(0.1)
        pid = int((gate.data / "postgres" / "postmaster.pid").read_text().split()[0])
        assert pid in {one.pid for one in database(gate)}
        os.kill(pid, how)
        asked += [threads.submit(submit, gate, "gate", prompt, prompt) for prompt in prompts[12:]]
        answers = [one.result()[0] for one in asked]
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {201, 503}, statuses
    assert statuses[201] > 12, statuses
    gate.wait_ready()
    # Who is told to come again does so under the same key, whatever became of the first time.
    again = [submit(gate, "gate", prompt, prompt)[0] for prompt in prompts]
    assert {answer.status for answer in again} == {201}
    pairs = zip(answers, again, strict=True)
    assert [
        first for first, second in pairs if first.status == 201 and first.json["id"] != second.json["id"]
    ] == []
    found = [task["id"] for task in listed(gate, how.name)]
    assert sorted(found) == sorted([*films, *(answer.json["id"] for answer in again)])
    for film in films:
        # A step whose claim was committed and never heard of goes on when its lease is over, 90 s later.
        task = gate.ended(film, within_s=150)
        assert (task["state"], [one["state"] for one in task["attempts"]]) == ("succeeded", ["done"])


def test_the_metrics_say_whether_the_database_answers(gate: RealGate) -> None:
    give_up = time.monotonic() + 10
    while not re.search(r"^filmgate_store_up 1\.0$", gate.ask("GET", "/metrics").body.decode(), re.MULTILINE):
        assert time.monotonic() < give_up
        time.sleep(0.2)


def test_a_key_whose_budget_is_used_up_in_mid_flight_still_polls_and_downloads(gate: RealGate) -> None:
    key = gate.new_key("exhausted", budget_micros=400_000)
    asked = {"model": "sora-2", "prompt": "a boat --sandbox=slow:1", "seconds": "4"}
    first = gate.ask("POST", "/openai/v1/videos", json_body=asked, key=key)
    assert first.status == 200, first.body
    second = gate.ask("POST", "/openai/v1/videos", json_body=asked, key=key)
    assert (second.status, second.json["error"]["code"]) == (429, "insufficient_quota")
    id_ = first.json["id"]
    assert gate.ask("GET", f"/openai/v1/videos/{id_}", key=key).json["status"] in {"queued", "in_progress"}
    assert gate.ended(id_, key=key, within_s=120)["cost_micros"] == 400_000
    assert gate.ask("GET", f"/openai/v1/videos/{id_}", key=key).json["status"] == "completed"
    assert gate.ask("GET", f"/openai/v1/videos/{id_}/content", key=key).body[4:8] == b"ftyp"
    third = gate.ask("POST", "/openai/v1/videos", json_body=asked, key=key)
    assert (third.status, third.json["error"]["code"]) == (429, "insufficient_quota")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=400m none {folder} 2>/dev/null"):  # noqa: S605  # the path is ours
        pytest.skip("mounting is not permitted here")
    yield folder
    os.system(f"umount -l {folder}")  # noqa: S605  # as above


def test_on_a_full_disk_submits_are_refused_and_all_that_was_accepted_is_made_once_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    gate = RealGate(small_disk / "data")
    gate.start()
    try:
        film = gate.make(prompt="a boat --sandbox=slow:4")
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
        statuses: Counter[int] = Counter()
        give_up = time.monotonic() + 60
        while statuses[503] < 3:
            answer, took = submit(gate, "gate", f"full {sum(statuses.values())} {'x' * 1500}")
            statuses[answer.status] += 1
            assert took < PATIENCE_S + 2.5
            assert time.monotonic() < give_up, statuses
        assert set(statuses) <= {201, 503}, statuses
        ballast.unlink()
        gate.wait_ready()
        assert gate.ended(film, within_s=240)["state"] == "succeeded"
        accepted, query = 0, ""
        while True:
            page = gate.ask("GET", f"/gate/v1/tasks?limit=100{query}", key=gate.key).json
            accepted += sum("full" in task["prompt"] for task in page["data"])
            if page["next_cursor"] is None:
                break
            query = f"&cursor={page['next_cursor']}"
        assert accepted == statuses[201]
        assert gate.make(prompt="and again")
    finally:
        gate.kill()
        shutil.copy(gate.log, tmp_path)
