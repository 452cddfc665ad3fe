"""The process dies between each two effects, once, and the task goes on as if nothing had been."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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

# Those that only other stories pass, which have tests of their own.
ELSEWHERE = ("cancel.", "resolve.", "submit.before_late", "deliver.", "ship.")


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
        "cancel.after_claim",
        "cancel.after_reply",
        "cancel.before_question",
        "collect.after_fetch",
        "collect.after_store",
        "collect.stored_video",
        "deliver.after_post",
        "end.after",
        "end.before",
        "poll.before_done",
        "prepare.after_frames",
        "prepare.after_input",
        "prepare.after_takeover",
        "prepare.after_words",
        "reconcile.after_reply",
        "render.after_store",
        "render.after_work",
        "resolve.after_claim",
        "ship.after_copy",
        "submit.after_intent",
        "submit.after_reply",
        "submit.before_late",
    }


def test_a_death_at_every_failpoint_loses_nothing_and_makes_nothing_twice(
    gate: RealGate, pictures: str
) -> None:
    """Each point kills the process that passes it first; four tasks meet all of them, one after another."""
    # The first is killed after its intent, so it is reconciled; only the second comes to read its submit's reply.
    picture = {"image": f"{pictures}/image.png"}
    made = [ended(gate, "first", picture), ended(gate, "second", picture)]
    made.append(ended(gate, "clips", {"prompt_extend": "a whale", "enhance": True}, clips=2))
    taken = {"task_id": made[0]["id"], "model": "animatic", "prompt": "it goes on"}
    made.append(ended(gate, "taken", taken, path="/v1/video/extend"))
    assert [task["film"]["seconds"] for task in made] == [1.0, 1.0, 8.0, 8.0]
    passed = {path.name for path in gate.data.parent.iterdir() if path.name in POINTS}
    assert passed == {name for name in POINTS if not name.startswith(ELSEWHERE)}
    assert len(gate.ask("GET", "/gate/v1/tasks", key=gate.key).json["data"]) == 4


def ended(
    gate: RealGate, key: str, wanted: dict[str, Any], *, path: str = "/gate/v1/tasks", clips: int = 1
) -> Any:
    """Have a film made; each of its clips came of one attempt alone."""
    task = gate.ended(submit(gate, key, wanted, path), within_s=240)
    assert task["state"] == "succeeded", task
    assert [attempt["state"] for attempt in task["attempts"]] == ["done"] * clips
    return task


def submit(gate: RealGate, key: str, wanted: dict[str, Any], path: str) -> str:
    """Submit until it is answered, as a client with an Idempotency-Key does."""
    body = {"prompt": "a boat", "seconds": 1, "size": "640x360", **wanted}
    for _ in range(200):
        try:
            answer = gate.ask("POST", path, json_body=body, key=gate.key, headers={"Idempotency-Key": key})
        except OSError:
            gate.wait_ready()
            continue
        if answer.status in {200, 201}:
            return str(answer.json["id"])
    raise AssertionError(gate.log.read_text()[-4000:])
