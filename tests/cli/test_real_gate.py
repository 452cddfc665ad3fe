"""The verbs against a real gate, one after the other as people use them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Ask
from cli.scripted import Ran
from kit.gates import RealGate

FILM = ("--seconds", "1", "--size", "640x360", "--quiet")
NOBODY = "019a7c00-0000-7000-8000-00000000000a"


@pytest.fixture(scope="module")
def film(real: RealGate) -> Any:
    """One short film, which most tests share."""
    return real.ended(real.make(prompt="a paper boat on a calm lake"))


def test_a_film_comes_with_its_receipt(on: Ask, tmp_path: Path) -> None:
    ran = on("generate", "a paper boat", *FILM, "-o", "boat.mp4")
    made = ran.document
    assert (ran.code, made["path"], made["state"]) == (0, str(tmp_path / "boat.mp4"), "succeeded")
    assert (tmp_path / "boat.mp4").stat().st_size == made["film"]["size_bytes"]
    shown = on("tasks", "show", made["id"], "--receipt", "--attempts").document
    quoted = on("quote", "a paper boat", "--seconds", "1", "--size", "640x360").document
    assert shown["receipt"]["charged_micros"] == made["cost_micros"] == quoted["amount_micros"]
    assert shown["receipt"]["returned_micros"] == 0
    assert [(one["clip"], one["no"], one["provider"], one["state"]) for one in shown["attempts"]] == [
        (1, 1, "animatic", "done")
    ]


def test_a_film_that_fails_ends_with_one_and_costs_nothing(on: Ask) -> None:
    ran = on("generate", "a boat --sandbox=fail", *FILM)
    assert (ran.code, ran.document["state"], ran.document["cost_micros"]) == (1, "failed", 0)
    assert ran.error["code"] == ran.document["error"]["code"]


def test_a_film_is_found_by_its_state_and_its_age(on: Ask, film: Any) -> None:
    found = on("tasks", "list", "--state", "succeeded", "--since", "1h", "--limit", "100").document["data"]
    assert film["id"] in [task["id"] for task in found]
    assert on("tasks", "list", "--since", "2999-01-01").document == {"data": [], "next_cursor": None}


def test_a_finished_film_is_told_of_once_and_the_stream_ends(on: Ask, film: Any) -> None:
    ran = on("tasks", "watch", film["id"], "--events")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, [(one["event"], one["data"]["id"]) for one in told]) == (0, [("task.done", film["id"])])
    ran = on("tasks", "watch", "--all", "--events", "--timeout", "0.5")
    assert (ran.code, ran.error["code"]) == (8, "timeout")
    assert on("tasks", "watch", "--all").code == 0


def test_a_film_is_downloaded_cancelled_asked_for_again_and_deleted(on: Ask, film: Any) -> None:
    ran = on("tasks", "download", film["id"], "-o", "films")
    assert (ran.code, Path(ran.document["path"]).stat().st_size) == (0, film["film"]["size_bytes"])
    ran = on("tasks", "cancel", film["id"])
    assert (ran.code, ran.error["code"]) == (2, "already_ended")
    again = on("tasks", "retry", film["id"], "--seed", "7").document
    assert again["record"]["retry_of"] == film["id"]
    assert on("tasks", "delete", again["id"], "--yes").document == {"id": again["id"], "deleted": True}


@pytest.mark.parametrize(
    "words",
    [
        f"tasks show {NOBODY}",
        f"tasks watch {NOBODY}",
        f"tasks watch {NOBODY} --events",
        f"tasks download {NOBODY}",
        f"tasks cancel {NOBODY}",
        f"tasks retry {NOBODY}",
        f"tasks delete {NOBODY} --yes",
        f"tasks resolve {NOBODY} --absent",
        "webhooks replay wh_019a7c0000007000800000000000000a",
        "providers test nobody",
        "providers pause nobody",
        "providers resume nobody",
        "keys revoke nobody",
        "keys rotate nobody",
        "keys change nobody --max-running 3",
    ],
)
def test_what_is_not_there_is_not_found(on: Ask, words: str) -> None:
    ran = on(*words.split())
    assert (ran.code, ran.out, ran.error["details"]["exit_code"]) == (7, "", 7)


@pytest.mark.parametrize(
    "words",
    [
        "keys list",
        "keys create x",
        "prices",
        "providers list",
        "ledger check",
        "ledger export",
        f"tasks resolve {NOBODY} --absent",
    ],
)
def test_a_customers_key_administers_nothing(on: Ask, real: RealGate, words: str) -> None:
    ran = on(*words.split(), FILMGATE_ADMIN_KEY=real.key)
    assert (ran.code, ran.out) == (4, "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("providers pause nobody", "provider_not_found"),
        ("providers test nobody", "provider_not_found"),
        ("keys revoke nobody", "key_not_found"),
        ("keys rotate nobody", "key_not_found"),
        ("keys change nobody --max-running 3", "key_not_found"),
    ],
)
def test_a_name_that_is_not_there_is_said_with_where_the_names_are(on: Ask, words: str, code: str) -> None:
    ran = on(*words.split(" "))
    assert (ran.code, ran.error["code"]) == (7, code)
    assert f"filmgate {words.partition(' ')[0]} list" in ran.error["message"]
    assert "`nobody`" in ran.error["message"]


def test_models_are_compared_by_their_price(on: Ask) -> None:
    models = on("models").document["data"]
    ran = on("quote", "a paper boat", "--all", "--size", "16:9")
    quoted = ran.document
    prices = [one["amount_micros"] for one in quoted["data"]]
    assert (ran.code, prices) == (0, sorted(prices))
    named = {one["model"] for one in quoted["data"] + quoted["refused"]}
    assert named == {model["name"] for model in models if model["available"]}


def test_a_key_spends_what_its_budget_has(on: Ask) -> None:
    made = on("keys", "create", "poor", "--budget", "0.01/month", "--limits", "relay").document
    dear = ("boat", "--model", "veo3.1")
    ran = on("quote", *dear, FILMGATE_API_KEY=made["key"])
    quoted = ran.document
    assert (ran.code, ran.error["code"], quoted["remaining_micros"]) == (5, "unaffordable", 10_000)
    ran = on("generate", *dear, "--yes")
    assert (ran.code, ran.out, ran.error["code"]) == (5, "", "unaffordable")
    [listed] = [key for key in on("keys", "list").document["data"] if key["id"] == made["id"]]
    limits = ("budget_micros", "budget_period", "spent_micros", "submits_per_minute", "max_unfinished")
    assert [listed[name] for name in limits] == [10_000, "month", 0, 100, 10]


def test_a_key_is_changed_while_it_is_in_use(on: Ask) -> None:
    made = on("keys", "create", "busy", "--budget", "0.01/month", "--expires", "1d", "--strict").document
    dear = ("quote", "boat", "--model", "veo3.1")
    assert on(*dear, FILMGATE_API_KEY=made["key"]).code == 5
    words = ("--budget", "20/day", "--max-running", "2", "--over-limit", "refuse", "--expires", "none")
    changed = on("keys", "change", "busy", *words, "--no-strict", "--language", "zh").document
    told = ("budget_micros", "budget_period", "max_running", "over_limit", "expires_at", "strict", "language")
    assert [changed[name] for name in told] == [20_000_000, "day", 2, "refuse", None, False, "zh"]
    assert on(*dear, FILMGATE_API_KEY=made["key"]).code == 0
    freed = on("keys", "change", str(made["id"]), "--budget", "none", "--language", "none").document
    assert [freed[name] for name in told] == [None, None, 2, "refuse", None, False, None]
    row = on("keys", "change", "busy", "--max-running", "none", "--plain").out.split("\t")
    assert (row[0], row[1]) == (str(made["id"]), "busy")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say what to change"),
        (("--budget", "20/week"), "`20/week` is no budget"),
        (("--max-running", "-1"), "`-1` is no limit"),
        (("--expires", "soon"), "`soon` is no time"),
        (("--language", "fr"), "fr"),
        (("--dialect", "klingon"), "one of"),
    ],
)
def test_a_change_of_a_key_that_means_nothing_changes_nothing(
    on: Ask, words: tuple[str, ...], said: str
) -> None:
    on("keys", "create", "fixed")
    ran = on("keys", "change", "fixed", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error["message"]


def test_a_key_whose_place_was_taken_is_told_from_the_one_that_took_it(on: Ask) -> None:
    made = on("keys", "create", "apps/web").document
    new = on("keys", "rotate", "apps/web").document
    assert on("keys", "change", "apps/web", "--max-running", "3").document["id"] == new["id"]
    ran = on("keys", "change", str(made["id"]), "--expires", "none")
    assert ran.code == 2
    assert f"key {new['id']} took its place" in ran.error["message"]
    rows = [line.split("\t") for line in on("keys", "list", "--plain").out.splitlines()]
    assert [row[-1] for row in rows if row[1] == "apps/web"] == ["replaced", "valid"]
    ran = on("keys", "create", "2026")
    assert ran.code == 2
    assert "those are ids" in ran.error["message"]


def test_a_key_is_rotated_and_revoked(on: Ask, real: RealGate) -> None:
    made = on("keys", "create", "turning", "--account", "team").document
    new = on("keys", "rotate", "turning").document
    assert (new["name"], new["account"], new["former"]["id"]) == ("turning", "team", made["id"])
    for key in (made["key"], new["key"]):
        assert on("tasks", "list", FILMGATE_API_KEY=key).code == 0
    assert on("keys", "revoke", str(new["id"])).document == {"revoked": 1}
    ran = on("tasks", "list", FILMGATE_API_KEY=new["key"])
    assert (ran.code, ran.error["code"]) == (4, "invalid_key")


def test_a_cancelled_film_gives_all_back_and_every_entry_has_two_sides(on: Ask) -> None:
    begun = on("generate", "a paper boat", "--model", "veo3.1", "--detach", "--yes").document
    assert begun["hold_micros"] > 0
    assert on("tasks", "cancel", begun["id"]).code == 0
    ran = on("tasks", "watch", begun["id"])
    assert (ran.code, ran.error["code"]) == (1, "cancelled")
    receipt = on("tasks", "show", begun["id"], "--receipt").document["receipt"]
    sums = [receipt[name] for name in ("held_micros", "charged_micros", "returned_micros")]
    assert sums == [begun["hold_micros"], 0, begun["hold_micros"]]
    entries = [json.loads(line) for line in on("ledger", "export", "--from", "1d").out.splitlines()]
    mine = [entry for entry in entries if entry["task_id"] == begun["id"]]
    assert {entry["kind"] for entry in mine} == {"hold", "close"}
    assert sum(entry["amount_micros"] for entry in mine) == 0
    csv = on("ledger", "export", "--from", "1d", "--csv").out.splitlines()
    assert (csv[0].split(","), len(csv)) == (list(entries[0]), len(entries) + 1)
    assert on("ledger", "check").document == {"clean": True, "findings": []}


def test_a_provider_is_tested_with_a_film_of_its_own(on: Ask) -> None:
    assert [one["name"] for one in on("providers", "list").document["data"]] == ["animatic"]
    free = on("providers", "test", "animatic").document
    assert [(one["ok"], one["found"]) for one in free["checks"]] == [
        (None, "nothing of it can be asked for free")
    ]
    ran = on("providers", "test", "animatic", "--real", "--max-cost", "1")
    assert (ran.code, ran.document["task"]["state"]) == (0, "succeeded")
    assert ran.document["task"]["cost_micros"] == free["film"]["price_micros"]


def test_a_paused_provider_makes_nothing_until_it_is_resumed(on: Ask) -> None:
    assert on("providers", "pause", "animatic").document == {"name": "animatic", "paused": True, "running": 0}
    ran: Ran = on("providers", "test", "animatic", "--real", "--yes")
    assert (ran.code, ran.error["code"]) == (6, "provider_paused")
    assert on("providers", "resume", "animatic").document["paused"] is False
    assert on("webhooks", "deliveries").document["data"] == []
