"""The chat form: a film asked for in a message, told all at once or while it is made."""

import base64
import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kit.gates import RealGate
from kit.wires import Json, Measure, opened, picture, watched

PATH = "/v1/chat/completions"
SMALL = {"model": "animatic", "seconds": 1, "size": "640x360"}
FILM = re.compile(r"https?://[^\s)]+\.mp4")
TASK_ID = re.compile(r"animatic:\d{10}-[\w-]{10}")


def chat(prompt: Any, **more: Any) -> Json:
    return {**SMALL, "messages": [{"role": "user", "content": prompt}], **more}


@contextmanager
def streamed(
    gate: RealGate, body: Json, key: str, **headers: str
) -> Iterator[tuple[http.client.HTTPResponse, Iterator[str]]]:
    """Open a stream; give the reply and its events' data, each as it arrives."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
    said = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
    connection.request("POST", PATH, json.dumps({**body, "stream": True}), said)
    reply = connection.getresponse()
    try:
        lines = (line.decode().rstrip("\n") for line in reply)
        yield reply, (line.removeprefix("data: ") for line in lines if line.startswith("data: "))
    finally:
        connection.close()
        reply.close()


def told(gate: RealGate, body: Json, key: str, **headers: str) -> list[Json]:
    """Hear a stream to its end; give its chunks, which all have one frame."""
    with streamed(gate, body, key, **headers) as (reply, events):
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["x-filmgate-dialect"] == "unified"
        said = [*events]
    assert said[-1] == "[DONE]"
    chunks: list[Json] = [json.loads(one) for one in said[:-1]]
    for chunk in chunks:
        assert set(chunk) == {"id", "object", "created", "model", "choices"}
        assert (chunk["object"], chunk["model"], chunk["id"]) == (
            "chat.completion.chunk", "animatic", chunks[0]["id"],
        )  # fmt: skip
        (choice,) = chunk["choices"]
        assert set(choice) == {"index", "delta", "finish_reason"}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert all(reason is None for reason in reasons[:-1])
    return chunks


def texts(chunks: list[Json]) -> list[str]:
    return [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]


def test_a_chat_that_is_not_streamed_is_answered_when_the_film_is_there(
    gate: RealGate, strict_key: str
) -> None:
    body = chat("a paper boat")
    body["messages"] = [
        {"role": "system", "content": "You make films."},
        {"role": "user", "content": "a train"},
        {"role": "assistant", "content": "Done."},
        *body["messages"],
    ]
    answer = gate.ask("POST", PATH, json_body=body, key=strict_key)
    said = answer.json
    assert (answer.status, answer.headers["x-filmgate-dialect"]) == (200, "unified")
    assert set(said) == {"id", "object", "created", "model", "choices", "usage"}
    assert said["id"].startswith("chatcmpl-")
    assert (said["object"], said["model"]) == ("chat.completion", "animatic")
    (choice,) = said["choices"]
    assert set(choice) == {"index", "message", "finish_reason"}
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert choice["message"]["role"] == "assistant"
    text = choice["message"]["content"]
    found = FILM.findall(text)
    assert len(set(found)) == 1
    assert opened(gate, found[0]) == Measure(640, 360, 1.0)
    # The last message of the user is the wish; what was said before is talk.
    name = TASK_ID.search(text)
    assert name is not None
    record = gate.ask("GET", f"/v1/video/query?id={name[0]}", key=strict_key).json
    assert record["detail"]["req"]["prompt"] == "a paper boat"


def test_a_stream_tells_the_task_its_links_its_progress_and_last_the_film(
    gate: RealGate, strict_key: str
) -> None:
    chunks = told(gate, chat("a paper boat at sea"), strict_key)
    pieces = texts(chunks)
    text = "".join(pieces)
    name = TASK_ID.search(pieces[1])
    assert name is not None
    links = dict(re.findall(r"\[([^\]]+)\]\(([^)]+)\)", text))
    assert set(links) == {"查看页面", "任务数据", "在线播放", "下载视频"}
    # No address of a film stands there before it works.
    assert not any(FILM.search(piece) for piece in pieces[:-2])
    assert FILM.findall(pieces[-2]) == [links["在线播放"], links["下载视频"]]
    assert opened(gate, links["下载视频"]) == Measure(640, 360, 1.0)
    page = gate.ask("GET", links["查看页面"])
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    raw = gate.ask("GET", links["任务数据"]).json
    assert (raw["id"], raw["status"], raw["video_url"]) == (name[0], "completed", links["下载视频"])
    assert "正在生成视频" in text
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}


def test_a_stream_speaks_english_where_it_is_asked_to(gate: RealGate, strict_key: str) -> None:
    headers = {"Accept-Language": "en-GB,en;q=0.9"}
    for words, reason in (("--sandbox=filtered", "content_filter"), ("--sandbox=fail", "stop")):
        chunks = told(gate, chat(f"a paper boat {words}"), strict_key, **headers)
        text = "".join(texts(chunks))
        assert "The video task was created." in text
        assert "No video was made: " in text
        assert FILM.search(text) is None
        assert chunks[-1]["choices"][0]["finish_reason"] == reason
    chinese = gate.ask("POST", PATH, json_body=chat("a paper boat --sandbox=fail"), key=strict_key).json
    assert "视频生成失败：" in chinese["choices"][0]["message"]["content"]


def test_who_hangs_up_loses_nothing(gate: RealGate, strict_key: str) -> None:
    with streamed(gate, chat("a paper boat --sandbox=slow:1"), strict_key) as (_, events):
        heard = next(events) + next(events)
    name = TASK_ID.search(heard)
    assert name is not None
    path = f"/v1/video/query?id={name[0]}"
    done = watched(gate, path, strict_key, lambda body: str(body["status"]))[-1]
    assert opened(gate, done["video_url"]) == Measure(640, 360, 1.0)


def test_pictures_of_the_message_go_into_the_film_in_order(
    gate: RealGate, strict_key: str, pictures: str
) -> None:
    given = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
    content = [
        {"type": "text", "text": "from one"},
        {"type": "image_url", "image_url": {"url": f"{pictures}/red.png"}},
        {"type": "image_url", "image_url": {"url": given}},
        {"type": "text", "text": "to the other --sandbox=fail"},
    ]
    answer = gate.ask("POST", PATH, json_body=chat(content), key=strict_key)
    name = TASK_ID.search(answer.json["choices"][0]["message"]["content"])
    assert name is not None
    detail = gate.ask("GET", f"/v1/video/query?id={name[0]}", key=strict_key).json["detail"]
    assert detail["req"]["prompt"] == "from one\nto the other --sandbox=fail"
    assert [image.get("url") for image in detail["images"]] == [f"{pictures}/red.png", None]
    assert {"startImageMediaId", "endImageMediaId"} <= set(detail)


@pytest.mark.usefixtures("nothing_is_stored")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("changed", "param", "code"),
    [
        ({"messages": [{"role": "assistant", "content": "a boat"}]}, "messages", "invalid_parameter"),
        ({"messages": []}, "messages", "missing_parameter"),
        ({"messages": None}, "messages", "missing_parameter"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages[0].content", "missing_parameter"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg=="}}],
                    }
                ]
            },
            "messages[0].content[0]",
            "invalid_parameter",
        ),
        ({"n": 3}, "n", "invalid_parameter"),
        ({"model": "gpt-5"}, "model", "model_not_found"),
        ({"model": "veo_3_1-fast-remix"}, "model", "model_not_found"),
    ],
)
def test_what_is_no_wish_for_a_film_is_refused_in_openais_form(
    gate: RealGate, strict_key: str, changed: Json, param: str, code: str, *, stream: bool
) -> None:
    body = {**chat("a boat"), **changed, "stream": stream}
    answer = gate.ask("POST", PATH, json_body=body, key=strict_key)
    error = answer.json["error"]
    assert set(answer.json) == {"error"}
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert answer.status == (404 if code == "model_not_found" else 400)
    named = body["model"] if param == "model" else param
    assert f"`{named}`" in error["message"]
    assert answer.headers["x-should-retry"] == "false"


def test_a_chat_without_a_key_is_refused_in_openais_form(gate: RealGate) -> None:
    answer = gate.ask("POST", PATH, json_body=chat("a boat"))
    error = answer.json["error"]
    assert (answer.status, error["type"], error["code"]) == (401, "authentication_error", "invalid_api_key")
