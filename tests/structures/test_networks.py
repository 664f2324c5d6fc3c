"""Which networks an address is in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchword.structures.networks import is_anybodys, network_of, networks_of

NUMBERS = st.integers(0, 2**128 - 1)


@given(st.integers(0, 2**32 - 1))
def test_ipv4_is_one_network_by_itself_and_the_same_inside_ipv6(number: int) -> None:
    plain = str(IPv4Address(number))
    for address in (plain, f"::ffff:{plain}", f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}", f"64:ff9b::{plain}"):
        assert networks_of(address) == (plain,)


@given(NUMBERS)
def test_ipv6_is_in_a_48_a_56_and_a_64_the_widest_first(number: int) -> None:
    address = IPv6Address(number)
    assume(address.ipv4_mapped is None and number >> 32 != 0x64FF9B << 64 and number != 1)
    expected = tuple(str(IPv6Network((number, prefix), strict=False)) for prefix in (48, 56, 64))
    for spelling in (str(address), address.exploded, str(address).upper(), f"{address}%eth0"):
        assert networks_of(spelling) == expected


@given(NUMBERS, NUMBERS, st.sampled_from([48, 56, 64]))
def test_two_addresses_share_a_network_exactly_if_they_share_its_prefix(one: int, other: int, prefix: int) -> None:
    top = 0x2001 << 112
    one, mixed = (top | number % (1 << 112) for number in (one, other))
    kept = 128 - prefix
    other = one >> kept << kept | mixed % (1 << kept)
    place = (48, 56, 64).index(prefix)
    first, second = networks_of(str(IPv6Address(one))), networks_of(str(IPv6Address(other)))
    assert first[: place + 1] == second[: place + 1]
    moved = networks_of(str(IPv6Address(one ^ 1 << kept)))
    assert set(moved[place:]).isdisjoint(first[place:])


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "127.9.9.9"])
def test_no_address_and_this_host_are_everybodys(address: str) -> None:
    assert len(networks_of(address)) == 1
    assert is_anybodys(network_of(address))


@pytest.mark.parametrize("address", ["192.0.2.127", "10.0.0.1", "::2", "2001:db8::1", "unix"])
def test_any_other_address_is_somebodys(address: str) -> None:
    assert not is_anybodys(network_of(address))


@given(st.text(max_size=300) | st.text(":%./", max_size=300))
def test_text_that_is_no_address_is_one_network_of_bounded_length(text: str) -> None:
    networks = networks_of(text)
    assert all(len(network) <= 64 for network in networks)
    assert network_of(text) == networks[-1]


def test_a_long_zone_changes_nothing_and_a_long_address_is_cut() -> None:
    assert networks_of("2001:db8::1%" + "z" * 1000) == networks_of("2001:db8::1")
    assert networks_of("x" * 1000) == ("x" * 64,)
    assert networks_of("x:" * 1000) == ("x:" * 32,)
