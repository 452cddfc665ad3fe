"""The laozhang relay's own requests, sent by curl as its document writes them, through its four shapes to a film."""

import re
from dataclasses import dataclass

import pytest

from kit.gates import RealGate
from kit.wires import Json, Measure, changed, curl, looked_at, opened, watched, words_of

SUBMIT = """
curl -X POST "{base}/veo/v1/api/video/submit" \
-H "Content-Type: application/json" \
-H "Authorization: Bearer {key}" \
-d '{{
"prompt": "一只猫咪在雨夜散步,准备抓一只老鼠",
"model": "veo3",
"images": ["{picture}"],
"enhance_prompt": true
}}'
"""
STATUS = """
curl -X GET "{base}/veo/v1/api/video/status/{id}" \
-H "Authorization: Bearer {key}"
"""
STATUS_PATH = "/veo/v1/api/video/status"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WHILE_PREPARING = ["prompt_enhancing", "image_downloading", "image_processing_completed"]
PHASES = ["submitted", *WHILE_PREPARING, "video_generating", "completed"]


@dataclass(frozen=True, slots=True)
class Course:
    """One film as its client saw it: the answer to the submit, then each different answer to a look."""

    submitted: Json
    seen: list[Json]

    @property
    def id(self) -> str:
        return str(self.submitted["data"]["taskId"])

    @property
    def done(self) -> Json:
        return dict(self.seen[-1]["data"])


@pytest.fixture(scope="session")
def course(gate: RealGate, strict_key: str, pictures: str) -> Course:
    submitted = curl(SUBMIT.format(base=gate.base_url, key=strict_key, picture=f"{pictures}/late/image.png"))
    look = STATUS.format(base=gate.base_url, key=strict_key, id=submitted["data"]["taskId"])
    return Course(submitted, looked_at(lambda: dict(curl(look)), status))


def status(body: Json) -> str:
    return str(body["data"]["status"])


def upstream(body: Json) -> str:
    data = body["data"]
    inner = data.get("upstreamData", {})
    return str(inner.get("status", "submitted" if "message" in data else data["status"]))


def test_a_submit_is_answered_as_the_document_shows(gate: RealGate, course: Course) -> None:
    data = course.submitted["data"]
    assert set(course.submitted) == {"success", "data"}
    assert course.submitted["success"] is True
    assert re.fullmatch(f"veo3:{UUID}", course.id)
    assert data == {
        "taskId": course.id,
        "pollingUrl": data["pollingUrl"],
        "status": "processing",
        "message": "Task submitted successfully",
    }
    assert data["pollingUrl"].startswith(gate.base_url)
    assert data["pollingUrl"].endswith(f"/source/{course.id}")


def test_the_status_goes_through_the_documented_shapes_in_order(course: Course) -> None:
    phases = words_of(course.seen, upstream)
    assert phases == sorted(phases, key=PHASES.index)
    assert {"image_downloading", "video_generating", "completed"} <= set(phases)
    assert {status(body) for body in course.seen[:-1]} == {"processing"}
    assert all(set(body) == {"success", "data"} and body["success"] is True for body in course.seen)


def test_each_shape_has_the_documented_keys_and_no_others(course: Course, pictures: str) -> None:
    shapes = {upstream(body): body["data"] for body in course.seen}
    for phase, data in shapes.items():
        if phase in WHILE_PREPARING:
            assert set(data) == {"taskId", "pollingUrl", "upstreamData", "status", "progress"}
            assert data["progress"] == {"upstreamStatus": phase, "retryCount": 0, "maxRetries": 3}
    assert shapes.get("submitted", course.submitted["data"]) == course.submitted["data"]
    fetching = shapes["image_downloading"]["upstreamData"]
    assert set(fetching) == {"created_at", "enhanced_prompt", "id", "images", "status"}
    assert fetching["images"] == [{"status": "downloading", "url": f"{pictures}/late/image.png"}]
    assert fetching["id"] == course.id
    # The built-in wording says in English what the prompt says, and adds no subject.
    assert {"cat", "rain", "night"} <= set(re.findall(r"\w+", fetching["enhanced_prompt"].lower()))
    assert len(str(fetching["created_at"])) == len("1751704074528")
    making = shapes["video_generating"]
    assert set(making) == {"taskId", "upstreamData", "status"}
    assert set(making["upstreamData"]) == {"status", "video_generation_id", "video_generation_status"}
    assert re.fullmatch("[0-9a-f]{32}", making["upstreamData"]["video_generation_id"])
    assert making["upstreamData"]["video_generation_status"] == "MEDIA_GENERATION_STATUS_ACTIVE"
    assert set(shapes["completed"]) == {"taskId", "status", "result"}
    assert set(course.done["result"]) == {"video_url", "video_media_id"}


