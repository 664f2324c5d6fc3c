"""CVE-2024-53861 (PyJWT): an issuer that is part of the right one; CVE-2025-30144 (fast-jwt): one among several."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import CLAIMS, KEY, NOW, SECRET, forge, refused
from watchword import JWTVerifier, Reason
from watchword.dropin import jwt

ISSUER = "https://id.example"
VERIFIER = JWTVerifier(KEY, issuer=ISSUER, clock=lambda: NOW)


@pytest.mark.parametrize(
    "issuer",
    ["", "h", "https://", "id.example", "https://id.exampl", "https://id.example/", " https://id.example",
     "HTTPS://ID.EXAMPLE", "https://id.example\0", "https://id.example,https://evil.example"],
)  # fmt: skip
def test_an_issuer_is_compared_whole(issuer):
    token = forge({"alg": "HS256", "kid": "k1"}, {**CLAIMS, "iss": issuer})
    assert refused(token, VERIFIER) is Reason.UNKNOWN_ISSUER
    for permitted in (ISSUER, [ISSUER], (ISSUER,), {ISSUER}):
        with pytest.raises(jwt.InvalidIssuerError):
            jwt.decode(token, SECRET, algorithms=["HS256"], issuer=permitted, options={"verify_exp": False})


@pytest.mark.parametrize("issuer", [[ISSUER], ["https://evil.example", ISSUER], {"iss": ISSUER}, {ISSUER: 1}, 7, True])
def test_an_issuer_is_one_text(issuer):
    token = forge({"alg": "HS256", "kid": "k1"}, {**CLAIMS, "iss": issuer})
    assert refused(token, VERIFIER) is Reason.WRONG_CLAIM
    with pytest.raises(jwt.InvalidIssuerError):
        jwt.decode(token, SECRET, algorithms=["HS256"], issuer=ISSUER, options={"verify_exp": False})


def test_the_right_issuer_is_accepted():
    assert VERIFIER.verify(forge({"alg": "HS256", "kid": "k1"}, {**CLAIMS, "iss": ISSUER})).subject == "admin"
