"""Without a client nonce the server chooses all that is hashed with the password: such a response is refused."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, REALM, USER, World, changed, params
from watchword import Reason, Rejected
from watchword.schemes.digest.computation import algorithm_named, hash_a1, hash_a2, response, session_key


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("cnonce", ["", None])
@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-256-sess"])
def test_it_is_refused_though_the_digest_is_right(guard: str, cnonce: str | None, algorithm: str) -> None:
    world = World(guard, algorithms=[algorithm])
    signed = world.signed()
    row, nonce = algorithm_named(algorithm), params(signed)["nonce"].encode()
    assert row is not None
    key = hash_a1(row, USER.encode(), REALM.encode(), PASSWORD.encode())
    key = session_key(row, key, nonce, b"") if row.session else key
    proof = response(row, key, nonce, b"00000001", b"", b"auth", hash_a2(row, b"GET", b"/")).decode()
    verdict = world.judge(changed(signed, cnonce=cnonce, response=proof))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS
    assert verdict.rejection.where == "authorization cnonce"
