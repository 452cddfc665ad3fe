"""Replies that are lost: with a vendor that can be asked all is found, without one an operator decides; never two films."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.databases import own_database, sql
from kit.gates import RealGate
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor

TASKS = 40
LOST = "0.25"


# Nobody waits a minute and a half here until nothing that was sent can still arrive.
LEASE_S = 10
SHORTER = f"""
from datetime import timedelta
from filmgate.domain import limits
limits.SUBMIT_SECONDS, limits.SUBMIT_LEASE = 2.0, timedelta(seconds={LEASE_S})
"""


def start(folder: Path, dsn: str, options: str, *arguments: str) -> tuple[RealGate, RunningVendor]:
    vendor = start_vendor(
        folder / "vendor", "--takes", "0.2", "--lose-replies", LOST, "--seed", "7", *arguments
    )
    (folder / "filmgate.toml").write_text(
        provider_table("vendor", vendor, options, "{ in_flight = 100 }") + route_table("sora-2", "vendor")
    )
    (folder / "sitecustomize.py").write_text(SHORTER)
    paths = ":".join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    gate = RealGate(
        folder / "data",
        environment={"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "x", "PYTHONPATH": paths},
    )
    gate.start()
    return gate, vendor


def make(gate: RealGate, no: int) -> str:
    return gate.make(prompt=f"boat {no}", model="sora-2", seconds=4, size="720x1280")


def drawn_once(vendor: RunningVendor) -> bool:
    return set(Counter(event["prompt_sha256"] for event in vendor.events("accepted")).values()) == {1}


def audit(gate: RealGate) -> Any:
    return gate.ask("GET", "/admin/v1/ledger/check", key="sk-admin").json


def listed(gate: RealGate, query: str) -> list[dict[str, Any]]:
    answer = gate.ask("GET", f"/admin/v1/tasks?limit=100&{query}", key="sk-admin")
    assert answer.status == 200, answer.body
    return list(answer.json["data"])


def test_with_a_vendor_that_can_be_asked_every_task_succeeds_and_none_is_drawn_twice(
    tmp_path: Path, dsn: str
) -> None:
    gate, vendor = start(
        tmp_path, dsn, "{ find = true, visible_after_s = 5 }", "--lookup", "--visible-after", "1"
    )
    try:
        tasks = [gate.ended(id_, within_s=120) for id_ in [make(gate, no) for no in range(TASKS)]]
        assert Counter(task["state"] for task in tasks) == {"succeeded": TASKS}
        assert {len(task["attempts"]) for task in tasks} == {1}
        lost = [event for event in vendor.events("lied") if event["lie"] == "lost-reply"]
        assert len(lost) > TASKS * 0.1
        assert drawn_once(vendor)
        assert audit(gate) == {"clean": True, "findings": []}
    finally:
        gate.kill()
        vendor.stop()


@pytest.fixture(scope="module")
def blind(
    tmp_path_factory: pytest.TempPathFactory, postgres: dict[str, Any]
) -> Iterator[tuple[RealGate, RunningVendor]]:
    """A gate whose vendor cannot be asked, once nothing moves there any more."""
    with own_database(postgres) as dsn:
        gate, vendor = start(tmp_path_factory.mktemp("blind"), dsn, "{}")
        made = [make(gate, no) for no in range(TASKS)]
        lost = {event["key"].partition(".")[0] for event in _lost(vendor, made)}
        for id_ in set(made) - lost:
            gate.ended(id_)
        yield gate, vendor
        gate.kill()
        vendor.stop()


def _lost(vendor: RunningVendor, made: list[str]) -> list[dict[str, Any]]:
    give_up = time.monotonic() + 60
    while len(vendor.events("accepted")) < len(made):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return [event for event in vendor.events("lied") if event["lie"] == "lost-reply"]


def uncertain(gate: RealGate) -> list[str]:
    return [task["id"] for task in listed(gate, "uncertain=true")]


def resolve(gate: RealGate, id_: str, **said: Any) -> Any:
    return gate.ask("POST", f"/admin/v1/tasks/{id_}/resolve", json_body=said, key="sk-admin")


def test_without_a_look_up_the_lost_ones_wait_for_a_decision(blind: tuple[RealGate, RunningVendor]) -> None:
    gate, vendor = blind
    waiting = uncertain(gate)
    assert set(waiting) == {event["key"].partition(".")[0] for event in _lost(vendor, waiting)}
    shown = gate.ask("GET", f"/admin/v1/tasks/{waiting[0]}", key="sk-admin").json
    [attempt] = shown["attempts"]
    assert (shown["uncertain"], shown["work"]["step"]) == (True, "reconcile")
    assert (attempt["state"], attempt["error_class"], attempt["provider"]) == (
        "uncertain",
        "uncertain",
        "vendor",
    )
    assert attempt["error_text"]
    assert gate.ask("GET", f"/gate/v1/tasks/{waiting[0]}", key=gate.key).json["state"] in {
        "queued",
        "generating",
    }
    assert drawn_once(vendor)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"outcome": "found"},
        {"outcome": "absent", "ref": "x"},
        {"outcome": "found", "ref": "a b"},
        {"outcome": "no"},
    ],
)
def test_a_decision_that_cannot_be_meant_is_refused(
    blind: tuple[RealGate, RunningVendor], said: dict[str, Any]
) -> None:
    gate, _ = blind
    answer = resolve(gate, uncertain(gate)[0], **said)
    assert (answer.status, answer.json["error"]["code"]) in {
        (400, "invalid_parameter"),
        (400, "missing_parameter"),
    }
    done = listed(gate, "state=succeeded")[0]["id"]
    assert resolve(gate, done, outcome="absent").json["error"]["code"] == "not_uncertain"
    assert resolve(gate, "nobodys", outcome="absent").status == 404
    assert gate.ask("POST", f"/admin/v1/tasks/{done}/resolve", json_body={}, key=gate.key).status == 403


def test_each_decision_settles_its_task(blind: tuple[RealGate, RunningVendor]) -> None:
    gate, vendor = blind
    found, absent, given_up = uncertain(gate)[:3]
    ref = next(event["ref"] for event in vendor.events("accepted") if event["key"].startswith(found))
    answer = resolve(gate, found, outcome="found", ref=ref, note="seen in the list")
    assert (answer.status, answer.json["attempts"][0]["vendor_ref"]) == (200, ref)
    assert gate.ended(found)["state"] == "succeeded"
    assert resolve(gate, given_up, outcome="give_up").json["state"] == "failed"
    lost = gate.ask("GET", f"/gate/v1/tasks/{given_up}", key=gate.key).json
    assert (lost["error"]["code"], lost["cost_micros"]) == ("outcome_uncertain", 0)
    sql(gate.environment["FILMGATE_DATABASE_URL"], "update film.attempts set sent_at = now()")
    answer = resolve(gate, absent, outcome="absent")
    assert (answer.status, answer.json["error"]["code"]) == (409, "on_its_way")
    assert 0 < int(answer.headers["retry-after"]) <= LEASE_S
    sql(
        gate.environment["FILMGATE_DATABASE_URL"],
        f"update film.attempts set sent_at = now() - interval '{LEASE_S + 1} s'",  # noqa: S608  # our own text
    )
    # The gate itself may have seen less of that clock.
    while (answer := resolve(gate, absent, outcome="absent")).status == 409:
        assert int(answer.headers["retry-after"]) <= LEASE_S
        time.sleep(int(answer.headers["retry-after"]))
    assert answer.status == 200
    give_up = time.monotonic() + 30
    while len(attempts := gate.ask("GET", f"/admin/v1/tasks/{absent}", key="sk-admin").json["attempts"]) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    assert attempts[0]["state"] == "lost"
    kinds = gate.ask("GET", "/admin/v1/notices?kind=resolved", key="sk-admin").json["data"]
    assert {one["task_id"] for one in kinds} == {found, absent, given_up}
    again = gate.ask(
        "POST",
        f"/admin/v1/tasks/{given_up}/retry",
        json_body={"note": "the vendor is well again"},
        key="sk-admin",
    )
    assert (again.status, again.json["account"]) == (201, "local")
    assert (
        gate.ask("POST", f"/admin/v1/tasks/{found}/retry", json_body={"note": "x"}, key="sk-admin").status
        == 409
    )
    assert audit(gate) == {"clean": True, "findings": []}


def test_a_death_in_a_decision_leaves_it_to_be_made_again(tmp_path: Path, dsn: str) -> None:
    vendor = start_vendor(tmp_path / "vendor", "--lie", "lost-reply")
    (tmp_path / "filmgate.toml").write_text(
        provider_table("vendor", vendor, "{}") + route_table("sora-2", "vendor")
    )
    armed = f"resolve.after_claim=kill:{tmp_path}/died"
    environment = {"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "x", "FILMGATE_FAILPOINTS": armed}
    gate = RealGate(tmp_path / "data", environment=environment)
    gate.start()
    try:
        id_ = make(gate, 0)
        _lost(vendor, [id_])
        while uncertain(gate) != [id_]:
            time.sleep(0.1)
        with pytest.raises(ConnectionError):
            resolve(gate, id_, outcome="give_up")
        gate.wait_ready()
        assert (tmp_path / "died").exists()
        assert uncertain(gate) == [id_]
        assert resolve(gate, id_, outcome="give_up").json["state"] == "failed"
        assert audit(gate) == {"clean": True, "findings": []}
    finally:
        gate.kill()
        vendor.stop()


def test_operators_page_through_everybodys_tasks(blind: tuple[RealGate, RunningVendor]) -> None:
    gate, _ = blind
    everybody = [task["id"] for task in listed(gate, "account=local")]
    paged: list[str] = []
    cursor = ""
    while True:
        page = gate.ask("GET", f"/admin/v1/tasks?limit=15{cursor}", key="sk-admin").json
        paged += [task["id"] for task in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == everybody == sorted(everybody, reverse=True)
    assert listed(gate, "account=nobody") == listed(gate, "parked=true") == []
    assert {task["state"] for task in listed(gate, "state=failed")} == {"failed"}
