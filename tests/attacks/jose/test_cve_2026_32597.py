"""CVE-2026-32597 (PyJWT), CVE-2026-35042 (fast-jwt): `crit` overlooked, by whatever way a token is read."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import KEY, SECRET, forge, refused
from watchword import Reason, Rejected
from watchword.crypto import jose
from watchword.dropin import jwt

TOKEN = forge({"alg": "HS256", "kid": "k1", "crit": ["x-mfa"], "x-mfa": "required"})


def test_the_verifier_refuses_it():
    assert refused(TOKEN) is Reason.UNKNOWN_CRITICAL


def test_the_document_reader_refuses_it():
    with pytest.raises(Rejected) as caught:
        jose.verify(TOKEN, KEY)
    assert caught.value.rejection.reason is Reason.UNKNOWN_CRITICAL


@pytest.mark.parametrize(
    "read",
    [
        lambda: jwt.decode(TOKEN, SECRET, algorithms=["HS256"]),
        lambda: jwt.decode_complete(TOKEN, SECRET, algorithms=["HS256"]),
        lambda: jwt.decode(TOKEN, KEY, algorithms=["HS256"]),
        lambda: jwt.decode(TOKEN, jwt.PyJWK(KEY.to_jwk(private=True))),
        lambda: jwt.decode(TOKEN, options={"verify_signature": False}),
        lambda: jwt.PyJWS().decode(TOKEN, SECRET, algorithms=["HS256"]),
        lambda: jwt.get_unverified_header(TOKEN),
    ],
)
def test_the_stand_in_refuses_it(read):
    with pytest.raises(jwt.InvalidTokenError, match="critical"):
        read()
