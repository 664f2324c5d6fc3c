"""Keys from DER, certificates and JWK: what each constructor takes, what a key may do, and what it never shows."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.x509.oid import NameOID

from watchword import ConfigurationError, Key, KeySet, Reason, Rejected
from watchword.crypto.algorithms import AGREEMENT_CURVES, ENCRYPTION_ALGORITHMS, algorithm_named
from watchword.crypto.encoding import b64url_encode

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PRIVATE = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def mend(function, *arguments, **options):
    with pytest.raises(ConfigurationError) as caught:
        function(*arguments, **options)
    assert caught.value.__cause__ is None
    return str(caught.value)


def private_der(key, password=None, form=serialization.PrivateFormat.PKCS8):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(DER, form, how)


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=1))
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_der_in_every_structure(algorithm):
    key = PRIVATE[algorithm]
    forms = [serialization.PrivateFormat.PKCS8]
    if algorithm != "EdDSA":
        forms.append(serialization.PrivateFormat.TraditionalOpenSSL)
    public = Key.from_der(key.public_key().public_bytes(DER, SPKI), algorithm=algorithm, key_id="k1")
    assert (public.can_sign, public.key_id, public.operations) == (False, "k1", {"verify"})
    for form in forms:
        private = Key.from_der(private_der(key, form=form), algorithm=algorithm)
        public.verify(b"data", private.sign(b"data"))


def test_what_is_no_der_of_a_key_is_refused():
    key = PRIVATE["ES256"]
    assert "encrypted" in mend(Key.from_der, private_der(key, b"open sesame"), algorithm="ES256")
    assert "P-384" in mend(Key.from_der, private_der(key), algorithm="ES384")
    assert "from_secret" in mend(Key.from_der, private_der(key), algorithm="HS256")
    assert "bytes" in mend(Key.from_der, private_der(key).hex(), algorithm="ES256")
    pem = key.public_key().public_bytes(PEM, SPKI)
    for data in (b"", b"\x30", pem, private_der(key)[:-1], certificate(key).public_bytes(DER)):
        assert "no DER" in mend(Key.from_der, data, algorithm="ES256")


@pytest.mark.parametrize("algorithm", PRIVATE)
@pytest.mark.parametrize("encoding", [PEM, DER])
def test_the_public_key_of_a_certificate(algorithm, encoding):
    key = PRIVATE[algorithm]
    public = Key.from_certificate(certificate(key).public_bytes(encoding), algorithm=algorithm, key_id="k1")
    assert repr(public) == f"Key({algorithm}, key_id='k1', public)"
    public.verify(b"data", Key.from_der(private_der(key), algorithm=algorithm).sign(b"data"))


def test_one_certificate_and_nothing_else():
    pem = certificate(PRIVATE["ES256"]).public_bytes(PEM)
    Key.from_certificate(pem.decode(), algorithm="ES256")
    assert "2 certificates" in mend(Key.from_certificate, pem * 2, algorithm="ES256")
    assert "RS256" in mend(Key.from_certificate, pem, algorithm="RS256")
    assert "from_certificate" in mend(Key.from_pem, pem, algorithm="ES256")
    public = PRIVATE["ES256"].public_key()
    for data in (
        b"",
        b"x",
        "-----BEGIN CERTIFICATE-----",
        public.public_bytes(PEM, SPKI),
        public.public_bytes(DER, SPKI),
    ):
        assert "no X.509" in mend(Key.from_certificate, data, algorithm="ES256")


def test_certificates_in_a_jwk_are_ignored():
    jwk = Key.from_der(private_der(PRIVATE["ES256"]), algorithm="ES256").to_jwk()
    other = b64url_encode(certificate(PRIVATE["RS256"]).public_bytes(DER)).decode()
    for more in ({"x5c": [other]}, {"x5c": "x"}, {"x5u": "https://evil.example/"}, {"x5t": "AAAA"}, {"x5t#S256": 7}):
        assert Key.from_jwk({**jwk, **more}).to_jwk() == jwk


@pytest.mark.parametrize("row", ENCRYPTION_ALGORITHMS, ids=lambda row: row.name)
def test_an_encryption_key_goes_through_a_jwk(row):
    key = Key.generate(row.name, key_id="k1")
    jwk = key.to_jwk(private=True)
    assert (jwk["alg"], jwk["use"], jwk["kid"]) == (row.name, "enc", "k1")
    assert Key.from_jwk(jwk).to_jwk(private=True) == jwk
    assert key.operations == {"encrypt", "decrypt"}
    if row.key_type != "oct":
        public = Key.from_jwk(key.to_jwk())
        assert (public.operations, public.is_private) == ({"encrypt"}, False)
        assert public.thumbprint() == key.thumbprint()


@pytest.mark.parametrize("curve", AGREEMENT_CURVES)
def test_agreement_keys_on_every_curve(curve):
    key = Key.generate("ECDH-ES", curve=curve)
    assert key.to_jwk()["crv"] == curve
    assert "leave curve= out" in mend(Key.generate, "ES256", curve=curve)


def test_keys_on_other_curves_agree_on_nothing():
    assert "no choice" in mend(Key.generate, "ECDH-ES", curve="Ed25519")
    for jwk in (Key.generate("EdDSA").to_jwk(), Key.generate("ES256K").to_jwk()):
        assert "ECDH-ES needs" in mend(Key.from_jwk, {**jwk, "use": "enc", "alg": "ECDH-ES"})
    brainpool = ec.generate_private_key(ec.BrainpoolP256R1())
    assert "P-256, P-384" in mend(Key.from_der, private_der(brainpool), algorithm="ECDH-ES")
    x_only = x25519.X25519PrivateKey.generate()
    assert "Ed25519" in mend(Key.from_der, private_der(x_only), algorithm="EdDSA")
    assert Key.from_der(private_der(x_only), algorithm="ECDH-ES").is_private


@pytest.mark.parametrize(
    ("algorithm", "size"),
    [("A128KW", 16), ("A192GCMKW", 24), ("A256GCM", 32), ("A128CBC-HS256", 32), ("A256CBC-HS512", 64)],
)
def test_an_aes_key_has_exactly_its_size(algorithm, size):
    Key.from_secret(bytes(size), algorithm=algorithm)
    for other in (0, size - 1, size + 1, size * 2):
        assert f"exactly {size}" in mend(Key.from_secret, bytes(other), algorithm=algorithm)


def test_a_key_is_for_its_content_encryption_and_not_for_dir():
    assert "A256GCM" in mend(Key.from_secret, bytes(32), algorithm="dir")
    with pytest.raises(ConfigurationError, match="not a pair"):
        Key.generate("A256GCM").openssl_pair()


@pytest.mark.parametrize(
    ("algorithm", "key_ops", "left"),
    [
        ("HS256", ["sign"], {"sign"}),
        ("HS256", ["verify"], {"verify"}),
        ("HS256", ["sign", "verify", "other"], {"sign", "verify"}),
        ("ES256", ["verify"], {"verify"}),
        ("A256KW", ["wrapKey"], {"encrypt"}),
        ("A256KW", ["unwrapKey"], {"decrypt"}),
        ("A256GCM", ["encrypt", "decrypt"], {"encrypt", "decrypt"}),
        ("ECDH-ES", ["deriveBits"], {"encrypt", "decrypt"}),
        ("RSA-OAEP", ["decrypt", "unwrapKey"], {"decrypt"}),
    ],
)
def test_key_ops_limit_what_a_key_does(algorithm, key_ops, left):
    key = Key.from_jwk({**Key.generate(algorithm).to_jwk(private=True), "key_ops": key_ops})
    assert key.operations == left
    assert key.can_sign == ("sign" in left)
    if key.use == "sig" and "sign" not in left:
        with pytest.raises(ConfigurationError, match="can't sign"):
            key.sign(b"data")
    if key.use == "sig" and "verify" not in left:
        with pytest.raises(Rejected) as caught:
            key.verify(b"data", key.sign(b"data"))
        assert caught.value.reason is Reason.UNKNOWN_KEY


def test_key_ops_that_allow_nothing_are_refused():
    jwk = Key.generate("HS256").to_jwk(private=True)
    for key_ops in ([], ["encrypt"], ["SIGN"], "sign", {"sign": 1}, [["sign"]], [None], 7):
        assert "RFC 7517 §4.3" in mend(Key.from_jwk, {**jwk, "key_ops": key_ops})
    public = Key.generate("ECDH-ES").to_jwk()
    assert Key.from_jwk({**public, "key_ops": []}).operations == {"encrypt"}  # as Web Cryptography exports it


def test_a_key_of_the_flawed_generator_is_refused():
    """CVE-2017-15361: such a modulus is a power of 65537 modulo many small primes."""
    product = 1
    for prime in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
                  107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167):  # fmt: skip
        product *= prime
    modulus = (1 << 2047) // product * product + pow(65537, 12345, product)
    jwk = {"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": b64url_encode(modulus.to_bytes(256)).decode()}
    assert "CVE-2017-15361" in mend(Key.from_jwk, jwk)


@pytest.mark.parametrize("algorithm", ["HS256", "ES256", "RS256", "EdDSA", "A256GCM", "RSA-OAEP", "ECDH-ES"])
def test_private_parts_leave_by_name_alone(algorithm):
    key = Key.generate(algorithm, key_id="k1")
    private = key.to_jwk(private=True)
    secrets = [private[name] for name in ("k", "d", "p", "q", "dp", "dq", "qi") if name in private]
    assert secrets
    assert not any(secret in repr(key) + str(key) + repr(KeySet([key])) for secret in secrets)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode, msgspec.to_builtins, vars):
        with pytest.raises(TypeError):
            attempt(key)
    if "k" in private:
        assert "no public part" in mend(key.to_jwk)
    else:
        assert not set(key.to_jwk()) & {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_a_set_of_both_kinds_publishes_public_parts_and_keeps_private_ones_private():
    keys = KeySet([Key.generate(name, key_id=name) for name in ("HS256", "ES256", "RSA-OAEP", "A256KW")])
    shown = keys.to_jwks()["keys"]
    assert [jwk["kid"] for jwk in shown] == ["ES256", "RSA-OAEP"]
    assert not any("d" in jwk for jwk in shown)
    whole = keys.to_jwks(private=True)
    assert all("d" in jwk or "k" in jwk for jwk in whole["keys"])
    assert KeySet.from_jwks(whole).to_jwks(private=True) == whole


def test_every_row_is_consistent():
    assert len({row.name for row in ENCRYPTION_ALGORITHMS}) == len(ENCRYPTION_ALGORITHMS)
    for row in ENCRYPTION_ALGORITHMS:
        assert (algorithm_named(row.name), row.use) == (row, "enc")
