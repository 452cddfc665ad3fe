"""What only the newapi relay's document asks for."""

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from filmgate.dialects import newapi
from filmgate.domain.contracts import Call, Content, Create, Fields, Status
from filmgate.domain.problems import Problem
from filmgate.domain.request import GivenPicture, Json, Upload
from filmgate.domain.states import State
from kit.films import shown

NAMES = {"data": "task_y", "remix": "video_1", "remix_extend": "video_2"}
TWO_CLIPS = {"model": "veo_3_1-fast-remix", "prompt_extend": "y", "clips": [8, 7], "size": "1280x720"}


@pytest.mark.parametrize(
    ("fields", "claimed"),
    [
        ({"model": "veo_3_1-fast"}, True),
        ({"model": "veo_3_1"}, True),
        ({"model": "another-remix"}, True),
        ({"model": "another-extend"}, True),
        ({"model": "sora-2", "prompt_extend": "and then it sleeps"}, True),
        ({"model": "sora-2", "prompt_extend": True}, False),
        ({"model": "sora-2", "prompt_extend": "true"}, False),
        ({"model": "sora-2", "prompt_extend": " "}, False),
        ({"model": "veo3.1"}, False),
        ({"model": ["veo_3_1"]}, False),
        ({}, False),
    ],
)
def test_the_family_and_a_second_prompt_in_words_are_claimed(fields: Fields, claimed: bool) -> None:
    assert newapi.claims(Call(verb="create", fields=fields)) is claimed


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1280x720", "1280x720"),
        ("720x1280", "720x1280"),
        ("1500×1000", "1280x720"),
        ("1024x1792", "720x1280"),
        ("1919x1080", "1280x720"),
        ("1920x1080", "1920x1080"),
        ("1080x1920", "1080x1920"),
        ("3839x2160", "1920x1080"),
        ("3840x2160", "1920x1080"),
        ("2160x4096", "1080x1920"),
        ("1024x1024", "1024x1024"),
        ("16x9", "16x9"),
        ("9:16", "9:16"),
        ("720P", "720P"),
        ("wide", "wide"),
    ],
)
def test_the_longer_side_says_which_size_and_its_place_the_orientation(given: str, read: str) -> None:
    assert drafted({"model": "veo_3_1-fast", "size": given}).draft.size == read


def test_other_models_have_the_size_that_was_asked_for() -> None:
    assert drafted({"model": "animatic", "size": "640x360"}).draft.size == "640x360"


def test_files_and_data_addresses_are_pictures_in_their_order() -> None:
    file = Upload(b"picture", "a.jpg")
    given: list[Json | Upload] = [file, "data:image/png;base64,cGljdHVyZQ=="]
    assert drafted({"model": "veo_3_1-remix", "input_reference": given}).draft.pictures == (
        GivenPicture(file, field="input_reference[0]"),
        GivenPicture(Upload(b"picture"), field="input_reference[1]"),
    )


@pytest.mark.parametrize(("query", "role"), [({}, "video"), ({"variant": "thumbnail"}, "thumbnail")])
def test_content_is_the_film_or_its_picture(query: Mapping[str, str], role: str) -> None:
    assert newapi.parse(Call(verb="content", params={"id": "task_1"}, query=query)) == Content("task_1", role)


def test_a_form_is_taken_by_strict_keys_where_json_is_not() -> None:
    call = Call(verb="create", fields={"model": "veo_3_1-remix", "prompt": "x"}, form=True, strict=True)
    assert isinstance(newapi.parse(call), Create)


def test_an_error_at_the_door_tells_the_id_of_the_request() -> None:
    problem = Problem("invalid_key")
    problem.request_id = "20260101-1"
    reply = newapi.render_error(problem, strict=True, verb="create")
    error = cast("Mapping[str, Json]", reply.body["error"])
    assert error["message"] == (
        "无效的令牌：该密钥不属于本网关。本网关密钥以 `sk-` 开头。 (request id: 20260101-1)"
    )


LIFE: list[tuple[str, dict[str, Any], set[str]]] = [
    ("queued", {}, set()),
    ("preparing", {}, set()),
    ("generating", {}, {"remix_id"}),
    ("extending", {"record": {"clip": 2}}, {"remix_id", "remix_id_extend"}),
    ("collecting", {"record": {"clip": 2}}, {"remix_id", "remix_id_extend"}),
    (
        "succeeded",
        {"record": {"clip": 2}, "video": "https://g.example/1.mp4", "first": "https://g.example/2.mp4"},
        {"remix_id", "remix_id_extend", "video_url", "first_video_url"},
    ),
    (
        "failed",
        {"record": {"clip": 2}, "failure": "extend_failed", "video": "https://g.example/2.mp4"},
        {"remix_id", "remix_id_extend", "video_url", "error"},
    ),
    ("failed", {"failure": "provider_failed"}, {"remix_id", "error"}),
    ("failed", {"record": {"clip": 2}, "failure": "engine_error"}, {"remix_id", "error"}),
    ("cancelled", {}, {"remix_id", "error"}),
]


@pytest.mark.parametrize(("state", "said", "there"), LIFE)
@pytest.mark.parametrize("strict", [True, False])
def test_each_cell_of_the_table_of_presence_holds(
    state: str, said: dict[str, Any], there: set[str], strict: bool
) -> None:
    body = shown_body(state, said, strict=strict)
    asked = {"remix_id", "remix_id_extend", "video_url", "first_video_url", "error"}
    assert asked & set(cast("Mapping[str, Json]", body["data"])) == there
    assert ("result_url" in body) == (state == "succeeded")
    assert ("http" in json.dumps(body)) == ("video" in said)


def test_an_extension_keeps_the_first_clips_name_so_that_it_can_be_tried_again() -> None:
    source = {"kind": "extend", "name": "video_9"}
    said = {
        "request": {"model": "veo_3_1-fast-extend", "clips": [8, 7], "size": "1280x720", "source": source},
        "record": {"clip": 2},
        "failure": "extend_failed",
        "parameters": {"cause": "content_refused", "reason_zh": "内容被拒绝。"},
    }
    body = shown_body("failed", said, strict=True)
    data = cast("Mapping[str, Json]", body["data"])
    assert (data["remix_id"], data["remix_id_extend"]) == ("video_9", "video_2")
    assert body["fail_reason"] == "第一段视频生成成功,但二创失败:内容被拒绝 (E-1005)"


def drafted(fields: Fields) -> Create:
    action = newapi.parse(Call(verb="create", fields={"prompt": "x", **fields}))
    assert isinstance(action, Create)
    return action


def shown_body(state: str, said: Mapping[str, Any], *, strict: bool) -> Mapping[str, Json]:
    facts = {"seconds": 15.0, "width": 1280, "height": 720, "size_bytes": 1}
    view = shown("task_x", State(state), {"request": TWO_CLIPS, "names": NAMES, **facts, **said})
    return newapi.render(Status(view), strict=strict).body


@pytest.mark.parametrize(
    ("given", "scaled"), [("3840x2160", True), ("2160x3840", True), ("1920x1080", False)]
)
def test_4k_is_a_film_that_is_scaled_up(given: str, scaled: bool) -> None:
    fields = {"model": "veo_3_1-fast", "prompt": "x", "size": given}
    action = newapi.parse(Call(verb="create", fields=fields))
    assert isinstance(action, Create)
    assert action.draft.upsample is scaled
