"""Prices before films: every submit of every dialect can be quoted, and the quote is good for that very call."""

from typing import Any

import pytest

from kit.gates import Answer, RealGate

SMALL: dict[str, Any] = {"model": "animatic", "seconds": 1, "size": "640x360"}
BOAT = SMALL | {"prompt": "a quoted boat"}
CHAT = SMALL | {"messages": [{"role": "user", "content": "a quoted boat"}]}
TALE = {"model": "veo_3_1-fast-extend", "prompt": "it turns around"}
SUBMITS: list[tuple[str | None, str, dict[str, Any], bool]] = [
    (None, "/gate/v1/tasks", BOAT, False),
    ("gate", "/gate/v1/tasks", BOAT, True),
    (None, "/gate/v1/tasks/{film}/retry", {}, True),
    ("unified", "/v1/video/create", BOAT, False),
    ("unified", "/veo/v1/video/create", BOAT, True),
    ("unified", "/veo/v1/videos/generations", BOAT, True),
    ("unified", "/v1/video/extend", {"task_id": "{film}", "prompt": "it sails on"}, False),
    ("unified", "/v1/video/extend", {"id": "{film}", "prompt": "it sails on"}, True),
    ("unified", "/v1/chat/completions", CHAT, False),
    ("unified", "/v1/chat/completions", CHAT, True),
    ("newapi", "/v1/videos", BOAT, False),
    ("newapi", "/v1/videos", SMALL | {"prompt": "a boat", "prompt_extend": "it turns around"}, True),
    ("newapi", "/v1/video/generations", BOAT, True),
    ("laozhang", "/veo/v1/api/video/submit", {"model": "animatic", "prompt": "a boat"}, False),
    ("yishang", "/v1/videos", BOAT, False),
    ("yishang", "/yishang/v1/videos", BOAT, True),
    ("openai", "/v1/videos", BOAT, False),
    ("openai", "/v1/videos/{film}/remix", {"prompt": "at night"}, True),
]


def filled(said: Any, film: str) -> Any:
    """Put the id of a film where it belongs."""
    match said:
        case str():
            return said.replace("{film}", film)
        case dict():
            return {name: filled(value, film) for name, value in said.items()}
        case _:
            return said


def mounted(dialect: str | None, path: str) -> str:
    own = path.startswith(("/gate/", f"/{dialect}/")) or dialect in {None, "gate"}
    return path if own else f"/{dialect}{path}"


@pytest.mark.parametrize(
    ("dialect", "path", "body", "named"), SUBMITS, ids=[f"{one[0]}{one[1]}-{one[3]}" for one in SUBMITS]
)
def test_every_submit_can_be_quoted_and_the_quote_is_good_for_it(
    gate: RealGate, film_id: str, dialect: str | None, path: str, body: dict[str, Any], *, named: bool
) -> None:
    body, path = filled(body, film_id), filled(path, film_id)
    asked = body | ({} if dialect is None else {"dialect": dialect}) | ({"path": path} if named else {})
    if dialect is None and "retry" in path:
        asked["path"] = path
    quoted = gate.ask("POST", "/gate/v1/quote", json_body=asked, key=gate.key)
    assert quoted.status == 200, quoted.body
    headers = {"X-Filmgate-Quote": quoted.json["quote_id"]}
    made = submitted(gate, mounted(dialect, path), body, headers)
    assert made.headers["x-filmgate-cost"].startswith(f"{quoted.json['amount_micros']};")
    again = gate.ask("POST", mounted(dialect, path), json_body=body, key=gate.key, headers=headers)
    assert again.status == 400
    assert b"quote" in again.body or "报价".encode() in again.body


