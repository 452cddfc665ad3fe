"""The operators' verbs: prices, books, providers and keys."""

from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Ask
from cli.scripted import ADMIN_KEY, KEYS, TASK_ID, Program, ScriptedGate, problem, task
from cli.terminal import in_terminal, lines_of

_PRICE = {
    "since": "2026-11-01",
    "per_second_micros": {"720p": 100_000, "1080p": 200_000},
    "silent_micros": {"720p": 80_000},
    "eight_seconds_micros": {"720p": 800_000, "1080p": 1_600_000},
}
_COST = {
    "provider": "relay",
    "model": "veo-x",
    "since": "2026-11-01",
    "per_clip_micros": None,
    "per_second_micros": {"720p": 70_000, "1080p": 210_000},
    "eight_seconds_micros": {"720p": 560_000, "1080p": 1_680_000},
    "margin_micros": {"720p": 240_000, "1080p": -80_000},
}
_FREE: dict[str, Any] = dict.fromkeys(_COST) | {"provider": "backup", "model": "veo-y"}
_ALSO = _FREE | {"provider": "spare"}
PRICES: dict[str, Any] = {
    "data": [
        {"model": "veo3.1", "price": _PRICE, "coming": [], "costs": [_COST, _FREE]},
        {"model": "new-1", "price": None, "coming": [_PRICE | {"since": "2026-12-01"}], "costs": []},
    ],
    "unpriced": ["new-1"],
}
_CREDENTIAL = {
    "name": "relay/1",
    "light": "green",
    "configured": True,
    "in_flight": 2,
    "in_flight_limit": 4,
    "submits_per_minute": 50.0,
    "failures_in_row": 0,
    "blocked_until": None,
    "blocked_because": None,
    "last_error": None,
    "last_error_class": None,
    "last_error_at": None,
}
_SHUT = _CREDENTIAL | {"name": "relay/2", "light": "red", "in_flight": 0, "last_error": "401: no such key"}
PROVIDERS = {
    "data": [
        {
            "name": "relay",
            "light": "yellow",
            "paused_at": None,
            "in_flight": 2,
            "in_flight_limit": 8,
            "credentials": [_CREDENTIAL, _SHUT],
        }
    ]
}
_FINDING = {"rule": "one_hold", "says": "a task has one hold", "count": 3, "examples": [f"task {TASK_ID}: 2"]}
_CHECK = {"credential": "relay/1", "ok": True, "found": "it answers", "took_ms": 12}
_FILM = {"model": "veo3.1", "size": "1280x720", "seconds": 4, "price_micros": 400_000}
TESTED = {"name": "relay", "ok": True, "checks": [_CHECK], "film": _FILM, "task_id": None}
TEST = ("POST", "/admin/v1/providers/relay/test")


