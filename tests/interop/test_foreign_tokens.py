"""Tokens across libraries, both ways: PyJWT, joserfc (Python) and jose (Node.js)."""

from __future__ import annotations

import json
import time

import joserfc.jwk
import joserfc.jwt
import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from watchword import JWTVerifier, Key, Reason, Rejected
from watchword.dropin import jwt as ours

# RFC 9864 gives EdDSA on Ed25519 a name of its own and deprecates this one, which joserfc says; it is what everybody sends.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"]
ISSUER, AUDIENCE = "https://id.example", "orders"


class Pair:
    """One key in every spelling that the libraries read."""

    def __init__(self, algorithm):
        self.algorithm = algorithm
        if algorithm == "HS256":
            self.private = self.public = bytes(range(32))
            self.ours = self.ours_public = Key.from_secret(self.private, algorithm=algorithm)
            jwk = joserfc.jwk.OctKey.import_key(self.private)
            self.jwk_private = self.jwk_public = jwk.as_dict()
            self.joserfc = jwk
            return
        key = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[algorithm]()
        self.private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.ours = Key.from_pem(self.private, algorithm=algorithm)
        self.ours_public = Key.from_pem(self.public, algorithm=algorithm)
        family = {"RS256": joserfc.jwk.RSAKey, "ES256": joserfc.jwk.ECKey, "EdDSA": joserfc.jwk.OKPKey}[algorithm]
        self.joserfc = family.import_key(self.private)
        self.jwk_private = self.joserfc.as_dict(private=True)
        self.jwk_public = self.joserfc.as_dict(private=False)


@pytest.fixture(scope="module", params=ALGORITHMS)
def pair(request):
    return Pair(request.param)


@pytest.fixture(scope="module")
def claims():
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 300, "scope": "read", "ü": "€"}


def our_token(pair, claims):
    return ours.encode(claims, pair.ours, algorithm=pair.algorithm)


def verifier(pair):
    return JWTVerifier(pair.ours_public, issuer=ISSUER, audience=AUDIENCE)


def assert_ours_admits_only_the_genuine(pair, claims, token):
    identity = verifier(pair).verify(token)
    assert identity.subject == "alice"
    assert dict(identity.claims) == claims
    head, payload, signature = token.split(".")
    with pytest.raises(Rejected) as caught:
        verifier(pair).verify(f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}")
    assert caught.value.reason is Reason.WRONG_SIGNATURE


def test_we_admit_what_pyjwt_signs(pair, claims):
    assert_ours_admits_only_the_genuine(pair, claims, pyjwt.encode(claims, pair.private, algorithm=pair.algorithm))


def test_pyjwt_admits_what_we_sign(pair, claims):
    read = pyjwt.decode(
        our_token(pair, claims), pair.public, algorithms=[pair.algorithm], issuer=ISSUER, audience=AUDIENCE
    )
    assert read == claims


def test_we_admit_what_joserfc_signs(pair, claims):
    token = joserfc.jwt.encode({"alg": pair.algorithm}, claims, pair.joserfc, algorithms=[pair.algorithm])
    assert_ours_admits_only_the_genuine(pair, claims, token)


def test_joserfc_admits_what_we_sign(pair, claims):
    assert joserfc.jwt.decode(our_token(pair, claims), pair.joserfc, algorithms=[pair.algorithm]).claims == claims


def test_we_admit_what_jose_signs(pair, claims, jose):
    token = jose(do="sign", alg=pair.algorithm, jwk=pair.jwk_private, claims=claims)["token"]
    assert_ours_admits_only_the_genuine(pair, claims, token)


def test_jose_admits_what_we_sign(pair, claims, jose):
    asked = {"alg": pair.algorithm, "jwk": pair.jwk_public, "issuer": ISSUER, "audience": AUDIENCE}
    assert jose(do="verify", token=our_token(pair, claims), **asked) == {"claims": claims}
    expired = our_token(pair, {**claims, "exp": claims["iat"] - 10})
    assert jose(do="verify", token=expired, **asked) == {"refused": "ERR_JWT_EXPIRED"}


def test_we_read_the_jwks_that_jose_and_joserfc_write(pair):
    """The JWK's own spelling of a key is the same key."""
    private = Key.from_jwk(pair.jwk_private, algorithm=pair.algorithm)
    pair.ours_public.verify(b"data", private.sign(b"data"))
    public = Key.from_jwk(json.loads(json.dumps(pair.jwk_public)), algorithm=pair.algorithm)
    public.verify(b"data", pair.ours.sign(b"data"))
