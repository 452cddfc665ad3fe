"""An error of the gate's own API says which input, what it cost, and what could be made instead."""

import base64
from typing import Any

import pytest

from kit.gates import RealGate

FILM = {"model": "sora-2", "prompt": "a boat", "seconds": 8, "size": "1280x720"}
KEYS = {
    "field", "input", "reason", "suggestion", "retryable", "charged_micros", "docs", "exit_code",
}  # fmt: skip
JUNK = "data:image/png;base64," + base64.b64encode(b"no picture at all").decode()


def refused(gate: RealGate, key: str | None = None, **wanted: Any) -> Any:
    answer = gate.ask("POST", "/gate/v1/tasks", json_body=FILM | wanted, key=key or gate.key)
    assert 400 <= answer.status < 500, answer.body
    error = answer.json["error"]
    assert set(error["details"]) == KEYS
    return error["details"] | {"code": error["code"], "message": error["message"]}


def test_what_is_too_dear_says_what_is_left_pays_for(gate: RealGate) -> None:
    key = gate.new_key("a little", account="a little", budget_micros=450_000)
    said = refused(gate, key)
    assert (said["code"], said["retryable"], said["charged_micros"]) == ("budget_exceeded", False, None)
    assert said["docs"] == "docs/errors.md#budget_exceeded"
    assert said["suggestion"].startswith("Choose 4 s ($0.40) or ")
    assert "Ask for more, or choose 4 s ($0.40) or " in said["message"]
    # The account has less than the key.
    limits = {"credit_micros": 100_000}
    assert gate.ask("PATCH", "/admin/v1/accounts/a%20little", json_body=limits, key="sk-admin").status == 200
    said = refused(gate, key)
    assert said["code"] == "insufficient_balance"
    assert "4 s" not in (said["suggestion"] or "")
    assert "4 s" not in said["message"]
    chinese = gate.new_key("a little zh", account="a little zh", budget_micros=450_000, language="zh")
    said = refused(gate, chinese)
    assert said["suggestion"].startswith("可改为 4 秒（$0.40）或")
    assert "可申请加额或改为 4 秒（$0.40）或" in said["message"]


def test_a_suggestion_is_the_nearest_that_the_model_makes(gate: RealGate) -> None:
    models = {model["name"]: model for model in gate.ask("GET", "/gate/v1/models", key=gate.key).json["data"]}
    most = models["sora-2"]["seconds"][-1]
    said = refused(gate, seconds=99)
    assert (said["field"], said["suggestion"]) == ("seconds", f"Ask for {most} s.")
    made = gate.ask("POST", "/gate/v1/quote", json_body=FILM | {"seconds": most}, key=gate.key)
    assert made.status == 200
    said = refused(gate, size="huge")
    assert (said["field"], said["suggestion"].startswith("Ask for ")) == ("size", True)


@pytest.mark.parametrize(
    ("wanted", "field", "culprit"),
    [
        ({"prompt": " "}, "prompt", "prompt"),
        ({"image": JUNK}, "image", "first_frame"),
        ({"image": "http://10.0.0.1/a.png"}, "image", "first_frame"),
        (
            {"model": "veo3.1", "references": ["https://example.com/a.png", "http://10.0.0.1/a.png"]},
            "references[1]",
            "reference[2]",
        ),
        ({"model": "none"}, "model", None),
    ],
)
def test_the_culprit_is_named(gate: RealGate, wanted: Any, field: str, culprit: str | None) -> None:
    said = refused(gate, **wanted)
    assert (said["field"], said["input"]) == (field, culprit)


def test_a_film_that_was_refused_says_what_it_cost_and_what_is_not_known(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=filtered")
    error = gate.ended(id_)["error"]
    details = error["details"]
    assert (error["code"], details["input"], details["charged_micros"]) == ("content_refused", "unknown", 0)
    assert (details["retryable"], details["suggestion"]) == (False, None)
    seen = gate.ask("GET", f"/admin/v1/tasks/{id_}", key="sk-admin").json
    assert (seen["error"]["message"], seen["error"]["details"]["input"]) == (error["message"], "unknown")
    cancelled = gate.ask("POST", f"/gate/v1/tasks/{id_}/cancel", key=gate.key).json["error"]["details"]
    assert (cancelled["charged_micros"], cancelled["retryable"], cancelled["exit_code"]) == (0, False, 2)
    failed = gate.ended(gate.make(prompt="a boat --sandbox=fail"))["error"]
    assert failed["details"]["retryable"] is (failed["code"] == "provider_failed")


def test_an_operators_error_has_the_same_form(gate: RealGate) -> None:
    answer = gate.ask("POST", "/admin/v1/keys", json_body={"name": "x", "dialect": "none"}, key="sk-admin")
    details = answer.json["error"]["details"]
    assert set(details) == KEYS
    assert details["field"] == "dialect"
    assert "one of" in details["reason"]


def test_the_openapi_file_shows_the_details(gate: RealGate) -> None:
    described = gate.ask("GET", "/openapi.json").json
    shown = set(described["components"]["schemas"]["DetailsOut"]["properties"])
    assert shown == KEYS | {"cost_micros"}
    answers = described["paths"]["/gate/v1/tasks"]["post"]["responses"]
    assert answers["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")


def test_what_changes_only_what_it_names_is_published_without_defaults(gate: RealGate) -> None:
    described = gate.ask("GET", "/openapi.json").json
    bodies = [
        path["patch"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path in described["paths"].values()
        if "patch" in path
    ]
    assert {"KeyChange", "AccountChange"} <= set(bodies)
    for body in bodies:
        properties = described["components"]["schemas"][body]["properties"]
        assert [name for name, one in properties.items() if "default" in one] == [], body
