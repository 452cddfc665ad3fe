"""Names whose answers change between two look-ups: nothing may be dialled that was not checked."""

import asyncio
import os
import random
import socket
from ipaddress import ip_address, ip_network

import pytest
from dnslib import AAAA, CNAME, QTYPE, RR, A, DNSRecord  # type: ignore[import-untyped]  # it has no types
from dnslib.server import DNSServer  # type: ignore[import-untyped]  # it has no types
from yarl import URL

from filmgate.domain.contracts_http import NotSent
from filmgate.net.denied import Denied
from filmgate.net.dial import GuardedDial, _PinnedConnector
from filmgate.net.exchange import begin, new_session
from filmgate.net.fetch import FetchFailed, GuardedFetch
from filmgate.net.guard import Checked, Guard, GuardRules

REBINDS = int(os.environ.get("FILMGATE_GUARD_REBINDS", "500"))
GOOD = ip_address("127.0.0.1")
EVIL = [
    "127.0.0.2",
    "10.0.0.1",
    "169.254.169.254",
    "::1",
    "::ffff:7f00:2",
    "64:ff9b::7f00:2",
    "fe80::1",
    "0.1.2.3",
]
LIMITS = {"limit_bytes": 1000, "total_s": 5, "first_byte_s": 5}


class Liar:
    """A name server that rolls dice for every question, and allows nobody to remember the answer."""

    def __init__(self, seed):
        self.dice = random.Random(seed)  # a failing run must be repeatable
        self.told: list[str] = []
        self.port = 0

    def resolve(self, request, handler):
        reply = request.reply()
        name, kind = request.q.qname, QTYPE[request.q.qtype]
        if self.dice.random() < 0.3:
            alias = f"alias{self.dice.randrange(10**6)}.shop.com"
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(alias), ttl=0))
            name = alias
        for text in self.answers(kind):
            self.told.append(text)
            data = A(text) if kind == "A" else AAAA(text)
            reply.add_answer(RR(name, getattr(QTYPE, kind), rdata=data, ttl=0))
        return reply

    def answers(self, kind):
        family = [text for text in EVIL if (":" in text) == (kind == "AAAA")]
        evil = self.dice.sample(family, 2) if self.dice.random() < 0.3 else []
        good = ["127.0.0.1"] * (kind == "A" and self.dice.random() < 0.9)
        return self.dice.sample(good + evil, len(good + evil))


@pytest.fixture
def liar():
    liar = Liar(7)
    server = DNSServer(liar, address="127.0.0.1", port=0, logger=Quiet())
    server.start_thread()
    liar.port = server.server.server_address[1]
    yield liar
    server.server.shutdown()
    server.server.server_close()
    server.thread.join()


class Quiet:
    def __getattr__(self, name):
        return lambda *arguments: None


@pytest.fixture
async def twins(origin, answer_with):
    """An origin on 127.0.0.1, which these tests call public, and a decoy on the same port of 127.0.0.2."""
    started = await origin(answer_with(b"picture"))
    decoy = socket.create_server(("127.0.0.2", started.port))
    decoy.settimeout(0)
    yield started
    with pytest.raises(BlockingIOError):
        decoy.accept()
    decoy.close()


def rules(port):
    return GuardRules(allow_cidrs=(ip_network("127.0.0.1/32"),), ports=frozenset((port,)))


def asking(port):
    def ask(host):
        answers = []
        for kind in ("A", "AAAA"):
            packet = DNSRecord.question(host, kind).send("127.0.0.1", port, timeout=3)
            answers += [
                str(row.rdata) for row in DNSRecord.parse(packet).rr if row.rtype in (QTYPE.A, QTYPE.AAAA)
            ]
        return answers

    async def resolver(host):
        return await asyncio.to_thread(ask, host)

    return resolver


async def test_g12_no_rebinding_name_ever_makes_us_dial_what_is_denied(liar, twins):
    dials = []
    dial = GuardedDial(Guard(rules(twins.port), asking(liar.port)), on_dial=lambda *pair: dials.append(pair))
    fetch = GuardedFetch(dial)
    outcomes = {"fetched": 0, "denied": 0}
    reasons: list[str] = []

    for number in range(REBINDS):
        liar.told.clear()
        try:
            fetched = await fetch.fetch(f"http://r{number}.shop.com:{twins.port}/", **LIMITS)
        except Denied as denial:
            outcomes["denied"] += 1
            reasons.append(denial.operator)
            assert set(liar.told) != {"127.0.0.1"}
        else:
            outcomes["fetched"] += 1
            assert (fetched.body, set(liar.told)) == (b"picture", {"127.0.0.1"})

    assert [reason for reason in reasons if "was not resolved" in reason] == []
    assert set(dials) == {("127.0.0.1", twins.port)}
    assert len(dials) == outcomes["fetched"] == len(twins.requests)
    assert min(outcomes.values()) > REBINDS // 10


