import pytest

from filmgate.domain.contracts_http import Http, HttpStatus, NotSent
from filmgate.net.dial import GuardedDial
from filmgate.net.fetch import GuardedFetch
from filmgate.net.guard import Guard, GuardRules, trusted_pair
from filmgate.net.http import open_http
from filmgate.net.results import GuardedResults


async def nobody(host):
    raise AssertionError(f"{host} was looked up")


@pytest.fixture
async def relay(origin, say):
    """A relay, its base URL configured, whose stories of where its films lie are not."""

    async def answer(request, writer):
        if request.path.startswith("/to/"):
            writer.write(say(b"", 302, Location=request.path.removeprefix("/to/")))
        else:
            writer.write(say(b"film", 404 if request.path == "/gone" else 200))

    return await origin(answer)


@pytest.fixture
async def way_out(relay):
    allow = frozenset((trusted_pair(relay.url()),))
    fetch = GuardedFetch(GuardedDial(Guard(GuardRules(allow=allow), nobody)))
    async with open_http() as http:
        yield GuardedResults(http, fetch)


async def gather(http: Http, url):
    pieces = http.stream(url, timeout_s=2, idle_s=1, limit_bytes=1000)
    return b"".join([piece async for piece in pieces])


async def test_questions_go_to_the_configured_address(way_out, relay):
    reply = await way_out.send("POST", relay.url("/v1"), json={}, timeout_s=1, limit_bytes=10)

    assert (reply.status, reply.body) == (200, b"film")


async def test_results_on_the_relay_itself_are_streamed(way_out, relay):
    assert await gather(way_out, relay.url("/film.mp4")) == b"film"


async def test_results_elsewhere_pass_the_guard(way_out, relay, origin, answer_with):
    inside = await origin(answer_with(b"secret"))
    for url in (inside.url(), relay.url(f"/to/{inside.url()}"), "http://169.254.169.254/"):
        with pytest.raises(NotSent, match="the guard denied the result's URL: G"):
            await gather(way_out, url)

    assert inside.connections == 0


async def test_another_status_is_told_as_by_any_http(way_out, relay):
    with pytest.raises(HttpStatus, match="the answer was 404"):
        await gather(way_out, relay.url("/gone"))
