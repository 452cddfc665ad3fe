"""The guard of what others make us fetch: which URLs may be asked, and which addresses dialled for them.

The rules bear numbers, which Denied carries and the tests name:

    G1   length and characters           G8   names in other scripts
    G2   scheme                          G9   names that are never public
    G3   no user, one authority          G10  IPv4 addresses
    G4   port                            G11  IPv6 addresses
    G5   brackets hold plain IPv6        G12  every answer of one look-up
    G6   form of a host name             G13  redirects, each hop from G1 on
    G7   IPv4 in four decimal parts      G14  time, rate and size

A URL that the rules up to G11 deny is denied without asking any name server.
"""

import asyncio
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from yarl import URL

from filmgate.net.addresses import (
    NAT64,
    Address,
    Network,
    carried_v4,
    lies_in,
    read_answer,
    read_v4,
    read_v6,
    why_not,
)
from filmgate.net.denied import Denied
from filmgate.net.names import demand_public, wire_name
from filmgate.net.resolver import Resolver
from filmgate.net.urls import DEFAULT_PORTS, split

LOOK_UP_SECONDS: Final = 3.0
MOST_ANSWERS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRules:
    """What an operator may turn. `allow` holds hosts as `allowed_pairs` spells them; `deny_cidrs` wins."""

    allow: frozenset[tuple[str, int]] = frozenset()
    allow_cidrs: tuple[Network, ...] = ()
    deny_cidrs: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset((80, 443, 8080, 8443))
    nat64: bool = False
    https_only: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A URL that the rules without look-up let pass, spelled as it goes over the wire.

    `host` is a name in A-labels or an address without brackets; `trusted` says that the operator named it.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    literal: Address | None
    trusted: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


class Guard:
    def __init__(self, rules: GuardRules, resolver: Resolver) -> None:
        self._rules = rules
        self._resolver = resolver

    def check(self, url: str) -> Checked:
        """Apply all rules that need no look-up, or raise Denied."""
        parts = split(url)
        host, literal = _read_host(parts.host, bracketed=parts.bracketed)
        trusted = (host, parts.port) in self._rules.allow
        if not trusted:
            self._demand_way(parts.scheme, parts.port)
        if literal is not None:
            self._demand_dialable(literal, trusted=trusted)
        elif not trusted:
            demand_public(host)
        return Checked(parts.scheme, host, parts.port, parts.target, literal, trusted)

    async def resolve(self, checked: Checked) -> tuple[Address, ...]:
        """Look the host up once; give the addresses that may be dialled, or raise Denied if any may not."""
        if checked.literal is not None:
            return (checked.literal,)
        answers = await self._look_up(checked.host)
        if not 1 <= len(answers) <= MOST_ANSWERS:
            raise Denied("G12", f"{checked.host} has {len(answers)} addresses")
        addresses = tuple(dict.fromkeys(_read_answer(checked.host, answer) for answer in answers))
        for address in addresses:
            self._demand_dialable(address, trusted=checked.trusted, answer=True)
        return addresses

    async def _look_up(self, host: str) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return tuple(await self._resolver(host))
        except TimeoutError as error:
            raise Denied("G12", f"{host} was not resolved within {LOOK_UP_SECONDS:g} s") from error
        except (OSError, UnicodeError) as error:
            raise Denied("G12", f"{host} was not resolved: {error}") from error

    def _demand_way(self, scheme: str, port: int) -> None:
        if self._rules.https_only and scheme != "https":
            raise Denied("G2", "only https:// is allowed here")
        if port not in self._rules.ports:
            raise Denied("G4", f"port {port} is not in the list")

    def _demand_dialable(self, address: Address, *, trusted: bool, answer: bool = False) -> None:
        denying = lies_in(address, self._rules.deny_cidrs)
        if denying is not None:
            raise Denied("G16", f"{address} lies in {denying}, which deny_cidrs denies")
        if trusted or any(address in network for network in self._rules.allow_cidrs):
            return
        if answer and self._rules.nat64 and address in NAT64:
            self._demand_translated(address)
            return
        reason = why_not(address)
        if reason is not None:
            raise Denied(*reason)

    def _demand_translated(self, address: Address) -> None:
        carried = carried_v4(address)
        reason = None if carried is None else why_not(carried)
        if reason is not None:
            raise Denied(reason[0], f"{address}: {reason[1]}")


def allowed_pairs(text: str) -> frozenset[tuple[str, int]]:
    """Read `host:port` pairs parted by commas, as FILMGATE_GUARD_ALLOW holds them. Raise ValueError."""
    return frozenset(_read_pair(pair.strip()) for pair in text.split(",") if pair.strip())


def trusted_pair(base_url: str) -> tuple[str, int]:
    """Give the pair for `allow` of a URL that an operator configured. Raise ValueError."""
    url = URL(base_url)
    host, port = url.raw_host or "", url.port
    if port is None or not host:
        raise ValueError(f"{base_url!r} is no URL: write one such as https://api.example.com")
    try:
        return _read_host(host, bracketed=":" in host)[0], port
    except Denied as denied:
        raise ValueError(f"{base_url!r} names no host: {denied.reason}") from denied


def _read_pair(pair: str) -> tuple[str, int]:
    try:
        parts = split(f"http://{pair}/")
        host, _ = _read_host(parts.host, bracketed=parts.bracketed)
    except Denied as denied:
        raise ValueError(_no_pair(pair, denied.reason)) from denied
    if any(mark in pair for mark in "/?#"):
        raise ValueError(_no_pair(pair, "there is more than a host and a port"))
    if not pair.endswith(f":{parts.port}"):
        raise ValueError(_no_pair(pair, "the port is missing"))
    return host, parts.port


def _no_pair(pair: str, reason: str) -> str:
    return (
        f"{pair!r} is no host and port: {reason}. "
        "Write pairs such as images.lan:8080, 10.0.0.5:9000 or [fd00::5]:9000, parted by commas."
    )


def _read_host(host: str, *, bracketed: bool) -> tuple[str, Address | None]:
    if bracketed:
        v6 = read_v6(host)
        if v6 is None:
            raise Denied("G5", "the brackets hold no plain IPv6 address")
        return str(v6), v6
    v4: IPv4Address | None = read_v4(host)
    if v4 is not None:
        return str(v4), v4
    if read_v4(host.removesuffix(".")) is not None:
        raise Denied("G6", "a dot behind an address")
    return wire_name(host), None


def _read_answer(host: str, text: str) -> Address:
    address = read_answer(text)
    if address is None:
        raise Denied("G12", f"{host} resolves to {text!r}, which is no plain address")
    return address
