import asyncio
import gzip
from ipaddress import ip_network

import pytest
import uvloop

from filmgate.net.denied import Denied
from filmgate.net.dial import GuardedDial
from filmgate.net.exchange import CONNECT_SECONDS
from filmgate.net.fetch import (
    PACE_WINDOW_SECONDS,
    SLOWEST_BYTES_PER_S,
    Fetched,
    FetchFailed,
    GuardedFetch,
)
from filmgate.net.guard import LOOK_UP_SECONDS, MOST_ANSWERS, Guard, GuardRules, allowed_pairs
from filmgate.net.http import REDIRECTS
from filmgate.net.urls import LONGEST_URL

LIMITS = {"limit_bytes": 1_000_000, "total_s": 5, "first_byte_s": 2}


class Dials(list[tuple[str, int]]):
    """Every address and port that was dialled, in order."""

    def note(self, address, port):
        self.append((address, port))


async def loopback(host):
    return ("127.0.0.1",)


def fetching(*allowed, resolver=loopback, tls=None, dials=None, window_s=30.0, **rules):
    allow = allowed_pairs(",".join(allowed))
    dial = GuardedDial(
        Guard(GuardRules(allow=allow, **rules), resolver),
        tls=tls,
        on_dial=None if dials is None else dials.note,
    )
    return GuardedFetch(dial, pace_window_s=window_s)


def at(started, host="127.0.0.1"):
    return f"{host}:{started.port}"


async def denied(fetch, url, **limits):
    with pytest.raises(Denied) as caught:
        await fetch.fetch(url, **(LIMITS | limits))
    return caught.value.rule


async def failed(fetch, url, **limits):
    with pytest.raises(FetchFailed) as caught:
        await fetch.fetch(url, **(LIMITS | limits))
    return caught.value


async def test_a_picture_is_fetched_from_an_allowed_pair(origin, answer_with):
    started = await origin(answer_with(b"picture", Content_Type="Image/PNG; charset=x"))
    dials = Dials()

    fetched = await fetching(at(started), dials=dials).fetch(started.url("/a%2Fb?c=%7E#d"), **LIMITS)

    assert fetched == Fetched(b"picture", "image/png", started.url("/a%2Fb?c=%7E"))
    assert dials == [("127.0.0.1", started.port)]


