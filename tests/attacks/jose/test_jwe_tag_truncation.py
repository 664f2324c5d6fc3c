"""Tags and vectors of other lengths: a tag of one octet is guessed in 256 tries (RFC 7516 §5.2, RFC 7518 §5.2.2.2, §4.7)."""

from __future__ import annotations

import pytest

from tests.attacks.jose.sealed import header_of, refusal, text, with_header
from watchword import Key, Reason
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_decode

KEY = Key.generate("A256GCMKW")
TAGS = {"A128GCM": 16, "A192GCM": 16, "A256GCM": 16, "A128CBC-HS256": 16, "A192CBC-HS384": 24, "A256CBC-HS512": 32}


@pytest.mark.parametrize("encryption", TAGS)
def test_the_content_tag_has_its_whole_length(encryption):
    parts = jose.encrypt(b"hello", KEY, encryption=encryption).split(".")
    tag = b64url_decode(parts[4].encode())
    assert len(tag) == TAGS[encryption]
    for other in [tag[:size] for size in range(len(tag))] + [tag + b"\0", tag * 2]:
        parts[4] = text(other)
        assert refusal(".".join(parts), KEY)[:2] == (Reason.MALFORMED_CREDENTIALS, "tag")


@pytest.mark.parametrize("encryption", TAGS)
@pytest.mark.parametrize("size", [0, 1, 8, 11, 13, 15, 17, 32])
def test_the_vector_has_its_length(encryption, size):
    parts = jose.encrypt(b"hello", KEY, encryption=encryption).split(".")
    parts[2] = text(bytes(size))
    assert refusal(".".join(parts), KEY)[:2] == (Reason.MALFORMED_CREDENTIALS, "iv")


@pytest.mark.parametrize("name", ["iv", "tag"])
@pytest.mark.parametrize("value", ["", "AA", "A" * 100, None, 7, "!!"])
def test_the_wrapped_keys_own_tag_and_vector_too(name, value):
    token = jose.encrypt(b"hello", KEY)
    reason, where, _ = refusal(with_header(token, {**header_of(token), name: value}), KEY)
    assert (reason, where in ("iv", "tag")) == (Reason.MALFORMED_CREDENTIALS, True)


def test_each_octet_of_a_token_counts():
    for encryption in ("A128CBC-HS256", "A256GCM"):
        parts = jose.encrypt(b"hello", KEY, encryption=encryption).split(".")
        for index in range(1, 5):
            octets = b64url_decode(parts[index].encode())
            for place in range(len(octets)):
                flipped = octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]
                token = ".".join([*parts[:index], text(flipped), *parts[index + 1 :]])
                assert refusal(token, KEY)[0] is Reason.WRONG_SIGNATURE
