"""`/gate/v1` as its users meet it: quotes, models, lists, files, deadlines, and repeated submits."""

import time
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from kit.gates import Answer, RealGate

SMALL = {"prompt": "a paper boat", "model": "animatic", "seconds": 1, "size": "640x360"}
BASIS = {"provider": "animatic", "model": "animatic", "seconds": 1, "size": "640x360", "days": 30}


def get(gate: RealGate, path: str, key: str | None = None) -> Any:
    answer = gate.ask("GET", path, key=key or gate.key)
    assert answer.status == 200, answer.body
    return answer.json


@pytest.fixture
def slow(gate: RealGate) -> Iterator[tuple[str, list[str]]]:
    """A key of one film at a time; what is put into the list is cancelled afterwards."""
    name = f"slow{time.monotonic_ns()}"
    key = gate.new_key(name, account=name, max_running=1)
    made: list[str] = []
    yield key, made
    for id_ in made:
        gate.ask("POST", f"/gate/v1/tasks/{id_}/cancel", key=key)


def create(gate: RealGate, key: str, **wanted: Any) -> Answer:
    return gate.ask("POST", "/gate/v1/tasks", json_body=SMALL | wanted, key=key)


def test_a_quote_says_how_long_it_takes_and_what_is_left_after_it(gate: RealGate) -> None:
    key = gate.new_key("quoting", account="quoting", budget_micros=5_000_000, budget_period="month")
    said = gate.ask("POST", "/gate/v1/quote", json_body=SMALL, key=key).json
    amount = said["amount_micros"]
    assert said["budget"] == {"remaining_micros": 5_000_000, "after_micros": 5_000_000 - amount}
    assert (said["remaining_micros"], said["warnings"]) == (5_000_000, [])
    assert said["eta"]["basis"] == BASIS
    assert (said["eta"]["low_s"] is None) == (said["eta"]["sample"] < 8)
    unlimited = gate.ask("POST", "/gate/v1/quote", json_body=SMALL, key=gate.key).json
    assert unlimited["budget"] == {"remaining_micros": None, "after_micros": None}


def test_the_models_say_all_that_a_client_chooses_by(gate: RealGate) -> None:
    models = {model["name"]: model for model in get(gate, "/gate/v1/models")["data"]}
    animatic = models["animatic"]
    assert (animatic["available"], animatic["unavailable"]) == (True, None)
    assert animatic["eta"]["basis"]["provider"] == "animatic"
    for model in models.values():
        assert model["default_seconds"] in model["seconds"]
        assert all(len(ratio.split(":")) == 2 for ratio in model["ratios"])
        assert len(model["ratios"]) <= len(model["sizes"])
        assert model["available"] == (model["unavailable"] is None)
        for line in model["prices"]:
            assert set(line) == {"side", "sound", "unit", "unit_price_micros", "since"}
        assert not model["available"] or model["prices"]


def test_a_task_shows_its_place_and_what_it_waits_for(gate: RealGate, slow: tuple[str, list[str]]) -> None:
    key, made = slow
    first = create(gate, key, prompt="a boat --sandbox=slow:60").json
    made.append(first["id"])
    until = time.monotonic() + 30
    while get(gate, f"/gate/v1/tasks/{first['id']}", key)["started_at"] is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    made.append(create(gate, key).json["id"])
    time.sleep(1.1)
    second = get(gate, f"/gate/v1/tasks/{made[1]}", key)
    assert (second["state"], second["waiting_for"]) == ("queued", "your_limit")
    assert second["queue_position"] is not None
    assert (second["running_s"], second["waited_s"] > 1, second["progress_source"]) == (0, True, "none")
    running = get(gate, f"/gate/v1/tasks/{made[0]}", key)
    assert (running["queue_position"], running["waiting_for"], running["running_s"] > 1) == (None, None, True)


def test_a_key_that_does_not_wait_gets_429_in_its_dialects_form(gate: RealGate) -> None:
    key = gate.new_key("hasty", account="hasty", max_running=1, over_limit="refuse")
    first = create(gate, key, prompt="a boat --sandbox=slow:60")
    refused = create(gate, key)
    assert (refused.status, refused.json["error"]["code"]) == (429, "too_many_tasks")
    assert int(refused.headers["retry-after"]) > 0
    body = {"model": "sora-2", "prompt": "a boat", "seconds": "4"}
    openai = gate.ask("POST", "/openai/v1/videos", json_body=body, key=key)
    assert (openai.status, "retry-after" in openai.headers) == (429, True)
    assert set(openai.json["error"]) >= {"message", "type"}
    gate.ask("POST", f"/gate/v1/tasks/{first.json['id']}/cancel", key=key)
    gate.ended(first.json["id"], key=key)
    again = create(gate, key, prompt="a boat --sandbox=fail")
    assert again.status == 201


