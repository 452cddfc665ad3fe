import asyncio
import gzip
import io
from contextlib import aclosing

import pytest
from python_multipart import parse_form
from python_multipart.multipart import Field, File, parse_options_header

from filmgate.domain.contracts_http import (
    FormFile,
    Http,
    HttpReply,
    HttpStatus,
    NotSent,
    ReplyLost,
    TooLarge,
)
from filmgate.net.http import exact, open_http

PROMPT = '一只猫 \\ "quoted" 🎬'


@pytest.fixture
async def http():
    async with open_http() as client:
        yield client


def sending(client: Http):
    """Hold that what is opened is the house's Http."""
    return client.send


async def gather(client, url, **rest):
    limits = {"timeout_s": 2, "idle_s": 1, "limit_bytes": 1_000_000} | rest
    async with aclosing(client.stream(url, **limits)) as pieces:
        return b"".join([piece async for piece in pieces])


def redirect_to(location, status=302):
    async def answer(request, writer):
        writer.write(f"HTTP/1.1 {status} Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode())

    return answer


async def test_a_whole_reply_of_any_status_is_given(http, origin, answer_with):
    for status in (200, 204, 302, 404, 500):
        started = await origin(
            answer_with(b"" if status == 204 else b"hi", status, X_Mark="a", Location="/b")
        )

        reply = await sending(http)("GET", started.url("/a?b=%2F"), timeout_s=1, limit_bytes=10)

        body = b"" if status == 204 else b"hi"
        assert reply == HttpReply(
            status, {"content-length": str(len(body)), "x-mark": "a", "location": "/b"}, body
        )
        assert [request.path for request in started.requests] == ["/a?b=%2F"]


async def test_repeated_headers_of_a_reply_are_joined(http, origin):
    async def answer(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n")

    started = await origin(answer)

    reply = await http.send("GET", started.url(), timeout_s=1, limit_bytes=10)

    assert reply.headers == {"x-a": "1, 2", "content-length": "0"}


async def test_json_is_sent_as_utf_8_with_its_length_and_our_headers(http, origin, answer_with):
    started = await origin(answer_with())

    await http.send(
        "POST",
        started.url(),
        headers={"authorization": "Bearer k"},
        json={"prompt": "猫"},
        timeout_s=1,
        limit_bytes=0,
    )

    (request,) = started.requests
    assert (request.line, request.body) == ("POST / HTTP/1.1", '{"prompt":"猫"}'.encode())
    assert request.headers == {
        "host": f"127.0.0.1:{started.port}",
        "user-agent": "Filmgate",
        "accept": "*/*",
        "accept-encoding": "identity",
        "authorization": "Bearer k",
        "content-length": "16",
        "content-type": "application/json",
    }


async def test_a_body_of_many_megabytes_arrives_whole(http, origin, answer_with):
    started = await origin(answer_with())

    await http.send("POST", started.url(), json="x" * 8_000_000, timeout_s=10, limit_bytes=0)

    assert len(started.requests[0].body) == 8_000_002


async def test_a_form_goes_as_multipart_with_names_and_files_as_they_are(http, origin, answer_with):
    started = await origin(answer_with())
    png = bytes(range(256)) * 8192

    await http.send(
        "POST",
        started.url(),
        form=[
            ("prompt", PROMPT),
            ("input_reference[]", FormFile('Katze "1" 猫.png', "image/png", png)),
            ("input_reference[]", FormFile("b.jpg", "image/jpeg", b"\xff\xd8")),
        ],
        timeout_s=5,
        limit_bytes=0,
    )

    (request,) = started.requests
    fields: list[Field] = []
    files: list[File] = []
    parse_form(
        {"Content-Type": request.headers["content-type"].encode()},
        io.BytesIO(request.body),
        fields.append,
        files.append,
    )
    assert [(field.field_name, field.value) for field in fields] == [(b"prompt", PROMPT.encode())]
    assert [(file.field_name, file.file_name, file.size) for file in files] == [
        (b"input_reference[]", 'Katze "1" 猫.png'.encode(), len(png)),
        (b"input_reference[]", b"b.jpg", 2),
    ]
    for file in files:
        file.close()
    assert parse_options_header(request.headers["content-type"])[0] == b"multipart/form-data"
    assert b"content-type: image/png" in request.body.lower()


async def test_a_form_of_texts_alone_is_multipart_too(http, origin, answer_with):
    started = await origin(answer_with())

    note = {"x-note": "application/x-www-form-urlencoded"}

    await http.send("POST", started.url(), headers=note, form=[("a", "1")], timeout_s=1, limit_bytes=0)

    assert started.requests[0].headers["content-type"].startswith("multipart/form-data; boundary=")


async def test_a_form_is_urlencoded_where_the_headers_say_so(http, origin, answer_with):
    started = await origin(answer_with())

    await http.send(
        "POST",
        started.url(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        form=[("grant_type", "a b"), ("assertion", "ü&=")],
        timeout_s=1,
        limit_bytes=0,
    )

    assert started.requests[0].body == b"grant_type=a+b&assertion=%C3%BC%26%3D"
    assert started.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_connections_are_kept_for_questions_and_opened_anew_for_submits(http, origin, answer_with):
    started = await origin(answer_with())
    for _ in range(3):
        await http.send("GET", started.url(), timeout_s=1, limit_bytes=0)
    assert started.connections == 1

    for _ in range(3):
        await http.send("POST", started.url(), json={}, timeout_s=1, limit_bytes=0, fresh=True)
    assert started.connections == 4
    assert [request.headers.get("connection") for request in started.requests] == [None] * 3 + ["close"] * 3


async def test_nothing_is_taken_from_the_environment(http, origin, answer_with, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    started = await origin(answer_with(Set_Cookie="session=1"))

    for _ in range(2):
        assert (await http.send("GET", started.url(), timeout_s=1, limit_bytes=0)).status == 200

    assert {"authorization", "cookie"}.isdisjoint(started.requests[1].headers)


async def test_a_compressed_reply_is_counted_by_what_it_unfolds_to(http, origin):
    bomb = gzip.compress(bytes(5_000_000))

    async def answer(request, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb
        )

    started = await origin(answer)

    with pytest.raises(TooLarge, match="larger than 1000000 bytes"):
        await http.send("GET", started.url(), timeout_s=2, limit_bytes=1_000_000)
    assert len((await http.send("GET", started.url(), timeout_s=2, limit_bytes=5_000_000)).body) == 5_000_000


async def test_the_time_of_a_request_covers_the_whole_reply(http, origin):
    async def drip(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        for _ in range(90):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    started = await origin(drip)

    # Bytes come all the while, and the reply would be whole after 4.5 s.
    with pytest.raises(ReplyLost, match="TimeoutError"):
        await http.send("GET", started.url(), timeout_s=1.5, limit_bytes=1000)


async def test_a_stream_gives_the_body_in_pieces(http, origin, answer_with):
    film = bytes(range(256)) * 3000
    started = await origin(answer_with(film))

    assert await gather(http, started.url("/film.mp4"), headers={"authorization": "Bearer k"}) == film
    assert started.requests[0].headers["authorization"] == "Bearer k"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_stream_follows_a_redirect_of_its_origin_with_our_headers(status, http, origin, say):
    async def answer(request, writer):
        writer.write(say(b"film") if request.path == "/b/film" else say(b"", status, Location="b/film#t=1"))

    started = await origin(answer)

    assert await gather(http, started.url("/start"), headers={"x-goog-api-key": "k"}) == b"film"
    assert [request.headers.get("x-goog-api-key") for request in started.requests] == ["k", "k"]


async def test_a_foreign_origin_is_sent_no_header_of_ours_and_neither_is_the_first_one_after_it(
    http, origin, say
):
    async def first_answer(request, writer):
        to = other.url("/b")
        writer.write(say(b"film") if request.path == "/c" else say(b"", 302, Location=to))

    async def other_answer(request, writer):
        writer.write(say(b"", 302, Location=first.url("/c")))

    first, other = await origin(first_answer), await origin(other_answer)
    ours = {"authorization": "Bearer k", "x-api-key": "k", "cookie": "k"}

    assert await gather(http, first.url("/a"), headers=ours) == b"film"

    requests = [first.requests[0], other.requests[0], first.requests[1]]
    assert [set(ours) & set(request.headers) for request in requests] == [set(ours), set(), set()]


async def test_the_fourth_redirect_is_not_followed(http, origin, say):
    async def answer(request, writer):
        writer.write(say(b"on and on", 302, Location=f"{request.path}x"))

    started = await origin(answer)

    with pytest.raises(HttpStatus) as caught:
        await gather(http, started.url("/"))

    assert (caught.value.status, caught.value.body, str(caught.value)) == (
        302,
        b"on and on",
        "the answer was 302",
    )
    assert [request.path for request in started.requests] == ["/", "/x", "/xx", "/xxx"]


@pytest.mark.parametrize("location", ["", "ftp://127.0.0.1/", "file:///etc/passwd", "http://[::1"])
async def test_a_redirect_to_no_url_is_an_error(location, http, origin):
    started = await origin(redirect_to(location))

    with pytest.raises(HttpStatus, match="the answer was 302, to no URL of http or https"):
        await gather(http, started.url())


async def test_a_redirect_from_https_to_http_is_an_error(origin, answer_with, server_tls, client_tls):
    plain = await origin(answer_with(b"film"))
    started = await origin(redirect_to(plain.url()), server_tls)

    async with open_http(client_tls) as http:
        with pytest.raises(HttpStatus, match="the answer was 302, from https to http"):
            await gather(http, started.url())

    assert plain.connections == 0


async def test_https_is_spoken_where_the_certificate_is_trusted(origin, answer_with, server_tls, client_tls):
    started = await origin(answer_with(b"film"), server_tls)

    async with open_http(client_tls) as http:
        assert await gather(http, started.url()) == b"film"


async def test_another_status_is_an_error_with_the_beginning_of_what_was_said(http, origin, answer_with):
    started = await origin(answer_with(b"no" * 4000, 404))

    with pytest.raises(HttpStatus) as caught:
        await gather(http, started.url())

    assert (caught.value.status, caught.value.body) == (404, (b"no" * 4000)[:4096])


async def test_a_stream_that_stalls_or_ends_early_is_lost(http, origin):
    async def stall(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        await asyncio.sleep(0 if request.path == "/early" else 1)
        return "close"

    started = await origin(stall)

    with pytest.raises(ReplyLost, match="TimeoutError"):
        await gather(http, started.url("/late"), idle_s=0.1)
    with pytest.raises(ReplyLost, match="Not enough data"):
        await gather(http, started.url("/early"))


async def test_a_stream_that_never_pauses_ends_with_its_time(http, origin):
    async def pour(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    started = await origin(pour)

    with pytest.raises(ReplyLost, match=r"time is up|TimeoutError"):
        await gather(http, started.url(), timeout_s=0.2, limit_bytes=10**12)


async def test_a_stream_passes_its_limit_by_its_length_or_by_its_bytes(http, origin):
    async def endless(request, writer):
        length = b"content-length: 101\r\n" if request.path == "/told" else b""
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 101)
        return "close"

    started = await origin(endless)

    for path in ("/told", "/untold"):
        with pytest.raises(TooLarge):
            await gather(http, started.url(path), limit_bytes=100)
        assert len(await gather(http, started.url(path), limit_bytes=101)) == 101


async def test_a_stream_that_nobody_listens_to_was_not_sent(http):
    for url in ("http://127.0.0.1:1/", "nowhere", "http://[::1"):
        with pytest.raises(NotSent):
            await gather(http, url)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://a.com/b%2Fc%7e?x=%2b+a%20&y=%zz", "https://a.com/b%2Fc%7e?x=%2b+a%20&y=%zz"),
        ("https://a.com/a/../b?sig=A/B==", "https://a.com/a/../b?sig=A/B=="),
        ("https://a.com/ü b", "https://a.com/%C3%BC%20b"),
        ("https://a.com/\r\nx: y", "https://a.com/x:%20y"),
    ],
)
def test_a_signed_url_is_sent_as_it_was_signed_and_an_odd_one_quoted(written, sent):
    assert str(exact(written)) == sent
