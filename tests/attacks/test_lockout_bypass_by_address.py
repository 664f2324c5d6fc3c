"""A locked address stays locked within its network, and whatever the request says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.attempts_world import HERE, basic, world
from watchword import Guard, Peer, Rejected, Request
from watchword.structures.networks import network_of


@pytest.mark.parametrize("kind", ["memory", "sql async"])
def test_rotating_through_a_slash_64_is_one_address(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(kind, tmp_path, monkeypatch) as guarded:
        seen = [guarded.ask("alice", "wrong", f"2001:db8:0:7::{host:x}").status for host in range(10)]
        assert seen == [401] * 3 + [429] * 7
        assert guarded.ask("alice", "right", "2001:db8:0:7:ffff:ffff:ffff:ffff").status == 429
        assert guarded.ask("alice", "right", "2001:db8:0:8::1").status == 200


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("192.0.2.1", "::FFFF:C000:0201"),
        ("192.0.2.1", "64:ff9b::192.0.2.1"),
        ("192.0.2.1", "64:ff9b::c000:201"),
        ("2001:db8::1", "2001:0DB8:0:0:ffff::"),
        ("fe80::1", "fe80::2%eth0"),
        ("fe80::1%eth0", "fe80::1%eth1"),
    ],
)
def test_spellings_of_one_network_are_one(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "192.0.2.2"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2"),
        ("2001:db8:0:1::", "2001:db8:0:2::"),
        ("", "192.0.2.1"),
    ],
)
def test_other_networks_are_others(one: str, other: str) -> None:
    """All of IPv4 is one /64 where it is mapped or translated: counted together, one could lock out all."""
    assert network_of(one) != network_of(other)


@pytest.mark.parametrize("field", ["x-forwarded-for", "forwarded", "x-real-ip", "client-ip", "true-client-ip"])
def test_what_a_request_says_of_its_address_is_not_believed(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        assert isinstance(guarded.guard, Guard)
        seen = []
        for host in range(5):
            value = f"for=203.0.113.{host}" if field == "forwarded" else f"203.0.113.{host}"
            headers = [(b"authorization", basic("alice")), (field.encode(), value.encode())]
            with pytest.raises(Rejected) as caught:
                guarded.guard.verify(Request("GET", "https", "api.example", "/", headers, Peer(HERE)))
            seen.append(caught.value.rejection.reason.status)
        assert seen == [401, 401, 401, 429, 429]


@pytest.mark.parametrize("address", ["not an address", "a:b", ":" * 500, "x" * 500, "[::1]", "1.2.3.4:5"])
def test_an_address_that_is_none_makes_a_short_key(address: str) -> None:
    assert len(network_of(address)) <= 64
