"""Errors are told in the language of a key, else as the request asks for, else in the dialect's own."""

from typing import Any

import pytest

from kit.gates import RealGate

LOST = "00000000-0000-7000-8000-000000000000"
PATHS = {
    "gate": f"/gate/v1/tasks/{LOST}",
    "openai": "/openai/v1/videos/video_0",
    "newapi": "/newapi/v1/videos/task_0",
    "unified": "/unified/v1/video/query/veo3:0",
    "laozhang": "/laozhang/veo/v1/api/video/status/veo3:0",
}
OWN = {"gate": "en", "openai": "en", "newapi": "zh", "unified": "zh", "laozhang": "zh"}
TEXTS = {"en": "Task not found.", "zh": "任务不存在或已过期。"}


def message(body: Any) -> str:
    return str(body["message"] if "message" in body else body["error"]["message"])


@pytest.fixture(scope="module")
def keys(gate: RealGate) -> dict[str | None, str]:
    return {
        language: gate.new_key(f"reads {language}", account="readers", language=language)
        for language in (None, "en", "zh")
    }


@pytest.mark.parametrize("where", PATHS)
def test_a_key_before_a_request_before_the_dialect(
    gate: RealGate, keys: dict[str | None, str], where: str
) -> None:
    def told(language: str | None, **headers: str) -> str:
        answer = gate.ask("GET", PATHS[where], key=keys[language], headers=headers)
        assert answer.status == 404
        return message(answer.json)

    for asked in ("zh-CN,en;q=0.5", "en-GB", "*", "fr"):
        for language in ("en", "zh"):
            assert told(language, **{"Accept-Language": asked}) == TEXTS[language]
    assert told(None) == TEXTS[OWN[where]]
    assert told(None, **{"Accept-Language": "fr, *;q=0.1"}) == TEXTS[OWN[where]]
    assert told(None, **{"Accept-Language": "en;q=0.1, zh-TW;q=0.2"}) == TEXTS["zh"]
    assert told(None, **{"Accept-Language": "zh;q=0.1, en;q=0.2"}) == TEXTS["en"]


def test_a_strict_key_reads_the_documents_words(gate: RealGate) -> None:
    for language, where in (("en", "newapi"), ("en", "laozhang"), ("zh", "openai")):
        key = gate.new_key(f"strict {language}", account="readers", language=language, strict=True)
        answer = gate.ask("GET", PATHS[where], key=key, headers={"Accept-Language": language})
        assert message(answer.json) == TEXTS[OWN[where]]
    key = gate.new_key("strict yishang", account="readers", language="zh", strict=True)
    yishang = gate.ask("GET", "/yishang/v1/videos/task_0", key=key)
    assert message(yishang.json) == "Task not found"


def test_a_failed_film_says_why_in_the_language_of_the_key(
    gate: RealGate, keys: dict[str | None, str]
) -> None:
    body = {"model": "animatic", "prompt": "a boat --sandbox=fail", "seconds": "1", "size": "640x360"}
    made = gate.ask("POST", "/openai/v1/videos", json_body=body, key=keys["zh"])
    id_ = made.headers["x-filmgate-task"]
    assert gate.ended(id_, key=keys["zh"])["error"]["message"].startswith("上游")
    for language, word in (("zh", "未扣费"), ("en", "Nothing was charged")):
        for path in (f"/openai/v1/videos/{id_}", f"/gate/v1/tasks/{id_}"):
            assert word in message(gate.ask("GET", path, key=keys[language]).json)


def test_a_key_is_made_and_listed_and_replaced_with_its_language(gate: RealGate) -> None:
    gate.new_key("reads Chinese", account="readers", language="zh")
    made = gate.ask("POST", "/admin/v1/keys/reads%20Chinese/rotate", key="sk-admin")
    assert made.status == 201, made.body
    listed = gate.ask("GET", "/admin/v1/keys", key="sk-admin").json["data"]
    assert [key["language"] for key in listed if key["name"] == "reads Chinese"] == ["zh", "zh"]
    assert {key["language"] for key in listed if key["name"] == "reads None"} == {None}
    refused = gate.ask("POST", "/admin/v1/keys", json_body={"name": "x", "language": "fr"}, key="sk-admin")
    assert (refused.status, refused.json["error"]["details"]["field"]) == (400, "language")
