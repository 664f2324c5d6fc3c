"""Keys used for what they aren't: a public key as a direct secret, a signing key to decrypt, one algorithm for another."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from tests.attacks.jose.forge import PUBLIC_PEM, RSA
from tests.attacks.jose.sealed import refusal, seal
from watchword import ConfigurationError, JWTVerifier, Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.algorithms import ENCRYPTION_ALGORITHMS

SECRET = bytes(range(32))


def test_a_public_key_is_no_direct_secret():
    for algorithm in ("A256GCM", "A256KW", "PBES2-HS256+A128KW"):
        with pytest.raises(ConfigurationError, match="no secret"):
            Key.from_secret(PUBLIC_PEM, algorithm=algorithm)


def test_a_token_sealed_under_the_public_key_is_refused():
    """With `dir` the attacker knows the "secret" if a server takes the octets of its public key for it."""
    key = Key.from_jwk(Key.generate("RSA-OAEP-256").to_jwk(private=True))
    assert refusal(seal({"alg": "dir", "enc": "A256GCM"}, PUBLIC_PEM[30:62]), key)[0] is Reason.WRONG_ALGORITHM


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256", "EdDSA"])
def test_a_signing_key_never_decrypts(algorithm):
    key = Key.generate(algorithm)
    for name in (algorithm, "dir", "A256KW", "RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"):
        header = {"alg": name, "enc": "A256GCM", "epk": {}}
        assert refusal(seal(header, SECRET), key)[0] is Reason.WRONG_ALGORITHM
    with pytest.raises(ConfigurationError, match="may not encrypt"):
        jose.encrypt(b"hello", key)


def test_the_secret_of_an_hmac_key_opens_nothing():
    signing = Key.from_secret(SECRET, algorithm="HS256")
    assert refusal(seal({"alg": "dir", "enc": "A256GCM"}, SECRET), signing)[0] is Reason.WRONG_ALGORITHM
    token = seal({"alg": "A256KW", "enc": "A256GCM"}, bytes(32), aes_key_wrap(SECRET, bytes(32)))
    assert refusal(token, signing)[0] is Reason.WRONG_ALGORITHM
    assert jose.decrypt(token, Key.from_secret(SECRET, algorithm="A256KW")).plaintext == b"hello"


@pytest.mark.parametrize("name", [row.name for row in ENCRYPTION_ALGORITHMS])
def test_an_encryption_key_never_signs_or_verifies(name):
    key = Key.generate(name)
    assert (key.use, key.can_sign) == ("enc", False)
    with pytest.raises(ConfigurationError, match="can't sign"):
        key.sign(b"data")
    with pytest.raises(Rejected) as caught:
        key.verify(b"data", b"")
    assert caught.value.reason is Reason.WRONG_ALGORITHM
    head = jose.b64url_encode(b'{"alg":"%s"}' % name.encode()).decode()
    for verify in (lambda token: jose.verify(token, key), JWTVerifier(KeySet([key, Key.generate("HS256")])).verify):
        with pytest.raises(Rejected) as caught:
            verify(f"{head}.e30.AAAA")
        assert caught.value.reason is Reason.WRONG_ALGORITHM


def test_one_secret_for_two_ways_of_wrapping_is_bound_to_one():
    for one, other in (("A256KW", "A256GCMKW"), ("A256KW", "A256GCM"), ("A256GCMKW", "A256GCM")):
        token = jose.encrypt(b"hello", Key.from_secret(SECRET, algorithm=one))
        assert refusal(token, Key.from_secret(SECRET, algorithm=other))[0] is Reason.WRONG_ALGORITHM


def test_a_jwk_for_signatures_is_not_read_as_one_for_encryption():
    jwk = {**Key.generate("RSA-OAEP").to_jwk(private=True), "use": "sig"}
    with pytest.raises(ConfigurationError, match="not for encryption"):
        Key.from_jwk(jwk)
    jwk = {**jwk, "use": "enc", "key_ops": ["sign"]}
    with pytest.raises(ConfigurationError, match="neither encrypt nor decrypt"):
        Key.from_jwk(jwk)
    with pytest.raises(ConfigurationError, match="not for signatures"):
        Key.from_jwk({**jwk, "alg": "RS256"})


def test_an_encrypted_token_is_no_signed_one():
    """A verifier that takes whatever decrypts for genuine lets everybody in who has the public key (CVE-2023-51774)."""
    key = Key.generate("RSA-OAEP-256")
    forged = jose.encrypt(b'{"sub":"admin"}', Key.from_jwk(key.to_jwk()))
    for keys in (key, KeySet([key, Key.generate("RS256")])):
        with pytest.raises(Rejected) as caught:
            jose.verify(forged, keys)
        assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
    assert RSA.key_size == 2048
