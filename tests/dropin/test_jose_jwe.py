"""python-jose's `jose.jwe`: encrypted octets."""

from __future__ import annotations

import json

import pytest

from watchword import Key
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_decode
from watchword.dropin.jose import constants, jwe, jwk
from watchword.dropin.jose.backends import native
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import (
    JWEAlgorithmUnsupportedError, JWEError, JWEInvalidAuth, JWEKeyError, JWEParseError, JWKError,
)  # fmt: skip

RSA = jwk.construct(Key.generate("RSA-OAEP"))
PRIVATE, PUBLIC = RSA.to_pem().decode(), RSA.public_key().to_pem().decode()
SIZES = {
    "A128GCM": 16, "A192GCM": 24, "A256GCM": 32, "A128CBC-HS256": 32, "A192CBC-HS384": 48, "A256CBC-HS512": 64,
    "A128KW": 16, "A192KW": 24, "A256KW": 32,
}  # fmt: skip
SECRET = bytes(range(64))


def keys_for(alg, enc):
    if alg in ALGORITHMS.RSA_KW:
        return PUBLIC, PRIVATE
    return (SECRET[: SIZES[enc if alg == "dir" else alg]],) * 2


@pytest.mark.parametrize("zip", [None, "DEF"])
@pytest.mark.parametrize("enc", sorted(ALGORITHMS.AES_JWE_ENC))
@pytest.mark.parametrize("alg", sorted(ALGORITHMS.RSA_KW | ALGORITHMS.AES_KW | {"dir"}))
def test_what_is_encrypted_comes_back(alg, enc, zip):
    public, private = keys_for(alg, enc)
    token = jwe.encrypt("täxt", public, enc, alg, zip, cty="JWT", kid="k1")
    assert isinstance(token, bytes)
    expected = {"alg": alg, "enc": enc, "cty": "JWT", "kid": "k1", **({"zip": zip} if zip else {})}
    assert jwe.get_unverified_header(token) == expected
    assert jwe.decrypt(token, private) == jwe.decrypt(token.decode(), private) == "täxt".encode()
    if zip is None and alg != "RSA1_5":  # no more than the names differs from what we read and write natively
        ours = Key.from_pem(private, algorithm=alg) if alg in ALGORITHMS.RSA_KW else None
        ours = ours or Key.from_secret(private, algorithm=enc if alg == "dir" else alg)
        assert jose.decrypt(token, ours).plaintext == "täxt".encode()
        assert jwe.decrypt(jose.encrypt(b"x", ours, encryption=enc), private) == b"x"


def test_compression_is_python_joses_and_the_standards_is_read_too():
    written = (  # by python-jose 3.5.0
        b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiemlwIjoiREVGIn0..iN2qOzcPykUKhT2s.HHmPXTfbzp_-Xs1Y4NHZyQ."
        b"mt_JB5v7cGs4Z9YTOLcU1A"
    )
    assert jwe.decrypt(written, SECRET[:32]) == b"hello" * 40
    key = Key.from_secret(SECRET[:32], algorithm="A256GCM")
    assert jwe.decrypt(jose.encrypt(b"hello" * 40, key, compress=True), SECRET[:32]) == b"hello" * 40


def test_a_key_in_each_form():
    token = jwe.encrypt(b"x", SECRET[:32])
    members = Key.from_secret(SECRET[:32], algorithm="A256GCM").to_jwk(private=True)
    plain = {"kty": "oct", "k": members["k"], "kid": "some name"}
    for key in (
        members, plain, {**plain, "alg": "dir"}, Key.from_jwk(members), jwk.construct(SECRET[:32], "dir"),
        jwk.construct(SECRET[:32], "A256GCM"),
    ):  # fmt: skip
        assert jwe.decrypt(token, key) == b"x"
        assert jwe.decrypt(jwe.encrypt(b"y", key), SECRET[:32]) == b"y"
    wrapped = jwe.encrypt(b"x", PUBLIC, algorithm="RSA-OAEP-256")
    for key in (jwk.construct(PRIVATE, "RSA-OAEP-256"), jwk.construct(PRIVATE, "RSA-OAEP-256").to_dict()):
        assert jwe.decrypt(wrapped, key) == b"x"
    assert jwe.decrypt(jwe.encrypt(b"x", jwk.construct(SECRET[:16], "A128KW"), algorithm="A128KW"), SECRET[:16]) == b"x"


