"""Small promises of the gate to customers and operators, each held once against a real one."""

import http.client
import threading
import time

import pytest

from kit.gates import Answer, RealGate

LATER = range(1, 121)


def small(prompt: str) -> dict[str, object]:
    return {"model": "animatic", "prompt": prompt, "seconds": 1, "size": "640x360"}


@pytest.mark.parametrize(
    ("dialect", "path", "model"),
    [
        ("openai", "/openai/v1/videos", "sora-2"),
        ("laozhang", "/veo/v1/api/video/submit", "veo3"),
        ("unified", "/v1/video/create", "veo3"),
        ("newapi", "/v1/videos", "veo_3_1-fast"),
        ("yishang", "/v1/videos", "veo3.1"),
        (None, "/gate/v1/tasks", "sora-2"),
    ],
)
@pytest.mark.parametrize("limit", ["max_unfinished", "submits_per_minute"])
def test_whoever_is_told_to_wait_is_told_how_long(
    gate: RealGate, dialect: str | None, path: str, model: str, limit: str
) -> None:
    key = gate.new_key(f"waits-{dialect}-{limit}", dialect=dialect, **{limit: 1})
    slow = small("a boat --sandbox=slow:30")
    first = gate.ask("POST", "/gate/v1/tasks", json_body=slow, key=key)
    assert first.status == 201, first.body
    answer = gate.ask("POST", path, json_body={"model": model, "prompt": "x"}, key=key)
    gate.ask("POST", f"/gate/v1/tasks/{first.json['id']}/cancel", key=key)
    assert answer.status == 429, answer.body
    assert int(answer.headers["retry-after"]) in LATER


def test_a_top_up_that_is_repeated_is_booked_once(gate: RealGate) -> None:
    gate.new_key("gifted", account="gifted")
    headers = {"Idempotency-Key": "gift-1"}

    def gift(micros: int, key: dict[str, str] | None = None) -> Answer:
        body = {"amount_micros": micros, "reason": "paid"}
        path = "/admin/v1/accounts/gifted/topup"
        return gate.ask("POST", path, json_body=body, key="sk-admin", headers=key)

    first, other, again = gift(5, headers), gift(7), gift(5, headers)
    assert [(one.status, one.json["balance_micros"]) for one in (first, other, again)] == [
        (201, 5),
        (201, 12),
        (201, 5),
    ]
    assert again.headers["idempotent-replayed"] == "true"
    mismatch = gift(6, headers)
    assert (mismatch.status, mismatch.json["error"]["code"]) == (422, "idempotency_mismatch")
    assert gift(1).json["balance_micros"] == 13


def test_a_submit_that_is_repeated_after_its_task_was_deleted_makes_no_second_film(gate: RealGate) -> None:
    headers, body = {"Idempotency-Key": "deleted-1"}, small("x --sandbox=fail")
    made = gate.ask("POST", "/gate/v1/tasks", json_body=body, key=gate.key, headers=headers)
    gate.ended(made.json["id"])
    assert gate.ask("DELETE", f"/gate/v1/tasks/{made.json['id']}", key=gate.key).status == 204
    again = gate.ask("POST", "/gate/v1/tasks", json_body=body, key=gate.key, headers=headers)
    assert (again.status, again.json["error"]["code"]) == (410, "task_deleted")
    other = gate.ask("POST", "/gate/v1/tasks", json_body=small("another"), key=gate.key, headers=headers)
    assert other.status == 422


@pytest.mark.parametrize("path", ["/gate/v1/events", "/gate/v1/tasks/{id}/events"])
def test_a_stream_ends_soon_after_its_key_is_revoked(gate: RealGate, path: str) -> None:
    name = f"streams-{path.count('/')}"
    key = gate.new_key(name)
    made = gate.ask("POST", "/gate/v1/tasks", json_body=small("a boat --sandbox=slow:40"), key=key)
    assert made.status == 201, made.body
    stream = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=40)
    stream.request("GET", path.format(id=made.json["id"]), headers={"Authorization": f"Bearer {key}"})
    answer = stream.getresponse()
    assert answer.status == 200
    over = threading.Event()

    def read() -> None:
        answer.read()
        over.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert not over.wait(0.5)
    revoked = time.monotonic()
    assert gate.ask("DELETE", f"/admin/v1/keys/{name}", key="sk-admin").json == {"revoked": 1}
    assert over.wait(30)
    assert time.monotonic() - revoked < 20
    reader.join()
    stream.close()
    gate.ask("POST", f"/admin/v1/tasks/{made.json['id']}/cancel", key="sk-admin")


def test_customers_read_of_attempts_in_our_words_and_operators_in_the_vendors(gate: RealGate) -> None:
    made = gate.ask("POST", "/gate/v1/tasks", json_body=small("x --sandbox=fail"), key=gate.key)
    [*_, told] = gate.ended(made.json["id"])["attempts"]
    seen = gate.ask("GET", f"/admin/v1/tasks/{made.json['id']}", key="sk-admin").json["attempts"][-1]
    assert (told["error_class"], told["error_text"]) == ("failed", "the provider could not make it")
    assert seen["error_text"] not in {told["error_text"], None}
    path = f"/gate/v1/tasks/{made.json['id']}?attempts=true"
    again = gate.ask("GET", path, key=gate.key, headers={"Accept-Language": "zh-CN"}).json["attempts"][-1]
    assert again["error_text"] == "服务商生成失败"


def test_a_repeated_extension_is_answered_alike_after_its_source_is_gone(gate: RealGate) -> None:
    source = gate.make(prompt="a boat that somebody goes on from")
    body = {"task_id": gate.ended(source)["name"], "model": "veo3.1", "prompt": "x --sandbox=fail"}
    headers = {"Idempotency-Key": f"extension-{source}"}

    def extend() -> Answer:
        return gate.ask("POST", "/v1/video/extend", json_body=body, key=gate.key, headers=headers)

    first = extend()
    assert first.status == 200, first.body
    gate.ended(first.headers["x-filmgate-task"])
    assert gate.ask("DELETE", f"/gate/v1/tasks/{source}", key=gate.key).status == 204
    again = extend()
    assert (again.status, again.headers["x-filmgate-task"]) == (200, first.headers["x-filmgate-task"])
    assert again.headers["idempotent-replayed"] == "true"
