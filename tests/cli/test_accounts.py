"""The verbs of accounts: what each has and may spend, and money that is booked once, with a note."""

import json

import pytest

from cli.conftest import Ask
from cli.scripted import ADMIN_KEY, ScriptedGate


def test_an_account_is_opened_limited_and_shown(on: Ask) -> None:
    made = on("accounts", "create", "team-a", "--credit", "0", "--budget", "200/month").document
    wanted = ("credit_micros", "budget_micros", "budget_period", "balance_micros")
    assert [made[name] for name in wanted] == [0, 200_000_000, "month", 0]
    ran = on("accounts", "create", "team-a")
    assert (ran.code, ran.error["code"]) == (2, "account_exists")
    limited = on("accounts", "limit", "team-a", "--max-running", "4", "--budget", "none").document
    assert [limited[name] for name in ("max_running", "budget_micros", "budget_period", "credit_micros")] == [
        4,
        None,
        None,
        0,
    ]
    assert on("accounts", "credit", "team-a", "none").document["credit_micros"] is None
    assert on("accounts", "credit", "team-a", "5").document["credit_micros"] == 5_000_000
    assert "team-a" in [one["name"] for one in on("accounts", "list").document["data"]]
    said = on("accounts", "show", "team-a", "--plain").out
    assert "credit\t$5.00\n" in said
    assert "running\t4\n" in said
    [row] = [
        line for line in on("accounts", "list", "--plain").out.splitlines() if line.startswith("team-a\t")
    ]
    assert row.split("\t")[1:] == ["0", "5000000", "0", "", "", "0", "0", "4", ""]


def test_money_is_given_and_taken_with_a_note_that_stays(on: Ask) -> None:
    on("accounts", "create", "paid", "--credit", "0")
    ran = on("accounts", "topup", "paid", "50", "--note", "invoice 7", "--plain")
    assert (ran.code, ran.out) == (0, "paid was given $50.00; its balance is $50.00.\n")
    ran = on("accounts", "adjust", "paid", "--take", "20", "--note", "given twice")
    assert (ran.code, ran.document) == (0, {"balance_micros": 30_000_000})
    ran = on("accounts", "adjust", "paid", "--take", "31", "--note", "too much")
    assert (ran.code, ran.error["code"]) == (2, "invalid_parameter")
    entries = [json.loads(line) for line in on("ledger", "export", "--from", "1d").out.splitlines()]
    assert {entry["reason"] for entry in entries if entry["kind"] in {"topup", "adjust"}} == {
        "invoice 7",
        "given twice",
    }
    assert on("ledger", "check").document["clean"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("topup", "paid", "50"), "--note"),
        (("topup", "paid", "50", "--note", "  "), "--note"),
        (("topup", "paid", "-50", "--note", "x"), "`-50` is no amount"),
        (("topup", "paid", "0", "--note", "x"), "above 0"),
        (("topup", "paid", "1e12", "--note", "x"), "`1e12` is no amount"),
        (("topup", "paid", "NaN", "--note", "x"), "`NaN` is no amount"),
        (("topup", "paid", "0.0000001", "--note", "x"), "is no amount"),
        (("adjust", "paid", "--take", "-5", "--note", "x"), "`-5` is no amount"),
        (("adjust", "paid", "--take", "5"), "--note"),
        (("credit", "paid", "-5"), "`-5` is no amount"),
        (("limit", "paid"), "--budget"),
        (("limit", "paid", "--max-running", "0"), "above 0"),
        (("limit", "paid", "--budget", "-5/month"), "is no amount"),
        (("limit", "paid", "--budget", "20/week"), "is no budget"),
        (("create", "other", "--credit", "-1"), "is no amount"),
    ],
)
def test_what_is_no_amount_and_no_limit_is_refused_with_a_sentence(
    ask: Ask, gate: ScriptedGate, words: tuple[str, ...], said: str
) -> None:
    ran = ask("accounts", *words, FILMGATE_BASE_URL=gate.base_url, FILMGATE_ADMIN_KEY=ADMIN_KEY)
    assert (ran.code, ran.error["code"], gate.asked) == (2, "wrong_usage", [])
    assert said in ran.error["message"]


def test_an_account_that_is_not_there_is_named(on: Ask) -> None:
    for words in (
        ("show", "nobody"),
        ("limit", "nobody", "--budget", "5"),
        ("credit", "nobody", "0"),
        ("topup", "nobody", "5", "--note", "x"),
    ):
        ran = on("accounts", *words)
        assert (ran.code, ran.error["code"]) == (7, "account_not_found"), words
        assert "`nobody`" in ran.error["message"]


def test_the_films_of_a_key_get_a_destination_of_their_own(on: Ask, gate: ScriptedGate) -> None:
    key = on("keys", "create", "bucketed").document["id"]
    assert on("keys", "destination", str(key), "none").document == {"destination": None}
    ran = on("keys", "destination", str(key), "nowhere")
    assert (ran.code, "nowhere" in ran.error["message"]) == (2, True)
    ran = on("keys", "destination", "999999", "none")
    assert (ran.code, ran.error["code"]) == (7, "key_not_found")
    path = "/admin/v1/keys/7/destination"
    gate.answers["POST", path] = (200, {"destination": "bucket"})
    there = {"FILMGATE_BASE_URL": gate.base_url, "FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = on("keys", "destination", "7", "bucket", "--plain", **there)
    assert ran.out == "Films of key 7 go into bucket, if its requests say nothing else.\n"


def test_a_gift_whose_answer_is_lost_is_sent_again_with_the_same_key(ask: Ask, gate: ScriptedGate) -> None:
    path = "/admin/v1/accounts/team-a/topup"
    gate.answers["POST", path] = (201, {"balance_micros": 5_000_000})
    gate.torn.append(path)
    there = {"FILMGATE_BASE_URL": gate.base_url, "FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = ask("accounts", "topup", "team-a", "5", "--note", "x", **there)
    assert (ran.code, ran.document) == (0, {"balance_micros": 5_000_000})
    assert len({one.headers["idempotency-key"] for one in gate.asked}) == 1
    assert [one.body for one in gate.asked] == [{"amount_micros": 5_000_000, "reason": "x"}] * 2
