"""A guard for bound tokens, and proofs as somebody writes them who gets a part wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from watchword import DPoPVerifier, Guard, JWTVerifier, Key, Policy, Reason, Rejected, Request
from watchword.crypto import jose
from watchword.schemes.dpop.proof import ath_of
from watchword.stores import MemoryStore
from watchword.testing import Clock

ISSUER = Key.generate("ES256", key_id="issuer")
CLIENT = Key.generate("ES256")
CLAIMS: Mapping[str, Any] = {"iss": "https://id.example", "aud": "orders", "sub": "alice"}


def token_for(key: Key, **claims: object) -> str:
    return jose.sign(json.dumps({**CLAIMS, "cnf": {"jkt": key.thumbprint()}, **claims}).encode(), ISSUER)


TOKEN = token_for(CLIENT)


def verifier(**settings: Any) -> DPoPVerifier:
    return DPoPVerifier(JWTVerifier(ISSUER, issuer="https://id.example", audience="orders"), **settings)


def guard_at(clock: Clock, **settings: Any) -> Guard:
    return Guard([verifier(**settings)], MemoryStore(clock=clock), policy=Policy(clock=clock))


def proof_of(
    clock: Clock, *, by: Key = CLIENT, header: Mapping[str, object] | None = None, leave_out: str = "", **claims: object
) -> str:
    """A proof as somebody writes it who gets a part wrong."""
    jwk = {name: value for name, value in by.to_jwk().items() if name in ("kty", "crv", "x", "y", "n", "e")}
    said: dict[str, object] = {
        "jti": "a-jti-of-96-bits", "htm": "GET", "htu": "https://api.example/orders", "iat": int(clock.now), "ath": ath_of(TOKEN.encode()), **claims,
    }  # fmt: skip
    said.pop(leave_out, None)
    return jose.sign(json.dumps(said).encode(), by, header={"typ": "dpop+jwt", "jwk": jwk, **(header or {})})


def request_with(proof: str | None, token: str = TOKEN, method: str = "GET", url: str = "/orders?page=2") -> Request:
    headers = {"Authorization": f"DPoP {token}", **({} if proof is None else {"DPoP": proof})}
    return Request(method, "https", "api.example", url, headers)


def refusal_of(guard: Guard, request: Request) -> tuple[Reason, str, bytes]:
    with pytest.raises(Rejected) as caught:
        guard.verify(request)
    rejected = caught.value
    assert rejected.refusal is not None
    return rejected.reason, rejected.rejection.where, b"".join(rejected.refusal.response().values(b"www-authenticate"))