def test_what_has_not_begun_by_its_deadline_ends_for_nothing(
    gate: RealGate, slow: tuple[str, list[str]]
) -> None:
    key, made = slow
    made.append(create(gate, key, prompt="a boat --sandbox=slow:60").json["id"])
    late = create(gate, key, deadline_s=1).json
    assert (
        datetime.fromisoformat(late["start_by"]) - datetime.fromisoformat(late["created_at"])
    ).seconds == 1
    ended = gate.ended(late["id"], key=key, within_s=40)
    assert (ended["state"], ended["error"]["code"], ended["cost_micros"]) == ("expired", "not_started", 0)
    assert "1 s" in ended["error"]["message"]


def test_what_has_begun_by_its_deadline_goes_on(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=slow:4", deadline_s=2)
    assert gate.ended(id_)["state"] == "succeeded"


@pytest.mark.parametrize("deadline_s", [0, -1, 86_401, "10", 1.5])
def test_an_absurd_deadline_is_refused(gate: RealGate, deadline_s: object) -> None:
    answer = create(gate, gate.key, deadline_s=deadline_s)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (400, "deadline_s")


def test_a_finished_film_claims_no_remaining_time(gate: RealGate, film_id: str) -> None:
    task = get(gate, f"/gate/v1/tasks/{film_id}")
    assert (task["progress"], task["progress_source"], task["eta"]) == (100, "measured", None)
    assert (task["queue_position"], task["waiting_for"], task["queue_eta"]) == (None, None, None)
    assert task["urls"]["events"].endswith(f"/gate/v1/tasks/{film_id}/events")
    assert task["urls"]["console"].endswith(f"#{film_id}")
    assert task["urls"]["video"]


def test_a_film_has_a_strip_of_ten_frames_to_scrub_through(gate: RealGate, film_id: str) -> None:
    answer = gate.ask("GET", f"/gate/v1/tasks/{film_id}/files/filmstrip.webp", key=gate.key)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    with Image.open(BytesIO(answer.body)) as strip:
        assert strip.format == "WEBP"
        width, height = strip.size
    assert width == 10 * round(height * 16 / 9)


def test_files_are_given_whole_by_range_and_as_head(gate: RealGate, film_id: str) -> None:
    path = f"/gate/v1/tasks/{film_id}/files/video.mp4"
    whole = gate.ask("GET", path, key=gate.key)
    head = gate.ask("HEAD", path, key=gate.key)
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(whole.body)), b"")
    part = gate.ask("GET", path, key=gate.key, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20])


@pytest.mark.parametrize("file", ["video.webp", "video", "thumbnail.jpg", "input.png", "video.mp4.mp4"])
def test_a_file_of_another_name_is_not_there(gate: RealGate, film_id: str, file: str) -> None:
    assert gate.ask("GET", f"/gate/v1/tasks/{film_id}/files/{file}", key=gate.key).status == 404


def test_lists_are_narrowed_by_state_model_and_words(gate: RealGate) -> None:
    key = gate.new_key("listing", account="listing")
    prompts = ["100% sure", "a boat_1", "ein Boot"]
    made = {p: create(gate, key, prompt=f"{p} --sandbox=fail").json["id"] for p in prompts}
    for id_ in made.values():
        gate.ended(id_, key=key)

    def listed(query: str) -> list[str]:
        return [task["id"] for task in get(gate, f"/gate/v1/tasks?{query}", key)["data"]]

    newest_first = list(reversed(made.values()))
    assert listed("") == listed("state=failed") == listed("model=animatic") == newest_first
    assert listed("q=BOOT") == [made["ein Boot"]]
    assert listed("q=100%25") == listed("q=100%25+sure") == [made["100% sure"]]
    assert listed("q=t_1") == [made["a boat_1"]]
    assert listed("q=%25") == [made["100% sure"]]
    assert listed(f"q={made['ein Boot']}") == [made["ein Boot"]]
    assert listed("model=sora-2") == listed("state=succeeded") == listed("q=whale") == []
    assert listed(f"q=sandbox&limit=1&cursor={newest_first[0]}") == [newest_first[1]]
    assert gate.ask("GET", "/gate/v1/tasks?q=%00", key=key).status == 400


def test_a_repeated_submit_is_answered_alike_after_its_source_is_gone(gate: RealGate) -> None:
    source = gate.make(prompt="a boat that somebody varies")
    name = gate.ended(source)["name"]
    headers = {"Idempotency-Key": f"remix-{source}"}
    address = f"/openai/v1/videos/{name}/remix"

    def remix(prompt: str) -> Answer:
        return gate.ask("POST", address, json_body={"prompt": prompt}, key=gate.key, headers=headers)

    words = "a whale --sandbox=fail"
    first = remix(words)
    assert first.status == 200, first.body
    gate.ended(first.json["id"])
    assert gate.ask("DELETE", f"/gate/v1/tasks/{source}", key=gate.key).status == 204
    again = remix(words)
    assert (again.status, again.json["id"]) == (200, first.json["id"])
    assert again.headers["idempotent-replayed"] == "true"
    assert remix("another whale").status == 422
    headers = {}
    assert remix(words).status in {400, 404}
