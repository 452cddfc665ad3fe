"""Prompts worded anew, by a real chat server and without one."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from filmgate.net.http import open_http
from filmgate.prompts.chat import Chat
from filmgate.prompts.enhancer import Enhancer


class Server:
    """A chat server that answers what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, dict[str, object]]] = []
        self.told: list[str] = []
        self.status = 200
        self.answer: object = {"choices": [{"message": {"content": "  A cat walks in the rain. "}}]}

    async def reply(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers.get("authorization"), await request.json()))
        return web.Response(status=self.status, text=json.dumps(self.answer), content_type="application/json")


@pytest.fixture
async def server(unused_tcp_port: int) -> AsyncIterator[tuple[Server, Enhancer]]:
    server = Server()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.reply)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    async with open_http() as http:
        yield (
            server,
            Enhancer(
                Chat(http, f"http://127.0.0.1:{unused_tcp_port}/v1", "small", "sk-chat"), server.told.append
            ),
        )
    await runner.cleanup()


def nobody(reason: str) -> None:
    raise AssertionError(reason)


async def test_a_chat_server_words_the_prompt(server: tuple[Server, Enhancer]) -> None:
    behind, enhancer = server
    wording = await enhancer.enhance("一只猫在雨中")
    assert (wording.text, wording.by, wording.warning) == ("A cat walks in the rain.", "chat", None)
    [(key, asked)] = behind.asked
    assert key == "Bearer sk-chat"
    assert asked["model"] == "small"
    assert asked["messages"][-1] == {"role": "user", "content": "一只猫在雨中"}  # type: ignore[index]  # read as JSON


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {}),
        (200, {"choices": []}),
        (200, {"choices": [{"message": {"content": " "}}]}),
        (200, "no object"),
        (200, {"choices": [{"message": "hi"}]}),
    ],
)
async def test_a_chat_server_that_fails_costs_a_warning_and_never_the_film(
    server: tuple[Server, Enhancer], status: int, answer: object
) -> None:
    behind, enhancer = server
    behind.status, behind.answer = status, answer
    wording = await enhancer.enhance("一只猫在雨中")
    assert wording.by == "built-in"
    assert "cat" in wording.text
    assert wording.warning == "the enhancer did not answer, so the built-in one did"
    assert len(behind.told) == 1


async def test_without_a_chat_server_the_built_in_wording_names_only_what_is_there() -> None:
    wording = await Enhancer(None, nobody).enhance("雪山日出,航拍")
    assert wording.by == "built-in"
    assert wording.warning is None
    assert "mountain" in wording.text


async def test_a_softer_wording_is_another_and_keeps_the_harmless_part() -> None:
    softer = await Enhancer(None, nobody).soften("a cat hunting a mouse in a garden, blood everywhere")
    assert "cat" in softer
    assert "blood" not in softer
