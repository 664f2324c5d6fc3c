"""Captured credentials are sent again: each (nonce, nc) is good once, in any order (RFC 7616 §3.4, §5.5)."""

from __future__ import annotations

import random

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World, changed, context, request, to
from watchword import DigestAuth, Identity, Reason, Rejected, Request
from watchword.core.scheme import Send


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