async def test_what_is_sent_names_the_host_and_nothing_of_ours(origin, answer_with, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    started = await origin(answer_with(b"", Set_Cookie="a=b"))
    fetch = fetching(at(started, "images.shop.com"))

    for _ in range(2):
        assert await fetch.fetch(started.url("", "images.shop.com"), **LIMITS) == Fetched(
            b"", "", started.url("/", "images.shop.com")
        )

    assert [(request.line, request.headers) for request in started.requests] == [
        (
            "GET / HTTP/1.1",
            {
                "host": f"images.shop.com:{started.port}",
                "accept": "*/*",
                "accept-encoding": "identity",
                "user-agent": "Filmgate",
                "connection": "close",
            },
        )
    ] * 2
    assert started.connections == 2


async def test_g12_the_certificate_is_the_names_though_the_address_is_dialled(
    origin, answer_with, server_tls, client_tls
):
    started = await origin(answer_with(b"picture"), server_tls)
    right, wrong = at(started, "shop.example.com"), at(started, "other.example.com")
    fetch = fetching(right, wrong, tls=client_tls)

    assert (await fetch.fetch(f"https://{right}/", **LIMITS)).body == b"picture"
    assert "Hostname mismatch" in (await failed(fetch, f"https://{wrong}/")).operator
    assert "CERTIFICATE_VERIFY_FAILED" in (await failed(fetching(right), f"https://{right}/")).operator
    assert len(started.requests) == 1


@pytest.mark.parametrize(
    ("location", "rule"),
    [
        ("http://127.0.0.1/", "G10"),
        ("http://169.254.169.254/latest/meta-data/", "G10"),
        ("http://[::1]/", "G11"),
        ("http://2130706433/", "G6"),
        ("http://localhost/", "G6"),
        ("http://x.internal/", "G9"),
        ("http://shop.com:22/", "G4"),
        ("http://me@shop.com/", "G3"),
        ("//127.0.0.1/", "G10"),
        ("//shop.com@127.0.0.1/", "G3"),
        ("\\\\127.0.0.1\\", "G1"),
        ("/a b", "G1"),
        ("ftp://shop.com/", "G2"),
        ("file:///etc/passwd", "G2"),
        ("data:image/png,a", "G2"),
        ("http:/127.0.0.1/", "G2"),
        ("http:127.0.0.1", "G2"),
        ("http:///127.0.0.1/", "G6"),
        ("/\u202e", "G1"),
    ],
)
async def test_g13_each_hop_is_checked_from_the_first_rule_on(location, rule, origin):
    async def answer(request, writer):
        writer.write(f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode())

    started = await origin(answer)
    dials = Dials()

    assert await denied(fetching(at(started), dials=dials), started.url()) == rule
    assert dials == [("127.0.0.1", started.port)]


async def test_g13_a_redirect_to_a_name_with_a_denied_address_is_not_dialled(origin, answer_with):
    started = await origin(answer_with(b"", 302, Location="http://inside.shop.com/"))
    dials = Dials()

    assert await denied(fetching(at(started), dials=dials), started.url()) == "G10"
    assert dials == [("127.0.0.1", started.port)]


@pytest.mark.parametrize(
    ("location", "path"),
    [("c", "/a/c"), ("/c", "/c"), ("?c", "/a/b?c"), ("../c", "/c"), ("./c#d", "/a/c"), ("c:d", "/a/c:d")],
)
async def test_g13_a_relative_redirect_stays_on_its_origin(location, path, origin, say):
    async def answer(request, writer):
        first = request.path == "/a/b"
        writer.write(say(b"", 307, Location=location) if first else say(request.path.encode()))

    started = await origin(answer)

    if ":" in location:
        assert await denied(fetching(at(started)), started.url("/a/b")) == "G2"
    else:
        fetched = await fetching(at(started)).fetch(started.url("/a/b"), **LIMITS)
        assert fetched == Fetched(path.encode(), "", started.url(path))


async def test_g13_three_redirects_are_followed_and_the_fourth_is_not(origin, say):
    async def answer(request, writer):
        hop = int(request.path[1:])
        writer.write(say(b"picture") if hop == 9 else say(b"", 302, Location=f"/{hop + 1}"))

    started = await origin(answer)
    fetch = fetching(at(started))

    assert (await fetch.fetch(started.url("/6"), **LIMITS)).final_url == started.url("/9")
    failure = await failed(fetch, started.url("/5"))
    assert (str(failure), failure.status) == ("the URL redirects too often, or to nowhere", 302)
    assert (await failed(fetching(at(started)), started.url("/5"))).operator == "the answer was 302"


async def test_g13_a_redirect_to_nowhere_fails(origin, answer_with):
    started = await origin(answer_with(b"", 301))

    assert (await failed(fetching(at(started)), started.url())).operator == "the answer was 301, to nowhere"


async def test_g13_a_redirect_never_leaves_https(origin, answer_with, server_tls, client_tls):
    plain = await origin(answer_with(b"picture"))
    started = await origin(answer_with(b"", 302, Location=plain.url()), server_tls)
    fetch = fetching(at(started), at(plain), tls=client_tls)

    assert await denied(fetch, started.url()) == "G13"
    assert plain.connections == 0


async def test_g13_the_way_from_http_to_https_is_open(origin, answer_with, server_tls, client_tls):
    secure = await origin(answer_with(b"picture"), server_tls)
    started = await origin(answer_with(b"", 302, Location=secure.url()))
    fetch = fetching(at(started), at(secure), tls=client_tls)

    assert (await fetch.fetch(started.url(), **LIMITS)).body == b"picture"


async def test_g14_no_byte_in_time_and_a_silent_connection_fail_alike(origin):
    async def silent(request, writer):
        await asyncio.sleep(1)

    async def half_a_head(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await asyncio.sleep(1)

    for answer in (silent, half_a_head):
        started = await origin(answer)
        assert str(await failed(fetching(at(started)), started.url(), first_byte_s=0.1)) == (
            "the URL could not be fetched"
        )


async def test_g14_the_total_covers_all_hops_and_the_body(origin, say):
    async def slow(request, writer):
        await asyncio.sleep(0.15)
        hop = int(request.path[1:])
        writer.write(say(b"picture") if hop == 3 else say(b"", 302, Location=f"/{hop + 1}"))

    started = await origin(slow)

    assert (await fetching(at(started)).fetch(started.url("/0"), **LIMITS)).body == b"picture"
    failure = await failed(fetching(at(started)), started.url("/0"), total_s=0.4)
    assert failure.operator == "no reply came: TimeoutError"


async def test_g14_a_drip_is_cut_off_though_it_never_stops(origin):
    async def drip(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 100)
            await writer.drain()
            await asyncio.sleep(0.02)

    started = await origin(drip)
    fetch = fetching(at(started), window_s=0.4)
    loop = asyncio.get_running_loop()
    began = loop.time()

    assert (await failed(fetch, started.url(), min_rate_bytes_s=20_000)).operator == (
        "the reply was cut short: TimeoutError"
    )
    assert 0.3 < loop.time() - began < 5
    assert (await failed(fetch, started.url(), min_rate_bytes_s=1000, total_s=1)).operator == (
        "the reply was cut short: TimeoutError"
    )
    assert 1.3 < loop.time() - began < 2.5


async def test_g14_an_endless_or_long_body_ends_at_its_limit(origin):
    async def pour(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async def long(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")

    for answer in (pour, long):
        started = await origin(answer)
        fetch = fetching(at(started))
        assert str(await failed(fetch, started.url())) == "the file is larger than 1000000 bytes"
        failure = await failed(fetch, started.url(), limit_bytes=20 * 2**20)
        assert str(failure) == "the file is larger than 20 MiB"


async def test_g14_the_size_is_that_of_what_a_body_unfolds_to(origin):
    bomb = gzip.compress(bytes(20_000_000))

    async def answer(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb))
        writer.write(bomb)

    started = await origin(answer)

    assert str(await failed(fetching(at(started)), started.url())) == "the file is larger than 1000000 bytes"


async def test_g15_a_client_reads_the_same_whatever_hindered_us(origin, answer_with, server_tls):
    async def hang_up(request, writer):
        return "close"

    async def banner(request, writer):
        writer.write(b"220 mail.inside ESMTP\r\n")
        return "close"

    async def half(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
        return "close"

    urls = ["http://127.0.0.1:1/"]
    for answer, tls in ((hang_up, None), (banner, None), (half, None), (answer_with(), server_tls)):
        urls.append((await origin(answer, tls)).url())
    fetch = fetching(*(url.split("/")[2] for url in urls))

    failures = [await failed(fetch, url) for url in urls]

    assert {(str(failure), failure.status) for failure in failures} == {
        ("the URL could not be fetched", None)
    }
    assert len({failure.operator for failure in failures}) == len(urls)


async def test_another_status_is_told_by_its_number_alone(origin, answer_with):
    started = await origin(answer_with(b"root:x:0:0", 404))

    failure = await failed(fetching(at(started)), started.url())

    assert (str(failure), failure.status) == ("the server of the URL answered 404", 404)


async def test_g16_denied_networks_hold_for_allowed_pairs(origin, answer_with):
    started = await origin(answer_with(b"picture"))
    fetch = fetching(at(started), deny_cidrs=(ip_network("127.0.0.0/8"),))

    assert await denied(fetch, started.url()) == "G16"
    assert started.connections == 0


async def test_g16_another_port_of_an_allowed_host_stays_closed(origin, answer_with):
    first, second = await origin(answer_with()), await origin(answer_with())

    assert await denied(fetching(at(first)), second.url()) == "G4"
    ports = frozenset((first.port, second.port))
    assert await denied(fetching(at(first), ports=ports), second.url()) == "G10"
    assert second.connections == 0


def test_the_limits_are_those_that_are_promised():
    assert (CONNECT_SECONDS, LOOK_UP_SECONDS, MOST_ANSWERS, REDIRECTS) == (5, 3, 32, 3)
    assert (SLOWEST_BYTES_PER_S, PACE_WINDOW_SECONDS, LONGEST_URL) == (16_384, 30, 4096)


async def test_a_guarded_fetch_does_the_same_on_uvloop(serve, server_tls, client_tls, answer_with):
    async def fetch_all():
        started, server = await serve(answer_with(b"picture"), server_tls)
        name = at(started, "shop.example.com")
        dials = Dials()
        fetched = await fetching(name, tls=client_tls, dials=dials).fetch(f"https://{name}/", **LIMITS)
        failure = await failed(fetching("127.0.0.1:1"), "http://127.0.0.1:1/")
        rule = await denied(fetching(resolver=loopback), "https://shop.com/")
        server.close()
        return fetched.body, len(dials), str(failure), rule

    def run():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(fetch_all())

    assert await asyncio.to_thread(run) == (b"picture", 1, "the URL could not be fetched", "G10")
