"""CVE-2026-28802 (Authlib): `none` with an empty signature, where the program names neither it nor any other algorithm."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import NOW, PUBLIC_PEM, SECRET, VERIFIER, forge, refused
from watchword import JWTVerifier, Key, Reason
from watchword.dropin import jwt


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "none ", "\u0000none", ""])
def test_an_empty_signature_proves_nothing(name):
    token = forge({"alg": name}, secret=None)
    assert token.endswith(".")
    public = JWTVerifier(Key.from_pem(PUBLIC_PEM, algorithm="RS256"), clock=lambda: NOW)
    for verifier in (VERIFIER, public):
        assert refused(token, verifier) is Reason.WRONG_ALGORITHM
    for key in (SECRET, PUBLIC_PEM, "", None):
        for permitted in ([name], ["none"], ["HS256", name], ["RS256", "none"], None):
            with pytest.raises((jwt.InvalidTokenError, jwt.InvalidKeyError)):
                jwt.decode(token, key, algorithms=permitted)
