"""The profile of JWT access tokens (RFC 9068)."""

from __future__ import annotations

import json

import pytest

from watchword import Guard, Key, OAuth2Verifier, Policy, Reason, Rejected, Request
from watchword.crypto import jose

KEY = Key.generate("HS256")
ISSUER, AUDIENCE = "https://id.example", "orders"
GET = Request("GET", "https", "api.example", "/orders")
GUARD = Guard([OAuth2Verifier(KEY, issuer=ISSUER, audience=AUDIENCE)], policy=Policy(clock=lambda: 1_700_000_000.0))

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "robot", "client_id": "robot", "iat": 1_700_000_000,
          "exp": 1_700_000_300, "jti": "1"}  # fmt: skip


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "client_id", "iat", "exp", "jti"])
def test_rfc_9068_demands_every_claim(missing: str) -> None:
    token = jose.sign(
        json.dumps({name: value for name, value in CLAIMS.items() if name != missing}).encode(),
        KEY,
        header={"typ": "at+jwt"},
    )
    with pytest.raises(Rejected):
        GUARD.verify(GET.with_headers(((b"authorization", b"Bearer " + token.encode()),)))


@pytest.mark.parametrize("typ", ["JWT", "dpop+jwt", "logout+jwt", None])
def test_rfc_9068_demands_the_type(typ: str | None) -> None:
    token = jose.sign(json.dumps(CLAIMS).encode(), KEY, header={"typ": typ} if typ else {})
    with pytest.raises(Rejected) as caught:
        GUARD.verify(GET.with_headers(((b"authorization", b"Bearer " + token.encode()),)))
    assert caught.value.reason is Reason.WRONG_TYPE
