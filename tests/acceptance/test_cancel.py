"""Cancelling over HTTP, in every state of a task, with a vendor that stops what it makes and one that does not."""

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kit.databases import own_database
from kit.gates import RealGate
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor

SLOTS = 6


def settings(vendor: RunningVendor) -> str:
    return (
        provider_table("able", vendor, "{ cancel = true, find = true }", f"{{ in_flight = {SLOTS} }}")
        + provider_table("unable", vendor, "{}")
        + route_table("sora-2", "able")
        + route_table("sora-2-pro", "unable")
    )


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVendor]:
    vendor = start_vendor(tmp_path_factory.mktemp("vendor"), "--takes", "0.2", "--lookup")
    yield vendor
    vendor.stop()


@pytest.fixture(scope="module")
def gate(
    tmp_path_factory: pytest.TempPathFactory, vendor: RunningVendor, postgres: dict[str, Any]
) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("cancel")
    (folder / "filmgate.toml").write_text(settings(vendor))
    with own_database(postgres) as dsn:
        gate = RealGate(folder / "data", environment={"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "x"})
        gate.start()
        yield gate
        assert gate.stop() == 0


def make(gate: RealGate, lie: str = "slow:60", **wanted: Any) -> str:
    prompt = f"a boat --mirage={lie}" if lie else "a boat"
    return gate.make(**{"prompt": prompt, "model": "sora-2", "seconds": 4, "size": "720x1280", **wanted})


def shown(gate: RealGate, id_: str) -> Any:
    return gate.ask("GET", f"/gate/v1/tasks/{id_}?attempts=true", key=gate.key).json


def until(gate: RealGate, id_: str, *states: str, within_s: float = 30) -> Any:
    give_up = time.monotonic() + within_s
    while (task := shown(gate, id_))["state"] not in states:
        assert time.monotonic() < give_up, task
        time.sleep(0.05)
    return task


def cancel(gate: RealGate, id_: str, path: str = "/gate/v1/tasks/{}/cancel") -> Any:
    return gate.ask("POST", path.format(id_), key=gate.key)


def held(gate: RealGate) -> int:
    """Give what the account holds; the books must be clean."""
    assert gate.ask("GET", "/admin/v1/ledger/check", key="sk-admin").json == {"clean": True, "findings": []}
    return int(gate.ask("GET", "/gate/v1/balance", key=gate.key).json["held_micros"])


def test_a_running_film_is_stopped_at_its_vendor_and_all_is_returned(
    gate: RealGate, vendor: RunningVendor
) -> None:
    id_ = make(gate)
    until(gate, id_, "generating")
    assert held(gate) == 400_000
    answer = cancel(gate, id_)
    assert (answer.status, answer.json["state"], answer.json["cancel"]) == (200, "cancelled", None)
    assert answer.headers["x-filmgate-cost"] == "0;state=returned"
    assert held(gate) == 0
    [ended] = vendor.events("ended")[-1:]
    assert (ended["status"], ended["cost_micros"]) == ("cancelled", 0)
    assert [one["state"] for one in shown(gate, id_)["attempts"]] == ["abandoned"]
    again = cancel(gate, id_)
    assert (again.status, again.json["state"]) == (200, "cancelled")


def test_a_waiting_film_is_cancelled_at_once_and_never_sent(gate: RealGate, vendor: RunningVendor) -> None:
    sent = len(vendor.events("accepted"))
    running = [make(gate) for _ in range(SLOTS)]
    for id_ in running:
        until(gate, id_, "generating")
    waiting = make(gate)
    answer = cancel(gate, waiting)
    assert (answer.status, answer.json["state"], shown(gate, waiting)["attempts"]) == (200, "cancelled", [])
    with ThreadPoolExecutor(SLOTS) as hands:
        states = list(hands.map(lambda id_: cancel(gate, id_).json["state"], running))
    assert states == ["cancelled"] * SLOTS
    assert len(vendor.events("accepted")) == sent + SLOTS
    assert held(gate) == 0


def test_a_vendor_that_needs_time_is_asked_and_confirms_later(gate: RealGate) -> None:
    id_ = make(gate, "slow:60,slow-cancel:5")
    until(gate, id_, "generating")
    answer = cancel(gate, id_)
    assert (answer.status, answer.json["state"], answer.json["cancel"]) == (202, "generating", "requested")
    assert answer.headers["x-filmgate-cost"] == "400000;state=held"
    assert until(gate, id_, "cancelled")["cost_micros"] == 0
    assert held(gate) == 0


@pytest.mark.parametrize(("model", "lie"), [("sora-2-pro", "slow:2"), ("sora-2", "slow:2,no-cancel")])
def test_where_it_cannot_be_stopped_the_answer_is_no_with_its_cost_and_the_film_goes_on(
    gate: RealGate, model: str, lie: str
) -> None:
    id_ = make(gate, lie, model=model)
    until(gate, id_, "generating")
    cost = shown(gate, id_)["hold_micros"]
    answer = cancel(gate, id_)
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (409, "cannot_cancel")
    assert error["details"]["cost_micros"] == cost > 0
    assert f"charged ${cost / 1_000_000:.2f}." in error["message"]
    task = gate.ended(id_)
    assert (task["state"], task["cost_micros"]) == ("succeeded", cost)


def test_a_lost_answer_is_asked_for_again(gate: RealGate) -> None:
    for lie in ("lost-cancel", "error-cancel"):
        id_ = make(gate, f"slow:60,{lie}")
        until(gate, id_, "generating")
        cancel(gate, id_)
        assert until(gate, id_, "cancelled")["cost_micros"] == 0


def test_a_vendor_that_goes_on_all_the_same_gives_a_film(gate: RealGate) -> None:
    id_ = make(gate, "slow:2,vain-cancel")
    until(gate, id_, "generating")
    assert cancel(gate, id_).status in {202, 409}
    task = gate.ended(id_)
    assert (task["state"], task["cost_micros"], task["cancel"]) == ("succeeded", 400_000, None)


def test_what_has_ended_stays_as_it_is(gate: RealGate) -> None:
    id_ = make(gate, "")
    assert gate.ended(id_)["state"] == "succeeded"
    answer = cancel(gate, id_)
    assert (answer.status, answer.json["error"]["code"]) == (409, "already_ended")
    own = cancel(gate, id_, "/openai/v1/videos/{}/cancel")
    assert (own.status, own.json["error"]["code"], own.headers["x-should-retry"]) == (
        400, "already_ended", "false",
    )  # fmt: skip


def test_who_it_does_not_belong_to_cancels_nothing(gate: RealGate) -> None:
    other = gate.ask("POST", "/admin/v1/keys", json_body={"name": "other"}, key="sk-admin").json["key"]
    id_ = make(gate)
    for path in (f"/gate/v1/tasks/{id_}/cancel", f"/v1/videos/{id_}/cancel", "/v1/videos/nobodys/cancel"):
        assert gate.ask("POST", path, key=other).status == 404
    assert gate.ask("POST", f"/admin/v1/tasks/{id_}/cancel", key=gate.key).status == 403
    assert shown(gate, id_)["state"] in {"queued", "generating"}
    operators = gate.ask("POST", f"/admin/v1/tasks/{id_}/cancel", key="sk-admin")
    assert (operators.status, operators.json["state"]) == (200, "cancelled")
    told = gate.ask("GET", f"/admin/v1/notices?kind=cancelled&task={id_}", key="sk-admin").json["data"]
    assert [one["text"] for one in told] == ["an operator cancels it"]


def test_openais_clients_cancel_and_delete(gate: RealGate) -> None:
    made = [
        gate.ask(
            "POST", "/v1/videos", json_body={"model": "sora-2", "prompt": "x --mirage=slow:60"}, key=gate.key
        ).json["id"]
        for _ in range(2)
    ]
    video = cancel(gate, made[0], "/v1/videos/{}/cancel")
    assert (video.status, video.json["id"], video.json["status"]) == (200, made[0], "failed")
    assert video.json["error"] == {"code": "cancelled", "message": "cancelled"}
    gone = gate.ask("DELETE", f"/v1/videos/{made[1]}", key=gate.key)
    assert gone.json == {"id": made[1], "object": "video.deleted", "deleted": True, "cancelled": True}
    assert gate.ask("GET", f"/v1/videos/{made[1]}", key=gate.key).status == 404
    assert gate.ask("DELETE", f"/v1/videos/{made[0]}", key=gate.key).json == {
        "id": made[0], "object": "video.deleted", "deleted": True,
    }  # fmt: skip
    assert held(gate) == 0


def test_what_cannot_be_stopped_is_not_deleted(gate: RealGate) -> None:
    id_ = make(gate, "slow:3", model="sora-2-pro")
    until(gate, id_, "generating")
    answer = gate.ask("DELETE", f"/gate/v1/tasks/{id_}", key=gate.key)
    assert (answer.status, answer.json["error"]["code"]) == (409, "cannot_cancel")
    assert gate.ended(id_)["state"] == "succeeded"
    assert gate.ask("DELETE", f"/gate/v1/tasks/{id_}", key=gate.key).status == 204


def test_the_animatic_stops_drawing(gate: RealGate) -> None:
    body = {"prompt": "a boat on a lake, rain", "model": "animatic", "seconds": 8, "size": "1280x720"}
    id_ = gate.make(**body)
    until(gate, id_, "generating")
    answer = cancel(gate, id_)
    assert (answer.status, answer.json["state"]) == (200, "cancelled")
    assert [path.name for path in (gate.data / "renders").iterdir() if id_ in path.name] == []


@pytest.mark.parametrize("clip", [1, 2])
def test_a_film_of_two_clips_is_cancelled_in_either(gate: RealGate, clip: int) -> None:
    slow = "--sandbox=slow:2"
    id_ = gate.make(prompt=f"a boat {slow}", prompt_extend="a whale", seconds=8, size="1280x720")
    until(gate, id_, "generating" if clip == 1 else "extending", within_s=60)
    answer = cancel(gate, id_)
    assert (answer.status, answer.json["state"], answer.json["cost_micros"]) == (200, "cancelled", 0)
    assert answer.json["film"] is None


def test_of_many_wishes_and_an_end_one_wins(gate: RealGate) -> None:
    made = [make(gate, f"slow:{0.2 * (no % 5):.1f}") for no in range(SLOTS)]
    with ThreadPoolExecutor(SLOTS * 2) as hands:
        answers = list(hands.map(lambda id_: cancel(gate, id_).status, made * 3))
    assert set(answers) <= {200, 202, 409}
    for id_ in made:
        task = gate.ended(id_)
        assert (task["state"], task["cost_micros"]) in {("cancelled", 0), ("succeeded", 400_000)}
    assert held(gate) == 0


def test_a_retry_is_a_new_task_of_the_same_request_at_a_price_of_its_own(gate: RealGate) -> None:
    id_ = make(gate, "slow:60", seed=7)
    assert gate.ask("POST", f"/gate/v1/tasks/{id_}/retry", json_body={}, key=gate.key).status == 409
    cancel(gate, id_)
    until(gate, id_, "cancelled")
    headers = {"Idempotency-Key": "again"}
    asked = [
        gate.ask("POST", f"/gate/v1/tasks/{id_}/retry", json_body={"seed": 8}, key=gate.key, headers=headers)
        for _ in range(2)
    ]
    new = asked[0].json
    assert ([one.status for one in asked], asked[1].json["id"]) == ([201, 201], new["id"])
    assert new["id"] != id_
    assert (new["prompt"], new["model"], new["hold_micros"]) == ("a boat --mirage=slow:60", "sora-2", 400_000)
    assert new["record"]["retry_of"] == id_
    cancel(gate, new["id"])
    twin = make(gate, "slow:60", seed=7)
    cancel(gate, twin)
    until(gate, twin, "cancelled")
    # Another task's retry is another wish, also where both ask for the same film.
    other = gate.ask(
        "POST", f"/gate/v1/tasks/{twin}/retry", json_body={"seed": 8}, key=gate.key, headers=headers
    )
    assert (other.status, other.json["error"]["code"]) == (422, "idempotency_mismatch")
    far = gate.ask("POST", f"/gate/v1/tasks/{id_}/retry", json_body={"model": "no"}, key=gate.key)
    assert (far.status, far.json["error"]["code"]) == (404, "model_not_found")


def test_a_picture_that_was_sent_along_is_sent_again(gate: RealGate, pictures: str) -> None:
    picture = gate.ask("GET", f"{pictures}/image.png").body

    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    id_ = make(gate, "slow:60", image=source)
    until(gate, id_, "generating")
    cancel(gate, id_)
    until(gate, id_, "cancelled")
    new = gate.ask("POST", f"/gate/v1/tasks/{id_}/retry", json_body={}, key=gate.key)
    assert new.status == 201, new.body
    until(gate, new.json["id"], "generating")
    cancel(gate, new.json["id"])


POINTS = ("cancel.after_claim", "cancel.before_question", "cancel.after_reply")


def test_a_death_anywhere_in_a_cancel_ends_in_one_cancelled_task(
    tmp_path: Path, vendor: RunningVendor, dsn: str
) -> None:
    (tmp_path / "filmgate.toml").write_text(settings(vendor))
    armed = ";".join(f"{name}=kill:{tmp_path}/{name}" for name in POINTS)
    environment = {"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "x", "FILMGATE_FAILPOINTS": armed}
    gate = RealGate(tmp_path / "data", environment=environment)
    gate.start()
    try:
        running = make(gate)
        until(gate, running, "generating")
        _cancel_through_deaths(gate, running)
        # Every place is taken, so that the next one waits.
        others = [make(gate) for _ in range(SLOTS)]
        for id_ in others:
            until(gate, id_, "generating")
        waiting = make(gate)
        _cancel_through_deaths(gate, waiting)
        for id_ in (running, waiting):
            assert until(gate, id_, "cancelled", within_s=60)["cost_micros"] == 0
        assert {path.name for path in tmp_path.iterdir() if path.name in POINTS} == set(POINTS)
        for id_ in others:
            cancel(gate, id_)
            until(gate, id_, "cancelled")
        assert held(gate) == 0
    finally:
        gate.kill()


def _cancel_through_deaths(gate: RealGate, id_: str) -> None:
    """Ask until it is answered, as somebody who sees a connection break does."""
    for _ in range(20):
        try:
            if cancel(gate, id_).status in {200, 202}:
                return
        except OSError:
            gate.wait_ready()
    raise AssertionError(gate.log.read_text()[-4000:])
