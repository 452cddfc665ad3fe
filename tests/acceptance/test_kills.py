"""Processes are really killed; nothing is lost, and nothing is made twice."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kit.gates import RealGate
from kit.murders import SEED, TASKS, finished, submit_through_kills


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[RealGate]:
    gate = RealGate(tmp_path / "data")
    gate.start()
    yield gate
    if gate.process is not None and gate.process.poll() is None:
        gate.kill()


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
