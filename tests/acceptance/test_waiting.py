"""Waiting without polling: long-poll, and streams of one task and of all of an account's."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.limits import EVENT_STREAMS_OF_KEY
from kit.gates import RealGate


@contextmanager
def stream(gate: RealGate, path: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Open a stream of events; give them one by one, and comments as `{"comment": ...}`."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=30)
    said = {"Authorization": f"Bearer {gate.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    connection.request("GET", path, headers=said)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    assert answer.headers["content-type"].startswith("text/event-stream")
    try:
        yield _events(answer)
    finally:
        connection.close()


def _events(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    give_up = time.monotonic() + 60
    for raw in answer:
        assert time.monotonic() < give_up, "the stream goes on and on"
        line = raw.decode().removesuffix("\n")
        name, _, value = line.partition(": ")
        if line == "":
            if event:
                yield event
            event = {}
        elif name == "":
            event["comment"] = value
        else:
            event[name] = json.loads(value) if name == "data" else value


def test_a_long_poll_answers_as_soon_as_the_task_changes(gate: RealGate) -> None:
    id_ = gate.make(seconds=2)
    version, states = 0, []
    give_up = time.monotonic() + 60
    while True:
        began = time.monotonic()
        task = gate.ask("GET", f"/gate/v1/tasks/{id_}?wait=30&after={version}", key=gate.key).json
        assert task["version"] > version
        assert time.monotonic() - began < 20
        version = task["version"]
        states.append(task["state"])
        if task["ended_at"]:
            break
        assert time.monotonic() < give_up
    assert states[-1] == "succeeded"
    assert len(states) < 25


def test_a_long_poll_that_nothing_happens_to_answers_unchanged_after_its_time(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=slow:60")
    version = gate.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json["version"]
    began = time.monotonic()
    answer = gate.ask("GET", f"/gate/v1/tasks/{id_}?wait=1&after={version + 100}", key=gate.key)
    assert answer.status == 200
    assert 0.9 < time.monotonic() - began < 5
    assert gate.ask("GET", f"/gate/v1/tasks/{id_}?wait=61", key=gate.key).status == 400
    assert gate.ask("POST", f"/gate/v1/tasks/{id_}/cancel", key=gate.key).status in {200, 202}
    gate.ended(id_)


def test_a_stream_tells_of_a_task_from_how_it_stands_to_its_end(gate: RealGate) -> None:
    id_ = gate.make(seconds=2)
    with stream(gate, f"/gate/v1/tasks/{id_}/events") as events:
        told = [event for event in events if "comment" not in event]
    assert told[0]["event"] == "task.phase"
    assert [event["event"] for event in told].count("task.done") == 1
    assert (told[-1]["event"], told[-1]["data"]["state"], told[-1]["data"]["progress"]) == (
        "task.done",
        "succeeded",
        100,
    )
    versions = [int(event["id"]) for event in told]
    assert versions == sorted(set(versions))
    assert versions == [event["data"]["version"] for event in told]
    progress = [event["data"]["progress"] for event in told]
    assert progress == sorted(progress)
    assert told[-1]["data"] == {
        key: value
        for key, value in gate.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json.items()
        if key in told[-1]["data"]
    } | {"urls": told[-1]["data"]["urls"]}


def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=slow:2")
    with stream(gate, f"/gate/v1/tasks/{id_}/events") as events:
        first = next(events)
    with stream(gate, f"/gate/v1/tasks/{id_}/events", Last_Event_ID=first["id"]) as events:
        told = [event for event in events if "comment" not in event]
    assert all(int(event["id"]) > int(first["id"]) for event in told)
    assert told[-1]["event"] == "task.done"
    over = gate.ask(
        "GET",
        f"/gate/v1/tasks/{id_}/events",
        key=gate.key,
        headers={"Last-Event-ID": told[-1]["id"]},
    )
    assert over.status == 204
    odd = gate.ask("GET", f"/gate/v1/tasks/{id_}/events", key=gate.key, headers={"Last-Event-ID": "x"})
    assert b"task.done" in odd.body


def test_a_stream_of_another_owners_task_does_not_exist(gate: RealGate, film_id: str) -> None:
    other = gate.ask("POST", "/admin/v1/keys", json_body={"name": "waiter"}, key="sk-admin").json["key"]
    assert gate.ask("GET", f"/gate/v1/tasks/{film_id}/events", key=other).status == 404
    assert gate.ask("GET", f"/gate/v1/tasks/{film_id}/events").status == 401


def test_one_stream_tells_of_all_tasks_of_an_account_and_of_no_other(gate: RealGate) -> None:
    other = gate.ask("POST", "/admin/v1/keys", json_body={"name": "neighbour"}, key="sk-admin").json["key"]
    running = gate.make(prompt="a boat --sandbox=slow:2")
    with stream(gate, "/gate/v1/events") as events:
        first = next(event for event in events if event.get("data", {}).get("id") == running)
        assert first["event"] in {"task.phase", "task.done"}
        body = {"prompt": "a whale", "seconds": 1, "size": "640x360"}
        foreign = gate.ask("POST", "/gate/v1/tasks", json_body=body, key=other).json["id"]
        mine = gate.make()
        done: set[str] = set()
        seen: set[str] = set()
        last = 0
        for event in events:
            if "comment" in event:
                continue
            assert int(event["id"]) >= last
            last = int(event["id"])
            seen.add(event["data"]["id"])
            if event["event"] == "task.done":
                done.add(event["data"]["id"])
            if {running, mine} <= done:
                break
    assert foreign not in seen
    late = gate.make()
    gate.ended(late)
    with stream(gate, "/gate/v1/events", Last_Event_ID=str(last)) as events:
        missed = next(event for event in events if event.get("data", {}).get("id") == late)
    assert missed["event"] == "task.done"


def test_a_stream_ends_when_the_gate_stops_and_the_gate_stops_in_time(tmp_path: Path, dsn: str) -> None:
    gate = RealGate(tmp_path / "data", environment={"FILMGATE_DATABASE_URL": dsn})
    gate.start()
    id_ = gate.make(prompt="a boat --sandbox=slow:20")
    ended = threading.Event()

    def listen(path: str) -> None:
        with stream(gate, path) as events:
            for _ in events:
                pass
        ended.set()

    threads = [
        threading.Thread(target=listen, args=(path,))
        for path in (f"/gate/v1/tasks/{id_}/events", "/gate/v1/events")
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    began = time.monotonic()
    assert gate.stop() == 0
    assert time.monotonic() - began < 25
    for thread in threads:
        thread.join(5)
    assert ended.is_set()


@pytest.mark.parametrize("workers", [2])
def test_a_change_in_one_process_is_told_by_another(tmp_path: Path, dsn: str, workers: int) -> None:
    gate = RealGate(
        tmp_path / "data",
        arguments=("--web-workers", str(workers)),
        environment={"FILMGATE_DATABASE_URL": dsn},
    )
    gate.start()
    try:
        id_ = gate.make(seconds=2)
        with stream(gate, f"/gate/v1/tasks/{id_}/events") as events:
            told = [event["event"] for event in events if "comment" not in event]
        assert told[-1] == "task.done"
    finally:
        gate.kill()


def test_a_key_may_listen_only_so_often_at_once(gate: RealGate) -> None:
    key = gate.new_key("listeners", account="listeners")
    open_ones = []
    for _ in range(EVENT_STREAMS_OF_KEY):
        connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=30)
        connection.request("GET", "/gate/v1/events", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        assert answer.status == 200
        open_ones.append((connection, answer))
    refused = gate.ask("GET", "/gate/v1/events", key=key)
    assert (refused.status, refused.json["error"]["code"]) == (429, "too_many_streams")
    assert int(refused.headers["retry-after"]) > 0
    for connection, answer in open_ones:
        # Closing one half leaves the socket to its answer.
        answer.close()
        connection.close()
    give_up = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=30)
        connection.request("GET", "/gate/v1/events", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        status = answer.status
        answer.close()
        connection.close()
        if status == 200:
            break
        assert time.monotonic() < give_up
        time.sleep(0.5)
