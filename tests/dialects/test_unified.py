"""What only the unified wire and its chat ask for."""

import re
from collections.abc import Sequence
from typing import Any, cast

import pytest

from filmgate.dialects import unified
from filmgate.domain.contracts import Call, Converse, Status, Talks, TaskView, Told
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json, Upload
from filmgate.domain.states import State
from kit.films import shown

OPEN = {"page": "https://g.example/s/1/watch/veo3:1", "raw": "https://g.example/s/1/source/veo3:1"}
FILM = {
    "video": "https://g.example/files/1.x/2.mp4", "source": "https://g.example/files/1.x/1.mp4",
    "seconds": 8.0, "width": 1280, "height": 720, "size_bytes": 1,
}  # fmt: skip
REFUSED = {"failure": "content_refused", "parameters": {"reason": "blood"}}


def view(state: str, **said: Any) -> TaskView:
    return shown("veo3:1", state, {"open": OPEN, **said})


DONE, FAILED = view("succeeded", **FILM), view("failed", **REFUSED)


def deltas(before: TaskView | None, now: TaskView, language: str = "zh") -> list[dict[str, Any]]:
    return [choice(chunk)["delta"] for chunk in unified.chunks(before, now, language)]


def choice(body: Any) -> dict[str, Any]:
    assert len(body["choices"]) == 1
    return cast("dict[str, Any]", body["choices"][0])


def told(now: TaskView, language: str = "zh") -> str:
    body = unified.render(Told(now, language), strict=False).body
    return cast("str", choice(body)["message"]["content"])


def heard(views: Sequence[TaskView], language: str) -> str:
    """Give the text that a client puts together of a conversation's pieces."""
    pairs = zip([None, *views], views, strict=False)
    return "".join(
        delta.get("content", "") for before, now in pairs for delta in deltas(before, now, language)
    )


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("end", [DONE, FAILED, view("cancelled"), view("expired", failure="expired")])
@pytest.mark.parametrize("looks", [0, 1, 3])
def test_the_pieces_of_a_conversation_are_the_text_that_is_told_at_once(
    looks: int, end: TaskView, language: str
) -> None:
    assert heard([view("queued")] * looks + [end, end], language) == told(end, language)


def test_a_conversation_says_each_step_once() -> None:
    generating = [view("generating", progress=progress) for progress in (0, 0, 40, 40, 95)]
    preparing = [view("preparing", record={"stage": stage}) for stage in ("enhancing", "pictures")]
    views = [view("queued"), *preparing, *generating, view("collecting", progress=95), DONE]
    text = heard(views, "en")
    assert re.findall(r"^(.*)… (\d+)%$", text, re.MULTILINE) == [
        ("Enhancing the prompt", "0"),
        ("Preparing the pictures", "0"),
        ("Making the video", "0"),
        ("Making the video", "40"),
        ("Making the video", "95"),
    ]


def test_a_conversation_begins_with_its_role_and_the_task_and_has_one_end() -> None:
    first = unified.chunks(None, view("queued"), "zh")
    assert [choice(chunk)["finish_reason"] for chunk in first] == [None, None]
    assert choice(first[0])["delta"] == {"role": "assistant", "content": ""}
    assert all(said in choice(first[1])["delta"]["content"] for said in ("veo3:1", *OPEN.values()))
    assert first[0].items() >= {
        ("id", "chatcmpl-018d0c9f000070008000000000000001"), ("object", "chat.completion.chunk"),
        ("created", 1705314600), ("model", "sora-2"),
    }  # fmt: skip
    assert unified.chunks(view("queued"), view("queued"), "zh") == []
    last = unified.chunks(view("queued"), DONE, "zh")
    assert [choice(chunk)["finish_reason"] for chunk in last] == [None, "stop"]
    assert choice(last[-1])["delta"] == {}
    assert unified.chunks(DONE, DONE, "zh") == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.SUCCEEDED])
def test_no_address_of_a_film_is_said_before_it_is_there(state: State) -> None:
    assert ".mp4" not in heard([view("queued"), view(state, progress=40)], "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("pattern", [r"https?://\S+?\.mp4", r"https?://.*?\.mp4", r"https?://[^\s)\"]+\.mp4"])
def test_the_first_film_that_a_client_finds_in_the_text_is_the_film(pattern: str, language: str) -> None:
    found = re.search(pattern, told(DONE, language))
    assert found is not None
    assert found[0] == FILM["video"]


def test_a_refusal_ends_a_conversation_as_a_filter_does_and_says_why() -> None:
    last = unified.chunks(view("queued"), FAILED, "en")
    assert choice(last[-1])["finish_reason"] == "content_filter"
    assert "The provider refused this request: blood." in choice(last[0])["delta"]["content"]
    cause = {"failure": "extend_failed", "parameters": {"cause": "content_refused"}}
    assert (
        choice(unified.chunks(None, view("failed", **cause), "zh")[-1])["finish_reason"] == "content_filter"
    )
    assert (
        choice(unified.chunks(None, view("expired", failure="expired"), "zh")[-1])["finish_reason"] == "stop"
    )


def test_it_is_a_dialect_that_talks() -> None:
    assert isinstance(unified, Talks)


def test_a_picture_in_a_message_may_be_its_bytes() -> None:
    part: Json = {"type": "image_url", "image_url": {"url": "data:image/png;base64,Mg=="}}
    message: Json = {"role": "user", "content": [part, part]}
    action = unified.parse(Call(verb="chat", fields={"messages": [message]}))
    assert isinstance(action, Converse)
    assert [picture.source for picture in action.draft.pictures] == [Upload(b"2")]


@pytest.mark.parametrize("character", ["\\ud800", "\\u0000"])
def test_a_list_in_a_form_holds_only_characters_that_can_be_kept(character: str) -> None:
    messages = f'[{{"role": "user", "content": "a{character}"}}]'
    with pytest.raises(Problem) as caught:
        unified.parse(Call(verb="chat", fields={"messages": messages}, form=True))
    assert caught.value.field == "messages"


def test_the_message_of_a_wrong_key_names_the_request() -> None:
    problem = Problem("invalid_key")
    problem.request_id = "r-1"
    error = cast("dict[str, str]", unified.render_error(problem, strict=False, verb="create").body["error"])
    assert error["message"].endswith("(request id: r-1)")


@pytest.mark.parametrize(
    ("code", "status", "kind", "wanted"),
    [
        ("model_not_found", 404, "invalid_request_error", "model_not_found"),
        ("missing_parameter", 400, "invalid_request_error", "missing_parameter"),
        ("missing_key", 401, "authentication_error", "invalid_api_key"),
        ("too_many_failures", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("internal_error", 500, "server_error", "internal_error"),
    ],
)
def test_the_chat_has_errors_of_its_own_form(code: str, status: int, kind: str, wanted: str) -> None:
    problem = Problem(code, field="model", model="gpt-5")
    reply = unified.render_error(problem, strict=False, verb="chat")
    error = {"message": problem.text("zh"), "type": kind, "param": "model", "code": wanted}
    assert (reply.status, reply.body) == (status, {"error": error})
    assert reply.headers == ({} if status in {429, 500} else {"x-should-retry": "false"})


@pytest.mark.parametrize("state", list(State))
def test_only_completed_and_failed_are_last_words(state: State) -> None:
    said = FILM if state is State.SUCCEEDED else {}
    word = unified.render(Status(view(state, progress=0, **said)), strict=True).body["status"]
    assert (word in {"completed", "failed"}) == state.ended
