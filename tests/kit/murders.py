"""A customer who submits through kills of everything, at moments that chance has fixed."""

import os
import random
import signal
import time
from typing import Any

from kit.gates import RealGate

TASKS = 20
KILLS = 10
# Fixed, so that a failure comes back when it is looked for.
SEED = 20261121


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
