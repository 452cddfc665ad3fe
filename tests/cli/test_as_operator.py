"""An operator's verbs reach every account's tasks and deliveries, and say whose they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Ask
from cli.scripted import ADMIN_KEY, KEY, TASK_ID, Ran, ScriptedGate, task
from kit.gates import RealGate

PRICE = 400_000
OF_TEAM = {"account": "team-a", "key": "ci", "key_id": 7, "uncertain": False}


@pytest.fixture(scope="module")
def team(real: RealGate) -> str:
    """The key of another account than the machine's own."""
    made = real.ask("POST", "/admin/v1/keys", json_body={"name": "ci", "account": "team-a"}, key="sk-admin")
    return str(made.json["key"])


@pytest.fixture(scope="module")
def film(real: RealGate, team: str) -> Any:
    return _make(real, team, prompt="a paper boat on a calm lake", seconds=1, size="640x360")


def _make(real: RealGate, key: str, **body: Any) -> Any:
    return real.ask("POST", "/gate/v1/tasks", json_body=body, key=key).json


def test_everybodys_tasks_are_listed_with_whose_they_are(on: Ask, film: Any) -> None:
    assert on("tasks", "list").document["data"] == []
    [listed] = on("tasks", "list", "--as-operator").document["data"]
    assert (listed["id"], listed["account"], listed["key"]) == (film["id"], "team-a", "ci")
    assert on("tasks", "list", "--as-operator", "--account", "nobody").document["data"] == []
    assert on("tasks", "list", "--as-operator", "--uncertain").document["data"] == []
    ran = on("tasks", "list", "--parked")
    assert (ran.code, "--as-operator" in ran.error["message"]) == (2, True)


def test_anybodys_film_is_watched_shown_and_fetched(on: Ask, film: Any, tmp_path: Path) -> None:
    assert on("tasks", "watch", film["id"], "--as-operator").code == 0
    told = [
        json.loads(line)
        for line in on("tasks", "watch", film["id"], "--events", "--as-operator").out.splitlines()
    ]
    assert [(one["event"], one["data"]["state"]) for one in told] == [("task.done", "succeeded")]
    shown = on("tasks", "show", film["id"], "--as-operator", "--attempts", "--receipt").document
    assert (shown["account"], shown["attempts"][0]["clip"], shown["receipt"]["returned_micros"]) == (
        "team-a",
        1,
        0,
    )
    assert shown["urls"]["self"].endswith(f"/admin/v1/tasks/{film['id']}")
    said = on("tasks", "show", film["id"], "--as-operator", "--attempts", "--plain").out
    assert "account\tteam-a, key ci\n" in said
    ran = on("tasks", "download", film["id"], "--as-operator", "-o", "films")
    assert Path(ran.document["path"]).stat().st_size == shown["film"]["size_bytes"]


def test_who_asks_with_an_accounts_key_is_told_how_an_operator_finds_it(on: Ask, film: Any) -> None:
    ran = on("tasks", "show", film["id"])
    assert (ran.code, ran.error["code"]) == (7, "task_not_found")
    assert "--as-operator" in ran.err


def test_anybodys_film_is_cancelled_with_its_money_and_asked_for_again_with_a_note(
    on: Ask, real: RealGate, team: str
) -> None:
    begun = _make(real, team, prompt="a boat --sandbox=slow:30", model="veo3.1")
    assert begun["hold_micros"] > 0
    dollars = f"${begun['hold_micros'] / 1e6:.2f}"
    ran: Ran = on("tasks", "cancel", begun["id"], "--as-operator", "--plain")
    assert (ran.code, ran.out) == (
        0,
        f"{begun['id']} is cancelled; {dollars} returned to account team-a.\n",
    )
    failed = real.ended(_make(real, team, prompt="a boat --sandbox=fail", seconds=1)["id"], key=team)
    ran = on("tasks", "retry", failed["id"], "--as-operator")
    assert (ran.code, ran.error["code"], "--note" in ran.error["message"]) == (2, "wrong_usage", True)
    ran = on("tasks", "retry", failed["id"], "--as-operator", "--note", "the vendor was down", "--plain")
    assert (ran.code, " is a new task of account team-a, key ci ($0.00 held)." in ran.out) == (0, True)
    ran = on("tasks", "retry", failed["id"], "--note", "why")
    assert (ran.code, ran.error["code"]) == (2, "wrong_usage")


