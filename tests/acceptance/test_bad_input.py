"""What is wrong is named in the dialect's own form, and nothing is stored."""

import socket
import time
from contextlib import ExitStack
from typing import Any

import pytest

from filmgate.domain.limits import BODIES_OF_ADDRESS, BODY_GRACE_SECONDS
from kit.gates import Answer, RealGate

MIB = 2**20

pytestmark = pytest.mark.usefixtures("nothing_is_stored")


def create(gate: RealGate, dialect: str, **fields: Any) -> Answer:
    body = {"model": "sora-2", "prompt": "a cat", **fields}
    return gate.ask("POST", f"/{dialect}/v1/videos", json_body=body, key=gate.key)


def said(answer: Answer, dialect: str) -> tuple[int, str, str]:
    """Give status, type and code; the body has the dialect's keys and no others."""
    error = answer.json["error"]
    assert set(answer.json) == {"error"}
    assert set(error) == ({"message", "type", "code"} | ({"param"} if dialect == "openai" else set()))
    assert answer.headers["x-filmgate-dialect"] == dialect
    assert answer.headers["x-request-id"]
    return answer.status, error["type"], error["code"]


both = pytest.mark.parametrize("dialect", ["yishang", "openai"])
INVALID = "invalid_request_error"


@both
def test_no_key_a_wrong_key_and_a_revoked_key_are_alike(gate: RealGate, dialect: str) -> None:
    made = gate.ask("POST", "/admin/v1/keys", json_body={"name": f"gone-{dialect}"}, key="sk-admin").json
    revoked = gate.ask("DELETE", f"/admin/v1/keys/{made['id']}", key="sk-admin")
    assert (revoked.status, revoked.json) == (200, {"revoked": 1})
    for key in (None, "sk-wrong", made["key"]):
        answer = gate.ask("POST", f"/{dialect}/v1/videos", json_body={"prompt": "x"}, key=key)
        assert said(answer, dialect) == (401, "authentication_error", "invalid_api_key")


@both
@pytest.mark.parametrize("prompt", [None, "", "  \n "])
def test_a_prompt_is_needed(gate: RealGate, dialect: str, prompt: str | None) -> None:
    answer = create(gate, dialect, prompt=prompt)
    assert said(answer, dialect) == (400, INVALID, "missing_parameter")
    assert "prompt" in answer.json["error"]["message"]


@pytest.mark.parametrize(("dialect", "limit"), [("yishang", 2_000), ("openai", 32_000)])
def test_a_prompt_has_an_end(gate: RealGate, dialect: str, limit: int) -> None:
    answer = create(gate, dialect, prompt="x" * (limit + 1))
    assert said(answer, dialect) == (400, INVALID, "prompt_too_long")
    assert str(limit) in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("dialect", "code"), [("yishang", "model_not_supported"), ("openai", "model_not_found")]
)
def test_an_unknown_model_is_named(gate: RealGate, dialect: str, code: str) -> None:
    answer = create(gate, dialect, model="sora-9")
    assert said(answer, dialect) == (400, INVALID, code)
    assert "sora-9" in answer.json["error"]["message"]


@both
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("size", "1280*720", "size_unsupported"),
        ("size", "0x0", "size_unsupported"),
        ("size", ["720x1280"], "invalid_parameter"),
        ("seconds", "abc", "duration_unsupported"),
        ("seconds", "-1", "duration_unsupported"),
        ("seconds", "1e3", "duration_unsupported"),
        ("seconds", 10**9, "duration_unsupported"),
        ("seconds", {"a": 1}, "invalid_parameter"),
        ("prompt", ["a"], "invalid_parameter"),
        ("seed", "x", "invalid_parameter"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_by_its_field(
    gate: RealGate, dialect: str, field: str, value: Any, code: str
) -> None:
    answer = create(gate, dialect, **{field: value})
    assert said(answer, dialect) == (400, INVALID, code)
    assert field in answer.json["error"]["message"]


@both
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.png", "https://169.254.169.254/latest", "file:///etc/passwd", "https://localhost/a.png"]
)  # fmt: skip
def test_a_private_address_is_refused_at_once_and_never_spelled_out(
    gate: RealGate, dialect: str, url: str
) -> None:
    answer = create(gate, dialect, input_reference=url)
    assert said(answer, dialect)[:2] == (400, INVALID)
    assert "127.0.0.1" not in answer.json["error"]["message"]