def submitted(gate: RealGate, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
    answer = gate.ask("POST", path, json_body=body, key=gate.key, headers=headers)
    assert answer.status in {200, 201}, answer.body
    return answer


def test_a_quote_is_for_the_call_that_it_named_and_no_other(gate: RealGate, film_id: str) -> None:
    asked = {"dialect": "unified", "task_id": film_id, "prompt": "it sails on"}
    quoted = gate.ask("POST", "/gate/v1/quote", json_body=asked, key=gate.key).json
    body = SMALL | {"prompt": "it sails on"}
    headers = {"X-Filmgate-Quote": quoted["quote_id"]}
    other = gate.ask("POST", "/unified/v1/video/create", json_body=body, key=gate.key, headers=headers)
    assert (other.status, other.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"dialect": "klingon"}, "invalid_parameter", "dialect"),
        ({"dialect": 5}, "invalid_parameter", "dialect"),
        ({"dialect": "openai", "path": "/v1/videos/x/cancel"}, "invalid_parameter", "path"),
        ({"dialect": "openai", "path": "/v1/models"}, "invalid_parameter", "path"),
        ({"dialect": "openai", "path": ""}, "invalid_parameter", "path"),
        ({"path": "/v1/videos"}, "invalid_parameter", "path"),
        ({"dialect": "unified", "path": "/v1/video/extend"}, "missing_parameter", "task_id"),
        ({"dialect": "unified", "path": "/v1/chat/completions"}, "missing_parameter", "messages"),
        ({"dialect": "openai", "path": "/v1/videos/none/remix"}, "task_not_found", None),
        ({"path": "/gate/v1/tasks/none/retry"}, "invalid_parameter", None),
        ({"path": "/gate/v1/tasks/none/retry", "seed": "x"}, "invalid_parameter", None),
    ],
)
def test_what_is_no_submit_is_refused_with_what_would_be_right(
    gate: RealGate, said: dict[str, Any], code: str, field: str | None
) -> None:
    answer = gate.ask("POST", "/gate/v1/quote", json_body=BOAT | said, key=gate.key)
    error = answer.json["error"]
    assert (answer.status // 100, error["code"]) == (4, code)
    if field is not None:
        assert error["details"]["field"] == field


def test_an_extension_by_its_remix_id_is_quoted_by_its_plain_body(gate: RealGate) -> None:
    tale = SMALL | {"prompt": "a boat", "prompt_extend": "it turns around"}
    made = submitted(gate, "/newapi/v1/videos", tale, {})
    assert gate.ended(made.headers["x-filmgate-task"])["state"] == "succeeded"
    shown = gate.ask("GET", f"/newapi/v1/videos/{made.json['task_id']}", key=gate.key).json
    body = {"model": "veo_3_1-fast-extend", "prompt": "again", "remix_id": shown["data"]["remix_id"]}
    quoted = gate.ask("POST", "/gate/v1/quote", json_body=body | {"dialect": "newapi"}, key=gate.key)
    assert quoted.status == 200, quoted.body
    headers = {"X-Filmgate-Quote": quoted.json["quote_id"]}
    longer = submitted(gate, "/newapi/v1/videos", body, headers)
    assert longer.headers["x-filmgate-cost"] == f"{quoted.json['amount_micros']};state=held"


def test_nothing_is_asked_for_again_that_is_not_there(gate: RealGate) -> None:
    wish = {"path": "/gate/v1/tasks/none/retry"}
    answer = gate.ask("POST", "/gate/v1/quote", json_body=wish, key=gate.key)
    assert (answer.status, answer.json["error"]["code"]) == (404, "task_not_found")


def test_an_operator_asks_what_any_key_would_pay(gate: RealGate) -> None:
    key = gate.new_key("payer", account="payers", budget_micros=3_000_000)
    mine = gate.ask("POST", "/gate/v1/quote", json_body=BOAT, key=key).json
    for named in ("payer", str(mine_id(gate, "payer")), mine_id(gate, "payer")):
        said = gate.ask(
            "POST", "/admin/v1/quote", json_body=CHAT | {"key": named, "dialect": "unified"}, key="sk-admin"
        )
        assert said.status == 200, said.body
        assert "quote_id" not in said.json
        assert said.json["key"] == mine_id(gate, "payer")
        for field in ("amount_micros", "size", "clips", "model", "budget"):
            assert said.json[field] == mine[field]
    assert mine["remaining_micros"] == 3_000_000


def mine_id(gate: RealGate, name: str) -> int:
    [found] = [
        one["id"]
        for one in gate.ask("GET", "/admin/v1/keys", key="sk-admin").json["data"]
        if one["name"] == name
    ]
    return int(found)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"key": "nobody at all"}, 404, "key_not_found"),
        ({"key": "9999999999999999999999"}, 404, "key_not_found"),
        ({"key": ""}, 404, "key_not_found"),
        ({}, 400, "missing_parameter"),
        ({"key": None}, 400, "invalid_parameter"),
        ({"key": "two of one name"}, 400, "invalid_parameter"),
    ],
)
def test_a_key_that_is_none_is_named(gate: RealGate, said: dict[str, Any], status: int, code: str) -> None:
    if said.get("key") == "two of one name":
        gate.new_key("two of one name", account="twins")
        gate.new_key("two of one name", account="twins")
    answer = gate.ask("POST", "/admin/v1/quote", json_body=BOAT | said, key="sk-admin")
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert gate.ask("POST", "/admin/v1/quote", json_body=BOAT | said, key=gate.key).status == 403
