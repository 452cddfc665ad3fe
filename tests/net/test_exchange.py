"""What is said of a request that failed: had any of it left? The same on both event loops."""

import asyncio
import socket
from contextlib import ExitStack

import pytest
import uvloop

from filmgate.domain.contracts_http import HttpReply, NotSent, ReplyLost, TooLarge
from filmgate.net.http import open_http


async def hang_up(reader, writer):
    writer.close()


async def reset(reader, writer):
    writer.transport.abort()


async def reset_within_the_body(reader, writer):
    await reader.readexactly(1000)
    writer.transport.abort()


async def hang_up_after_the_request(request, writer):
    return "close"


async def half_a_head(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-le")
    return "close"


async def half_a_body(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}")
    return "close"


async def half_the_chunks(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    return "close"


async def never_answer(request, writer):
    await asyncio.sleep(1)


async def stall_within_the_body(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}")
    await asyncio.sleep(1)


async def no_http(request, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    return "close"


async def endless_header(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000 + b"\r\n\r\n")
    return "close"


async def broken_gzip(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello")


async def long_body(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000)


async def long_body_of_no_length(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000)
    return "close"


async def hello(request, writer):
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")


async def deaf(reader, writer):
    await asyncio.sleep(1)


async def outcome(http, url, *, timeout_s=0.4, **rest):
    try:
        reply = await http.send("POST", url, timeout_s=timeout_s, limit_bytes=1000, fresh=True, **rest)
    except (NotSent, ReplyLost, TooLarge) as failure:
        return type(failure)
    assert isinstance(reply, HttpReply)
    return reply.body


async def all_outcomes(serve, server_tls):
    """Provoke every ending by a real socket; give what each was called."""
    seen = {}
    servers = []

    async def at(answer, tls=None, *, greet=True):
        origin, server = await serve(answer, tls, greet=greet)
        servers.append(server)
        return origin

    def refused():
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            return f"http://127.0.0.1:{unused.getsockname()[1]}/"

    async with open_http() as http:
        for answer in (hang_up, reset, reset_within_the_body):
            origin = await at(answer, greet=False)
            seen[answer.__name__] = await outcome(http, origin.url(), json={"prompt": "x" * 4_000_000})
        for answer in (
            hang_up_after_the_request, half_a_head, half_a_body, half_the_chunks, never_answer,
            stall_within_the_body, no_http, endless_header, broken_gzip, long_body, long_body_of_no_length,
            hello,
        ):  # fmt: skip
            origin = await at(answer)
            seen[answer.__name__] = await outcome(http, origin.url(), json={"prompt": "a cat"})
        seen["refused port"] = await outcome(http, refused())
        seen["unknown name"] = await outcome(http, "http://nowhere.invalid/", timeout_s=5)
        seen["untrusted certificate"] = await outcome(http, (await at(hello, server_tls)).url())
        plain, silent = await at(hang_up, greet=False), await at(deaf, greet=False)
        seen["hang-up in the handshake"] = await outcome(http, plain.url().replace("http", "https"))
        seen["silence in the handshake"] = await outcome(http, silent.url().replace("http", "https"))
        seen["no time at all"] = await outcome(http, plain.url(), timeout_s=0)
        for url in ("ftp://127.0.0.1/", "http://", "/v1/videos", "http://127.0.0.1:99999/", "http://[::1/"):
            seen[url] = await outcome(http, url)
        seen["header of two lines"] = await outcome(
            http, plain.url(), headers={"authorization": "Bearer sk-1\n"}
        )
    for server in servers:
        server.close()
    return seen


EXPECTED = {
    "hang_up": ReplyLost,
    "reset": ReplyLost,
    "reset_within_the_body": ReplyLost,
    "hang_up_after_the_request": ReplyLost,
    "half_a_head": ReplyLost,
    "half_a_body": ReplyLost,
    "half_the_chunks": ReplyLost,
    "never_answer": ReplyLost,
    "stall_within_the_body": ReplyLost,
    "no_http": ReplyLost,
    "endless_header": ReplyLost,
    "broken_gzip": ReplyLost,
    "long_body": TooLarge,
    "long_body_of_no_length": TooLarge,
    "hello": b"hi",
    "refused port": NotSent,
    "unknown name": NotSent,
    "untrusted certificate": NotSent,
    "hang-up in the handshake": NotSent,
    "silence in the handshake": NotSent,
    "no time at all": NotSent,
    "ftp://127.0.0.1/": NotSent,
    "http://": NotSent,
    "/v1/videos": NotSent,
    "http://127.0.0.1:99999/": NotSent,
    "http://[::1/": NotSent,
    "header of two lines": NotSent,
}


async def test_each_ending_says_whether_anything_was_sent(serve, server_tls):
    assert await all_outcomes(serve, server_tls) == EXPECTED


async def test_each_ending_says_the_same_on_uvloop(serve, server_tls):
    def run():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(all_outcomes(serve, server_tls))

    assert await asyncio.to_thread(run) == EXPECTED


async def test_a_connection_that_is_not_made_in_time_was_not_sent_anything():
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # Nobody accepts: once the queue is full, the kernel leaves further connects unanswered.
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        await asyncio.sleep(0.05)
        async with open_http(connect_s=0.2) as http:
            url = f"http://127.0.0.1:{full.getsockname()[1]}/"
            with pytest.raises(NotSent, match="ConnectionTimeoutError"):
                await http.send("POST", url, json={}, timeout_s=5, limit_bytes=10)


async def test_a_request_is_never_sent_twice_of_itself(origin):
    async def hang_up_on_the_second(request, writer):
        if len(started.requests) > 1:
            return "close"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        return None

    for method in ("GET", "PUT", "DELETE", "POST"):
        started = await origin(hang_up_on_the_second)
        async with open_http() as http:
            await http.send(method, started.url(), timeout_s=1, limit_bytes=10)
            with pytest.raises(ReplyLost):
                await http.send(method, started.url(), timeout_s=1, limit_bytes=10)
        assert (started.connections, len(started.requests)) == (1, 2)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/hook/SECRET?key=SECRET", "http://me:SECRET@127.0.0.1:1/?key=SECRET#SECRET"],
)
async def test_what_is_said_of_a_failure_tells_no_path_query_or_password(url, origin, answer_with):
    async with open_http() as http:
        with pytest.raises(NotSent) as refused:
            await http.send("POST", url, timeout_s=1, limit_bytes=10)
        started = await origin(no_http)
        with pytest.raises(ReplyLost) as lost:
            await http.send("POST", url.replace(":1/", f":{started.port}/"), timeout_s=1, limit_bytes=10)

    assert "SECRET" not in str(refused.value)
    assert "SECRET" not in str(lost.value)
    assert f"127.0.0.1:{started.port}" in str(lost.value)
