from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from filmgate.net.addresses import (
    DENIED_V4,
    DENIED_V6,
    carried_v4,
    lies_in,
    read_answer,
    read_v4,
    read_v6,
    why_not,
)

SPELLINGS_THAT_ARE_NO_ADDRESS = [
    "0300.0250.1.1", "3232235777", "0xC0A80101", "192.168.257", "10.1", "1.2.3", "1.2.3.4.5", "1.2.3.04",
    "1.2.3.256", "1.2.3.1000", "1.2.3.", ".1.2.3", " 1.2.3.4", "1.2.3.4\n", "١.2.3.4", "１.2.3.4",
]  # fmt: skip


@pytest.mark.parametrize("network", DENIED_V4, ids=str)
def test_g10_both_ends_of_every_denied_network_are_denied(network):
    assert why_not(network[0]) == ("G10", f"{network[0]} lies in {network}")
    assert why_not(network[-1]) == ("G10", f"{network[-1]} lies in {network}")


@pytest.mark.parametrize("network", DENIED_V4, ids=str)
def test_g10_the_neighbours_of_a_denied_network_are_denied_only_by_another(network):
    for neighbour in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= neighbour < 2**32:
            address = IPv4Address(neighbour)
            assert (why_not(address) is not None) == any(address in other for other in DENIED_V4)


@pytest.mark.parametrize(
    "text",
    [
        "192.0.0.192", "168.63.129.16", "169.254.169.254", "169.254.169.123", "100.100.100.200", "127.8.8.8",
        "172.20.10.5", "198.19.255.255", "239.1.2.3", "250.0.0.1", "255.255.255.255", "0.1.2.3",
        "192.52.193.1",
    ],
)  # fmt: skip
def test_g10_metadata_servers_and_special_addresses_are_denied(text):
    assert (why_not(ip_address(text)) or ("",))[0] == "G10"


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.4.4", "168.63.129.17", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.1"]
)
def test_g10_public_addresses_may_be_dialled(text):
    assert why_not(ip_address(text)) is None


@pytest.mark.parametrize("network", DENIED_V6, ids=str)
def test_g11_both_ends_of_every_denied_network_are_denied(network):
    assert why_not(network[0]) == ("G11", f"{network[0]} lies in {network}")
    assert why_not(network[-1]) == ("G11", f"{network[-1]} lies in {network}")


@pytest.mark.parametrize(
    "text",
    [
        "::", "::1", "::8.8.8.8", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:1::1",
        "100::1", "fc00::8", "fdff::1", "fe80::8", "fec0::8", "ff0e::1", "1fff::1", "4000::1", "5f00::8",
        "2400:cb00::5efe:a00:1", "2400:cb00::200:5efe:a00:1", "2001:1ff::1", "2002:808:808::", "3fff:f::1",
    ],
)  # fmt: skip
def test_g11_whatever_is_not_plain_public_unicast_is_denied(text):
    assert (why_not(ip_address(text)) or ("",))[0] == "G11"


@pytest.mark.parametrize(
    "text",
    ["2400:cb00::1", "2001:200::1", "2001:db9::1", "2003::1", "2620:4f:8001::1", "3ffd::1", "3fff:1000::1"],
)  # fmt: skip
def test_g11_public_addresses_may_be_dialled(text):
    assert why_not(ip_address(text)) is None


@pytest.mark.parametrize("text", SPELLINGS_THAT_ARE_NO_ADDRESS)
def test_g7_only_four_decimal_parts_are_read_as_an_address(text):
    assert read_v4(text) is None


def test_g7_four_decimal_parts_are_an_address():
    assert read_v4("203.0.113.9") == IPv4Address("203.0.113.9")


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "::1%1", "[::1]", "1.2.3.4", "::1::", "::g", "", "v1.a", "::１"]
)
def test_g5_a_zone_a_bracket_or_another_form_is_no_ipv6_address(text):
    assert read_v6(text) is None


def test_an_answer_is_read_in_either_family_and_never_with_a_zone():
    assert [read_answer(text) for text in ("9.9.9.9", "2400:cb00::1", "fe80::1%2", "localhost")] == [
        IPv4Address("9.9.9.9"),
        IPv6Address("2400:cb00::1"),
        None,
        None,
    ]


@pytest.mark.parametrize("text", ["::a01:203", "::ffff:10.1.2.3", "::ffff:0:10.1.2.3", "64:ff9b::10.1.2.3"])
def test_an_ipv4_address_is_seen_inside_the_addresses_that_carry_it(text):
    carrier = ip_address(text)

    assert carried_v4(carrier) == IPv4Address("10.1.2.3")
    assert lies_in(carrier, [ip_network("10.1.0.0/16")]) == ip_network("10.1.0.0/16")


def test_other_addresses_carry_none():
    assert carried_v4(ip_address("2400:cb00::10.1.2.3")) is None
    assert carried_v4(ip_address("10.1.2.3")) is None
    assert lies_in(ip_address("2400:cb00::1"), [ip_network("10.1.0.0/16")]) is None
