"""Padding oracles on the encrypted key (RFC 3218, RFC 7516 §11.5, CVE-2016-6298 in jwcrypto): nothing tells them apart."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from tests.attacks.jose.sealed import UNDECIPHERABLE, refusal, seal, text
from tests.counting import calls
from watchword import Key, Reason
from watchword.crypto import jose

ALLOWED = jose.DecryptionPolicy(allow_rsa1_5=True)
V15 = Key.generate("RSA1_5")
HEADER = {"alg": "RSA1_5", "enc": "A256GCM"}
MODULUS = V15.openssl_pair()[0].public_numbers().n


def raw(padded):
    """The RSA operation on a block that the attacker padded as he likes."""
    numbers = V15.openssl_pair()[0].public_numbers()
    return pow(int.from_bytes(padded), numbers.e, numbers.n).to_bytes(256)


def block(message, *, start=b"\0\2", filler=b"\xaa"):
    return start + filler * (256 - len(start) - 1 - len(message)) + b"\0" + message


CEK = bytes(range(32))
BLOCKS = {
    "another content key": block(bytes(32)),
    "a short content key": block(bytes(16)),
    "a long content key": block(bytes(48)),
    "no content key": block(b""),
    "no separator": b"\0\2" + b"\xaa" * 254,
    "padding of a signature": block(CEK, start=b"\0\1", filler=b"\xff"),
    "first octet not zero": block(CEK, start=b"\1\2")[:256],
    "short padding": (b"\0\2" + b"\xaa" * 7 + b"\0" + bytes(246))[:256],
    "zeros": bytes(255) + b"\2",
}


def test_a_genuine_block_is_decrypted():
    token = seal(HEADER, CEK, raw(block(CEK)))
    assert jose.decrypt(token, V15, policy=ALLOWED).plaintext == b"hello"


def test_rsa1_5_is_refused_by_default_and_never_written():
    token = seal(HEADER, CEK, raw(block(CEK)))
    assert refusal(token, V15) == (Reason.WRONG_ALGORITHM, "alg", "RSA1_5 is not accepted")
    with pytest.raises(ValueError, match="never written"):
        jose.encrypt(b"hello", V15)


@pytest.mark.parametrize("name", BLOCKS)
def test_every_wrong_block_is_the_same_refusal(name):
    assert refusal(seal(HEADER, CEK, raw(BLOCKS[name])), V15, ALLOWED) == UNDECIPHERABLE


@pytest.mark.parametrize("size", [0, 1, 255, 257, 512])
def test_an_encrypted_key_of_any_size_is_the_same_refusal(size):
    assert refusal(seal(HEADER, CEK, os.urandom(size)), V15, ALLOWED) == UNDECIPHERABLE


def test_a_number_beyond_the_modulus_is_the_same_refusal():
    assert refusal(seal(HEADER, CEK, (MODULUS + 1).to_bytes(256)), V15, ALLOWED) == UNDECIPHERABLE


def test_good_and_bad_padding_take_the_same_work():
    """The same functions are called as often, the content's decryption among them."""
    kinds = [
        seal(HEADER, CEK, raw(BLOCKS[name]), plaintext=bytes(8000))
        for name in ("another content key", "first octet not zero", "a short content key")
    ]
    refusal(kinds[0], V15, ALLOWED)  # the first one loads modules
    work = [calls(lambda: refusal(token, V15, ALLOWED)) for token in kinds]  # noqa: B023 -- called at once
    assert work[0] == work[1] == work[2]
    assert work[0]["decrypt"] >= 3, "ours, the key's and the content's"


@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"])
def test_manger_learns_nothing_from_oaep(algorithm):
    key = Key.generate(algorithm)
    head = {"alg": algorithm, "enc": "A256GCM"}
    genuine = jose.encrypt(b"hello", key).split(".")
    modulus = key.openssl_pair()[0].public_numbers().n
    wrong_padding = key.openssl_pair()[0].encrypt(CEK, padding.PKCS1v15())
    for encrypted_key in (wrong_padding, b"\0" * 256, b"\0" * 255 + b"\1", modulus.to_bytes(256), os.urandom(256), b""):
        assert refusal(seal(head, CEK, encrypted_key), key) == UNDECIPHERABLE
    genuine[4] = text(bytes(16))  # the right content key and a wrong tag
    assert refusal(".".join(genuine), key) == UNDECIPHERABLE


def test_an_oaep_key_never_opens_rsa1_5():
    """One RSA key for both would let the weaker padding decrypt what the stronger one sealed."""
    key = Key.generate("RSA-OAEP-256")
    token = seal(HEADER, CEK, key.openssl_pair()[0].encrypt(CEK, padding.PKCS1v15()))
    assert refusal(token, key, ALLOWED)[0] is Reason.WRONG_ALGORITHM
