"""python-jose's `jose.jwk` and `jose.backends`: keys as objects."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from watchword import ConfigurationError, JWTVerifier, Key, KeySet
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode
from watchword.dropin import jwt as pyjwt
from watchword.dropin.jose import backends, jwk, jws, utils
from watchword.dropin.jose.backends import base, cryptography_backend, ecdsa_backend, native, rsa_backend
from watchword.dropin.jose.exceptions import InsecureKeyLengthWarning, JWEError, JWKError, JWSError

SECRET = bytes(range(32))
EC, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
WEAK_RSA = rsa.generate_private_key(65537, 1024)


def pem(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.mark.parametrize(("name", "private"), [("ES256", EC), ("RS384", RSA)])
def test_a_pair_in_every_spelling_is_one_key(name, private):
    kind = jwk.get_key(name)
    key = kind(private, name)
    members = key.to_dict()
    assert not key.is_public()
    for spelling in (
        pem(private), pem(private).decode(), pem(private, serialization.PrivateFormat.TraditionalOpenSSL), members,
        Key.from_openssl(private, algorithm=name), key,
    ):  # fmt: skip
        assert kind(spelling, name).to_dict() == members
    public = key.public_key()
    assert public.is_public()
    assert public.public_key() is public
    assert public.prepared_key.public_numbers() == private.public_key().public_numbers()
    assert set(public.to_dict()) == set(members) - {"d", "p", "q", "dp", "dq", "qi"}
    for spelling in (public.to_pem(), public.to_pem().decode(), public.to_dict(), private.public_key()):
        assert kind(spelling, name).to_pem() == public.to_pem()
    assert public.verify("data", key.sign("data"))
    assert not public.verify(b"other", key.sign(b"data"))
    with pytest.raises(JWKError, match="can't sign"):
        public.sign(b"data")


def test_pems_are_written_in_both_forms():
    key = backends.RSAKey(RSA, "RS256")
    assert key.to_pem() == pem(RSA)
    assert key.to_pem("PKCS1") == pem(RSA, serialization.PrivateFormat.TraditionalOpenSSL)
    assert key.public_key().to_pem("PKCS1").startswith(b"-----BEGIN RSA PUBLIC KEY-----")
    assert backends.ECKey(EC, "ES256").to_pem() == pem(EC, serialization.PrivateFormat.TraditionalOpenSSL)
    with pytest.raises(ValueError, match="DER"):
        key.to_pem("DER")


def test_verifying_with_a_private_key_of_rsa_is_warned_of():
    key = backends.RSAKey(RSA, "RS256")
    with pytest.warns(UserWarning, match="with a private key"):
        assert key.verify(b"data", key.sign(b"data"))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ES384", EC), ("ES256", RSA), ("RS256", EC), ("HS256", EC), ("ES256", "secret"), ("RS256", object()), ("RS256", b"\xff"),
        ("ES256", {"kty": "EC"}), ("ES256", {"kty": ["EC"]}), ("RS256", {"kty": "RSA", "n": "AQAB"}), ("HS256", b""),
        ("HS256", {"kty": "oct", "k": "====", "alg": "HS256"}), ("HS256", {"kty": "oct", "k": "AAAA", "alg": "HS512"}),
        ("HS256", {"kty": "oct", "k": b64url_encode(SECRET).decode(), "use": "enc"}),
        ("HS256", {"kty": "oct", "k": b64url_encode(SECRET).decode(), "key_ops": ["encrypt"]}),
        ("A256KW", bytes(31)), ("A128CBC", bytes(16)), ("ECDH-ES", EC), ("none", SECRET), ("", SECRET), (None, SECRET),
        ("dir", 7), ("RSA-OAEP", WEAK_RSA),
    ],
)  # fmt: skip
def test_keys_that_are_not_for_an_algorithm(name, key):
    with pytest.raises(JWKError) as caught:
        jwk.construct(key, name)
    assert isinstance(caught.value, ConfigurationError)


def test_keys_say_what_they_are_for_themselves():
    members = {"kty": "oct", "k": b64url_encode(SECRET).decode(), "alg": "HS256"}
    assert jwk.construct(members).to_dict() == members
    for spelling in (members["k"] + "=", f"{members['k'][:9]}\n {members['k'][9:]}"):  # as they are copied out of texts
        assert jwk.construct({**members, "k": spelling}).to_dict() == members
    assert jwk.construct(Key.generate("ES256")).to_dict()["alg"] == "ES256"
    with pytest.raises(JWKError, match="Unable to find an algorithm"):
        jwk.construct(SECRET)


def test_aes_encrypts_content_or_keys():
    content, wrapping = jwk.construct(bytes(16), "A128GCM"), jwk.construct(bytes(16), "A128KW")
    iv, ciphertext, tag = content.encrypt("text", b"aad")
    assert content.decrypt(ciphertext, iv, b"aad", tag) == b"text"
    for wrong in (
        (ciphertext, iv, b"", tag),
        (ciphertext, iv, b"aad", bytes(16)),
        (ciphertext, iv, b"aad", None),
        (ciphertext,),
    ):
        with pytest.raises(JWEError):
            content.decrypt(*wrong)
    assert wrapping.unwrap_key(wrapping.wrap_key(bytes(32))) == bytes(32)
    for call in (
        lambda: wrapping.unwrap_key(bytes(24)), lambda: wrapping.wrap_key(b"short"), lambda: wrapping.encrypt(b"text"),
        lambda: wrapping.decrypt(b"text"), lambda: content.wrap_key(bytes(16)), lambda: content.unwrap_key(bytes(24)),
    ):  # fmt: skip
        with pytest.raises(JWEError):
            call()
    assert content.to_dict() == {"alg": "A128GCM", "kty": "oct", "k": b64url_encode(bytes(16)).decode()}
    assert jwk.construct("text", "dir").to_dict()["k"] == "dGV4dA"


@pytest.mark.parametrize("name", ["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"])
def test_rsa_encrypts_keys(name):
    key = backends.RSAKey(RSA, name)
    assert key.unwrap_key(key.public_key().wrap_key(b"a key")) == b"a key"
    for call in (
        lambda: key.unwrap_key(bytes(7)), lambda: key.public_key().unwrap_key(bytes(256)), lambda: key.wrap_key(bytes(300)),
        lambda: backends.RSAKey(RSA, "RS256").wrap_key(b"a key"),
    ):  # fmt: skip
        with pytest.raises(JWEError):
            call()
    assert not key.public_key().verify(b"data", bytes(256))
    with pytest.raises(JWKError):
        key.sign(b"data")


def test_backends_by_their_names():
    assert cryptography_backend.CryptographyRSAKey is backends.RSAKey is jwk.RSAKey
    assert cryptography_backend.CryptographyECKey is backends.ECKey is jwk.ECKey
    assert cryptography_backend.CryptographyAESKey is backends.AESKey is jwk.AESKey
    assert cryptography_backend.CryptographyHMACKey is backends.HMACKey is native.HMACKey
    assert issubclass(rsa_backend.RSAKey, backends.RSAKey)
    assert issubclass(ecdsa_backend.ECDSAECKey, backends.ECKey)
    assert backends.DIRKey is base.DIRKey
    assert len(backends.get_random_bytes(7)) == 7


def test_a_key_in_a_kms_may_use_how_ours_reads_der():
    key = backends.ECKey(EC, "ES256")
    raw = key.sign(b"data")
    assert key._der_to_raw(key._raw_to_der(raw)) == raw


def test_a_key_without_methods_of_its_own_does_nothing():
    for method in ("sign", "wrap_key", "unwrap_key", "encrypt", "decrypt"):
        with pytest.raises(NotImplementedError):
            getattr(base.Key("key", "ALG"), method)(b"data")
    for method in ("public_key", "to_pem", "to_dict"):
        with pytest.raises(NotImplementedError):
            getattr(base.Key("key", "ALG"), method)()
    with pytest.raises(NotImplementedError):
        base.Key("key", "ALG").verify(b"data", b"signature")


def test_no_key_shows_itself():
    for key in (jwk.construct(SECRET, "HS256"), jwk.construct(b"short", "HS256"), jwk.construct(RSA, "RS256")):
        assert "bound" not in repr(key)
        assert "short" not in repr(key) + repr(key.bound)


def test_short_keys_are_warned_of_and_lead_nowhere():
    """Nothing that the drop-in makes of a short key carries it into what demands RFC 7518's sizes."""
    secret, pair = jwk.construct(b"short", "HS256"), jwk.construct(WEAK_RSA, "RS256")
    for weak in (secret, pair):
        with pytest.warns(InsecureKeyLengthWarning, match="below the minimum"):
            signature = weak.sign(b"data")
        with pytest.warns(InsecureKeyLengthWarning, match="below the minimum"):
            assert (weak if weak is secret else weak.public_key()).verify(b"data", signature)
        for held in (weak, weak.bound):
            for take in (KeySet, JWTVerifier):
                with pytest.raises(ConfigurationError):
                    take([held] if take is KeySet else held)
            with pytest.raises(ConfigurationError):
                jose.sign(b"x", held)
        with pytest.raises(ConfigurationError):
            Key.from_jwk(weak.to_dict())
    for held in (secret.prepared_key, secret.bound.secret_bytes()):
        with pytest.raises(ConfigurationError):
            Key.from_secret(held, algorithm="HS256")
    for held in (pair.prepared_key, pair.public_key().prepared_key):
        with pytest.raises(ConfigurationError):
            Key.from_openssl(held, algorithm="RS256")
    with pytest.raises(ConfigurationError):
        Key.from_pem(pair.to_pem(), algorithm="RS256")
    assert type(secret.bound) is type(pyjwt.PyJWK({"kty": "oct", "k": "c2hvcnQ"}).bound)
    with pytest.raises(JWEError):
        pair.wrap_key(bytes(16))


def test_a_broken_rsa_key_is_refused():
    for bits in (512, 768):
        numbers = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 1)
        members = {"kty": "RSA", "e": "AQAB", "n": b64url_encode(numbers.n.to_bytes(bits // 8)).decode()}
        with pytest.raises(JWSError):
            jws.verify(jws.sign(b"x", RSA, algorithm="RS256"), members, "RS256")


def test_utilities():
    assert (
        utils.base64_to_long("AQAB")
        == utils.base64_to_long(b"AQAB==="[:4])
        == utils.int_arr_to_long([1, 0, 1])
        == 65537
    )
    assert utils.long_to_bytes(1) == b"\1"
    assert utils.base64url_decode(utils.base64url_encode(b"\xff\xfe")) == b"\xff\xfe"
    assert utils.timedelta_total_seconds(timedelta(days=1, seconds=1)) == 86401
    assert utils.ensure_binary("ä") == "ä".encode()
    assert utils.is_pem_format(pem(EC))
    assert utils.is_ssh_key(b"ssh-rsa AAAA")
    assert utils.calculate_at_hash("token", hashlib.sha512) != utils.calculate_at_hash("token", hashlib.sha256)
    with pytest.raises(TypeError):
        utils.ensure_binary(7)