def test_random_octets_are_asked_of_the_backend(monkeypatch):
    """As tests of programs replace it."""
    monkeypatch.setattr(native, "get_random_bytes", bytes)
    assert jwe.encrypt(b"x", SECRET[:32]) == jwe.encrypt(b"x", SECRET[:32])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"algorithm": "none"}, JWEAlgorithmUnsupportedError), ({"algorithm": "ECDH-ES"}, JWEAlgorithmUnsupportedError),
        ({"encryption": "A128CBC"}, JWEAlgorithmUnsupportedError), ({"encryption": "HS256"}, JWEAlgorithmUnsupportedError),
        ({"zip": "GZIP"}, JWEAlgorithmUnsupportedError), ({"key": b"short"}, JWEKeyError), ({"key": None}, JWEKeyError),
        ({"key": PUBLIC}, JWEKeyError), ({"algorithm": "RSA-OAEP"}, JWEKeyError), ({"algorithm": "HS256"}, JWEKeyError),
        ({"algorithm": "A128KW"}, JWEKeyError), ({"key": {"kty": "oct"}}, JWEKeyError), ({"key": RSA}, JWEKeyError),
    ],
)  # fmt: skip
def test_what_can_not_be_encrypted(arguments, error):
    with pytest.raises(error):
        jwe.encrypt(b"x", **{"key": SECRET[:32], **arguments})


def segments(**changed):
    header, *rest = jwe.encrypt(b"x", SECRET[:32]).decode().split(".")
    members = {**json.loads(b64url_decode(header.encode())), **changed}
    head = jose.b64url_encode(
        json.dumps({name: value for name, value in members.items() if value is not None}).encode()
    )
    return ".".join([head.decode(), *rest])


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", JWEParseError), ("a.b.c", JWEParseError), ("....", JWEParseError), ("a.b.c.d.e.f", JWEParseError), ("é....", JWEParseError),
        (None, JWEParseError), (7, JWEParseError), ("\ud800....", JWEParseError),
        (segments(alg=None), JWEParseError), (segments(enc=None), JWEParseError), (segments(alg=["dir"]), JWEParseError),
        (segments(alg="none"), JWEAlgorithmUnsupportedError), (segments(enc="A128CBC"), JWEError),
        (segments(crit=["exp"]), JWEAlgorithmUnsupportedError), (segments(zip="GZIP"), JWEAlgorithmUnsupportedError),
        (segments(alg="RSA-OAEP"), JWEKeyError), (segments(enc="A256CBC-HS512"), JWEKeyError), (segments(x=1), JWEInvalidAuth),
        (segments(alg="HS256"), JWEError), (segments(enc="HS256"), JWEError),
    ],
    ids=lambda value: getattr(value, "__name__", "token"),
)  # fmt: skip
def test_what_can_not_be_decrypted(token, error):
    with pytest.raises(error) as caught:
        jwe.decrypt(token, SECRET[:32])
    assert isinstance(caught.value, JWEError)
    assert isinstance(caught.value, JWKError) is (error is JWEKeyError)


def test_the_limits_are_those_of_the_constants(monkeypatch):
    token = jwe.encrypt(bytes(3000), SECRET[:32])
    bomb = jwe.encrypt(bytes(3000), SECRET[:32], zip="DEF")
    monkeypatch.setattr(constants, "JWE_SIZE_LIMIT", 2000)
    with pytest.raises(JWEError, match="bytes exceeds 2000 bytes"):
        jwe.decrypt(token, SECRET[:32])
    with pytest.raises(JWEError, match="Decompressed JWE string exceeds 2000 bytes"):
        jwe.decrypt(bomb, SECRET[:32])
