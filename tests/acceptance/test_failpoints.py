"""The process dies between each two effects, once, and the task goes on as if nothing had been."""

from collections.abc import Iterator
from typing import Any

import pytest

from kit.gates import RealGate

# Those that four films meet, at most four within one step: a task that kills its worker five times there is parked.
PASSED = (
    *("accept.before_commit", "accept.after_commit", "worker.claimed"),
    *("prepare.after_input", "prepare.after_frames"),
    *("prepare.before_words", "prepare.after_words", "prepare.worded"),
    *("prepare.after_takeover", "prepare.taken_over"),
    *("submit.after_intent", "submit.after_reply", "reconcile.after_reply"),
    *("poll.answered", "poll.before_done"),
    *("collect.after_fetch", "collect.stored", "collect.after_store"),
    *("render.after_work", "render.after_store"),
    *("end.before", "end.after", "tidy.before", "tidy.after", "end.tidied"),
)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, pictures: str) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("failpoints")
    armed = ";".join(f"{name}=kill:{folder}/{name}" for name in PASSED)
    environment = {"FILMGATE_FAILPOINTS": armed, "FILMGATE_GUARD_ALLOW": pictures.removeprefix("http://")}
    gate = RealGate(folder / "data", environment=environment)
    gate.start()
    yield gate
    gate.kill()


def test_a_death_at_each_of_these_failpoints_loses_nothing_and_makes_nothing_twice(
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
    assert set(PASSED) <= {path.name for path in gate.data.parent.iterdir()}
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
