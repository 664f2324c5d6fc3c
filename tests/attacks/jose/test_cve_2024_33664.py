"""CVE-2024-33664 and CVE-2024-29370 (python-jose to 3.3.0): a JWE that inflates until the memory is full."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from tests.attacks.jose.sealed import seal
from watchword.dropin.jose import constants, jwe
from watchword.dropin.jose.exceptions import JWEError, JWEInvalidAuth

KEY = bytes(range(32))
HEADER = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
LIMIT = constants.JWE_SIZE_LIMIT


def deflated(octets, bits):
    compressor = zlib.compressobj(wbits=bits)
    return compressor.compress(octets) + compressor.flush()


@pytest.mark.parametrize("bits", [zlib.MAX_WBITS, -zlib.MAX_WBITS], ids=["zlib", "deflate"])
def test_a_bomb_goes_off_at_the_limit(bits):
    bomb = seal(HEADER, KEY, plaintext=deflated(bytes(150_000_000), bits))
    assert len(bomb) < LIMIT
    tracemalloc.start()
    try:
        with pytest.raises(JWEError, match="Decompressed JWE string exceeds"):
            jwe.decrypt(bomb, KEY)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bits", [zlib.MAX_WBITS, -zlib.MAX_WBITS], ids=["zlib", "deflate"])
def test_the_limit_is_exact(bits):
    assert len(jwe.decrypt(seal(HEADER, KEY, plaintext=deflated(bytes(LIMIT), bits)), KEY)) == LIMIT
    with pytest.raises(JWEError, match="exceeds"):
        jwe.decrypt(seal(HEADER, KEY, plaintext=deflated(bytes(LIMIT + 1), bits)), KEY)


def test_what_is_too_long_is_not_looked_at():
    with pytest.raises(JWEError, match="exceeds"):
        jwe.decrypt("." * (LIMIT + 1), KEY)


def test_a_forged_bomb_is_never_inflated():
    bomb = seal(HEADER, KEY, plaintext=deflated(bytes(10_000_000), zlib.MAX_WBITS))
    with pytest.raises(JWEInvalidAuth):
        jwe.decrypt(bomb, KEY[::-1])


@pytest.mark.parametrize(
    "data", [b"", b"hello", zlib.compress(b"hello")[:-1], zlib.compress(b"a") * 2, zlib.compress(b"a") + b"x"]
)
def test_what_is_not_one_whole_stream_is_refused(data):
    with pytest.raises(JWEError):
        jwe.decrypt(seal(HEADER, KEY, plaintext=data), KEY)