@pytest.fixture
def operator(gate: ScriptedGate, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("FILMGATE_BASE_URL", gate.base_url)
    monkeypatch.setenv("FILMGATE_ADMIN_KEY", ADMIN_KEY)
    return ask


@pytest.fixture
def screen(gate: ScriptedGate, program: Program) -> Program:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    return program


def test_prices_are_the_gates_own_page(gate: ScriptedGate, operator: Ask) -> None:
    gate.answers["GET", "/admin/v1/prices"] = (200, PRICES)
    assert operator("prices").document == PRICES
    assert [line.split("\t") for line in operator("prices", "--plain").out.splitlines()] == [
        ["veo3.1", "720p", "100000", "80000", "800000", "relay", "560000", "240000", "2026-11-01"],
        ["veo3.1", "720p", "100000", "80000", "800000", "backup", "", "", "2026-11-01"],
        ["veo3.1", "1080p", "200000", "", "1600000", "relay", "1680000", "-80000", "2026-11-01"],
        ["veo3.1", "1080p", "200000", "", "1600000", "backup", "", "", "2026-11-01"],
        ["new-1", "", "", "", "", "", "", "", ""],
    ]


def test_a_price_list_for_people_names_what_is_not_sold(gate: ScriptedGate, screen: Program) -> None:
    costs = {"costs": [_COST, _FREE, _ALSO]}
    gate.answers["GET", "/admin/v1/prices"] = (
        200,
        PRICES | {"data": [PRICES["data"][0] | costs, PRICES["data"][1]]},
    )
    assert lines_of(in_terminal(screen, "prices", columns=110)) == [
        "model     size               a second     8 s   provider        we pay   margin   since",
        "────────────────────────────────────────────────────────────────────────────────────────────",
        "veo3.1    720p   $0.10 ($0.08 silent)   $0.80   relay            $0.56    $0.24   2026-11-01",
        "                                                backup, spare        –        –",
        "         1080p                  $0.20   $1.60   relay            $1.68   -$0.08",
        "                                                backup, spare        –        –",
        "new-1        –                      –       –   –                    –        –   –",
        "new-1 from 2026-12-01: 720p $0.10/s, 1080p $0.20/s",
        "✘ Without a price, so not sold: new-1",
    ]


def test_clean_books_are_called_so(gate: ScriptedGate, operator: Ask, screen: Program) -> None:
    gate.answers["GET", "/admin/v1/ledger/check"] = (200, {"clean": True, "findings": []})
    ran = operator("ledger", "check")
    assert (ran.code, ran.document, ran.err) == (0, {"clean": True, "findings": []}, "")
    assert lines_of(in_terminal(screen, "ledger", "check")) == ["✔ The books are clean."]


def test_broken_books_end_with_one_and_name_each_rule_and_task(
    gate: ScriptedGate, operator: Ask, screen: Program
) -> None:
    audit = {"clean": False, "findings": [_FINDING]}
    gate.answers["GET", "/admin/v1/ledger/check"] = (200, audit)
    ran = operator("ledger", "check")
    assert (ran.code, ran.document, ran.error["code"]) == (1, audit, "books_broken")
    assert operator("ledger", "check", "--plain").out == f"one_hold\ttask {TASK_ID}: 2\n"
    assert lines_of(in_terminal(screen, "ledger", "check"))[:3] == [
        "✘ one_hold · a task has one hold",
        f"    task {TASK_ID}: 2",
        "    … and 2 more",
    ]


def test_an_export_asks_for_its_time_and_writes_a_new_file(
    gate: ScriptedGate, operator: Ask, tmp_path: Path
) -> None:
    gate.answers["GET", "/admin/v1/ledger/export"] = (200, {"at": "2026-11-21T12:00:00Z", "kind": "hold"})
    words = (
        "ledger",
        "export",
        "--from",
        "2026-11-01T00:00Z",
        "--to",
        "2026-12-01T00:00Z",
        "-o",
        "books.json",
    )
    ran = operator(*words)
    path = tmp_path / "books.json"
    assert (ran.code, ran.document) == (0, {"path": str(path), "lines": 1})
    assert path.read_text() == '{"at": "2026-11-21T12:00:00Z", "kind": "hold"}\n'
    assert gate.asked[0].path == (
        "/admin/v1/ledger/export?from=2026-11-01T00%3A00%3A00%2B00%3A00&to=2026-12-01T00%3A00%3A00%2B00%3A00"
        "&format=json"
    )
    again = operator(*words)
    assert (again.code, again.error["code"]) == (2, "unwritable")
    assert operator("ledger", "export", "--from", "soon").error["code"] == "wrong_usage"


def test_an_export_that_is_refused_leaves_no_file(gate: ScriptedGate, operator: Ask, tmp_path: Path) -> None:
    gate.answers["GET", "/admin/v1/ledger/export"] = (403, problem("not_an_operator", "Not allowed.", 4))
    assert operator("ledger", "export", "--csv", "-o", "books.csv").code == 4
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_is_sent_elsewhere_is_none(gate: ScriptedGate, operator: Ask, tmp_path: Path) -> None:
    gate.answers["GET", "/admin/v1/ledger/export"] = (302, "elsewhere")
    ran = operator("ledger", "export", "-o", "books.json")
    assert (ran.out, ran.error["code"], list(tmp_path.iterdir())) == ("", "not_a_gate", [])


def test_providers_are_listed_with_their_lights_and_limits(
    gate: ScriptedGate, operator: Ask, screen: Program
) -> None:
    gate.answers["GET", "/admin/v1/providers"] = (200, PROVIDERS)
    assert operator("providers", "list").document == PROVIDERS
    assert operator("providers", "list", "--plain").out == (
        "relay\trelay/1\tgreen\t2/4\t50\t0\t\nrelay\trelay/2\tred\t0/4\t50\t0\t401: no such key\n"
    )
    assert lines_of(in_terminal(screen, "providers", "list")) == [
        "provider   credential   state           makes   a minute   last error",
        "───────────────────────────────────────────────────────────────────────────",
        "relay      relay/1      ● takes films     2/4         50",
        "relay      relay/2      ✘ shut            0/4         50   401: no such key",
    ]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("pause", "relay is paused: it is sent nothing more. Films that it still makes: 2.\n"),
        ("resume", "relay is sent films again. Films that it makes: 2.\n"),
    ],
)
def test_a_provider_is_switched_and_what_runs_is_counted(
    gate: ScriptedGate, operator: Ask, action: str, said: str
) -> None:
    switched = {"name": "relay", "paused": action == "pause", "running": 2}
    gate.answers["POST", f"/admin/v1/providers/relay/{action}"] = (200, switched)
    assert operator("providers", action, "relay", "--plain").out == said
    assert operator("providers", action, "relay").document == switched


