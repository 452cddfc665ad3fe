"""Every verb ends with the exit codes that are written down, whatever the gate says."""

import json
import socket
from collections.abc import Iterator

import pytest
from cyclopts import App

from cli.conftest import Ask
from cli.scripted import ADMIN_KEY, KEY, TASK_ID, ScriptedGate, problem
from filmgate.cli.program import make_program

CLIENT_VERBS = (
    "generate boat",
    "quote boat",
    "models",
    "tasks list",
    f"tasks show {TASK_ID}",
    f"tasks watch {TASK_ID}",
    f"tasks download {TASK_ID}",
    f"tasks cancel {TASK_ID}",
    f"tasks retry {TASK_ID}",
    f"tasks delete {TASK_ID} --yes",
    "webhooks deliveries",
    "webhooks replay wh_1",
)
OPERATORS_VERBS = (
    f"tasks resolve {TASK_ID} --absent",
    "keys create ci",
    "keys list",
    "keys change ci --max-running 2",
    "keys rotate ci",
    "keys revoke ci",
    "keys destination 7 bucket",
    "accounts list",
    "accounts show team",
    "accounts create team",
    "accounts limit team --max-running 2",
    "accounts credit team 0",
    "accounts topup team 5 --note why",
    "accounts adjust team --take 5 --note why",
    "providers list",
    "providers test relay",
    "providers pause relay",
    "providers resume relay",
    "prices",
    "ledger check",
    "ledger export",
)
LOCAL_VERBS = ("serve", "demo", "doctor", "worker", "mirage", "help")
REMOTE_VERBS = CLIENT_VERBS + OPERATORS_VERBS
PATIENT_VERBS = frozenset({"generate boat", "quote boat"})
"""These wait some seconds for a gate that is just starting."""

REFUSALS = {
    400: ("invalid_parameter", 2),
    402: ("budget_exceeded", 5),
    403: ("not_an_operator", 4),
    404: ("task_not_found", 7),
    429: ("too_many_tasks", 6),
    500: ("internal_error", 70),
}


def _verbs(app: App, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name in app:
        if not name.startswith("-"):
            below = list(_verbs(app[name], (*path, name)))
            yield from below or [" ".join((*path, name))]


def test_the_tables_have_every_verb() -> None:
    listed = [*REMOTE_VERBS, *LOCAL_VERBS]
    verbs = set(_verbs(make_program()))
    assert {verb for verb in verbs for words in listed if f"{words} ".startswith(f"{verb} ")} == verbs
    assert len(listed) == len(verbs)


@pytest.mark.parametrize("verb", [*REMOTE_VERBS, *LOCAL_VERBS])
def test_an_unknown_option_is_wrong_usage(ask: Ask, verb: str) -> None:
    ran = ask(*verb.split(), "--no-such-thing", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "wrong_usage")


@pytest.mark.parametrize("verb", [*REMOTE_VERBS, *LOCAL_VERBS])
def test_help_begins_with_an_example_of_the_verb_and_names_the_output_contract(ask: Ask, verb: str) -> None:
    name = max((known for known in _verbs(make_program()) if f"{verb} ".startswith(f"{known} ")), key=len)
    ran = ask(*name.split(), "--help")
    assert ran.code == 0
    assert ran.out.split("\n")[1].startswith(f"  filmgate {name}")
    for option in ("--json", "--plain", "--lang", "--quiet", "--verbose"):
        assert option in ran.out


@pytest.mark.parametrize("verb", [verb for verb in REMOTE_VERBS if verb not in PATIENT_VERBS])
def test_without_a_gate_it_cannot_be_reached(ask: Ask, verb: str) -> None:
    ran = ask(
        *verb.split(),
        FILMGATE_BASE_URL=f"http://127.0.0.1:{_closed_port()}",
        FILMGATE_API_KEY=KEY,
        FILMGATE_ADMIN_KEY=ADMIN_KEY,
    )
    assert (ran.code, ran.out, ran.error["code"]) == (3, "", "gate_unreachable")


@pytest.mark.parametrize("verb", REMOTE_VERBS)
def test_without_a_key_or_with_a_wrong_one_it_is_not_allowed(ask: Ask, gate: ScriptedGate, verb: str) -> None:
    ran = ask(*verb.split(), FILMGATE_BASE_URL=gate.base_url)
    missing = "no_operator" if verb in OPERATORS_VERBS else "no_key"
    assert (ran.code, ran.out, ran.error["code"]) == (4, "", missing)
    ran = ask(*verb.split(), FILMGATE_API_KEY="sk-wrong", FILMGATE_ADMIN_KEY="sk-wrong")
    assert (ran.code, ran.out, ran.error["code"]) == (4, "", "invalid_key")


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("verb", REMOTE_VERBS)
def test_what_the_gate_refuses_ends_the_verb_with_its_exit_code(
    ask: Ask, gate: ScriptedGate, verb: str, status: int
) -> None:
    code, exit_code = REFUSALS[status]
    gate.refusal = (status, problem(code, "No.", exit_code))
    ran = ask(
        *verb.split(),
        FILMGATE_BASE_URL=gate.base_url,
        FILMGATE_API_KEY=KEY,
        FILMGATE_ADMIN_KEY=ADMIN_KEY,
    )
    assert (ran.code, ran.out) == (exit_code, "")
    assert (ran.error["code"], ran.error["message"]) == (code, "No.")
    assert ran.error["details"]["exit_code"] == exit_code


def test_the_codes_are_explained_in_both_languages(ask: Ask) -> None:
    english, chinese = (
        json.loads(ask("help", "exit-codes", "--lang", language).out) for language in ("en", "zh")
    )
    assert list(english) == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "70", "130"]
    assert (english["5"], chinese["5"]) == (
        "money: a budget, a ceiling, or no price",
        "费用：预算、上限或无价格",
    )


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
