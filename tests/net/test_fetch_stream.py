import asyncio
from contextlib import aclosing

import pytest

from filmgate.domain.contracts_http import HttpStatus, NotSent, ReplyLost, TooLarge
from filmgate.net.denied import Denied
from filmgate.net.dial import GuardedDial
from filmgate.net.fetch import GuardedFetch
from filmgate.net.guard import Guard, GuardRules, allowed_pairs


async def nobody(host):
    raise AssertionError(f"{host} was looked up")


def fetching(*allowed):
    rules = GuardRules(allow=allowed_pairs(",".join(allowed)))
    return GuardedFetch(GuardedDial(Guard(rules, nobody)))


def at(started):
    return f"127.0.0.1:{started.port}"


STREAM = {"timeout_s": 2, "idle_s": 0.2, "limit_bytes": 1000}


async def gather(fetch, url, **rest):
    async with aclosing(fetch.stream(url, **(STREAM | rest))) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_a_guarded_stream_speaks_of_failures_as_any_stream_does(origin, answer_with):
    async def stall(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        await asyncio.sleep(1)

    stalled, missing = await origin(stall), await origin(answer_with(b"gone", 404))
    film, long = await origin(answer_with(b"film" * 250)), await origin(answer_with(b"x" * 1001))
    fetch = fetching("127.0.0.1:1", *map(at, (stalled, missing, film, long)))

    assert await gather(fetch, film.url()) == b"film" * 250
    with pytest.raises(ReplyLost):
        await gather(fetch, stalled.url())
    with pytest.raises(HttpStatus) as caught:
        await gather(fetch, missing.url())
    assert (caught.value.status, caught.value.body) == (404, b"gone")
    with pytest.raises(TooLarge):
        await gather(fetch, long.url())
    with pytest.raises(NotSent):
        await gather(fetch, "http://127.0.0.1:1/")
    with pytest.raises(Denied):
        await gather(fetch, "http://127.0.0.2/")


async def test_a_guarded_stream_gives_its_headers_to_no_foreign_origin(origin, say):
    async def first_answer(request, writer):
        home = (
            say(b"", 302, Location="/b") if request.path == "/a" else say(b"", 302, Location=other.url("/c"))
        )
        writer.write(home if request.path in "/a/b" else say(b"film"))

    async def other_answer(request, writer):
        writer.write(say(b"", 302, Location=first.url("/d")))

    first, other = await origin(first_answer), await origin(other_answer)
    fetch = fetching(at(first), at(other))

    assert await gather(fetch, first.url("/a"), headers={"authorization": "Bearer k"}) == b"film"

    requests = [*first.requests[:2], *other.requests, first.requests[2]]
    assert [(request.path, request.headers.get("authorization")) for request in requests] == [
        ("/a", "Bearer k"),
        ("/b", "Bearer k"),
        ("/c", None),
        ("/d", None),
    ]


async def test_a_stream_that_is_left_closes_its_connection(origin):
    ended = asyncio.Event()

    async def pour(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(1000))
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    started = await origin(pour)
    async with aclosing(
        fetching(at(started)).stream(started.url(), **(STREAM | {"limit_bytes": 10**9}))
    ) as pieces:
        assert await anext(pieces)

    await asyncio.wait_for(ended.wait(), 1)
