"""The process dies between each two effects, once, and the task goes on as if nothing had been."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.gates import RealGate

SOURCES = Path(__file__).parents[2] / "src" / "filmgate"
POINTS = sorted(
    {
        name
        for path in (SOURCES / "engine").glob("*.py")
        for name in re.findall(r'failpoint\(f?"([\w.]+?)(?:_\{role\})?"\)', path.read_text("utf-8"))
    }
)


def spelled(name: str) -> str:
    return f"{name}_video" if name == "collect.stored" else name


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, pictures: str) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("failpoints")
    armed = ";".join(f"{spelled(name)}=kill:{folder}/{name}" for name in POINTS)
    environment = {"FILMGATE_FAILPOINTS": armed, "FILMGATE_GUARD_ALLOW": pictures.removeprefix("http://")}
    gate = RealGate(folder / "data", environment=environment)
    gate.start()
    yield gate
    gate.kill()


def test_the_engine_has_a_failpoint_between_each_two_effects() -> None:
    assert {spelled(name) for name in POINTS} == {
        "accept.after_commit",
        "accept.before_commit",
        "collect.after_fetch",
        "collect.after_store",
        "collect.stored_video",
        "end.after",
        "end.before",
        "poll.before_done",
        "prepare.after_frames",
        "prepare.after_input",
        "reconcile.after_reply",
        "submit.after_intent",
        "submit.after_reply",
    }


def test_a_death_at_every_failpoint_loses_nothing_and_makes_nothing_twice(
    gate: RealGate, pictures: str
) -> None:
    """Each point kills the process that passes it first; two tasks meet all of them, one after another."""
    # The first is killed after its intent, so it is reconciled; only the second comes to read its submit's reply.
    for key in ("first", "second"):
        task = gate.ended(submit(gate, key, f"{pictures}/image.png"), within_s=240)
        assert task["state"] == "succeeded", task
        assert [attempt["state"] for attempt in task["attempts"]] == ["done"]
    passed = {path.name for path in gate.data.parent.iterdir() if path.name in POINTS}
    assert passed == set(POINTS)
    assert len(gate.ask("GET", "/gate/v1/tasks", key=gate.key).json["data"]) == 2


def submit(gate: RealGate, key: str, picture: str) -> str:
    """Submit until it is answered, as a client with an Idempotency-Key does."""
    body = {"prompt": "a boat", "seconds": 1, "size": "640x360", "image": picture}
    for _ in range(200):
        try:
            answer = gate.ask(
                "POST", "/gate/v1/tasks", json_body=body, key=gate.key, headers={"Idempotency-Key": key}
            )
        except OSError:
            gate.wait_ready()
            continue
        if answer.status == 201:
            return str(answer.json["id"])
    raise AssertionError(gate.log.read_text()[-4000:])
