"""The secret of a "-sess" algorithm belongs to one nonce and one first cnonce: who has learned it can't take it elsewhere.

A session key is what RFC 7616 §3.4.2 means to give to servers that must not know the password; one that leaks, of
another nonce or of another first cnonce, must open nothing.
"""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, REALM, USER, World, changed, params
from watchword import Identity, Reason, Rejected, Request
from watchword.schemes.digest.computation import algorithm_named, hash_a1, hash_a2, response, session_key

SHA = algorithm_named("SHA-256-sess")


def key_of(nonce: str, cnonce: str) -> bytes:
    assert SHA is not None
    return session_key(
        SHA, hash_a1(SHA, USER.encode(), REALM.encode(), PASSWORD.encode()), nonce.encode(), cnonce.encode()
    )


def with_key(signed: Request, key: bytes, nonce: str, nc: str, cnonce: str) -> Request:
    assert SHA is not None
    proof = response(
        SHA, key, nonce.encode(), nc.encode(), cnonce.encode(), b"auth", hash_a2(SHA, b"GET", b"/")
    ).decode()
    return changed(signed, nonce=nonce, nc=nc, cnonce=cnonce, response=proof)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_key_of_another_nonce_or_first_cnonce_opens_nothing(guard: str) -> None:
    world = World(guard, algorithms=["SHA-256-sess"])
    signed = world.signed()
    nonce, other = params(signed)["nonce"], params(world.signed())["nonce"]
    assert isinstance(world.judge(with_key(signed, key_of(nonce, "first"), nonce, "00000001", "first")), Identity)
    for key in (key_of(nonce, "foreign"), key_of(other, "first"), key_of(other, "mine")):
        verdict = world.judge(with_key(signed, key, nonce, "00000002", "mine"))
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET
        assert not verdict.rejection.genuine


@pytest.mark.parametrize("guard", GUARDS)
def test_refused_credentials_never_become_the_first(guard: str) -> None:
    world = World(guard, algorithms=["SHA-256-sess"])
    signed = world.signed()
    nonce = params(signed)["nonce"]
    assert isinstance(world.judge(with_key(signed, b"0" * 64, nonce, "00000001", "planted")), Rejected)
    assert isinstance(world.judge(with_key(signed, key_of(nonce, "first"), nonce, "00000001", "first")), Identity)
    assert isinstance(world.judge(with_key(signed, key_of(nonce, "first"), nonce, "00000002", "later")), Identity)
    verdict = world.judge(with_key(signed, key_of(nonce, "planted"), nonce, "00000003", "later"))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET
