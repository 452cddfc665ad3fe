"""The newapi relay's forms: films of one clip shown flat, films of two in the envelope, and what each state shows."""

import base64
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from filmgate.store.embedded.address import address_of
from kit.gates import Answer, RealGate
from kit.wires import File, Json, Measure, changed, opened, picture, post_form, watched

ENVELOPE_KEYS = {
    "id", "created_at", "updated_at", "task_id", "platform", "user_id", "channel_id", "quota", "action", "status",
    "fail_reason", "submit_time", "start_time", "finish_time", "progress", "properties", "data",
}  # fmt: skip
DATA_KEYS = {"id", "object", "model", "status", "progress", "created_at"}
TASK_ID, REMIX_ID = re.compile("task_[0-9A-Za-z]{32}"), re.compile("video_[0-9a-f-]{36}")
FAILS = "a boat --sandbox=fail"
SMALL = [("model", "animatic"), ("seconds", "1"), ("size", "640x360")]
SMALL_JSON: Json = {"model": "animatic", "seconds": 1, "size": "640x360"}

Parts = Sequence[tuple[str, str | File]]


def status(body: Json) -> str:
    return str(body.get("data", body)["status"])


def submitted(gate: RealGate, key: str, *parts: tuple[str, str | File], mount: str = "") -> Json:
    answer = post_form(gate, f"{mount}/v1/videos", parts, key)
    assert answer.status == 200, answer.body
    assert answer.headers["x-filmgate-dialect"] == "newapi"
    return dict(answer.json)


def course(gate: RealGate, key: str, *parts: tuple[str, str | File], mount: str = "") -> list[Json]:
    first = submitted(gate, key, *parts, mount=mount)
    return [first, *watched(gate, f"/v1/videos/{first.get('task_id', first['id'])}", key, status)]


@pytest.fixture(scope="session")
def courses(gate: RealGate, strict_key: str, pictures: str) -> dict[str, list[Json]]:
    """Films made at once, each with all that was seen of it."""
    given = f"data:image/png;base64,{base64.b64encode(picture(colour='#2040c0')).decode()}"
    animatic: dict[str, Any] = {"mount": "/newapi"}
    asked: dict[str, tuple[Parts, Any]] = {
        # The document's own model with its three ways to send a picture.
        "completed": (
            [
                ("model", "veo_3_1-fast-remix"),
                ("prompt", "a paper boat on a lake"),
                ("prompt_extend", "it sails on into the night"),
                ("size", "1280x720"),
                ("input_reference[]", File(picture(colour="#c03020"))),
                ("input_reference[]", f"{pictures}/image.png"),
                ("input_reference[]", given),
            ],
            {},
        ),
        "generate_failed": (
            [
                ("model", "veo_3_1-fast-remix"),
                ("prompt", "a boat --sandbox=filtered"),
                ("prompt_extend", "it sails on"),
            ],
            {},
        ),
        "extend_failed": (
            [*SMALL, ("prompt", "a boat --sandbox=extend-fail"), ("prompt_extend", "it sails on")],
            animatic,
        ),
    }  # fmt: skip
    with ThreadPoolExecutor() as pool:
        running = {
            name: pool.submit(course, gate, strict_key, *parts, **more)
            for name, (parts, more) in asked.items()
        }
        return {name: film.result() for name, film in running.items()}


def test_the_envelope_has_the_documented_keys_from_the_submit_to_the_end(
    courses: dict[str, list[Json]],
) -> None:
    for name, seen in courses.items():
        for body in seen:
            assert set(body) - {"result_url"} == ENVELOPE_KEYS, name
            assert ("result_url" in body) == (body["status"] == "SUCCESS")
            assert isinstance(body["id"], int)
            assert TASK_ID.fullmatch(body["task_id"])
            assert TASK_ID.fullmatch(body["data"]["id"])
            assert body["data"]["id"] != body["task_id"]
            assert set(body["properties"]) == {"upstream_model_name", "origin_model_name"}
            assert re.fullmatch(r"\d{1,3}%", body["progress"])
        assert len({(body["id"], body["task_id"], body["data"]["id"]) for body in seen}) == 1
    states = [(body["status"], body["data"]["status"]) for body in courses["completed"]]
    assert list(dict.fromkeys(states)) == [
        ("SUBMITTED", "queued"), ("IN_PROGRESS", "processing"), ("SUCCESS", "completed"),
    ]  # fmt: skip
    assert courses["completed"][-1]["action"] == "referenceGenerate"
    assert courses["extend_failed"][-1]["action"] == "textGenerate"


