"""The process dies between each two effects, once, and the task goes on as if nothing had been."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
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
# Of each kind of step those that most depend on, which one film of two clips meets.
FEW = (
    *("accept.after_commit", "prepare.after_input"),
    *("submit.after_intent", "submit.after_reply", "reconcile.after_reply", "poll.answered"),
    *("collect.after_store", "render.after_work", "end.before", "end.after"),
)
CLIPS = {"prompt_extend": "a whale", "enhance": True}


@contextmanager
def armed(folder: Path, dsn: str, pictures: str, points: Sequence[str]) -> Iterator[RealGate]:
    """Start a gate whose process each of these points kills, the first time that it is passed."""
    environment = {
        "FILMGATE_DATABASE_URL": dsn,
        "FILMGATE_FAILPOINTS": ";".join(f"{name}=kill:{folder}/{name}" for name in points),
        "FILMGATE_GUARD_ALLOW": pictures.removeprefix("http://"),
    }
    gate = RealGate(folder / "data", environment=environment)
    gate.start()
    try:
        yield gate
    finally:
        gate.kill()


def struck(gate: RealGate) -> set[str]:
    return {path.name for path in gate.data.parent.iterdir()}


def listed(gate: RealGate) -> int:
    return len(gate.ask("GET", "/gate/v1/tasks", key=gate.key).json["data"])


def test_a_death_in_each_step_loses_nothing_and_makes_nothing_twice(
    tmp_path: Path, dsn: str, pictures: str
) -> None:
    with armed(tmp_path, dsn, pictures, FEW) as gate:
        made = ended(gate, "film", {"image": f"{pictures}/image.png", **CLIPS}, clips=2)
        assert made["film"]["seconds"] == 8.0
        assert set(FEW) <= struck(gate)
        assert listed(gate) == 1


@pytest.mark.slow
def test_a_death_at_each_of_these_failpoints_loses_nothing_and_makes_nothing_twice(
    tmp_path: Path, dsn: str, pictures: str
) -> None:
    """Each point kills the process that passes it first; four tasks meet all of them, one after another."""
    with armed(tmp_path, dsn, pictures, PASSED) as gate:
        # The first is killed after its intent, so it is reconciled; only the second comes to read its submit's reply.
        picture = {"image": f"{pictures}/image.png"}
        made = [ended(gate, "first", picture), ended(gate, "second", picture)]
        made.append(ended(gate, "clips", CLIPS, clips=2))
        taken = {"task_id": made[0]["id"], "model": "animatic", "prompt": "it goes on"}
        made.append(ended(gate, "taken", taken, path="/v1/video/extend"))
        assert [task["film"]["seconds"] for task in made] == [1.0, 1.0, 8.0, 8.0]
        assert set(PASSED) <= struck(gate)
        assert listed(gate) == 4


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