def test_a_provider_is_asked_for_nothing_but_its_word(gate: ScriptedGate, operator: Ask) -> None:
    gate.answers[TEST] = (200, TESTED)
    ran = operator("providers", "test", "relay", "--plain")
    assert (ran.code, ran.out) == (0, "relay/1\tok\t12\tit answers\n")
    assert gate.asked[0].body == {}


def test_a_provider_that_would_take_nothing_fails_its_test(gate: ScriptedGate, operator: Ask) -> None:
    unfit = _CHECK | {"ok": False, "found": "broken: 401"}
    gate.answers[TEST] = (200, TESTED | {"ok": False, "checks": [_CHECK, unfit]})
    ran = operator("providers", "test", "relay", "--real", "--yes")
    assert (ran.code, ran.error["code"], len(gate.asked)) == (1, "provider_unfit", 1)
    assert ran.error["message"].startswith("relay: 1 of 2 credentials would take no film now.")


def _trial(gate: ScriptedGate, **seen: Any) -> None:
    attempt = {"provider": "relay", "state": "done", "error_class": None, "error_text": None}
    shown = task(cost_micros=400_000, hold_micros=400_000) | {"attempts": [attempt]} | seen
    gate.answers[TEST] = (200, TESTED | {"task_id": TASK_ID})
    gate.answers["GET", f"/admin/v1/tasks/{TASK_ID}"] = (200, shown)


def test_a_real_test_says_its_price_first_and_is_always_agreed_to(gate: ScriptedGate, operator: Ask) -> None:
    _trial(gate)
    ran = operator("providers", "test", "relay", "--real")
    assert (ran.code, ran.error["code"]) == (5, "unconfirmed")
    assert ran.err.startswith(
        "A real test makes veo3.1 · 4 s · 1280x720 through relay: $0.40 by our price list."
    )
    assert [one.body for one in gate.asked] == [{}]
    ran = operator("providers", "test", "relay", "--real", "--max-cost", "0.4", "--plain")
    assert (ran.code, ran.out) == (0, "✔ relay made a film in 0:05 · charged $0.40\n")
    assert gate.asked[2].body == {"real": True, "max_cost_micros": 400_000}


