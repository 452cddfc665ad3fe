import asyncio

import pytest

from filmgate.domain.contracts_http import HttpReply, NotSent, ReplyLost
from filmgate.net.denied import Denied
from filmgate.net.dial import GuardedDial
from filmgate.net.guard import Guard, GuardRules, allowed_pairs
from filmgate.net.post import GuardedPost

POST = {
    "headers": {"content-type": "application/json", "webhook-id": "1"},
    "body": b"{}",
    "timeout_s": 1,
    "most_bytes": 4096,
}


def posting(*origins, tls=None):
    allow = allowed_pairs(",".join(f"127.0.0.1:{origin.port}" for origin in origins))

    async def nobody(host):
        raise AssertionError(f"{host} was looked up")

    rules = GuardRules(allow=allow, https_only=True)
    return GuardedPost(GuardedDial(Guard(rules, nobody), tls=tls))


async def test_a_webhook_is_posted_with_its_exact_bytes(origin, answer_with, server_tls, client_tls):
    started = await origin(answer_with(b"thanks", 202), server_tls)

    answer = await posting(started, tls=client_tls).post(started.url("/hook?a=%2F"), **POST)

    assert answer == HttpReply(202, {"content-length": "6"}, b"thanks")
    (request,) = started.requests
    assert (request.line, request.body) == ("POST /hook?a=%2F HTTP/1.1", b"{}")
    assert (request.headers["content-type"], request.headers["webhook-id"]) == ("application/json", "1")


async def test_a_webhook_follows_no_redirect(origin, answer_with):
    started = await origin(answer_with(b"", 307, Location="/elsewhere"))

    assert (await posting(started).post(started.url(), **POST)).status == 307
    assert len(started.requests) == 1


async def test_of_a_long_or_endless_answer_only_the_beginning_is_read(origin):
    async def pour(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def stall(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
        await asyncio.sleep(2)

    poured, stalled = await origin(pour), await origin(stall)
    post = posting(poured, stalled)

    assert (await post.post(poured.url(), **POST)).body == b"x" * 4096
    assert (await post.post(stalled.url(), **(POST | {"timeout_s": 0.2}))).body == b"abc"


async def test_a_webhook_that_nobody_answers_says_whether_it_was_sent(origin):
    async def silent(request, writer):
        await asyncio.sleep(1)

    started = await origin(silent)
    with pytest.raises(ReplyLost):
        await posting(started).post(started.url(), **(POST | {"timeout_s": 0.1}))

    gone = type(started)(1)
    with pytest.raises(NotSent):
        await posting(gone).post(gone.url(), **POST)


@pytest.mark.parametrize("url", ["http://hooks.shop.com/", "https://10.0.0.1/", "https://localhost/"])
async def test_a_webhook_to_where_none_may_go_is_denied(url):
    with pytest.raises(Denied):
        await posting().post(url, **POST)
