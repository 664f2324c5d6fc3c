"""CVE-2024-33663 (python-jose to 3.3.0): algorithm confusion. 3.5.0 still takes a key in DER for a secret, and no `algorithms=`."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from tests.attacks.jose.forge import RSA, forge
from watchword import ConfigurationError, Key
from watchword.crypto.encoding import b64url_encode
from watchword.dropin import jwt as pyjwt
from watchword.dropin.jose import jwk, jws, jwt
from watchword.dropin.jose.exceptions import JWKError, JWSError, JWTError

Encoding, Form = serialization.Encoding, serialization.PublicFormat
PAIRS = {
    "RS256": RSA, "ES256": ec.generate_private_key(ec.SECP256R1()), "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()), "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}  # fmt: skip
HMAC = ["HS256", "HS384", "HS512"]


def certificate(pair):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    built = x509.CertificateBuilder(
        name, name, pair.public_key(), 1, datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)
    )
    return built.sign(pair, None if isinstance(pair, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def spellings(name):
    """The public key as an application may hold it, and everybody else too."""
    pair = PAIRS[name]
    public = pair.public_key()
    pem, der = (public.public_bytes(encoding, Form.SubjectPublicKeyInfo) for encoding in (Encoding.PEM, Encoding.DER))
    line = public.public_bytes(Encoding.OpenSSH, Form.OpenSSH)
    jwk_text = json.dumps(Key.from_openssl(pair, algorithm=name).to_jwk()).encode()
    cert = certificate(pair)
    yield from (pem, pem.strip(), pem.replace(b"\n", b""), pem.replace(b"\n", b"\\n"), b"  " + pem, pem + b"\0")
    yield from (der, base64.b64encode(der), base64.urlsafe_b64encode(der).rstrip(b"="), der.hex().encode())
    yield from (line, line + b" alice@example\n", b"\n" + line, line.split(b" ")[1])
    yield from (jwk_text, b'"' + jwk_text.replace(b'"', b'\\"') + b'"', b"  " + jwk_text, base64.b64encode(jwk_text))
    yield from (cert.public_bytes(Encoding.PEM), cert.public_bytes(Encoding.DER))
    if name == "RS256":
        yield from (public.public_bytes(encoding, Form.PKCS1) for encoding in (Encoding.PEM, Encoding.DER))


CASES = [(name, spelling) for name in PAIRS for spelling in spellings(name)]


@pytest.mark.parametrize(("name", "public"), CASES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(CASES)])
def test_a_public_key_is_no_secret_in_any_spelling(name, public):
    forged = forge({"alg": "HS256"}, {"sub": "admin"}, secret=public)
    texts = [public] if b"\xff" in public or public[:1] == b"0" else [public, public.decode()]
    for key in texts:
        for given in (key, [key], {"keys": [key]}, {"k1": key}):
            for permitted in ([*HMAC, name], HMAC, "HS256"):
                with pytest.raises(JWTError):
                    jwt.decode(forged, given, permitted)
                with pytest.raises(JWSError):
                    jws.verify(forged, given, permitted)
        with pytest.raises(JWKError):
            jwk.construct(key, "HS256")
        with pytest.raises(JWSError):
            jws.sign(b"{}", key)


@pytest.mark.parametrize("name", ["RS256", "ES256", "ES384", "ES512"])
def test_a_jwk_or_an_object_of_a_public_key_verifies_no_hmac(name):
    ours = Key.from_openssl(PAIRS[name].public_key(), algorithm=name)
    unnamed = {member: value for member, value in ours.to_jwk().items() if member != "alg"}
    for secret in (b"", jwk.construct(ours).to_pem(), json.dumps(ours.to_jwk()).encode()):
        forged = forge({"alg": "HS256"}, {"sub": "admin"}, secret=secret)
        for key in (ours, ours.to_jwk(), unnamed, {"keys": [unnamed]}, jwk.construct(ours), PAIRS[name].public_key()):
            with pytest.raises(JWTError):
                jwt.decode(forged, key, [*HMAC, name])


@pytest.mark.parametrize("permitted", HMAC)
def test_a_jwk_of_a_secret_may_not_hold_a_public_key(permitted):
    """However short it is for the algorithm: 44 octets are a weak secret for HS512, and a public key of Ed25519."""
    der = PAIRS["EdDSA"].public_key().public_bytes(Encoding.DER, Form.SubjectPublicKeyInfo)
    members = {"kty": "oct", "k": b64url_encode(der).decode()}
    for make in (lambda: jwk.construct(members, permitted), lambda: pyjwt.PyJWK(members, permitted)):
        with pytest.raises(ConfigurationError, match="no secret"):
            make()


@pytest.mark.parametrize("name", PAIRS)
def test_without_algorithms_nothing_is_verified(name):
    """The default of python-jose: the token itself says how it is verified."""
    pair = PAIRS[name]
    for public in spellings(name):
        with pytest.raises(JWTError, match="algorithms="):
            jwt.decode(forge({"alg": "HS256"}, {"sub": "admin"}, secret=public), public)
    if name != "EdDSA":
        genuine = jwt.encode({"sub": "alice"}, pair, name)
        with pytest.raises(JWTError, match="algorithms="):
            jwt.decode(genuine, pair.public_key())
        assert jwt.decode(genuine, pair.public_key(), [name]) == {"sub": "alice"}
