"""`explain` of Digest: the first failed check is why `decide` refused, and no secret is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.schemes.digest_world import PASSWORD, REALM, USER, World, changed, params, request, to
from watchword import DigestAuth, Rejected, Request, explain
from watchword.schemes.digest import ha1
from watchword.schemes.digest.computation import hash_a2

Spoil = Callable[[World], Request]

NAMES = ["format", "realm", "algorithm", "qop", "uri", "nonce", "nc", "user", "response"]


def test_a_genuine_request_passes_every_check_in_order() -> None:
    world = World("Guard")
    found = explain(world.signed("/a?b"), world.guard, at=world.now)
    assert found.accepted and found.identity is not None and found.identity.subject == USER
    assert [check.name for check in found.checks] == [*NAMES, "single use"]
    assert all(check.passed for check in found.checks)
    assert found.canonical == f"A1: {USER}:{REALM}:(password)\nA2: GET:/a?b"


@pytest.mark.parametrize(
    ("spoil", "first", "component"),
    [
        (lambda world: changed(world.signed(), realm="theirs"), "realm", "authorization realm"),
        (lambda world: changed(world.signed(), algorithm="MD5"), "algorithm", "authorization algorithm"),
        (lambda world: changed(world.signed(), algorithm="awezum"), "algorithm", "authorization algorithm"),
        (lambda world: changed(world.signed(), qop=None, nc=None, cnonce=None), "qop", "authorization qop"),
        (lambda world: to(world.signed("/a"), "/b"), "uri", "authorization uri"),
        (lambda world: to(world.signed("/a%20b"), exact=False), "uri", "authorization uri"),
        (lambda world: changed(world.signed(), nonce="x" * 48), "nonce", "authorization nonce"),
        (lambda world: world.signed(auth=DigestAuth("nobody", "x")), "user", "authorization username"),
        (lambda world: to(world.signed(), method="DELETE"), "response", "@method"),
        (lambda world: world.signed(auth=DigestAuth(USER, "guess")), "response", "authorization response"),
    ],
)  # fmt: skip
def test_the_first_failed_check_is_the_reason(spoil: Spoil, first: str, component: str) -> None:
    world = World("Guard")
    asked = spoil(world)
    found = explain(asked, world.guard, at=world.now)
    verdict = world.judge(asked)
    assert isinstance(verdict, Rejected)
    assert not found.accepted and found.reason is verdict.reason
    assert (found.causes[0].name, found.causes[0].component) == (first, component)
    assert found.causes[0].mend
    assert [check.name for check in found.checks] == NAMES, "none is skipped after a failure"


def test_an_expired_nonce_is_told_with_its_age() -> None:
    world = World("Guard")
    asked = world.signed()
    world.now += 400
    (cause,) = explain(asked, world.guard, at=world.now).causes
    assert (cause.name, cause.received) == ("nonce", "made 400 s ago")


def test_a_replay_is_told_and_explaining_uses_nothing_up() -> None:
    world = World("Guard")
    asked = world.signed()
    assert explain(asked, world.guard, at=world.now).accepted
    world.verify(asked)
    (cause,) = explain(asked, world.guard, at=world.now).causes
    assert cause.name == "single use"


def test_no_secret_is_shown_nor_a_whole_response_that_would_be_accepted() -> None:
    world = World("Guard")
    asked = world.signed(auth=DigestAuth(USER, "guess"))
    text = str(explain(asked, world.guard, at=world.now)) + explain(asked, world.guard, at=world.now).to_json()
    secret = ha1("SHA-256", USER, REALM, PASSWORD)
    claim = world.verifier.read(asked)
    assert claim.algorithm is not None
    resource = hash_a2(claim.algorithm, b"GET", b"/")
    assert claim.expected(secret.encode(), resource).decode() not in text
    assert secret not in text and PASSWORD not in text and "guess" not in text
    assert params(asked)["response"] not in text


def test_a_request_without_credentials_has_nothing_to_explain() -> None:
    world = World("Guard")
    assert not explain(request(), world.guard, at=world.now).checks
