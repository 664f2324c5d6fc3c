"""Every signature algorithm that they have too, both ways: PyJWT and jose (Node.js), with keys in each one's own spelling."""

from __future__ import annotations

import time
from functools import cache

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization

from watchword import JWTVerifier, Key, Reason, Rejected
from watchword.crypto.algorithms import ALGORITHMS
from watchword.dropin import jwt as ours

ISSUER, AUDIENCE = "https://id.example", "orders"

PYJWT = sorted({row.name for row in ALGORITHMS} & set(pyjwt.algorithms.get_default_algorithms()))
# What jose 6 supports (its documentation of `alg`): not ES256K, nor Ed448.
JOSE = [row.name for row in ALGORITHMS if row.name not in ("ES256K", "Ed448")]


@pytest.fixture(scope="module")
def keys():
    """A private key for each algorithm, made when it is asked for."""
    return cache(Key.generate)


@pytest.fixture(scope="module")
def claims():
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": [AUDIENCE, "ü"],
        "sub": "alice",
        "iat": now,
        "exp": now + 300,
        "deep": {"a": [1, None]},
    }


def pem(key):
    """(private, public) as PyJWT reads them: PEM, or the secret."""
    if key.is_secret:
        return key.secret_bytes(), key.secret_bytes()
    public, private = key.openssl_pair()
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return (
        private.private_bytes(serialization.Encoding.PEM, form, plain),
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )


def public_jwk(key):
    return key.to_jwk(private=key.is_secret)


def changed(token):
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def assert_we_admit_only_this(key, token, claims):
    verifier = JWTVerifier(Key.from_jwk(public_jwk(key)), issuer=ISSUER, audience=AUDIENCE)
    assert dict(verifier.verify(token).claims) == claims
    with pytest.raises(Rejected) as caught:
        verifier.verify(changed(token))
    assert caught.value.reason is Reason.WRONG_SIGNATURE


def test_both_have_the_algorithms_that_everybody_has():
    common = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    common |= {"ES256", "ES384", "ES512", "EdDSA"}
    assert common <= set(PYJWT)
    assert common <= set(JOSE)
    assert "ES256K" in PYJWT


@pytest.mark.parametrize("name", PYJWT)
def test_we_admit_what_pyjwt_signs(name, keys, claims):
    key = keys(name)
    assert_we_admit_only_this(key, pyjwt.encode(claims, pem(key)[0], algorithm=name), claims)


@pytest.mark.parametrize("name", PYJWT)
def test_pyjwt_admits_what_we_sign(name, keys, claims):
    key = keys(name)
    token = ours.encode(claims, key)
    options = {"algorithms": [name], "issuer": ISSUER, "audience": AUDIENCE}
    assert pyjwt.decode(token, pem(key)[1], **options) == claims
    assert pyjwt.decode(token, pyjwt.PyJWK(public_jwk(key)), **options) == claims
    with pytest.raises(pyjwt.InvalidSignatureError):
        pyjwt.decode(changed(token), pem(key)[1], **options)


@pytest.mark.parametrize("name", PYJWT)
def test_the_stand_in_writes_what_pyjwt_writes(name, keys, claims):
    """The same header and payload, to the octet; the signature too, unless it is random by nature."""
    key = keys(name)
    private = pem(key)[0]
    theirs = pyjwt.encode(claims, private, algorithm=name, headers={"kid": "k1", "a": "b"})
    made = ours.encode(claims, private, algorithm=name, headers={"kid": "k1", "a": "b"})
    assert made.rpartition(".")[0] == theirs.rpartition(".")[0]
    if name[:2] in ("HS", "RS", "Ed"):
        assert made == theirs
    options = {"algorithms": [name], "issuer": ISSUER, "audience": AUDIENCE}
    assert ours.decode_complete(theirs, pem(key)[1], **options) == pyjwt.decode_complete(theirs, pem(key)[1], **options)


@pytest.mark.parametrize("name", JOSE)
def test_we_admit_what_jose_signs(name, keys, claims, jose):
    key = keys(name)
    token = jose(do="sign", alg=name, jwk=key.to_jwk(private=True), claims=claims)["token"]
    assert_we_admit_only_this(key, token, claims)


@pytest.mark.parametrize("name", JOSE)
def test_jose_admits_what_we_sign(name, keys, claims, jose):
    key = keys(name)
    token = ours.encode(claims, key)
    asked = {"alg": name, "jwk": public_jwk(key), "issuer": ISSUER, "audience": AUDIENCE}
    assert jose(do="verify", token=token, **asked) == {"claims": claims}
    assert jose(do="verify", token=changed(token), **asked) == {"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
