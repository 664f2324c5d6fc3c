"""Credentials that a client has sent to one host are presented at another, which is told to take itself for the first.

The attacker runs a service that the client calls. An absolute-form target names that service (RFC 9112 §3.2.2), Host names the
one that is attacked; a scheme that believes the target accepts what was never meant for it.
"""

from __future__ import annotations

import pytest

from watchword import Identity, Reason
from watchword.schemes import SCHEMES
from watchword.testing import SchemeSetup
from watchword.testing.tampering import changed

# Digest names a path only: there the nonce is what is good at one server alone (RFC 7616 §5.4).
COVERING = [row.name for row in SCHEMES if row.covers & {"path", "target"} and row.name != "digest"]
HERE = "api.example"


@pytest.mark.parametrize("scheme", COVERING)
@pytest.mark.parametrize(
    "target",
    [
        b"/orders", b"https://evil.example/orders", b"HTTPS://EVIL.example:443/orders", b"http://evil.example/orders",
        b"//evil.example/orders", b"https://evil.example@api.example/orders", b"https://api.example@evil.example/orders",
        b"https:///orders", b"/orders#https://evil.example/orders",
    ],
)  # fmt: skip
def test_no_target_makes_them_good_for_this_host(scheme: str, target: bytes) -> None:
    setup = SchemeSetup.of(scheme)
    request, body = setup.genuine(url="https://evil.example/orders")
    assert isinstance(setup.verdict(changed(request, authority=HERE, target=target), body), Reason)


@pytest.mark.parametrize("scheme", COVERING)
@pytest.mark.parametrize(
    "authority", ["api.example@evil.example", "evil.example@api.example", "api.example,evil.example", "evil.example/"]
)
def test_no_host_field_does(scheme: str, authority: str) -> None:
    setup = SchemeSetup.of(scheme)
    request, body = setup.genuine(url="https://evil.example/orders")
    assert isinstance(setup.verdict(changed(request, authority=authority), body), Reason)


@pytest.mark.parametrize("scheme", COVERING)
def test_at_the_host_that_they_are_for_they_are_good(scheme: str) -> None:
    setup = SchemeSetup.of(scheme)
    assert isinstance(setup.verdict(*setup.genuine(url="https://evil.example/orders")), Identity)
