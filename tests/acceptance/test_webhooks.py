"""Webhooks of a real gate, to a real receiver, read by the libraries that customers use."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import standardwebhooks

from kit.databases import own_database
from kit.gates import RealGate, free_port
from kit.receivers import Received, Receiver, receiving_beside
from kit.shelves import waited_for

EVENTS = ["video.completed", "video.failed"]
RECEIVER_PORT = free_port()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving_beside(RECEIVER_PORT) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def gate(
    tmp_path_factory: pytest.TempPathFactory, receiver: Receiver, postgres: dict[str, Any]
) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("webhooks")
    with own_database(postgres) as dsn:
        gate = RealGate(
            folder / "data",
            environment={
                "FILMGATE_DATABASE_URL": dsn,
                "FILMGATE_GUARD_ALLOW": receiver.origin,
                "FILMGATE_FAILPOINTS": f"deliver.after_post=kill:{folder}/killed",
            },
        )
        gate.start()
        yield gate
        gate.kill()


@pytest.fixture
def client(gate: RealGate) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gate.base_url}/openai/v1", api_key=gate.key) as client:
        yield client


def told_of(receiver: Receiver, name: str, path: str) -> list[Received]:
    return [one for one in receiver.received if one.path == path and name in one.body.decode()]


def submitted(gate: RealGate, prompt: str) -> str:
    body = {"model": "animatic", "prompt": prompt, "seconds": "4", "size": "720x1280"}
    answer = gate.ask("POST", "/openai/v1/videos", json_body=body, key=gate.key)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


def test_a_kill_after_the_post_delivers_again_with_the_same_id_and_bytes(
    gate: RealGate, receiver: Receiver
) -> None:
    """The first delivery of this gate kills it; the supervisor starts another process."""
    task_id = gate.make(callback_url=receiver.url("/killed"))
    name = gate.ended(task_id)["name"]
    first, second = waited_for(
        lambda: told_of(receiver, name, "/killed")[1:] and told_of(receiver, name, "/killed"),
        gate,
    )
    assert (gate.data.parent / "killed").exists()
    assert (first.id, first.body) == (second.id, second.body)
    gate.wait_ready()
    secret = gate.ask("GET", "/gate/v1/webhook_secret", key=gate.key).json["signing_secret"]
    for one in (first, second):
        told = standardwebhooks.Webhook(secret).verify(one.body, dict(one.headers))
        assert (told["type"], told["data"]) == ("video.completed", {"id": name})


def test_the_official_client_keeps_endpoints_and_verifies_what_they_are_told(
    gate: RealGate, client: openai.OpenAI, receiver: Receiver
) -> None:
    made = client.webhooks.create(name="mine", url=receiver.url("/openai"), event_types=EVENTS)  # type: ignore[arg-type]  # its types list the values
    assert (made.object, made.url, made.event_types) == ("webhook_endpoint", receiver.url("/openai"), EVENTS)
    assert client.webhooks.event_types.list().data == EVENTS
    shown = client.webhooks.retrieve(made.id)
    assert (shown.id, shown.signing_secret_hint) == (made.id, made.signing_secret_hint)
    assert "signing_secret" not in shown.to_dict()
    tested = client.webhooks.test(made.id, event_type="video.failed")
    assert (tested.status_code, tested.webhook_endpoint_id) == (200, made.id)

    video = submitted(gate, "a boat")
    [got] = waited_for(lambda: told_of(receiver, video, "/openai"), gate)
    event = client.webhooks.unwrap(got.body.decode(), got.headers, secret=made.signing_secret)
    assert (event.type, event.data.id) == ("video.completed", video)  # type: ignore[union-attr]  # it has no class of this event
    # Whoever asks after having been told is told nothing older.
    assert gate.ask("GET", f"/openai/v1/videos/{video}", key=gate.key).json["status"] == "completed"

    renamed = client.webhooks.update(made.id, name="ours", event_types=["video.failed"])
    assert (renamed.name, renamed.event_types) == ("ours", ["video.failed"])
    rotated = client.webhooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True)
    assert rotated.signing_secret != made.signing_secret
    failed = submitted(gate, "a boat --sandbox=fail")
    [got] = waited_for(lambda: told_of(receiver, failed, "/openai"), gate)
    for secret in (made.signing_secret, rotated.signing_secret):
        assert client.webhooks.unwrap(got.body.decode(), got.headers, secret=secret).type == "video.failed"  # type: ignore[comparison-overlap]  # as above
    assert client.webhooks.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError) as caught:
        client.webhooks.retrieve(made.id)
    assert caught.value.code == "webhook_not_found"


def test_endpoints_are_listed_newest_first_page_by_page(gate: RealGate, client: openai.OpenAI) -> None:
    ids = [
        client.webhooks.create(name=str(no), url="https://example.org/", event_types=["video.failed"]).id
        for no in range(5)
    ]
    assert [one.id for one in client.webhooks.list(limit=2)] == ids[::-1]
    page = gate.ask("GET", f"/v1/webhook_endpoints?limit=2&after={ids[3]}", key=gate.key).json
    assert [one["id"] for one in page["data"]] == [ids[2], ids[1]]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[2], ids[1], True)
    for id_ in ids:
        client.webhooks.delete(id_)


def test_there_are_twenty_endpoints_at_most(gate: RealGate, client: openai.OpenAI) -> None:
    new = {"name": "x", "url": "https://example.org/", "event_types": ["video.failed"]}
    answers = [gate.ask("POST", "/v1/webhook_endpoints", json_body=new, key=gate.key).json for _ in range(21)]
    assert answers[20]["error"]["code"] == "too_many_webhooks"
    for one in answers[:20]:
        assert client.webhooks.delete(one["id"]).deleted


@pytest.mark.parametrize(
    ("changed", "code", "param"),
    [
        ({"url": "http://example.org/"}, "webhook_denied", "url"),
        ({"url": "https://127.0.0.1/"}, "webhook_denied", "url"),
        ({"url": "https://metadata.goog/"}, "webhook_denied", "url"),
        ({"url": None}, "missing_parameter", "url"),
        ({"url": 7}, "invalid_parameter", "url"),
        ({"name": " "}, "missing_parameter", "name"),
        ({"event_types": []}, "missing_parameter", "event_types"),
        ({"event_types": ["batch.completed"]}, "invalid_parameter", "event_types"),
        ({"event_types": "video.failed"}, "invalid_parameter", "event_types"),
    ],
    ids=str,
)
def test_a_wrong_endpoint_is_refused_in_openais_form(
    gate: RealGate, changed: dict[str, Any], code: str, param: str
) -> None:
    body = {"name": "x", "url": "https://example.org/", "event_types": EVENTS} | changed
    for mount in ("/v1", "/openai/v1"):
        answer = gate.ask("POST", f"{mount}/webhook_endpoints", json_body=body, key=gate.key)
        error = answer.json["error"]
        assert (answer.status, error["code"], error["param"]) == (400, code, param)
        assert answer.headers["x-should-retry"] == "false"


def test_endpoints_and_deliveries_of_another_owner_do_not_exist(
    gate: RealGate, client: openai.OpenAI, receiver: Receiver
) -> None:
    other = gate.ask("POST", "/admin/v1/keys", json_body={"name": "other"}, key="sk-admin").json["key"]
    mine = client.webhooks.create(name="x", url="https://example.org/", event_types=["video.failed"])
    name = gate.ended(gate.make(callback_url=receiver.url("/own")))["name"]
    waited_for(lambda: told_of(receiver, name, "/own"), gate)
    [told] = gate.ask("GET", f"/gate/v1/deliveries?task={name}", key=gate.key).json["data"]
    for method, path in (
        ("GET", f"/v1/webhook_endpoints/{mine.id}"),
        ("POST", f"/v1/webhook_endpoints/{mine.id}"),
        ("DELETE", f"/v1/webhook_endpoints/{mine.id}"),
        ("POST", f"/v1/webhook_endpoints/{mine.id}/rotate_secret"),
        ("POST", f"/v1/webhook_endpoints/{mine.id}/test"),
        ("POST", f"/gate/v1/deliveries/{told['id']}/replay"),
        ("GET", f"/gate/v1/deliveries?task={name}"),
    ):
        said: dict[str, str] | None = None if method != "POST" else {}
        foreign = gate.ask(method, path, json_body=said, key=other)
        unknown = gate.ask(method, path.replace(mine.id, "whe_" + "0" * 32), json_body=said, key=other)
        assert foreign.status == 404, path
        assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
    assert gate.ask("GET", "/gate/v1/deliveries", key=other).json["data"] == []
    assert gate.ask("GET", "/v1/webhook_endpoints", key=other).json["data"] == []
    assert gate.ask("GET", "/v1/webhook_endpoints").status == 401
    client.webhooks.delete(mine.id)


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/yishang/v1/videos", {"model": "sora-2", "metadata": {"callback_url": "URL"}}, "task_id"),
        ("/yishang/v1/videos", {"model": "sora-2", "webHook": "URL"}, "id"),
        ("/openai/v1/videos", {"model": "sora-2", "metadata": {"callback_url": "URL"}}, "id"),
        ("/unified/v1/video/create", {"model": "veo3", "notifyHook": "URL"}, "id"),
        ("/newapi/v1/videos", {"model": "veo_3_1-fast", "callback_url": " URL "}, "id"),
    ],
    ids=["yishang-metadata", "yishang-webHook", "openai-metadata", "unified-notifyHook", "newapi"],
)
def test_a_request_names_whom_to_tell_as_its_dialects_clients_do(
    gate: RealGate, receiver: Receiver, path: str, body: dict[str, Any], name: str
) -> None:
    own = f"/{len(receiver.received)}-callback"
    asked = json.loads(
        json.dumps({"prompt": "a boat --sandbox=fail", **body}).replace("URL", receiver.url(own))
    )
    answer = gate.ask("POST", path, json_body=asked, key=gate.key)
    assert answer.status in {200, 201}, answer.body
    [got] = waited_for(lambda: told_of(receiver, str(answer.json[name]), own), gate)
    assert json.loads(got.body)["type"] == "video.failed"


def test_a_callback_that_may_not_be_dialled_is_refused_with_nothing_stored(gate: RealGate) -> None:
    before = gate.ask("GET", "/gate/v1/tasks?limit=100", key=gate.key).json["data"]
    body = {"model": "sora-2", "prompt": "a boat", "metadata": {"callback_url": "https://192.168.0.1/"}}
    refused = gate.ask("POST", "/yishang/v1/videos", json_body=body, key=gate.key)
    assert refused.status == 400
    assert "metadata.callback_url" in refused.json["error"]["message"]
    own = gate.ask(
        "POST", "/gate/v1/tasks", json_body={"prompt": "a", "callback_url": "http://a.com"}, key=gate.key
    )
    assert (own.status, own.json["error"]["code"]) == (400, "webhook_denied")
    assert len(gate.ask("GET", "/gate/v1/tasks?limit=100", key=gate.key).json["data"]) == len(before)
    nobody = gate.ask(
        "POST", "/yishang/v1/videos", json_body=body | {"metadata": {}, "webHook": "-1"}, key=gate.key
    )
    assert nobody.status == 200


def test_deliveries_are_listed_and_replayed_by_their_owner_and_by_operators(
    gate: RealGate, receiver: Receiver
) -> None:
    task = gate.ended(gate.make(prompt="a boat --sandbox=fail", callback_url=receiver.url("/log")))
    [got] = waited_for(lambda: told_of(receiver, task["name"], "/log"), gate)
    shown = waited_for(
        lambda: gate.ask("GET", f"/gate/v1/deliveries?task={task['id']}&state=delivered", key=gate.key).json[
            "data"
        ],
        gate,
    )[0]
    [attempt] = shown.pop("attempts")
    assert (shown["id"], shown["event"], shown["state"]) == (got.id, "video.failed", "delivered")
    assert (shown["endpoint_id"], shown["tries"], shown["next_at"]) == (None, 1, None)
    assert (attempt["status"], attempt["answer"], attempt["error"]) == (200, "thanks", None)
    again = gate.ask("POST", f"/gate/v1/deliveries/{got.id}/replay", key=gate.key)
    assert again.status == 200
    waited_for(lambda: len(told_of(receiver, task["name"], "/log")) == 2, gate)
    operators = gate.ask("POST", f"/admin/v1/webhooks/deliveries/{got.id}/replay", key="sk-admin")
    assert operators.status == 200
    told = waited_for(
        lambda: told_of(receiver, task["name"], "/log")[2:] and told_of(receiver, task["name"], "/log"),
        gate,
    )
    assert len({(one.id, one.body) for one in told}) == 1
    listed = gate.ask("GET", "/admin/v1/webhooks/deliveries", key="sk-admin").json["data"]
    assert got.id in [one["id"] for one in listed]
    # Operators find those of one task, by its id or by the name that its dialect shows.
    for name in (task["id"], task["name"]):
        found = gate.ask("GET", f"/admin/v1/webhooks/deliveries?task={name}", key="sk-admin").json["data"]
        assert {one["task_id"] for one in found} == {task["id"]}
    unknown = gate.ask("GET", "/admin/v1/webhooks/deliveries?task=nobody", key="sk-admin")
    assert (unknown.status, unknown.json["error"]["code"]) == (404, "task_not_found")
    assert gate.ask("GET", "/admin/v1/webhooks/deliveries", key=gate.key).status == 403


def test_the_gates_own_form_of_endpoints_says_the_same(gate: RealGate, receiver: Receiver) -> None:
    new = {"name": "x", "url": receiver.url("/gate"), "event_types": ["video.failed"]}
    made = gate.ask("POST", "/gate/v1/webhook_endpoints", json_body=new, key=gate.key)
    assert made.status == 201
    path = f"/gate/v1/webhook_endpoints/{made.json['id']}"
    shown = gate.ask("GET", path, key=gate.key).json
    assert shown == gate.ask("GET", path.replace("/gate/", "/"), key=gate.key).json
    tested = gate.ask("POST", f"{path}/test", json_body={"event_type": "video.failed"}, key=gate.key)
    assert tested.json["status_code"] == 200
    rotated = gate.ask("POST", f"{path}/rotate_secret", key=gate.key).json
    off = gate.ask("PATCH", path, json_body={"enabled": False}, key=gate.key)
    assert (off.status, off.json["disabled_reason"]) == (200, "its owner switched it off")
    assert off.json["disabled_at"] is not None
    assert gate.ask("PATCH", path, json_body={"enabled": True}, key=gate.key).json["disabled_at"] is None
    assert rotated["signing_secret"] != made.json["signing_secret"]
    operators = gate.ask("GET", "/admin/v1/webhooks", key="sk-admin").json["data"]
    assert [(one["id"], one["account"]) for one in operators] == [(shown["id"], "local")]
    assert gate.ask("DELETE", path, key=gate.key).status == 204
    gone = gate.ask("GET", path, key=gate.key)
    assert (gone.status, gone.json["error"]["code"]) == (404, "webhook_not_found")


def test_no_secret_of_a_webhook_is_in_the_log(gate: RealGate, receiver: Receiver) -> None:
    assert receiver.received
    log = gate.log.read_text()
    assert "whsec_" not in log
    assert "/log" not in log.replace("/logout", "")


def test_the_metrics_count_deliveries_by_their_outcome(gate: RealGate) -> None:
    text = Path(gate.data.parent / "killed").exists() and gate.ask("GET", "/metrics").body.decode()
    assert 'filmgate_webhook_deliveries_total{outcome="delivered"}' in str(text)


def test_the_program_lists_and_replays_deliveries(gate: RealGate, receiver: Receiver) -> None:
    task = gate.ended(gate.make(prompt="a boat --sandbox=fail", callback_url=receiver.url("/cli")))
    [got] = waited_for(lambda: told_of(receiver, task["name"], "/cli"), gate)
    waited_for(
        lambda: filmgate(gate, "deliveries", "--task", task["id"], "--state", "delivered")["data"], gate
    )
    assert filmgate(gate, "replay", got.id)["id"] == got.id
    waited_for(lambda: len(told_of(receiver, task["name"], "/cli")) == 2, gate)
    wrong = run(gate, "replay", "wh_nothing")
    assert (wrong.returncode, json.loads(wrong.stderr)["error"]["code"]) == (7, "delivery_not_found")
    plain = run(gate, "deliveries", "--task", task["id"], "--plain").stdout.splitlines()
    assert [line.split("\t")[0] for line in plain] == [got.id]


def run(gate: RealGate, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "filmgate", "webhooks", *words]
    environment = {**os.environ, "FILMGATE_BASE_URL": gate.base_url, "FILMGATE_API_KEY": gate.key}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def filmgate(gate: RealGate, *words: str) -> Any:
    ran = run(gate, *words)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