def test_a_film_that_another_provider_made_is_no_proof(gate: ScriptedGate, operator: Ask) -> None:
    tried = {"provider": "relay", "state": "failed", "error_class": "broken", "error_text": "500"}
    made = {"provider": "backup", "state": "done", "error_class": None, "error_text": None}
    _trial(gate, attempts=[tried, made])
    ran = operator("providers", "test", "relay", "--real", "--yes")
    assert (ran.code, ran.error["message"]) == (1, "relay did not make the film: 500; backup made it")


def test_a_key_gets_its_budget_and_limits(gate: ScriptedGate, operator: Ask) -> None:
    words = ("--account", "team", "--budget", "20/month", "--limits", "relay", "--max-running", "2")
    assert operator("keys", "create", "ci", *words).code == 0
    asked = gate.asked[0].body
    assert {name: asked[name] for name in ("budget_micros", "budget_period", "limits", "max_running")} == {
        "budget_micros": 20_000_000,
        "budget_period": "month",
        "limits": "relay",
        "max_running": 2,
    }
    ran = operator("keys", "create", "ci", "--budget", "20/week")
    assert (ran.code, ran.error["message"]) == (
        2,
        "`20/week` is no budget: write dollars and a period, such as 20/month, 5/day or 100",
    )


def test_keys_are_listed_with_what_they_may_and_did_spend(
    gate: ScriptedGate, operator: Ask, screen: Program
) -> None:
    assert operator("keys", "list").document == KEYS
    shown = lines_of(in_terminal(screen, "keys", "list", columns=80))
    assert shown[0] == "id   name         budget    used   running   state"
    assert shown[2] == " 7   ci     $20.00/month   $5.40       1/2   ✔ valid"


def test_a_rotated_key_is_shown_once_beside_the_former_one(gate: ScriptedGate, operator: Ask) -> None:
    made = {"id": 9, "name": "ci", "account": "team", "key": "sk-new"}
    rotated = made | {"former": {"id": 7, "expires_at": "2026-11-22T12:00:00Z"}}
    gate.answers["POST", "/admin/v1/keys/ci/rotate"] = (201, rotated)
    assert operator("keys", "rotate", "ci").document == rotated
    ran = operator("keys", "rotate", "ci", "--plain")
    assert (ran.code, ran.out) == (0, "sk-new\n")


def test_models_are_listed_with_their_prices_and_usual_times(gate: ScriptedGate, program: Program) -> None:
    shape: dict[str, Any] = {
        "name": "veo3.1",
        "owner": "g",
        "about": "",
        "dialects": ["openai"],
        "seconds": [4, 6, 8],
    }
    shape |= {"default_seconds": 8, "sizes": ["1280x720"], "pictures": {"first": 1}, "sound": True}
    line = {"side": 720, "sound": True, "unit": "second", "since": "2026-11-01"}
    prices = [line | {"unit_price_micros": 100_000}, line | {"unit_price_micros": 400_000}]
    eta = {"low_s": 41.2, "high_s": 83.0, "sample": 31, "past": False, "left": None, "withheld": False}
    known = shape | {"prices": prices, "eta": eta, "available": True}
    unknown = shape | {
        "name": "new-1",
        "prices": [],
        "eta": eta | {"low_s": None, "high_s": None, "sample": 3},
        "available": False,
    }
    gate.answers["GET", "/gate/v1/models"] = (200, {"data": [known, unknown]})
    shown = lines_of(in_terminal(program.knows(gate), "models", columns=100))
    assert shown[0] == "model    seconds   images           price   usual time   available"
    assert shown[2:] == [
        "veo3.1   4, 6, 8   1 frame   $0.10–0.40/s      50–90 s   yes",
        "new-1    4, 6, 8   1 frame              –            –   no",
    ]
    assert program.run("models", "--plain").out.splitlines()[0].split("\t")[6:] == [
        "100000-400000",
        "41.2-83",
        "yes",
    ]
