"""CVE-2024-37568 (Authlib): a program that names no algorithm lets the header choose HMAC, with the public key as secret."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.attacks.jose.forge import NOW, PUBLIC_PEM, forge, refused
from watchword import ConfigurationError, JWTVerifier, Key, Reason
from watchword.dropin import jwt

EC_PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


@pytest.mark.parametrize(("public", "name"), [(PUBLIC_PEM, "RS256"), (EC_PEM, "ES256")])
def test_the_header_never_chooses(public, name):
    for algorithm in ("HS256", "HS384", "HS512"):
        forged = forge({"alg": algorithm}, secret=public)
        verifier = JWTVerifier(Key.from_pem(public, algorithm=name), clock=lambda: NOW)
        assert refused(forged, verifier) is Reason.WRONG_ALGORITHM
        for permitted in (None, [], ()):
            with pytest.raises(jwt.DecodeError, match="algorithms"):
                jwt.decode(forged, public, algorithms=permitted)


@pytest.mark.parametrize("public", [PUBLIC_PEM, EC_PEM, PUBLIC_PEM.decode()])
def test_no_key_is_made_of_it(public):
    for algorithm in ("HS256", "HS384", "HS512"):
        with pytest.raises(ConfigurationError, match="no secret"):
            Key.from_secret(public, algorithm=algorithm)
    with pytest.raises(TypeError):
        Key.from_pem(public)  # a key without an algorithm is not made at all