@both
@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b'{"prompt": "x"', "application/json", 400, "malformed_json"),
        (b"[1]", "application/json", 400, "malformed_json"),
        (b'{"prompt": NaN}', "application/json", 400, "malformed_json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400, "malformed_json"),
        (b'{"prompt": "\\ud800"}', "application/json", 400, "malformed_json"),
        (b"<xml/>", "text/xml", 415, "wrong_content_type"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "wrong_content_type"),
        (b"x", "multipart/form-data", 400, "malformed_form"),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b", 400, "malformed_form"),
        (
            b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n',
            "multipart/form-data; boundary=b",
            400,
            "malformed_form",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n' * 2 + b"--b--\r\n",
            "multipart/form-data; boundary=b",
            400,
            "malformed_form",
        ),
    ],
)
def test_a_broken_body_is_said_to_be_broken(
    gate: RealGate, dialect: str, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = gate.ask(
        "POST", f"/{dialect}/v1/videos", body=body, headers={"Content-Type": kind}, key=gate.key
    )
    assert said(answer, dialect) == (status, INVALID, code)


@both
def test_a_body_over_the_limit_is_not_read(gate: RealGate, dialect: str) -> None:
    head = (
        f"POST /{dialect}/v1/videos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gate.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {65 * MIB}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gate.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"x")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_slow_bodies_of_one_address_are_only_so_many_and_keep_no_quick_one_out(gate: RealGate) -> None:
    head = (
        f"POST /v1/videos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gate.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    )
    with ExitStack() as stack:

        def begin() -> socket.socket:
            address = ("127.0.0.1", gate.port)
            connection = stack.enter_context(socket.create_connection(address, timeout=10))
            connection.sendall(head.encode() + b"{")
            return connection

        for _ in range(BODIES_OF_ADDRESS):
            begin()
        time.sleep(BODY_GRACE_SECONDS + 0.5)
        answer = create(gate, "openai", model="nothing")
        assert said(answer, "openai") == (400, INVALID, "model_not_found")
        late = begin().recv(4096)
        assert late.startswith(b"HTTP/1.1 429")
        assert b"retry-after: 5" in late


def test_a_header_without_end_is_cut_off(gate: RealGate) -> None:
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        began = time.monotonic()
        while True:
            try:
                if connection.recv(4096) == b"":
                    break
            except ConnectionResetError:
                break
        assert 5 < time.monotonic() - began < 15


@both
def test_an_unknown_id_and_another_owners_id_are_alike(gate: RealGate, film_id: str, dialect: str) -> None:
    other = gate.ask("POST", "/admin/v1/keys", json_body={"name": "other"}, key="sk-admin").json["key"]
    answers = [
        gate.ask(method, f"/{dialect}/v1/videos/{id_}{path}", key=other)
        for id_ in ("video_unknown", "00000000-0000-0000-0000-000000000000", film_id)
        for method, path in (("GET", ""), ("GET", "/content"))
    ]
    assert {said(answer, dialect) for answer in answers} == {(404, "not_found_error", "task_not_found")}
    assert len({answer.body for answer in answers}) == 1


def test_only_its_owner_deletes_a_film(gate: RealGate, film_id: str) -> None:
    other = gate.ask("POST", "/admin/v1/keys", json_body={"name": "other"}, key="sk-admin").json["key"]
    answer = gate.ask("DELETE", f"/v1/videos/{film_id}", key=other)
    assert said(answer, "openai") == (404, "not_found_error", "task_not_found")


@both
def test_a_method_that_is_not_spoken_is_answered_in_the_dialects_form(gate: RealGate, dialect: str) -> None:
    answer = gate.ask("PUT", f"/{dialect}/v1/videos", json_body={}, key=gate.key)
    assert said(answer, dialect) == (405, INVALID, "method_not_allowed")


def test_an_address_that_is_nowhere_is_answered_in_json(gate: RealGate) -> None:
    answer = gate.ask("GET", "/v2/nothing")
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")


def test_the_gates_own_api_names_the_field(gate: RealGate) -> None:
    for body, code, field in (
        ({}, "missing_parameter", "prompt"),
        ({"prompt": 7}, "invalid_parameter", "prompt"),
        ({"prompt": "x", "model": "nothing"}, "model_not_found", "model"),
        ({"prompt": "x", "size": "9*9"}, "size_unsupported", "size"),
    ):
        error = gate.ask("POST", "/gate/v1/tasks", json_body=body, key=gate.key).json["error"]
        assert (error["code"], error["details"]["field"]) == (code, field)


def test_an_operators_key_makes_no_films_and_a_customers_administers_nothing(gate: RealGate) -> None:
    answer = create_with(gate, "sk-admin")
    assert (answer.status, answer.json["error"]["type"]) == (403, "permission_error")
    assert gate.ask("GET", "/admin/v1/keys", key=gate.key).status == 403


def create_with(gate: RealGate, key: str) -> Answer:
    return gate.ask("POST", "/yishang/v1/videos", json_body={"model": "sora-2", "prompt": "x"}, key=key)
