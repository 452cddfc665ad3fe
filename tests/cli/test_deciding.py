"""The verbs that end, repeat and decide tasks: what they send, what they say of the money, and how they end."""

import json

import pytest

from cli.scripted import ADMIN_KEY, TASK_ID, Program, ScriptedGate, problem, task

CANCEL = ("POST", f"/gate/v1/tasks/{TASK_ID}/cancel")
PRICE = 400_000


def test_cancelling_states_the_money_that_comes_back(gate: ScriptedGate, program: Program) -> None:
    gate.answers[CANCEL] = (200, task("cancelled", 10, hold_micros=PRICE, cost_micros=0))
    ran = program.knows(gate).run("tasks", "cancel", TASK_ID, "--plain")
    assert (ran.code, ran.out) == (0, f"{TASK_ID} is cancelled; $0.40 returned.\n")
    assert (gate.asked[0].method, gate.asked[0].path) == CANCEL


def test_a_wish_that_is_not_confirmed_says_what_stays_held(gate: ScriptedGate, program: Program) -> None:
    gate.answers[CANCEL] = (202, task("generating", 10, hold_micros=PRICE, cancel="requested"))
    ran = program.knows(gate).run("tasks", "cancel", TASK_ID, "--plain", "--lang", "zh")
    assert (ran.code, "尚未确认，$0.40 暂时预扣" in ran.out) == (0, True)
    ran = program.run("tasks", "cancel", TASK_ID)
    assert (ran.code, ran.document["cancel"]) == (0, "requested")


def test_what_cannot_be_stopped_ends_the_verb_with_its_cost(gate: ScriptedGate, program: Program) -> None:
    gate.answers[CANCEL] = (409, problem("cannot_cancel", "It goes on and will be charged $0.40.", 2))
    ran = program.knows(gate).run("tasks", "cancel", "unknown", TASK_ID)
    assert (ran.code, ran.error["code"]) == (2, "cannot_cancel")
    assert "$0.40" in ran.error["message"]
    assert [one.path for one in gate.asked] == ["/gate/v1/tasks/unknown/cancel", CANCEL[1]]


def test_a_retry_sends_only_what_shall_be_different(gate: ScriptedGate, program: Program) -> None:
    new = task("queued", 0, hold_micros=PRICE)
    gate.answers["POST", f"/gate/v1/tasks/{TASK_ID}/retry"] = (201, new)
    ran = program.knows(gate).run("tasks", "retry", TASK_ID, "--seed", "7")
    assert (ran.code, ran.document, gate.asked[0].body) == (0, new, {"seed": 7})
    ran = program.run("tasks", "retry", TASK_ID, "--plain")
    assert "($0.40 held)" in ran.out
    assert gate.asked[1].body == {}


def test_deleting_without_anybody_to_ask_needs_a_yes(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("tasks", "delete", TASK_ID)
    assert (ran.code, ran.error["code"], gate.asked) == (2, "wrong_usage", [])
    gate.answers["DELETE", f"/gate/v1/tasks/{TASK_ID}"] = (200, {})
    ran = program.run("tasks", "delete", "unknown", TASK_ID, "--yes")
    assert (ran.code, ran.error["code"]) == (7, "task_not_found")
    assert json.loads(ran.out) == {"id": TASK_ID, "deleted": True}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--found", "video_1"), {"outcome": "found", "ref": "video_1", "note": ""}),
        (("--absent", "--note", "asked them"), {"outcome": "absent", "note": "asked them"}),
        (("--give-up",), {"outcome": "give_up", "note": ""}),
    ],
)
def test_an_operator_decides_what_became_of_a_submit(
    gate: ScriptedGate, program: Program, words: tuple[str, ...], sent: dict[str, str]
) -> None:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    path = f"/admin/v1/tasks/{TASK_ID}/resolve"
    gate.answers["POST", path] = (200, task("failed", 10, hold_micros=PRICE, cost_micros=0))
    ran = program.run("tasks", "resolve", TASK_ID, "--plain", *words)
    assert (ran.code, ran.out) == (0, f"{TASK_ID} is failed now; $0.00 charged.\n")
    assert (gate.asked[0].path, gate.asked[0].body) == (path, sent)


@pytest.mark.parametrize("words", [(), ("--absent", "--give-up"), ("--found", "x", "--absent")])
def test_a_decision_is_one(gate: ScriptedGate, program: Program, words: tuple[str, ...]) -> None:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = program.run("tasks", "resolve", TASK_ID, *words)
    assert (ran.code, ran.error["code"], gate.asked) == (2, "wrong_usage", [])
