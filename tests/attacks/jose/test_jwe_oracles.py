"""One refusal for all that goes wrong with a secret, whatever the algorithm (RFC 7516 §11.5, Vaudenay's padding oracle)."""

from __future__ import annotations

import os

import pytest

from tests.attacks.jose.sealed import UNDECIPHERABLE, header_of, refusal, text, with_header
from watchword import Key, Reason
from watchword.crypto import jose
from watchword.crypto.algorithms import ENCRYPTION_ALGORITHMS
from watchword.crypto.encoding import b64url_decode
from watchword.crypto.jose import content

NAMES = [row.name for row in ENCRYPTION_ALGORITHMS if row.name != "RSA1_5"]


@pytest.mark.parametrize("encryption", ["A256GCM", "A256CBC-HS512"])
@pytest.mark.parametrize("algorithm", [name for name in NAMES if name not in jose.CONTENT_ENCRYPTIONS])
def test_every_way_to_be_wrong_is_one_refusal(algorithm, encryption):
    key = Key.generate(algorithm)
    token = jose.encrypt(b"hello", key, encryption=encryption, iterations=1000)
    parts = token.split(".")
    tried = [with_header(token, {**header_of(token), "x": 1})]
    for index in range(1, 5):
        octets = b64url_decode(parts[index].encode())
        others = (os.urandom(len(octets)), bytes(len(octets))) if octets else ()
        tried += [".".join([*parts[:index], text(other), *parts[index + 1 :]]) for other in others]
    assert len(tried) >= 7
    assert {refusal(each, key) for each in tried} == {UNDECIPHERABLE}
    assert refusal(token, Key.generate(algorithm)) == UNDECIPHERABLE


@pytest.mark.parametrize("encryption", ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"])
def test_padding_is_not_looked_at_unless_the_tag_is_right(encryption):
    key = Key.generate(encryption)
    parts = jose.encrypt(bytes(20), key).split(".")
    ciphertext = b64url_decode(parts[3].encode())
    for last in range(256):  # each padding that the last octet can be turned into
        changed = ciphertext[:-17] + bytes([last]) + ciphertext[-16:]
        if changed != ciphertext:
            assert refusal(".".join([*parts[:3], text(changed), parts[4]]), key) == UNDECIPHERABLE
    for size in (0, 1, 15, 17):
        assert refusal(".".join([*parts[:3], text(ciphertext[:size]), parts[4]]), key) == UNDECIPHERABLE


def test_authentic_content_with_wrong_padding_is_the_same_refusal(monkeypatch):
    """A sender that has the key and pads wrongly learns no more than a forger."""
    key = Key.generate("A128CBC-HS256")
    monkeypatch.setattr(content, "PKCS7", lambda bits: Unpadded())
    token = jose.encrypt(bytes(32), key)
    monkeypatch.undo()
    assert refusal(token, key) == UNDECIPHERABLE


class Unpadded:
    def padder(self):
        return self

    def update(self, data):
        return data

    def finalize(self):
        return b""


def test_a_key_sent_beside_a_direct_one_is_refused():
    for algorithm in ("A256GCM", "ECDH-ES"):
        key = Key.generate(algorithm)
        parts = jose.encrypt(b"hello", key).split(".")
        parts[1] = text(bytes(40))
        assert refusal(".".join(parts), key)[:2] == (Reason.MALFORMED_CREDENTIALS, "encrypted_key")
