"""Made-up URLs: whatever the guard accepts, other readings of its text name the same, public host."""

import os
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from filmgate.net.addresses import why_not
from filmgate.net.denied import Denied
from filmgate.net.guard import Guard, GuardRules
from filmgate.net.names import wire_name

EXAMPLES = int(os.environ.get("FILMGATE_GUARD_EXAMPLES", "1000"))

ADDRESSES = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.sampled_from(["127.0.0.1", "169.254.169.254", "10.0.0.1", "8.8.8.8", "100.100.100.200"]),
)
NUMBERS = st.one_of(
    st.integers(0, 2**33),
    st.integers(0, 255),
    ADDRESSES.map(lambda text: int(ip_address(text))),
).flatmap(lambda number: st.sampled_from([f"{number}", f"{number:#x}", f"0{number:o}", f"{number:#b}"]))
NUMERIC = st.lists(NUMBERS, min_size=1, max_size=5).map(".".join)
BRACKETED = st.one_of(
    st.ip_addresses(v=6).map("[{}]".format),
    st.ip_addresses(v=6, network="2000::/3").map("[{}]".format),
    ADDRESSES.flatmap(
        lambda text: st.sampled_from([f"[::ffff:{text}]", f"[::{text}]", f"[64:ff9b::{text}]"])
    ),
)
TOPS = st.sampled_from(
    ["com", "com", "org", "museum", "рф", "中国", "xn--p1ai", "internal", "localhost", "goog", "c"]
)
WORDS = st.sampled_from(
    [
        "localhost",
        "metadata",
        "internal",
        "shop",
        "a_b",
        "r3---sn-x",
        "xn--bcher-kva",
        "bücher",
        "例",
        "127",
        "0x7f",
    ]
)
LETTERS = st.text(st.characters(categories=["Ll", "Lo", "Lu", "Nd", "Mn"]), min_size=1, max_size=4)


def mostly(usual, *rare):
    """Draw the usual text far more often than any other, so that many URLs are accepted."""
    return st.integers(0, 9).flatmap(lambda die: st.sampled_from(rare) if die == 7 else st.just(usual))


LABELS = st.one_of(WORDS, st.text("abcxyz019", min_size=1, max_size=6))
HOSTILE_LABELS = st.one_of(LETTERS, st.text("ab1-_", max_size=6), st.text(max_size=4))
NAMES = st.builds(
    lambda labels, hostile, top: ".".join([*labels, *hostile, top]),
    st.lists(LABELS, min_size=1, max_size=3),
    mostly([], ["x", ""], [""]) | st.lists(HOSTILE_LABELS, max_size=1),
    TOPS,
)
HOSTS = st.one_of(NAMES, NAMES, NAMES, BRACKETED, ADDRESSES, NUMERIC)

URLS = st.builds(
    "{}{}{}{}{}".format,
    mostly("https://", "http://", "HTTP://", "http:/", "http:///", "ftp://", "//", "http:\\\\"),
    mostly("", "user@", "a:b@", "shop.com@", "shop.com\\@", "@"),
    HOSTS,
    mostly("", ":80", ":443", ":8080", ":22", ":", ":0", ":080", ".", "%00", "\t"),
    mostly("/a.png", "", "/", "?x", "#x", "/@10.0.0.1", "?@10.0.0.1", "#@10.0.0.1", "\\@10.0.0.1", "/ä b"),
)


@st.composite
def mutated(draw):
    """Give a URL with a few characters put in, taken out or changed."""
    text = list(draw(URLS))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2, 3]))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 1))] = draw(
            st.one_of(st.characters(), st.sampled_from("./@:#?\\%[]。．①"))
        )
    return "".join(text)


async def nobody(host):
    raise AssertionError(f"{host} was looked up")


GUARD = Guard(GuardRules(), nobody)


@settings(max_examples=EXAMPLES, deadline=None)
@given(mutated())
def test_no_reading_of_an_accepted_url_names_a_denied_address(url):
    try:
        checked = GUARD.check(url)
    except Denied:
        return

    assert urlsplit(checked.url).hostname == checked.host
    assert URL(checked.url, encoded=True).raw_host == checked.host
    read_by_libc = libc_address(checked.host)
    assert read_by_libc is None or why_not(ip_address(read_by_libc)) is None
    assert (read_by_libc is None) == (checked.literal is None)
    written = urlsplit(url)
    assert written.username is None
    assert spelled(written.hostname or "") == checked.host


@settings(max_examples=EXAMPLES, deadline=None)
@given(NAMES)
def test_a_wire_name_is_its_own_spelling(name):
    try:
        wire = wire_name(name)
    except Denied:
        return

    assert wire_name(wire) == wire
    assert wire.isascii()


@pytest.mark.parametrize("character", ["\u0660", "\u2488", "\u3002", "\ufe52", "\u2024", "\u0149"])
def test_g8_characters_that_fold_to_dots_or_digits_end_no_label(character):
    with pytest.raises(Denied):
        GUARD.check(f"https://shop{character}com/")


def libc_address(host):
    """Read a host as a program does that hands it to libc without thinking."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def spelled(host):
    """Spell a host by another road than the guard's: the library's own splitting and mapping."""
    if host.isascii():
        return str(ip_address(host)) if ":" in host else host.removesuffix(".")
    return ".".join(
        idna.encode(label, uts46=True).decode() if not label.isascii() else label
        for label in host.removesuffix(".").split(".")
    )