def test_where_only_an_operators_key_is_set_its_verbs_reach_everybodys(
    ask: Ask, real: RealGate, film: Any
) -> None:
    there = {"FILMGATE_BASE_URL": real.base_url, "FILMGATE_ADMIN_KEY": "sk-admin"}
    shown = ask("tasks", "show", film["id"], **there).document
    assert shown["account"] == "team-a"
    assert ask("webhooks", "deliveries").document["data"] == []


def test_a_customers_key_reaches_nobody_elses(ask: Ask, real: RealGate, team: str, film: Any) -> None:
    words = ("tasks", "show", film["id"], "--as-operator")
    ran = ask(*words, FILMGATE_BASE_URL=real.base_url, FILMGATE_ADMIN_KEY=team)
    assert (ran.code, ran.error["code"]) == (4, "not_an_operator")
    for path in ("events", "files/video.mp4"):
        assert real.ask("GET", f"/admin/v1/tasks/{film['id']}/{path}", key=team).status == 403


def test_an_operators_wait_ends_with_the_next_version(real: RealGate, team: str) -> None:
    begun = _make(real, team, prompt="a paper boat at dusk", seconds=1, size="640x360")
    path = f"/admin/v1/tasks/{begun['id']}?wait=30&after={begun['version']}"
    assert real.ask("GET", path, key="sk-admin").json["version"] > begun["version"]


def test_what_is_to_be_typed_next_is_an_operators_too(gate: ScriptedGate, ask: Ask) -> None:
    there = {"FILMGATE_BASE_URL": gate.base_url, "FILMGATE_API_KEY": KEY, "FILMGATE_ADMIN_KEY": ADMIN_KEY}
    running = task("generating", 10, hold_micros=PRICE, cancel="requested") | OF_TEAM
    gate.answers["POST", f"/admin/v1/tasks/{TASK_ID}/cancel"] = (202, running)
    gate.answers["GET", f"/admin/v1/tasks/{TASK_ID}"] = (200, running)
    ran = ask("tasks", "cancel", TASK_ID, "--as-operator", "--plain", **there)
    assert "$0.40 stays held of account team-a" in ran.out
    assert ran.out.endswith(f"filmgate tasks watch {TASK_ID} --as-operator\n")
    ran = ask("tasks", "watch", TASK_ID, "--as-operator", "--timeout", "0.1")
    assert (ran.code, ran.error["details"]["ids"]) == (8, TASK_ID)
    assert f"`filmgate tasks watch {TASK_ID} --as-operator`" in ran.error["message"]
    assert {one.headers["authorization"] for one in gate.asked} == {f"Bearer {ADMIN_KEY}"}
    ran = ask("tasks", "watch", "--all", "--events", "--as-operator")
    assert (ran.code, ran.error["code"]) == (2, "wrong_usage")


def test_everybodys_deliveries_are_listed_and_told_again(gate: ScriptedGate, ask: Ask) -> None:
    there = {"FILMGATE_BASE_URL": gate.base_url, "FILMGATE_API_KEY": KEY, "FILMGATE_ADMIN_KEY": ADMIN_KEY}
    delivery: dict[str, Any] = {
        "id": "wh_1",
        "endpoint_id": None,
        "url": "https://a.example/hook",
        "task_id": TASK_ID,
        "event": "video.completed",
        "state": "given_up",
        "tries": 1,
        "next_at": None,
        "created_at": "2026-11-21T12:00:00Z",
        "ended_at": None,
        "attempts": [],
        "account": "team-a",
    }
    path = "/admin/v1/webhooks/deliveries"
    gate.answers["GET", path] = (200, {"data": [delivery], "next_cursor": "wh_1"})
    gate.answers["POST", f"{path}/wh_1/replay"] = (200, delivery)
    ran = ask("webhooks", "deliveries", "--as-operator", "--plain", **there)
    assert ran.out.rstrip("\n").split("\t")[-1] == "team-a"
    assert "--cursor wh_1 --as-operator" in ran.err
    ran = ask("webhooks", "replay", "wh_1", "--as-operator")
    assert (ran.code, ran.document["account"]) == (0, "team-a")