async def test_g12_a_name_is_looked_up_once_a_hop_and_dialled_by_that_answer(twins):
    answers = iter(["127.0.0.1", "127.0.0.2", "127.0.0.2"])

    async def flipping(host):
        return (next(answers),)

    dials = []
    dial = GuardedDial(Guard(rules(twins.port), flipping), on_dial=lambda *pair: dials.append(pair))

    fetched = await GuardedFetch(dial).fetch(f"http://shop.com:{twins.port}/", **LIMITS)

    assert (fetched.body, dials) == (b"picture", [("127.0.0.1", twins.port)])
    assert list(answers) == ["127.0.0.2", "127.0.0.2"]


async def test_g12_several_checked_addresses_are_tried_and_none_besides(twins):
    both = GuardRules(allow_cidrs=(ip_network("127.0.0.0/8"),), ports=frozenset((twins.port,)))

    async def two(host):
        return ("127.0.0.3", "127.0.0.1")

    dials = []
    dial = GuardedDial(Guard(both, two), on_dial=lambda *pair: dials.append(pair))

    assert (await GuardedFetch(dial).fetch(f"http://shop.com:{twins.port}/", **LIMITS)).body == b"picture"
    assert dials == [("127.0.0.3", twins.port), ("127.0.0.1", twins.port)]


async def test_g12_no_socket_is_made_for_an_address_that_was_not_checked(twins):
    connector = _PinnedConnector("shop.com", (ip_address("127.0.0.1"),), None, None)
    async with new_session(connector) as session:
        with pytest.raises(NotSent, match=r"the address 127\.0\.0\.2 was not checked"):
            await begin(session, "GET", URL(f"http://127.0.0.2:{twins.port}/"), headers={}, within_s=2)
        with pytest.raises(NotSent, match=r"other\.com was not checked"):
            await begin(session, "GET", URL(f"http://other.com:{twins.port}/"), headers={}, within_s=2)


async def test_g12_a_connection_whose_peer_was_not_checked_is_sent_nothing(twins):
    connector = _PinnedConnector("127.0.0.1", (ip_address("127.0.0.9"),), None, None)
    connector._socket_factory = None
    async with new_session(connector) as session:
        with pytest.raises(NotSent, match="was not checked"):
            await begin(session, "GET", URL(twins.url()), headers={}, within_s=2)

    assert twins.requests == []


async def test_g3_a_url_that_two_parsers_read_differently_is_not_sent(twins):
    dial = GuardedDial(Guard(rules(twins.port), asking(0)))
    address = ip_address("127.0.0.1")
    for host in ("127.0.0.1/x", "me@127.0.0.1", "127.0.0.1?x"):
        with pytest.raises(Denied, match="not allowed") as caught:
            async with dial.request(
                "GET", Checked("http", host, twins.port, "/", address, trusted=True), headers={}, within_s=1
            ):
                raise AssertionError("it was sent")
        assert caught.value.operator == f"G3: {host} is read in two ways"


async def test_g12_a_name_server_that_stays_silent_is_not_waited_for(monkeypatch, twins):
    monkeypatch.setattr("filmgate.net.guard.LOOK_UP_SECONDS", 0.05)

    async def silent(host):
        await asyncio.sleep(5)

    fetch = GuardedFetch(GuardedDial(Guard(rules(twins.port), silent)))
    with pytest.raises(Denied) as caught:
        await fetch.fetch(f"http://shop.com:{twins.port}/", **LIMITS)

    assert caught.value.operator == "G12: shop.com was not resolved within 0.05 s"


async def test_a_checked_address_that_refuses_is_a_failure_and_no_denial(twins):
    async def other(host):
        return ("127.0.0.1",)

    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with pytest.raises(FetchFailed):
        await GuardedFetch(GuardedDial(Guard(rules(port), other))).fetch(f"http://shop.com:{port}/", **LIMITS)
