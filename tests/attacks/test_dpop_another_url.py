"""A proof for one URL is sent with a request for another, which is spelt so that a careless comparison takes them for one."""

from __future__ import annotations

import pytest

from tests.schemes.dpop_world import ISSUER, TOKEN, guard_at, proof_of, refusal_of
from watchword import DPoPVerifier, Guard, JWTVerifier, Policy, PublicURL, Reason, Request
from watchword.stores import MemoryStore
from watchword.testing import Clock


def sent(
    clock: Clock, htu: str, target: bytes, *, host: str = "api.example", scheme: str = "https", method: str = "GET", exact: bool = True
) -> Request:  # fmt: skip
    headers = {"Authorization": f"DPoP {TOKEN}", "DPoP": proof_of(clock, htu=htu, htm=method)}
    return Request(method, scheme, host, target, headers, exact=exact)


@pytest.mark.parametrize(
    ("htu", "target"),
    [
        ("https://evil.example/orders", b"https://evil.example/orders"),
        ("http://api.example/orders", b"http://api.example/orders"),
        ("https://api.example/orders", b"/orders#/../admin"),
        ("https://api.example/a\\b", b"/a\\b"),
        ("https://api.example/a b", b"/a b"),
        ("https://api.example/\ufffd", b"/\xff"),
        ("https://api.example/\xff", b"/\xff"),
        ("https://api.example*", b"*"),
    ],
)
def test_a_target_that_no_request_may_have_is_refused_though_a_proof_is_for_it(htu: str, target: bytes):
    clock = Clock()
    assert refusal_of(guard_at(clock), sent(clock, htu, target))[0] is Reason.TARGET_REFUSED


@pytest.mark.parametrize("host", ["a@api.example", "api.example/x", "api.example,evil.example"])
def test_a_host_that_is_none_is_refused_though_a_proof_is_for_it(host: str):
    clock = Clock()
    reason, _, _ = refusal_of(guard_at(clock), sent(clock, f"https://{host}/orders", b"/orders", host=host))
    assert reason is Reason.TARGET_REFUSED


@pytest.mark.parametrize(
    ("htu", "target"),
    [
        ("https://api.example/orders", b"/a/../orders"),
        ("https://api.example/orders", b"/orders;a=b"),
        ("https://api.example/orders", b"/orders%3Fpage=2"),
        ("https://api.example/orders", b"/orders%23"),
        ("https://api.example/orders", b"/orders%00"),
        ("https://api.example/orders", b"/orders%20"),
        ("https://api.example/orders", b"/%6frders/"),
        ("https://api.example./orders", b"/orders"),
        ("https://api%2Eexample/orders", b"/orders"),
        ("https://api.example:80/orders", b"/orders"),
        ("https://api.example:" + "0" * 40 + "443/orders", b"/orders"),
        ("https://api.example:" + "9" * 5000 + "/orders", b"/orders"),
        ("https://api.example:44\u00b3/orders", b"/orders"),
        ("https://api.e\u212aample/orders", b"/orders"),
        ("https://api.example/orders\n", b"/orders"),
        (" https://api.example/orders", b"/orders"),
        ("//api.example/orders", b"/orders"),
        ("https:/api.example/orders", b"/orders"),
        ("https:///orders", b"/orders"),
        ("ftp://api.example/orders", b"/orders"),
        ("https://api.example/\u00e9", b"/%C3%A9"),
        ("https://api.example/orders\ud800", b"/orders"),
    ],
)
def test_another_spelling_is_another_url(htu: str, target: bytes):
    clock = Clock()
    reason, where, challenge = refusal_of(guard_at(clock), sent(clock, htu, target))
    assert (reason in (Reason.WRONG_TARGET, Reason.WRONG_CLAIM), where) == (True, "dpop htu")
    assert b'error="invalid_dpop_proof"' in challenge


@pytest.mark.parametrize("htu", ["https:///orders", "/orders", "https://api.example/orders"])
def test_a_request_that_names_no_host_has_no_url(htu: str):
    clock = Clock()
    assert refusal_of(guard_at(clock), sent(clock, htu, b"/orders", host=""))[:2] == (Reason.WRONG_TARGET, "dpop htu")


@pytest.mark.parametrize(
    ("htu", "target", "host", "scheme", "method"),
    [
        ("https://api.example/orders", b"https://api.example/orders?page=2", "api.example", "https", "GET"),
        ("https://api.example/orders", b"https://api.example/orders", "", "https", "GET"),
        ("https://[2001:db8::1]/orders", b"/orders", "[2001:DB8::1]:443", "https", "GET"),
        ("https://api.example/orders", b"/orders", "api.example", "wss", "GET"),
        ("wss://api.example/orders", b"/orders", "api.example", "wss", "GET"),
        ("https://api.example", b"*", "api.example", "https", "OPTIONS"),
    ],
)  # fmt: skip
def test_what_names_the_same_resource_is_accepted(htu: str, target: bytes, host: str, scheme: str, method: str):
    clock = Clock()
    assert guard_at(clock).verify(sent(clock, htu, target, host=host, scheme=scheme, method=method)).subject == "alice"


def test_a_method_changed_on_the_way_is_refused_in_every_case():
    clock = Clock()
    for method in ("HEAD", "get", "Get", "GETT", "POST"):
        request = sent(clock, "https://api.example/orders", b"/orders")
        other = Request(method, "https", "api.example", "/orders", list(request.headers))
        assert refusal_of(guard_at(clock), other)[:2] == (Reason.WRONG_CLAIM, "dpop htm")


def test_a_target_that_the_server_rebuilt_is_refused_where_escapes_were_lost():
    clock = Clock()
    rebuilt = sent(clock, "https://api.example/a%2Fb", b"/a%2Fb", exact=False)
    reason, where, challenge = refusal_of(guard_at(clock), rebuilt)
    assert (reason, where) == (Reason.TARGET_NOT_EXACT, "target")
    assert b'error="invalid_request"' in challenge  # nobody can say that the proof is wrong
    guard_at(clock).verify(sent(clock, "https://api.example/orders", b"/orders", exact=False))


def test_behind_a_proxy_the_url_of_the_inside_is_no_url_of_the_guard():
    clock = Clock()
    policy = Policy(clock=clock, public_url=PublicURL("https://api.example", prefix="/api"))
    tokens = JWTVerifier(ISSUER, issuer="https://id.example", audience="orders")
    guard = Guard([DPoPVerifier(tokens)], MemoryStore(clock=clock), policy=policy)
    for htu in ("http://app:8000/orders", "https://api.example/orders", "https://app:8000/api/orders"):
        inside = sent(clock, htu, b"/orders", host="app:8000", scheme="http")
        assert refusal_of(guard, inside)[:2] == (Reason.WRONG_TARGET, "dpop htu")
    guard.verify(sent(clock, "https://api.example/api/orders", b"/orders", host="app:8000", scheme="http"))
