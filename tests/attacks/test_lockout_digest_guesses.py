"""Digest guesses count however they are dressed: foreign nonces, expired ones, counts that were used; honest faults don't."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.attempts_world import HERE, KINDS, World, world
from watchword import DigestAuth, Peer, Reason, Rejected, Request
from watchword.transport.flow import ClientContext
from watchword.core.message import Response
from watchword.effects import Received
from watchword.schemes.digest.server import DigestClaim

NONCE = re.compile(rb'nonce="([^"]*)"')


@pytest.fixture(params=KINDS)
def guarded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(request.param, tmp_path, monkeypatch) as made:
        yield made


def challenge(guarded: World) -> bytes:
    """The server's Digest challenge."""
    try:
        guarded.do(guarded.guard.verify(Request("GET", "https", "api.example", "/", (), Peer(HERE))))
    except Rejected as rejected:
        assert rejected.refusal is not None
        return next(c for c in rejected.refusal.response().values(b"www-authenticate") if c.startswith(b"Digest"))
    raise AssertionError("accepted without credentials")


def answer_to(offer: bytes, username: str, password: str) -> bytes:
    """A genuine client's credentials for `password`."""
    request = Request("GET", "https", "api.example", "/")
    flow: Any = DigestAuth(username, password).flow(request, ClientContext(bytes))
    effect = next(flow)
    while effect.__class__.__name__ != "Send":
        effect = flow.send(None)
    effect = flow.send(Received(Response(401, [(b"www-authenticate", offer)])))
    while effect.__class__.__name__ != "Send":
        effect = flow.send(True)
    flow.close()
    value: bytes = effect.request.values(b"authorization")[0]
    return value


def foreign(offer: bytes) -> bytes:
    """The challenge with a nonce that nobody issued."""
    return NONCE.sub(b'nonce="made-up-by-the-attacker"', offer)


def reason(guarded: World) -> Reason | None:
    return guarded.verdicts[-1].reason


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_wrong_digests_lock_the_pair(guarded: World, name: str) -> None:
    statuses = [guarded.send(answer_to(challenge(guarded), name, "wrong")).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert guarded.send(answer_to(challenge(guarded), name, "right")).status == 429


def test_guesses_with_a_made_up_nonce_count(guarded: World) -> None:
    """stale=true would tell the right one."""
    offer = foreign(challenge(guarded))
    statuses = [guarded.send(answer_to(offer, "alice", "wrong")).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert guarded.send(answer_to(offer, "alice", "right")).status == 429


def test_digest_and_basic_share_their_attempts(guarded: World) -> None:
    guarded.send(answer_to(challenge(guarded), "alice", "wrong"))
    assert [guarded.ask("alice").status for _ in range(3)] == [401, 401, 429]
    assert guarded.send(answer_to(challenge(guarded), "alice", "right")).status == 429


def test_stale_nonces_replays_and_unproven_requests_are_no_failures(guarded: World) -> None:
    offer = challenge(guarded)
    genuine = answer_to(offer, "alice", "right")
    assert guarded.send(genuine).status == 200
    for _ in range(5):
        assert guarded.send(genuine).status == 401
        assert reason(guarded) is Reason.REPLAYED
    guarded.now += 301
    for _ in range(5):
        assert guarded.send(answer_to(offer, "alice", "right")).status == 401
        assert reason(guarded) is Reason.STALE_NONCE
        assert guarded.send(answer_to(foreign(offer), "alice", "right")).status == 401
        assert reason(guarded) is Reason.UNKNOWN_NONCE
        challenge(guarded)
        assert guarded.send(b"Digest nonsense").status == 401
        assert guarded.send(answer_to(offer, "alice", "right").replace(b'"orders"', b'"other"')).status == 401
    assert guarded.send(answer_to(challenge(guarded), "alice", "right")).status == 200


def test_a_locked_pair_is_refused_before_its_digest_is_looked_at(
    guarded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        guarded.send(answer_to(challenge(guarded), "alice", "wrong"))
    late = answer_to(challenge(guarded), "alice", "right")
    decided: list[object] = []
    monkeypatch.setattr(DigestClaim, "decide", lambda *arguments: decided.append(arguments))
    assert guarded.send(late).status == 429
    assert decided == []