def test_progress_is_below_fifty_for_the_first_clip_and_never_falls(courses: dict[str, list[Json]]) -> None:
    seen = courses["completed"]
    progress = [body["data"]["progress"] for body in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 100
    for body in seen:
        assert body["progress"] == f"{body['data']['progress']}%"
        if body["status"] == "IN_PROGRESS":
            extending = "remix_id_extend" in body["data"]
            assert body["data"]["progress"] in (range(50, 100) if extending else range(50))


def test_each_state_shows_what_the_documents_matrix_says(courses: dict[str, list[Json]]) -> None:
    seen = courses["completed"]
    running = [body["data"] for body in seen if body["status"] == "IN_PROGRESS"]
    early = [data for data in running if "remix_id_extend" not in data]
    late = [data for data in running if "remix_id_extend" in data]
    assert set(seen[0]["data"]) == DATA_KEYS
    assert early
    assert late
    assert all(set(data) in (DATA_KEYS, DATA_KEYS | {"remix_id"}) for data in early)
    assert set(early[-1]) == DATA_KEYS | {"remix_id"}
    assert all(set(data) == DATA_KEYS | {"remix_id", "remix_id_extend"} for data in late)
    both = DATA_KEYS | {"remix_id", "remix_id_extend"}
    ends = {name: films[-1]["data"] for name, films in courses.items()}
    assert {name: set(data) for name, data in ends.items()} == {
        "completed": both | {"completed_at", "video_url", "first_video_url"},
        "extend_failed": both | {"video_url", "error"},
        "generate_failed": DATA_KEYS | {"remix_id", "error"},
    }
    assert REMIX_ID.fullmatch(ends["completed"]["remix_id"])
    assert REMIX_ID.fullmatch(ends["completed"]["remix_id_extend"])
    assert {data["remix_id"] for data in running if "remix_id" in data} == {ends["completed"]["remix_id"]}


def test_a_finished_film_of_two_clips_is_fifteen_seconds_and_its_first_eight(
    gate: RealGate, courses: dict[str, list[Json]]
) -> None:
    done = courses["completed"][-1]
    assert done["fail_reason"] == done["result_url"]
    assert f"/v1/videos/{done['data']['id']}/content" in done["result_url"]
    assert done["data"]["video_url"].endswith(".mp4")
    assert opened(gate, done["result_url"]) == Measure(1280, 720, 15.0)
    assert opened(gate, done["data"]["first_video_url"]) == Measure(1280, 720, 8.0)
    assert gate.ask("GET", done["result_url"]).body == gate.ask("GET", done["data"]["video_url"]).body
    times = [done[name] for name in ("created_at", "start_time", "finish_time")]
    assert times == sorted(times)


def test_the_result_address_needs_no_key_and_opens_nothing_else(
    gate: RealGate, courses: dict[str, list[Json]]
) -> None:
    address = courses["completed"][-1]["result_url"]
    part = gate.ask("GET", address, headers={"Range": "bytes=0-9", "Referer": "https://elsewhere.test/"})
    assert (part.status, len(part.body)) == (206, 10)
    for at in (address.index("/s/") + 3, address.index("/s/") + 20, address.index("/task_") + 8):
        assert gate.ask("GET", changed(address, at)).status == 404
    bare = gate.ask("GET", re.sub(r"/s/[^/]+", "", address))
    assert bare.status == 401


def test_a_failed_extension_keeps_its_first_film(gate: RealGate, courses: dict[str, list[Json]]) -> None:
    failed = courses["extend_failed"][-1]
    assert (failed["status"], failed["progress"], failed["data"]["progress"]) == ("FAILURE", "50%", 50)
    assert failed["data"]["error"]["code"] == "extend_failed"
    assert failed["data"]["error"]["message"] == failed["fail_reason"]
    assert failed["fail_reason"].startswith("第一段视频生成成功,但二创失败:")
    assert failed["fail_reason"].endswith("(E-2003)")
    assert opened(gate, failed["data"]["video_url"]) == Measure(640, 360, 1.0)


def test_a_failed_first_clip_leaves_nothing_and_costs_nothing(courses: dict[str, list[Json]]) -> None:
    failed = courses["generate_failed"][-1]
    assert (failed["status"], failed["progress"], failed["data"]["progress"]) == ("FAILURE", "0%", 0)
    assert failed["quota"] == 0
    assert failed["data"]["error"] == {"code": "generate_failed", "message": failed["fail_reason"]}
    assert failed["fail_reason"].startswith("视频生成失败:")
    assert failed["fail_reason"].endswith("(E-1005)")


def test_a_plain_key_reads_all_of_that_and_more(
    gate: RealGate, courses: dict[str, list[Json]], plain_key: str
) -> None:
    for seen in courses.values():
        strict = seen[-1]
        more = gate.ask("GET", f"/v1/videos/{strict['task_id']}", key=plain_key).json
        assert {**strict, "data": None}.items() <= {**more, "data": None}.items()
        assert strict["data"].items() <= more["data"].items()
        if strict["status"] == "SUCCESS":
            assert more["url"] == more["video_url"] == strict["data"]["video_url"]
        else:
            assert more["error"] == strict["data"]["error"]


def extend(gate: RealGate, key: str, **named: str) -> Answer:
    parts = [("model", "veo_3_1-fast-extend"), ("prompt", "it turns around"), *named.items()]
    return post_form(gate, "/v1/videos", parts, key)


def test_a_failed_extension_is_made_again_by_its_remix_id(
    gate: RealGate, courses: dict[str, list[Json]], strict_key: str
) -> None:
    remix_id = courses["extend_failed"][-1]["data"]["remix_id"]
    again = extend(gate, strict_key, remix_id=remix_id).json
    assert set(again) == {
        "id", "task_id", "object", "model", "status", "progress", "created_at", "size", "remixed_from_video_id",
    }  # fmt: skip
    assert again["id"] == again["task_id"]
    assert again["remixed_from_video_id"] == remix_id.removeprefix("video_")
    done = watched(gate, f"/v1/videos/{again['task_id']}", strict_key, status)[-1]
    assert set(done) == ENVELOPE_KEYS | {"result_url"}
    assert done["data"]["remix_id"] == remix_id
    assert opened(gate, done["data"]["video_url"]) == Measure(640, 360, 8.0)


def test_an_extension_is_refused_by_any_other_name_and_to_strangers(
    gate: RealGate, courses: dict[str, list[Json]], strict_key: str
) -> None:
    failed, unmade = courses["extend_failed"][-1], courses["generate_failed"][-1]
    for key, named in (
        (strict_key, {"remix_id": failed["task_id"]}),
        (strict_key, {"remix_id": failed["data"]["id"]}),
        (strict_key, {"remix_id": failed["data"]["remix_id_extend"]}),
        (strict_key, {"remix_id": "video_00000000-0000-0000-0000-000000000000"}),
        (strict_key, {"remix_id": unmade["data"]["remix_id"]}),
        (strict_key, {"task_id": failed["task_id"]}),
        (strict_key, {}),
        (gate.key, {"remix_id": failed["data"]["remix_id"]}),
    ):
        answer = extend(gate, key, **named)
        assert (answer.status, answer.json["code"]) == (400, "invalid_request"), named
        assert set(answer.json) == {"code", "message", "data"}
        assert "remix_id" in answer.json["message"]


async def test_an_extension_is_refused_after_twelve_hours(
    gate: RealGate, courses: dict[str, list[Json]], strict_key: str
) -> None:
    failed = courses["extend_failed"][-1]
    connection = await asyncpg.connect(**address_of(gate.data).connect_arguments)
    age = "update film.tasks set ended_at = ended_at - $1::interval where number = $2"
    try:
        await connection.execute(age, timedelta(hours=12, seconds=1), failed["id"])
        answer = extend(gate, strict_key, remix_id=failed["data"]["remix_id"])
    finally:
        await connection.execute(age, -timedelta(hours=12, seconds=1), failed["id"])
        await connection.close()
    assert (answer.status, answer.json["code"]) == (400, "invalid_request")
    assert "12" in answer.json["message"]


def test_a_film_of_one_clip_is_shown_flat_with_the_documented_keys(
    gate: RealGate, strict_key: str, plain_key: str
) -> None:
    body = {**SMALL_JSON, "prompt": "a boat"}
    answer = gate.ask("POST", "/newapi/v1/videos", json_body=body, key=strict_key)
    flat = {"id", "object", "model", "status", "progress", "created_at"}
    assert set(answer.json) == flat | {"size"}
    assert (answer.json["object"], answer.json["status"], answer.json["size"]) == (
        "video",
        "queued",
        "640x360",
    )
    path = f"/v1/videos/{answer.json['id']}"
    seen = watched(gate, path, strict_key, status)
    assert all(set(one) == flat for one in seen[:-1])
    assert set(seen[-1]) == flat | {"completed_at", "url"}
    assert opened(gate, seen[-1]["url"]) == Measure(640, 360, 1.0)
    more = gate.ask("GET", path, key=plain_key).json
    assert seen[-1].items() <= more.items()
    assert more["video_url"] == seen[-1]["url"]
    assert gate.ask("GET", f"{path}/content", key=strict_key).body == gate.ask("GET", more["url"]).body
    assert gate.ask("GET", f"/newapi{path}/result", key=strict_key).status == 404


def test_a_failed_film_of_one_clip_says_why_in_a_text(
    gate: RealGate, strict_key: str, plain_key: str
) -> None:
    sent = submitted(gate, strict_key, ("model", "veo_3_1-fast"), ("prompt", "a boat --sandbox=filtered"))
    failed = watched(gate, f"/v1/videos/{sent['id']}", strict_key, status)[-1]
    assert set(failed) == {"id", "object", "model", "status", "progress", "created_at", "error"}
    assert "视频生成失败" in failed["error"]
    more = gate.ask("GET", f"/v1/videos/{sent['id']}", key=plain_key).json
    assert (more["error"], more["fail_reason"]) == (failed["error"], failed["error"])


def test_the_way_of_generations_answers_in_its_own_form(
    gate: RealGate, strict_key: str, plain_key: str
) -> None:
    bodies: Sequence[Json] = (
        {"model": "animatic", "prompt": "a boat", "width": 640, "height": 360, "duration": 1, "n": 1},
        {"model": "veo3", "prompt": FAILS, "seconds": "8", "aspect_ratio": "9:16", "resolution": "720p"},
        {"model": "sora-2", "prompt": FAILS, "duration": 5, "metadata": {"aspect_ratio": "9:16"}},
    )  # fmt: skip
    ends = []
    for body in bodies:
        sent = gate.ask("POST", "/v1/video/generations", json_body=body, key=strict_key).json
        assert set(sent) == {"id", "task_id", "object", "model", "status", "progress", "created_at"}
        assert (sent["id"], sent["model"], sent["status"]) == (sent["task_id"], body["model"], "queued")
        path = f"/v1/video/generations/{sent['id']}"
        seen = watched(gate, path, strict_key, lambda body: status(body["data"]))
        for one in seen:
            assert set(one) == {"code", "message", "data"}
            assert (one["code"], one["message"]) == ("success", "")
            assert set(one["data"]) - {"result_url"} == ENVELOPE_KEYS
        ends.append((seen[-1], gate.ask("GET", path, key=plain_key).json))
    (done, more), *failures = ends
    assert opened(gate, done["data"]["result_url"]) == Measure(640, 360, 1.0)
    assert (more["code"], more["status"], more["id"]) == ("success", "completed", more["task_id"])
    assert more["url"] == more["video_url"] == more["data"]["url"] == done["data"]["data"]["video_url"]
    for strict, plain in failures:
        assert (strict["data"]["status"], plain["status"]) == ("FAILURE", "failed")
        assert plain["error"] == plain["data"]["error"] == strict["data"]["data"]["error"]
        assert plain["data"]["fail_reason"] == strict["data"]["fail_reason"]


def test_json_for_two_clips_is_refused_by_strict_keys_and_taken_by_others(
    gate: RealGate, strict_key: str
) -> None:
    body = {"model": "veo_3_1-remix", "prompt": "a boat --sandbox=fail", "prompt_extend": "it sails on"}
    refused = gate.ask("POST", "/v1/videos", json_body=body, key=strict_key)
    assert (refused.status, refused.json["code"], refused.json["data"]) == (400, "invalid_request", None)
    assert "multipart/form-data" in refused.json["message"]
    taken = gate.ask("POST", "/v1/videos", json_body=body, key=gate.key)
    assert (taken.status, taken.headers["x-filmgate-dialect"]) == (200, "newapi")
    assert set(taken.json) >= ENVELOPE_KEYS
