"""Which addresses are public."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.transport.addresses import is_public

PUBLIC = ["8.8.8.8", "93.184.215.14", "192.0.1.1", "172.32.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"]
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "100::1", "2001:db8::1",
    "3fff::1", "5f00::1", "2001::1", "2001:0:4136:e378::", "2001:10::1", "2001:20::1",
]  # fmt: skip
# Ways to write an IPv4 address into an IPv6 one: IPv4-mapped, IPv4-compatible, 6to4, local NAT64 (RFC 8215).
WRITTEN_INTO = [
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8", "2002:7f00:1::", "2002:a00:1::1",
    "2002:808:808::1", "64:ff9b:1::127.0.0.1", "64:ff9b:1::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE + WRITTEN_INTO)
def test_special_addresses_are_not(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.2.3.4.5", "8.8.8.8 "])
def test_what_is_no_address_is_not_public(address):
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_a_nat64_address_is_as_public_as_the_address_in_it(address):
    assert is_public(f"64:ff9b::{address}") == is_public(str(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_knows_to_be_private(address):
    nat64 = address in ipaddress.ip_network("64:ff9b::/96") if address.version == 6 else False
    if is_public(str(address)) and not nat64:
        assert not (address.is_private or address.is_loopback or address.is_link_local or address.is_reserved)
        assert not (address.is_multicast or address.is_unspecified)
