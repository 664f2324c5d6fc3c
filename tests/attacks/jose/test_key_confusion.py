"""A public key used as an HMAC secret, and other algorithms than the key's (CVE-2016-10555, CVE-2022-29217, CVE-2024-33663)."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization

from tests.attacks.jose.forge import KEY, NOW, PUBLIC_PEM, RSA, forge, refused, segment
from watchword import ConfigurationError, JWTVerifier, Key, KeySet, Reason
from watchword.crypto import jose
from watchword.dropin import jwt

PUBLIC_DER = RSA.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
SPELLINGS = [PUBLIC_PEM, PUBLIC_PEM.strip(), PUBLIC_PEM.replace(b"\n", b""), PUBLIC_DER, b"", b"\0"]
PUBLIC = Key.from_pem(PUBLIC_PEM, algorithm="RS256", key_id="rsa")


@pytest.mark.parametrize("spelling", SPELLINGS, ids=range(len(SPELLINGS)))
@pytest.mark.parametrize("header", [{"alg": "HS256"}, {"alg": "HS256", "kid": "rsa"}, {"alg": "RS256", "kid": "rsa"}])
def test_a_public_key_is_not_taken_for_a_secret(spelling, header):
    for keys in (PUBLIC, KeySet([PUBLIC, KEY])):
        reason = refused(forge(header, secret=spelling), JWTVerifier(keys, clock=lambda: NOW))
        assert reason in (Reason.WRONG_ALGORITHM, Reason.WRONG_SIGNATURE)


def test_the_drop_in_does_not_mix_families_even_if_it_is_told_both():
    forged = forge({"alg": "HS256"}, secret=PUBLIC_PEM)
    for key in (PUBLIC_PEM, PUBLIC_PEM.decode(), b"\n" + PUBLIC_PEM):
        with pytest.raises(jwt.InvalidKeyError):
            jwt.decode(forged, key, algorithms=["RS256", "HS256"])


def test_a_public_key_can_not_be_configured_as_a_secret():
    with pytest.raises(ConfigurationError, match="no secret"):
        Key.from_secret(PUBLIC_DER, algorithm="HS256")


@pytest.mark.parametrize("name", ["RS384", "RS512", "PS256", "HS256", "ES256"])
def test_a_genuine_signature_of_another_algorithm_is_refused(name):
    """The key is bound to one algorithm, not to a family."""
    other = Key.from_pem(
        RSA.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        algorithm=name if name[0] in "RP" else "RS256", key_id="rsa",
    )  # fmt: skip
    signing_input = segment({"alg": name, "kid": "rsa"}) + b"." + segment(json.dumps({"sub": "admin"}).encode())
    token = (signing_input + b"." + segment(other.sign(signing_input))).decode()
    assert refused(token, JWTVerifier(PUBLIC, clock=lambda: NOW)) is Reason.WRONG_ALGORITHM


def test_a_signature_is_not_moved_to_another_algorithm_of_the_same_key_id():
    short, long = Key.generate("HS256", key_id="a"), Key.generate("HS512", key_id="a")
    token = jose.sign(b'{"sub":"admin"}', short)
    _, payload, signature = token.split(".")
    swapped = ".".join((segment({"alg": "HS512", "kid": "a"}).decode(), payload, signature))
    assert refused(swapped, JWTVerifier(KeySet([short, long]), clock=lambda: NOW)) is Reason.WRONG_SIGNATURE
