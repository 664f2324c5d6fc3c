"""A stolen token that is bound to its owner's key (RFC 7800, RFC 9449 §7.2, RFC 8705 §3): worth nothing without the key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from watchword import Guard, JWTVerifier, Key, OAuth2Verifier, Reason, Rejected, Request, TokenCache
from watchword.core.message import Peer
from watchword.crypto import jose
from watchword.dropin import jwt as dropin

KEY = Key.from_secret(bytes(range(32)), algorithm="HS256")
CLAIMS = {"iss": "i", "aud": "a", "sub": "alice", "exp": 4_000_000_000, "iat": 1, "jti": "1", "client_id": "c"}
BINDINGS: list[object] = [
    {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}, {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
    {"jwk": KEY.to_jwk(private=True)}, {"kid": "k"}, {"jku": "https://evil.example"}, {"unknown": 1}, {}, None, 0, "",
]  # fmt: skip


def stolen(cnf: object, typ: str = "JWT") -> str:
    return jose.sign(json.dumps({**CLAIMS, "cnf": cnf}).encode(), KEY, header={"typ": typ})


@pytest.mark.parametrize("cnf", BINDINGS)
def test_it_is_no_bearer_token(cnf: object) -> None:
    for verifier, typ in (
        (JWTVerifier(KEY, issuer="i", audience="a"), "JWT"),
        (JWTVerifier(KEY, issuer="i", audience="a", cache=TokenCache()), "JWT"),
        (JWTVerifier(KEY, audience="a", max_age=1e10), "JWT"),
        (OAuth2Verifier(KEY, issuer="i", audience="a"), "at+jwt"),
    ):
        for fields in ({}, {"DPoP": "e30.e30.e30"}, {"Proof": "x"}):
            asked = Request("GET", "https", "a", "/", {"Authorization": f"Bearer {stolen(cnf, typ)}", **fields},
                            Peer("127.0.0.1", b"certificate"))  # fmt: skip
            with pytest.raises(Rejected) as caught:
                Guard([verifier]).verify(asked)
            assert caught.value.reason is Reason.BINDING_MISSING


@pytest.mark.parametrize("cnf", BINDINGS)
def test_nor_is_it_in_the_drop_in(cnf: object) -> None:
    options: Any = {"algorithms": ["HS256"], "audience": "a"}
    with pytest.raises(dropin.InvalidTokenError):
        dropin.decode(stolen(cnf), bytes(range(32)), **options)
