"""Which addresses the guard lets us dial, by tables of our own.

`ipaddress.is_global` is no guard: it calls metadata servers, multicast and several ways to wrap an
IPv4 address global, and its answers change between patch releases of Python.
"""

from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

DENIED_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
UNICAST_V6: Final = IPv6Network("2000::/3")
DENIED_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3ffe::/16",
        "3fff::/20",
    )
)
NAT64: Final = IPv6Network("64:ff9b::/96")

# Prefixes whose last 32 bits are an IPv4 address: compatible, mapped, translated, NAT64.
_CARRIERS: Final = (
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("::ffff:0:0:0/96"),
    NAT64,
)
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


def read_v4(host: str) -> IPv4Address | None:
    """Read four decimal parts without leading zeros; None for every other text, numeric or not."""
    try:
        return IPv4Address(host)
    except AddressValueError:
        return None


def read_v6(text: str) -> IPv6Address | None:
    """Read an IPv6 address without a zone; None for every other text."""
    if not text.isascii() or "%" in text:
        return None
    try:
        return IPv6Address(text)
    except AddressValueError:
        return None


def read_answer(text: str) -> Address | None:
    """Read what a resolver or a socket calls an address; None for one with a zone, and for anything else."""
    return read_v4(text) or read_v6(text)


def why_not(address: Address) -> tuple[str, str] | None:
    """Name the rule that forbids an address, and why; None for one that may be dialled."""
    if isinstance(address, IPv4Address):
        network = _within(address, DENIED_V4)
        return None if network is None else ("G10", f"{address} lies in {network}")
    if address not in UNICAST_V6:
        return "G11", f"{address} lies outside {UNICAST_V6}"
    inside = _within(address, DENIED_V6)
    if inside is not None:
        return "G11", f"{address} lies in {inside}"
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return "G11", f"{address} is an ISATAP address"
    return None


def carried_v4(address: Address) -> IPv4Address | None:
    """Give the IPv4 address in the last 32 bits of an IPv6 address that may be translated into it."""
    if isinstance(address, IPv6Address) and _within(address, _CARRIERS) is not None:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def lies_in(address: Address, networks: Iterable[Network]) -> Network | None:
    """Find the network that holds an address, or the IPv4 address that it carries."""
    networks = tuple(networks)
    carried = carried_v4(address)
    return _within(address, networks) or (None if carried is None else _within(carried, networks))


def _within(address: Address, networks: Iterable[Network]) -> Network | None:
    return next((network for network in networks if address in network), None)
