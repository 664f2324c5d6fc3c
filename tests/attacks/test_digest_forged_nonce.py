"""Nonces that are made up, foreign, or made for something else: an attacker who chooses nonces prepares responses
(RFC 7616 §5.9, §5.10)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World, ask, changed, params, request
from watchword import DigestAuth, Reason, Rejected, Request, Response
from watchword.effects import Received, Send
from watchword.schemes.digest.computation import hash_a2
from watchword.schemes.digest.nonces import NonceKey, NonceState, make_nonce, read_nonce
from watchword.schemes.freshness import Freshness


def answer(nonce: str, *, realm: str = "orders", algorithm: str = "SHA-256", password: str = PASSWORD) -> Request:
    """What a genuine client says to a challenge with this nonce, whoever sent it."""
    sent = []

    def attacker(effect: Send) -> Received:
        sent.append(effect.request)
        challenge = f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"'
        return Received(Response(401, {"WWW-Authenticate": challenge}))

    ask(DigestAuth(USER, password), attacker, request())
    return sent[1]


def refused(world: World, asked: Request) -> Rejected:
    verdict = world.judge(asked)
    assert isinstance(verdict, Rejected)
    return verdict


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("nonce", ["chosen", "A" * 48, "A" * 47, "A" * 47 + "=", "", "0" * 300])
def test_a_chosen_nonce_is_refused_though_the_digest_is_right(guard: str, nonce: str) -> None:
    world = World(guard)
    verdict = refused(world, answer(nonce) if nonce else changed(world.signed(), nonce=""))
    assert verdict.reason is Reason.UNKNOWN_NONCE


@pytest.mark.parametrize("guard", GUARDS)
def test_stale_is_told_to_those_only_who_prove_the_password(guard: str) -> None:
    world = World(guard)
    right, wrong = refused(world, answer("chosen")), refused(world, answer("chosen", password="guess"))
    assert right.rejection.genuine and b"stale=true" in world.challenge(right)
    assert not wrong.rejection.genuine and b"stale" not in world.challenge(wrong)


def shared(guard: str, **second: Any) -> tuple[World, World]:
    """Two verifiers on one store, so on one key."""
    first = World(guard, algorithms=["SHA-256"])
    return first, World(guard, store=first.store, **second)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_nonce_of_another_realm_is_refused(guard: str) -> None:
    orders, invoices = shared(guard, realm="invoices")
    nonce = params(invoices.signed())["nonce"]
    assert refused(orders, answer(nonce)).reason is Reason.UNKNOWN_NONCE


@pytest.mark.parametrize("guard", GUARDS)
def test_a_nonce_of_another_algorithm_is_refused(guard: str) -> None:
    world = World(guard, algorithms=["SHA-256", "MD5"])
    nonce = params(world.signed())["nonce"]
    assert refused(world, answer(nonce, algorithm="MD5")).reason is Reason.UNKNOWN_NONCE
    assert refused(world, answer(nonce, algorithm="md5")).reason is Reason.UNKNOWN_NONCE


@pytest.mark.parametrize("guard", GUARDS)
def test_a_nonce_of_another_server_is_refused(guard: str) -> None:
    assert refused(World(guard), World(guard).signed()).reason is Reason.UNKNOWN_NONCE


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("nonce", [None, "chosen"])
def test_a_user_without_a_secret_proves_nothing_by_the_hash_that_stands_in(guard: str, nonce: str | None) -> None:
    """The stand-in for unknown users is public: a response made with it must not count, nor tell that they are unknown."""
    world = World(guard)
    signed = world.signed(auth=DigestAuth("ghost", "x"))
    if nonce is not None:
        signed = changed(signed, nonce=nonce)
    claim = world.verifier.read(signed)
    assert claim.algorithm is not None
    resource = hash_a2(claim.algorithm, b"GET", b"/")
    forged = changed(signed, response=claim.expected(b"0" * 64, resource).decode())
    verdict = refused(world, forged)
    assert verdict.reason is (Reason.UNKNOWN_SUBJECT if nonce is None else Reason.UNKNOWN_NONCE)
    assert not verdict.rejection.genuine
    assert b"stale" not in world.challenge(verdict)


def test_a_nonce_has_one_spelling() -> None:
    """In base64's other alphabet it would be the same octets, and a second life for each nc."""
    key = NonceKey(b"k" * 32)
    spelt_otherwise = 0
    for n in range(50):
        nonce = make_nonce(key, "orders", "SHA-256", 1e9, bytes([n] * 12)).encode()
        other = nonce.translate(bytes.maketrans(b"-_", b"+/"))
        if other != nonce:
            spelt_otherwise += 1
            assert read_nonce(key, "orders", "SHA-256", other, 1e9, Freshness(300, 60)).state is NonceState.FOREIGN
    assert spelt_otherwise
