"""Captured credentials are sent again: each (nonce, nc) is good once, in any order (RFC 7616 §3.4, §5.5)."""

from __future__ import annotations

import random

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World, changed, context, request, to
from watchword import DigestAuth, Identity, Reason, Rejected, Request
from watchword.effects import Send
from watchword.fields.auth_params import parse_challenges
from watchword.schemes.digest.computation import (
    algorithm_named, ha1, hash_a2, octets_hash, response, session_key,
)  # fmt: skip


def capture(world: World, n: int) -> list[Request]:
    """`n` genuine requests on one nonce, none of which has reached the server."""
    auth = DigestAuth(USER, PASSWORD)
    world.get(auth)
    captured = []
    for _ in range(n):
        flow = auth.flow(request(), context())
        send = next(flow)
        flow.close()
        assert isinstance(send, Send)
        captured.append(send.request)
    return captured


@pytest.mark.parametrize("guard", GUARDS)
def test_the_second_use_is_refused_at_any_time(guard: str) -> None:
    world = World(guard)
    signed = world.signed()
    assert isinstance(world.judge(signed), Identity)
    for wait in (0, 1, 299, 1, 60, 3600):
        world.now += wait
        verdict = world.judge(signed)
        assert isinstance(verdict, Rejected) and verdict.rejection.genuine
        assert verdict.reason in (Reason.REPLAYED, Reason.STALE_NONCE)
        assert b"stale=true" in world.challenge(verdict)


@pytest.mark.parametrize("guard", GUARDS)
def test_counts_out_of_order_are_each_accepted_once(guard: str) -> None:
    world = World(guard)
    captured = capture(world, 12)
    random.Random(7616).shuffle(captured)
    assert all(isinstance(world.judge(signed), Identity) for signed in captured)
    again = [world.judge(signed) for signed in reversed(captured)]
    assert all(isinstance(verdict, Rejected) and verdict.reason is Reason.REPLAYED for verdict in again)


def counted(nc: str, challenge: bytes, algorithm: str, qop: str, body: bytes, cnonce: str = "c0") -> Request:
    """What a client of the tests' own sends that counts as it likes."""
    row = algorithm_named(algorithm)
    assert row is not None
    nonce = dict(parse_challenges([challenge])[0].params)["nonce"]
    key = ha1(row.base, USER, "orders", PASSWORD).encode()
    if row.session:
        key = session_key(row, key, nonce.encode(), b"c0")
    covered = octets_hash(row, body) if qop == "auth-int" else None
    a2 = hash_a2(row, b"POST", b"/", covered)
    proof = response(row, key, nonce.encode(), nc.encode(), cnonce.encode(), qop.encode(), a2).decode()
    value = (
        f'Digest username="{USER}", realm="orders", uri="/", algorithm={algorithm}, nonce="{nonce}", nc={nc}, '
        f'cnonce="{cnonce}", qop={qop}, response="{proof}"'
    )
    return request("/", "POST", {"Authorization": value})


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)], ids=str)
@pytest.mark.parametrize("legacy", [False, True])
def test_a_count_that_begins_at_0_is_one_count_like_any_other(
    guard: str, qop: str, algorithm: str, order: tuple[int, ...], legacy: bool
) -> None:
    world = World(guard, algorithms=[algorithm], qop=("auth", "auth-int"), allow_legacy_rfc2069=legacy)
    refused = world.judge(request("/", "POST"))
    assert isinstance(refused, Rejected)
    offer, body = world.challenge(refused), b"the body"
    sent = [counted(f"{n:08x}", offer, algorithm, qop, body) for n in order]
    assert all(isinstance(world.judge(one, body), Identity) for one in sent)
    for one in sent:
        again = world.judge(one, body)
        assert isinstance(again, Rejected) and again.reason is Reason.REPLAYED
    another = world.judge(counted("00000000", offer, algorithm, qop, body, cnonce="other"), body)
    assert isinstance(another, Rejected) and another.reason is Reason.REPLAYED, "another cnonce is no other count"


@pytest.mark.parametrize("guard", GUARDS)
def test_a_used_header_with_another_count_or_client_nonce_is_refused(guard: str) -> None:
    world = World(guard)
    signed = world.signed()
    world.verify(signed)
    for spoilt in (
        changed(signed, nc="00000002"),
        changed(signed, cnonce="another"),
        changed(signed, nc="00000002", cnonce="x"),
    ):
        verdict = world.judge(spoilt)
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("guard", GUARDS)
def test_another_spelling_of_the_same_credentials_is_the_same_use(guard: str) -> None:
    world = World(guard)
    signed = world.signed("/a")
    world.verify(signed)
    for other in (
        changed(signed),
        changed(signed, opaque="new"),
        to(signed, "https://api.example/a"),
        to(signed, scheme="https"),
    ):
        verdict = world.judge(other)
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.REPLAYED


@pytest.mark.parametrize("guard", GUARDS)
def test_what_was_refused_uses_nothing_up(guard: str) -> None:
    """Else whoever sees a request could spend its nonce before it arrives."""
    world = World(guard)
    signed = world.signed()
    for spoilt in (to(signed, "/other"), to(signed, method="PUT"), changed(signed, response="0" * 64)):
        assert isinstance(world.judge(spoilt), Rejected)
    assert isinstance(world.judge(signed), Identity)
