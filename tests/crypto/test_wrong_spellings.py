"""What `explain` says of a signature that does not fit: each usual mistake is named, and none of them is accepted."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from watchword import Key, Rejected
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.wrong_spellings import MAX_KEYS, another_length, near_cause

DATA = b"what is signed"
SECRET = bytes(range(64, 96))


def near_miss(keys, algorithm, data, signature):
    return near_cause(keys, algorithm, data, signature)[1]


def mac(secret: bytes, hash_name: str = "sha256") -> bytes:
    return keyed_hmac(hash_name, secret)[0](DATA)


def test_another_key_of_the_verifier_is_named():
    keys = [Key.generate("ES256", key_id="2025"), Key.generate("ES256", key_id="2026")]
    assert (
        near_miss(keys, "ES256", DATA, keys[1].sign(DATA)) == "the key '2026' made it: the header names another key id"
    )


def test_a_key_under_another_algorithm_is_named():
    keys = [Key.generate("ES256", key_id="e"), Key.generate("EdDSA", key_id="o")]
    assert "another algorithm" in near_miss(keys, "ES256", DATA, keys[1].sign(DATA))


def test_nothing_is_said_where_nothing_would_fit():
    keys = [Key.generate("ES256", key_id="e"), Key.generate("HS256"), Key.generate("RS256")]
    assert near_miss(keys, "ES256", DATA, Key.generate("ES256").sign(DATA)) == ""
    assert near_miss(keys, "HS256", DATA, mac(bytes(32))) == ""


def test_ecdsa_in_der_is_named():
    key = Key.generate("ES256", key_id="e")
    der = key.openssl_pair()[1].sign(DATA, ec.ECDSA(hashes.SHA256()))
    assert "in DER" in near_miss([Key.generate("EdDSA"), key], "ES256", DATA, der)
    with pytest.raises(Rejected):
        key.verify(DATA, der)


@pytest.mark.parametrize("octets", [b"\x30", b"\x30\x06\x02\x01\x01\x02\x01", b"\x30" + bytes(70)])
def test_broken_der_is_only_not_named(octets):
    assert "DER" not in near_miss([Key.generate("ES256")], "ES256", DATA, octets)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_public_key_as_a_secret_is_named_a_forgery(algorithm, encoding):
    key = Key.generate(algorithm, key_id="p")
    octets = key.openssl_pair()[0].public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    assert "forgery" in near_miss([key], "HS256", DATA, mac(octets))
    assert "forgery" in near_miss([key], "HS256", DATA, mac(octets.rstrip(b"\n")))
    assert "makes an HMAC, HS256" in near_miss([key], "ES256", DATA, mac(octets))  # whatever the header names
    if encoding is Encoding.PEM:  # pasted into one line
        assert "forgery" in near_miss([key], "HS256", DATA, mac(octets.replace(b"\n", b"")))


def test_the_same_key_with_another_padding_or_hash():
    key = Key.generate("RS256", key_id="r")
    members = {name: value for name, value in key.to_jwk(private=True).items() if name != "alg"}
    for other in ("PS256", "RS512"):
        assert f"made it with {other}" in near_miss(
            [key], "RS256", DATA, Key.from_jwk(members, algorithm=other).sign(DATA)
        )


def test_another_curve_is_told_by_the_length():
    found = another_length("ES256", Key.generate("ES384").sign(DATA))
    assert "96 octets" in found
    assert "P-384" in found
    assert another_length("ES256", b"x" * 7) == "it has 7 octets, where ES256 has 64"
    assert another_length("ES256", bytes(64)) == another_length("none", b"") == ""


def test_the_number_of_attempts_is_bounded():
    keys = [Key.generate("HS256", key_id=str(number)) for number in range(MAX_KEYS + 1)]
    assert near_miss(keys, "HS256", DATA, keys[MAX_KEYS - 1].sign(DATA)) != ""
    assert near_miss(keys, "HS256", DATA, keys[MAX_KEYS].sign(DATA)) == ""