def test_the_film_opens_without_a_key_and_has_the_promised_length(gate: RealGate, course: Course) -> None:
    address = course.done["result"]["video_url"]
    assert address.endswith(".mp4")
    assert opened(gate, address) == Measure(1280, 720, 8.0)


def test_the_polling_address_opens_the_raw_record_without_a_key(gate: RealGate, course: Course) -> None:
    address = course.submitted["data"]["pollingUrl"]
    record = gate.ask("GET", address).json
    assert (record["id"], record["status"], record["running"]) == (course.id, "completed", False)
    assert record["data"]["videoUrl"] == record["video_url"] == course.done["result"]["video_url"]
    assert record["video_media_id"] == course.done["result"]["video_media_id"]
    assert (record["retry_count"], record["max_retries"]) == (0, 3)
    assert record["created_at"] < record["completed_at"] <= record["status_update_time"]
    assert record["req"]["prompt"] == "一只猫咪在雨夜散步,准备抓一只老鼠"
    assert [image["status"] for image in record["images"]] == ["completed"]
    # Some clients take the first address of an .mp4 in the whole text.
    found = re.search(r"https?://[^\"]+\.mp4", gate.ask("GET", address).body.decode())
    assert found is not None
    assert found[0] == record["video_url"]
    with_a_key = gate.ask("GET", f"/source/{course.id}", key=gate.key)
    assert with_a_key.status == 404


def test_a_polling_address_with_one_byte_changed_is_useless(gate: RealGate, course: Course) -> None:
    address = course.submitted["data"]["pollingUrl"]
    ticket = address.index("/s/") + len("/s/")
    path = address.index("/source/") + len("/source/")
    for at in (ticket, ticket + 12, ticket + 30, path + len("veo3:"), len(address) - 1):
        answer = gate.ask("GET", changed(address, at))
        assert answer.status == 404, at
        assert course.id not in answer.body.decode()
    assert gate.ask("GET", address.replace("/source/", f"{STATUS_PATH}/")).status == 404
    assert gate.ask("POST", address, json_body={}).status == 405


def test_an_id_is_read_raw_and_with_its_colon_escaped(
    gate: RealGate, course: Course, strict_key: str
) -> None:
    raw = gate.ask("GET", f"{STATUS_PATH}/{course.id}", key=strict_key)
    escaped = gate.ask("GET", f"{STATUS_PATH}/{course.id.replace(':', '%3A')}", key=strict_key)
    assert raw.status == escaped.status == 200
    assert raw.body == escaped.body


def test_a_plain_key_reads_all_of_that_and_more(gate: RealGate, course: Course, plain_key: str) -> None:
    data = gate.ask("GET", f"{STATUS_PATH}/{course.id}", key=plain_key).json["data"]
    assert course.done.items() <= data.items()
    assert data["pollingUrl"] == course.submitted["data"]["pollingUrl"]
    assert data["upstreamData"]["status"] == data["progress"]["upstreamStatus"] == "completed"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--sandbox=fail", "PROVIDER_FAILED", "上游生成失败"),
        ("--sandbox=filtered", "INVALID_PROMPT", "上游拒绝了该请求"),
    ],
)
def test_a_failure_names_its_code_and_says_why(
    gate: RealGate, strict_key: str, plain_key: str, words: str, code: str, said: str
) -> None:
    body = {"prompt": f"a boat {words}", "model": "veo3-fast"}
    submitted = gate.ask("POST", "/veo/v1/api/video/submit", json_body=body, key=strict_key).json
    id_ = submitted["data"]["taskId"]
    failed = watched(gate, f"{STATUS_PATH}/{id_}", strict_key, status)[-1]["data"]
    assert set(failed) == {"taskId", "status", "error", "message"}
    assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    assert failed["error"]["message"] == failed["message"]
    assert said in failed["message"]
    answer = gate.ask("GET", f"{STATUS_PATH}/{id_}", key=plain_key)
    assert failed.items() <= answer.json["data"].items()
    assert answer.headers["x-filmgate-cost"].partition(";")[0] == "0"
    record = gate.ask("GET", submitted["data"]["pollingUrl"]).json
    assert (record["status"], record["running"]) == ("failed", False)
    assert "video_url" not in record
