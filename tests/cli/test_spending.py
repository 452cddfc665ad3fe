"""What a film costs is said before, agreed to, and said again after."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.scripted import ADMIN_KEY, QUOTE_ID, Program, ScriptedGate, problem, quote, task
from cli.terminal import in_terminal, lines_of

DEAR = 2_400_000
PRICE_LINE = "animatic · 8 s · 1280x720 · $2.40 (8 s × $0.30) · left $12.40"


@pytest.fixture
def dear(gate: ScriptedGate) -> ScriptedGate:
    """A gate whose films cost more than is spent unasked."""
    gate.quoted = quote(DEAR, 12_400_000)
    gate.created |= {"hold_micros": DEAR}
    gate.story = [task(hold_micros=DEAR, cost_micros=DEAR)]
    return gate


def test_the_price_is_said_before_and_the_receipt_after_and_they_are_the_same(
    dear: ScriptedGate, program: Program
) -> None:
    ran = program.knows(dear).run("generate", "a paper boat", "--yes")
    assert (ran.code, ran.err.splitlines()[0]) == (0, PRICE_LINE)
    assert "✔ done in 0:05 · charged $2.40 · a-paper-boat.mp4 (8.0 s, 1280x720, 24 fps, 102 kB)" in ran.err
    [sent] = dear.asked_of("POST", "/gate/v1/tasks")
    assert sent.headers["x-filmgate-quote"] == QUOTE_ID


def test_without_anybody_to_ask_a_dear_film_is_not_started(dear: ScriptedGate, program: Program) -> None:
    ran = program.knows(dear).run("generate", "a paper boat")
    assert (ran.code, ran.error["code"]) == (5, "unconfirmed")
    assert ran.error["message"] == (
        "This film costs $2.40, and nobody can be asked here: say --yes, or --max-cost with the most that it may"
        " cost. Nothing was started."
    )
    assert dear.asked_of("POST", "/gate/v1/tasks") == []


def test_a_ceiling_is_an_agreement_and_the_gate_holds_it_too(dear: ScriptedGate, program: Program) -> None:
    assert program.knows(dear).run("generate", "a paper boat", "--max-cost", "$2.4").code == 0
    [sent] = dear.asked_of("POST", "/gate/v1/tasks")
    assert (sent.headers["x-filmgate-quote"], sent.headers["x-filmgate-max-cost"]) == (QUOTE_ID, "2400000")
    ran = program.run("generate", "a paper boat", "--max-cost", "2.39", "--yes")
    assert (ran.code, ran.error["message"]) == (
        5,
        "This film costs $2.40, more than the $2.39 of --max-cost. Nothing was started.",
    )
    assert dear.asked_of("POST", "/gate/v1/tasks") == [sent]


@pytest.mark.parametrize("words", [("--max-cost", "much"), ("--max-cost", "-1"), ("--max-cost", "nan")])
def test_an_amount_that_is_none_is_refused_before_anything_is_asked(
    gate: ScriptedGate, program: Program, words: tuple[str, ...]
) -> None:
    ran = program.knows(gate).run("generate", "a paper boat", *words)
    assert (ran.code, ran.error["code"], gate.asked) == (2, "wrong_usage", [])


def test_what_is_asked_about_is_a_setting(dear: ScriptedGate, program: Program) -> None:
    program.knows(dear).env |= {"FILMGATE_CONFIRM_ABOVE": "2.40"}
    assert program.run("generate", "a paper boat").code == 0


def test_a_film_that_cannot_be_paid_is_not_sent(dear: ScriptedGate, program: Program) -> None:
    dear.quoted = quote(DEAR, 450_000)
    ran = program.knows(dear).run("generate", "a paper boat", "--yes", "--lang", "zh")
    assert (ran.code, ran.error["message"]) == (
        5,
        "该视频需 $2.40，仅剩 $0.45。未开始任何任务。可申请加额，或选择更短的视频。",
    )
    assert dear.asked_of("POST", "/gate/v1/tasks") == []


@pytest.mark.parametrize(("typed", "sent"), [("y\n", 1), ("\n", 0), ("no\n", 0)])
def test_a_terminal_is_asked_about_a_dear_film(
    dear: ScriptedGate, program: Program, typed: str, sent: int
) -> None:
    program.env |= {"CI": "1"}
    shown = lines_of(in_terminal(program.knows(dear), "generate", "a paper boat", typed=typed))
    assert shown[0] == PRICE_LINE
    assert shown[1].startswith("Make this film for $2.40? [y/N]")
    assert ("Nothing was started." in shown) == (not sent)
    assert len(dear.asked_of("POST", "/gate/v1/tasks")) == sent


def test_a_quote_that_is_about_to_end_is_left_behind_but_its_price_is_not(
    dear: ScriptedGate, program: Program
) -> None:
    dear.quoted |= {"expires_at": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
    assert program.knows(dear).run("generate", "a paper boat", "--yes").code == 0
    [sent] = dear.asked_of("POST", "/gate/v1/tasks")
    assert (sent.headers.get("x-filmgate-quote"), sent.headers["x-filmgate-max-cost"]) == (None, str(DEAR))


def test_a_lost_reply_is_asked_for_again_at_the_same_price(dear: ScriptedGate, program: Program) -> None:
    dear.lost_replies = 1
    assert program.knows(dear).run("generate", "a paper boat", "--yes").code == 0
    one, other = (sent.headers for sent in dear.asked_of("POST", "/gate/v1/tasks"))
    for name in ("idempotency-key", "x-filmgate-quote"):
        assert one[name] == other[name]
    assert len(dear.asked_of("POST", "/gate/v1/quote")) == 1


def test_what_a_failed_film_held_is_said_to_be_back(dear: ScriptedGate, program: Program) -> None:
    error = {"code": "provider_failed", "message": "The provider failed."}
    dear.story = [task("failed", 40, hold_micros=DEAR, cost_micros=0, error=error)]
    ran = program.knows(dear).run("generate", "a paper boat", "--yes")
    assert (ran.code, "✘ failed after 0:05 · $2.40 returned" in ran.err) == (1, True)


def test_a_film_of_which_half_was_made_says_both(dear: ScriptedGate, program: Program) -> None:
    error = {"code": "extend_failed", "message": "The extension failed."}
    dear.story = [task("failed", 49, hold_micros=DEAR, cost_micros=800_000, error=error)]
    ran = program.knows(dear).run("generate", "a paper boat", "--yes")
    assert (ran.code, "✘ failed after 0:05 · charged $0.80 · $1.60 returned" in ran.err) == (1, True)


def test_a_gate_that_refuses_the_price_ends_the_verb_as_it_says(gate: ScriptedGate, program: Program) -> None:
    gate.answers["POST", "/gate/v1/tasks"] = (402, problem("budget_exceeded", "This film costs $0.80.", 5))
    ran = program.knows(gate).run("generate", "a paper boat")
    assert (ran.code, ran.error["code"]) == (5, "budget_exceeded")


def test_a_quote_is_the_gates_own_document_and_starts_nothing(gate: ScriptedGate, program: Program) -> None:
    gate.quoted = quote(DEAR, 12_400_000)
    ran = program.knows(gate).run("quote", "a paper boat", "--model", "veo3.1", "--seconds", "8")
    assert (ran.code, ran.document) == (0, gate.quoted)
    [asked] = gate.asked
    assert (asked.path, asked.body) == (
        "/gate/v1/quote",
        {"prompt": "a paper boat", "model": "veo3.1", "seconds": 8},
    )


def test_an_operator_asks_what_a_film_would_cost_a_key_and_is_given_nothing_that_binds(
    gate: ScriptedGate, program: Program
) -> None:
    priced = {
        name: said for name, said in quote(DEAR, 450_000).items() if name not in {"quote_id", "expires_at"}
    }
    gate.answers["POST", "/admin/v1/quote"] = (200, priced)
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = program.run("quote", "a paper boat", "--for-key", "shop", "--plain")
    assert (ran.code, ran.out) == (5, "clip 1\t8 s × $0.30\t2400000\ntotal\t\t2400000\n")
    assert "X-Filmgate-Quote" not in ran.out + ran.err
    [asked] = gate.asked
    assert asked.body == {"prompt": "a paper boat", "key": "shop"}
    assert asked.headers["authorization"] == f"Bearer {ADMIN_KEY}"


def test_a_quote_that_cannot_be_paid_is_said_all_the_same(gate: ScriptedGate, program: Program) -> None:
    gate.quoted = quote(DEAR, 450_000)
    ran = program.knows(gate).run("quote", "a paper boat", "--plain")
    assert (ran.code, ran.out) == (5, "clip 1\t8 s × $0.30\t2400000\ntotal\t\t2400000\n")
    assert "This film costs $2.40; $0.45 is left." in ran.err


def test_a_terminal_sees_the_arithmetic_and_what_is_left(gate: ScriptedGate, program: Program) -> None:
    ends = datetime.now(UTC) + timedelta(minutes=9, seconds=59)
    gate.quoted = quote(DEAR, 12_400_000, expires_at=ends.isoformat())
    shown = lines_of(in_terminal(program.knows(gate), "quote", "a paper boat", columns=80))
    assert shown[:8] == [
        "animatic · 8 s · 1280x720",
        "",
        "what          arithmetic   amount",
        "─────────────────────────────────",
        "clip 1       8 s × $0.30    $2.40",
        "total                       $2.40",
        "left now                   $12.40",
        "left after                 $10.00",
    ]
    assert shown[-1] == f"X-Filmgate-Quote: {QUOTE_ID}"


def test_every_model_that_can_make_it_is_compared(gate: ScriptedGate, program: Program) -> None:
    model = {"name": "animatic", "available": True}
    models = [model, model | {"name": "veo3.1"}, model | {"name": "gone", "available": False}]
    gate.answers["GET", "/gate/v1/models"] = (200, {"data": models})
    gate.quoted = quote(DEAR, None)
    ran = program.knows(gate).run("quote", "a paper boat", "--all", "--size", "9:16")
    assert (ran.code, ran.document) == (0, {"data": [gate.quoted, gate.quoted], "refused": []})
    assert [asked.body["model"] for asked in gate.asked_of("POST", "/gate/v1/quote")] == [
        "animatic",
        "veo3.1",
    ]
    ran = program.run("quote", "a paper boat", "--all", "--plain")
    assert ran.out == "animatic\t8\t1280x720\t8 s × $0.30\t2400000\t\n" * 2


def test_a_film_that_no_model_makes_is_refused_with_the_reason(gate: ScriptedGate, program: Program) -> None:
    said = problem("invalid_parameter", "`seconds` is wrong.", 2)
    gate.answers["POST", "/gate/v1/quote"] = (400, said)
    ran = program.knows(gate).run("quote", "a paper boat", "--all")
    assert (ran.code, ran.error["code"]) == (2, "invalid_parameter")
    assert ran.document["refused"] == [
        {"model": "animatic", "code": "invalid_parameter", "message": "`seconds` is wrong."}
    ]
    assert program.run("quote", "x", "--all", "--model", "veo3.1").code == 2
