"""Compressed content that fills the memory (CVE-2024-28102 jwcrypto, CVE-2024-28176 jose, CVE-2024-33664 python-jose)."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from tests.attacks.jose.sealed import refusal, seal
from watchword import Key, Reason
from watchword.crypto import jose

KEY = Key.generate("A256GCM")
ALLOWED = jose.DecryptionPolicy(max_inflated=100_000, max_token=1 << 20)
HEADER = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}


def compressed(data, *, header=HEADER):
    return seal(header, KEY.secret_bytes(), plaintext=data)


def test_compression_is_refused_unless_asked_for():
    token = jose.encrypt(b"hello", KEY, compress=True)
    assert refusal(token, KEY)[:2] == (Reason.WRONG_ALGORITHM, "zip")
    assert jose.decrypt(token, KEY, policy=ALLOWED).plaintext == b"hello"


def test_a_bomb_goes_off_at_the_limit():
    bomb = jose.encrypt(bytes(200_000_000), KEY, compress=True)
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        assert refusal(bomb, KEY, ALLOWED)[:2] == (Reason.HEADER_TOO_LARGE, "zip")
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_the_limit_is_exact():
    assert jose.decrypt(jose.encrypt(bytes(100_000), KEY, compress=True), KEY, policy=ALLOWED).plaintext == bytes(
        100_000
    )
    assert refusal(jose.encrypt(bytes(100_001), KEY, compress=True), KEY, ALLOWED)[0] is Reason.HEADER_TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", zlib.compress(b"hello"), zlib.compress(b"hello")[2:-4][:-1], zlib.compress(b"hello")[2:-4] + b"x",
        zlib.compress(b"a")[2:-4] * 2,
    ],
)  # fmt: skip
def test_what_is_not_one_deflate_stream_is_refused(data):
    assert refusal(compressed(data), KEY, ALLOWED)[:2] == (Reason.MALFORMED_CREDENTIALS, "zip")


@pytest.mark.parametrize("name", ["def", "GZIP", "", None, True, ["DEF"], 1])
def test_another_compression_is_refused(name):
    assert refusal(compressed(b"x", header={**HEADER, "zip": name}), KEY, ALLOWED)[:2] == (
        Reason.WRONG_ALGORITHM,
        "zip",
    )


def test_a_forged_bomb_is_never_inflated():
    """What isn't authentic is refused for that, before anything is inflated."""
    bomb = jose.encrypt(bytes(10_000_000), KEY, compress=True)
    assert refusal(bomb, Key.generate("A256GCM"), ALLOWED)[0] is Reason.WRONG_SIGNATURE
