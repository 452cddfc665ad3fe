"""The unified form: create, query with the whole record, all its ways in, and every stage as it really happened."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kit.gates import RealGate
from kit.wires import Json, Measure, opened, watched, words_of

TOP_KEYS = {"id", "detail", "status", "video_url", "enhanced_prompt", "status_update_time"}
# The keys of `detail` in the document's own example of a film from a picture, scaled up.
DETAIL_KEYS = {
    "id", "req", "images", "status", "running", "video_url", "created_at", "error_sleep", "max_retries",
    "retry_count", "completed_at", "video_media_id", "enhanced_prompt", "upsample_status", "startImageMediaId",
    "status_update_time", "upsample_video_url", "video_generation_id", "veo3StartImageMediaId",
    "upsample_generation_id", "video_generation_status",
}  # fmt: skip
AFTER_TROUBLE = {"error_message", "needs_safe_enhancement", "video_generation_error"}
PHASES = [
    "pending", "prompt_enhancing", "image_downloading", "image_processing_completed", "video_generating",
    "video_upsampling", "completed",
]  # fmt: skip
SMALL = {"model": "animatic", "seconds": 1, "size": "640x360"}


def status(body: Json) -> str:
    return str(body["status"])


def create(gate: RealGate, key: str, path: str = "/v1/video/create", **wanted: Any) -> str:
    answer = gate.ask("POST", path, json_body={**SMALL, **wanted}, key=key)
    assert answer.status == 200, answer.body
    assert answer.headers["x-filmgate-dialect"] == "unified"
    return str(answer.json["id"])


@pytest.fixture(scope="session")
def course(gate: RealGate, strict_key: str, pictures: str) -> list[Json]:
    """The sample of the document: a film from a picture, its prompt worded richly, scaled up."""
    body = {
        "model": "veo3.1-fast",
        "prompt": "make animate",
        "images": [f"{pictures}/late/image.png"],
        "enhance_prompt": True,
        "enable_upsample": True,
        "aspect_ratio": "16:9",
    }
    answer = gate.ask("POST", "/v1/video/create", json_body=body, key=strict_key)
    assert answer.status == 200, answer.body
    assert set(answer.json) == {"id", "status", "status_update_time", "enhanced_prompt"}
    assert re.fullmatch(r"veo3\.1-fast:\d{10}-[\w-]{10}", answer.json["id"])
    assert answer.json["status"] == "pending"
    return watched(gate, f"/v1/video/query?id={answer.json['id']}", strict_key, status)


def test_the_phases_come_in_the_documented_order(course: list[Json]) -> None:
    phases = words_of(course, status)
    assert phases == sorted(phases, key=PHASES.index)
    assert {"image_downloading", "video_generating", "video_upsampling", "completed"} <= set(phases)
    for body in course:
        assert set(body) == TOP_KEYS
        assert body["detail"]["status"] == body["status"]
        assert body["detail"]["status_update_time"] == body["status_update_time"]
        assert set(body["detail"]) <= DETAIL_KEYS
        if body["status"] != "completed":
            assert body["video_url"] is None
            assert ".mp4" not in str(body)
    times = [body["status_update_time"] for body in course]
    assert times == sorted(times)


def test_the_finished_record_has_every_documented_key(course: list[Json], pictures: str) -> None:
    done = course[-1]
    detail = done["detail"]
    assert set(detail) == DETAIL_KEYS
    assert detail["req"] == {
        "model": "veo3.1-fast",
        "images": [f"{pictures}/late/image.png"],
        "prompt": "make animate",
        "aspect_ratio": "16:9",
        "enhance_prompt": True,
        "enable_upsample": True,
    }
    (image,) = detail["images"]
    assert set(image) == {"url", "status", "mediaId"}
    assert (image["url"], image["status"]) == (f"{pictures}/late/image.png", "completed")
    assert image["mediaId"] == detail["startImageMediaId"] == detail["veo3StartImageMediaId"]
    assert done["enhanced_prompt"] == detail["enhanced_prompt"] != "make animate"
    assert (detail["running"], detail["retry_count"], detail["max_retries"]) == (False, 0, 3)
    assert detail["video_generation_status"] == "MEDIA_GENERATION_STATUS_SUCCESSFUL"
    assert detail["upsample_status"] == "MEDIA_GENERATION_STATUS_SUCCESSFUL"
    assert detail["upsample_generation_id"].endswith("_upsampled")
    assert detail["created_at"] < detail["completed_at"] <= detail["status_update_time"]


def test_the_film_and_the_one_before_it_was_scaled_up_both_open(gate: RealGate, course: list[Json]) -> None:
    done = course[-1]
    assert done["video_url"] == done["detail"]["upsample_video_url"] != done["detail"]["video_url"]
    assert opened(gate, done["video_url"]) == Measure(1920, 1080, 8.0)
    assert opened(gate, done["detail"]["video_url"]) == Measure(1280, 720, 8.0)


def test_an_id_is_asked_for_in_every_way_that_clients_know(
    gate: RealGate, course: list[Json], strict_key: str
) -> None:
    bodies = set()
    for id_ in (course[-1]["id"], course[-1]["id"].replace(":", "%3A")):
        for way in ("/v1/video/query", "/veo/v1/video/query", "/unified/v1/video/query"):
            for form in (f"?id={id_}", f"?task_id={id_}", f"/{id_}"):
                answer = gate.ask("GET", way + form, key=strict_key)
                assert answer.status == 200, way + form
                assert answer.headers["x-filmgate-dialect"] == "unified"
                bodies.add(answer.body)
    assert len(bodies) == 1


def test_a_plain_key_reads_all_of_that_and_more(gate: RealGate, course: list[Json], plain_key: str) -> None:
    done = course[-1]
    more = gate.ask("GET", f"/v1/video/query?id={done['id']}", key=plain_key).json
    assert done.items() <= more.items()
    assert {name: more[name] for name in set(more) - TOP_KEYS} == {
        "task_id": done["id"],
        "progress": 100,
        "url": done["video_url"],
    }


@pytest.fixture(scope="session")
def ended(gate: RealGate, strict_key: str) -> dict[str, Json]:
    """Small films that are made at once, each with its last answer."""
    soft = gate.new_key("soft", account="strict", strict=True, soften=True)
    wanted = {
        "retry": (strict_key, "/v1/video/create"),
        "filtered": (strict_key, "/veo/v1/video/create"),
        "fail": (strict_key, "/veo/v1/videos/generations"),
        "soft": (soft, "/v1/video/create"),
    }
    made = {}
    for name, (key, path) in wanted.items():
        end = "filtered" if name == "soft" else name
        made[name] = create(gate, key, path, prompt=f"a fight with guns --sandbox={end}")
    with ThreadPoolExecutor() as pool:
        last = pool.map(
            lambda id_: watched(gate, f"/v1/video/query?id={id_}", strict_key, status)[-1], made.values()
        )
        return dict(zip(made, last, strict=True))


def test_a_retry_that_really_happened_is_counted_and_its_error_is_kept(
    gate: RealGate, ended: dict[str, Json], plain_key: str
) -> None:
    done = ended["retry"]
    assert set(done) == TOP_KEYS
    assert (done["status"], done["detail"]["retry_count"]) == ("completed", 1)
    assert "--sandbox=retry" in done["detail"]["error_message"]
    assert not {"needs_safe_enhancement", "video_generation_error"} & set(done["detail"])
    assert opened(gate, done["video_url"]) == Measure(640, 360, 1.0)
    # It is the same number that the laozhang form shows.
    other = gate.ask("GET", f"/veo/v1/api/video/status/{done['id']}", key=plain_key).json["data"]
    assert other["progress"] == {"upstreamStatus": "completed", "retryCount": 1, "maxRetries": 3}


def test_where_the_key_allows_it_a_refused_prompt_is_softened_and_sent_once_more(
    gate: RealGate, ended: dict[str, Json]
) -> None:
    done, detail = ended["soft"], ended["soft"]["detail"]
    assert (done["status"], detail["retry_count"], detail["needs_safe_enhancement"]) == ("completed", 1, True)
    assert "--sandbox=filtered" in detail["video_generation_error"]
    assert detail["error_message"]
    assert set(detail) & AFTER_TROUBLE == AFTER_TROUBLE
    assert done["enhanced_prompt"] == detail["enhanced_prompt"]
    assert not {"gun", "guns", "fight"} & set(re.findall(r"\w+", done["enhanced_prompt"].lower()))
    assert detail["req"]["prompt"].startswith("a fight with guns")
    assert opened(gate, done["video_url"]) == Measure(640, 360, 1.0)


def test_without_that_right_a_refusal_is_the_end_and_free(
    gate: RealGate, ended: dict[str, Json], strict_key: str
) -> None:
    for name, said in (("filtered", "上游拒绝了该请求"), ("fail", "上游生成失败")):
        failed = ended[name]
        assert set(failed) == TOP_KEYS | {"error", "error_message", "fail_reason"}
        assert (failed["status"], failed["video_url"]) == ("failed", None)
        assert failed["error"] == failed["error_message"] == failed["fail_reason"]
        assert said in failed["error"]
        detail = failed["detail"]
        assert detail["error_message"] == detail["video_generation_error"] == failed["error"]
        assert detail["video_generation_status"] == "MEDIA_GENERATION_STATUS_FAILED"
        assert not {"needs_safe_enhancement", "completed_at", "video_url"} & set(detail)
        answer = gate.ask("GET", f"/v1/video/query?id={failed['id']}", key=strict_key)
        assert answer.headers["x-filmgate-cost"].partition(";")[0] == "0"


def test_a_film_is_extended_by_its_task_id(gate: RealGate, ended: dict[str, Json], strict_key: str) -> None:
    body = {"prompt": "it sails on", "task_id": ended["retry"]["id"]}
    answer = gate.ask("POST", "/v1/video/extend", json_body=body, key=strict_key)
    assert answer.status == 200, answer.body
    longer = watched(gate, f"/v1/video/query?id={answer.json['id']}", strict_key, status)[-1]
    assert opened(gate, longer["video_url"]) == Measure(640, 360, 8.0)


@pytest.fixture(scope="module")
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGate]:
    """A gate whose operator has a chat server that words prompts, and takes its time."""
    from kit.wordsmith import served

    with served() as address:
        folder = tmp_path_factory.mktemp("wordy")
        (folder / "filmgate.toml").write_text(f'[enhancer]\nbase_url = "{address}/v1"\nmodel = "words"\n')
        gate = RealGate(folder / "data")
        gate.start()
        yield gate
        assert gate.stop() == 0


def test_an_operators_chat_server_words_the_prompt_in_a_phase_of_its_own(wordy: RealGate) -> None:
    id_ = create(wordy, wordy.key, prompt="纸船 --sandbox=fail", enhance_prompt=True)
    seen = watched(wordy, f"/v1/video/query?id={id_}", wordy.key, status)
    phases = words_of(seen, status)
    assert phases == sorted(phases, key=[*PHASES, "failed"].index)
    assert {"prompt_enhancing", "failed"} <= set(phases)
    assert "enhanced_prompt" not in seen[0]["detail"]
    assert seen[-1]["enhanced_prompt"] == "Reworded: 纸船"
