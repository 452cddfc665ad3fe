"""Processes are really killed; nothing is lost, and nothing is made twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kit.gates import RealGate, free_port

TASKS = 20
KILLS = 10
# Fixed, so that a failure comes back when it is looked for.
SEED = 20261121


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[RealGate]:
    gate = RealGate(tmp_path / "data")
    gate.start()
    yield gate
    if gate.process is not None and gate.process.poll() is None:
        gate.kill()


def submit_through_kills(gate: RealGate, dice: random.Random, **wanted: Any) -> list[str]:
    """Submit twenty tasks and kill everything ten times meanwhile; a submit is repeated under its own key."""
    ids: list[str] = []
    moments = sorted(dice.sample(range(TASKS), KILLS // 2))
    for no in range(TASKS):
        if no in moments:
            murder(gate, dice)
        ids.append(submit(gate, no, wanted))
    for _ in range(KILLS - len(moments)):
        time.sleep(dice.uniform(0.2, 2.0))
        murder(gate, dice)
    return ids


def submit(gate: RealGate, no: int, wanted: dict[str, Any]) -> str:
    body = {"prompt": f"boat {no}", "model": "animatic", "seconds": 1, "size": "360x640", **wanted}
    for _ in range(100):
        try:
            answer = gate.ask(
                "POST",
                "/gate/v1/tasks",
                json_body=body,
                key=gate.key,
                headers={"Idempotency-Key": f"submit-{no}"},
            )
        except OSError:
            time.sleep(0.1)
            continue
        if answer.status == 201:
            return str(answer.json["id"])
        time.sleep(0.1)
    raise AssertionError(gate.log.read_text()[-4000:])


def murder(gate: RealGate, dice: random.Random) -> None:
    """Kill the process group, with PostgreSQL's own session or without it, and start again."""
    assert gate.process is not None
    if dice.random() < 0.5:
        os.killpg(gate.process.pid, signal.SIGKILL)
        gate.process.wait(30)
    else:
        gate.kill()
    gate.start()


def finished(task: dict[str, Any]) -> int:
    return sum(attempt["state"] == "done" for attempt in task["attempts"])


def test_ten_kills_of_everything_lose_none_of_twenty_tasks(gate: RealGate) -> None:
    ids = submit_through_kills(gate, random.Random(SEED))
    assert len(set(ids)) == TASKS
    tasks = [gate.ended(id_, within_s=180) for id_ in ids]
    assert Counter(task["state"] for task in tasks) == {"succeeded": TASKS}
    assert [finished(task) for task in tasks] == [1] * TASKS
    listed = gate.ask("GET", "/gate/v1/tasks?limit=100", key=gate.key).json["data"]
    assert {task["id"] for task in listed} == set(ids)


def test_a_killed_engine_a_killed_database_and_a_killed_renderer_lose_nothing(gate: RealGate) -> None:
    ids = [gate.make(seconds=2, prompt=f"boat {no}") for no in range(4)]
    for victim in ("filmgate.animatic", "spawn_main", "postgres"):
        give_up = time.monotonic() + 30
        while not (found := gate.named(victim)):
            assert time.monotonic() < give_up, f"no {victim} runs"
            time.sleep(0.02)
        found[0].kill()
        time.sleep(0.5)
    gate.wait_ready()
    tasks = [gate.ended(id_, within_s=120) for id_ in ids]
    assert Counter(task["state"] for task in tasks) == {"succeeded": len(ids)}
    assert [finished(task) for task in tasks] == [1] * len(ids)


def test_lost_replies_and_kills_never_draw_a_film_twice_at_the_vendor(tmp_path: Path) -> None:
    vendor, log = start_mirage(tmp_path, "--lose-replies", "0.3", "--seed", str(SEED), "--idempotent")
    gate = RealGate(tmp_path / "data", environment={"MIRAGE_KEY": "x"})
    (tmp_path / "filmgate.toml").write_text(
        f"""
        [[providers]]
        name = "mirage"
        kind = "openai"
        base_url = "{vendor.base_url}"
        credentials = "env:MIRAGE_KEY"
        options = {{ idempotent = true }}
        [[routes]]
        model = "sora-2*"
        via = [{{ provider = "mirage", model = "sora-2" }}]
        """
    )
    try:
        gate.start()
        ids = submit_through_kills(gate, random.Random(SEED + 1), model="sora-2", seconds=4, size="720x1280")
        tasks = [gate.ended(id_, within_s=180) for id_ in ids]
        assert Counter(task["state"] for task in tasks) == {"succeeded": TASKS}
        assert [finished(task) for task in tasks] == [1] * TASKS
    finally:
        if gate.process is not None:
            gate.kill()
        vendor.stop()
    events = [json.loads(line) for line in log.read_text().splitlines()]
    accepted = Counter(event["key"] for event in events if event["event"] == "accepted")
    drawn = Counter(event["job"] for event in events if event["event"] == "drawn")
    assert len(accepted) == TASKS
    assert set(accepted.values()) == {1}
    assert set(drawn.values()) == {1}
    assert any(event["event"] == "replayed" for event in events)


class Vendor:
    def __init__(self, process: subprocess.Popen[str], base_url: str) -> None:
        self.process = process
        self.base_url = base_url

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def start_mirage(folder: Path, *arguments: str) -> tuple[Vendor, Path]:
    data = folder / "mirage"
    command = [
        sys.executable,
        "-m",
        "filmgate.mirage",
        "--port",
        str(free_port()),
        "--data",
        str(data),
        *arguments,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    return Vendor(process, said["base_url"]), Path(said["log"])


def test_a_second_serve_on_the_same_folder_is_told_so(gate: RealGate) -> None:
    second = RealGate(gate.data)
    second.start(wait=False)
    assert second.process is not None
    assert second.process.wait(30) not in {0, 70}
    told = gate.log.read_text()
    assert gate.base_url in told
    assert "already" in told


def test_a_port_that_is_in_use_is_told_so(gate: RealGate, tmp_path: Path) -> None:
    second = RealGate(tmp_path / "other", port=gate.port)
    second.start(wait=False)
    assert second.process is not None
    assert second.process.wait(30) not in {0, 70}
    assert f"port {gate.port} is in use" in second.log.read_text()


def test_a_clean_stop_leaves_nothing_behind_and_the_next_start_goes_on(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=slow:3")
    family = gate.family()
    assert gate.stop() == 0
    # Whoever adopted them reaps them in its own time; dead ones are not left behind.
    _, alive = psutil.wait_procs(family, timeout=5)
    left = [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert [process.cmdline() for process in left] == []
    gate.start()
    assert gate.ended(id_)["state"] == "succeeded"


def test_several_web_workers_and_an_engine_of_its_own_serve_as_one(tmp_path: Path) -> None:
    gate = RealGate(tmp_path / "data", arguments=("--web-workers", "2"))
    gate.start()
    try:
        id_ = gate.make()
        engine = gate.named("filmgate.server")
        engine[0].kill()
        assert gate.ended(id_)["state"] == "succeeded"
        assert gate.stop() == 0
    finally:
        if gate.process is not None and gate.process.poll() is None:
            gate.kill()
