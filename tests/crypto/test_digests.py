"""Hashes by name, HMAC-SHA-256, constant-time comparison."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError
from watchword.crypto import digests

ABC = {  # FIPS 180-4 examples, RFC 1321 §A.5
    "sha-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha-384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "sha-512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "sha-512-256": "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    "sha-1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "md5": "900150983cd24fb0d6963f7d28e17f72",
}


@pytest.mark.parametrize("name", ABC)
def test_each_name_gives_its_standards_example(name: str) -> None:
    assert digests.digest(name, b"abc").hex() == ABC[name]
    assert digests.digest(name.upper(), b"abc").hex() == ABC[name]


@given(st.lists(st.binary(max_size=70)), st.sampled_from(sorted(ABC)))
def test_feeding_in_pieces_gives_the_digest_of_the_whole(pieces: list[bytes], name: str) -> None:
    hasher = digests.new(name)
    for piece in pieces:
        hasher.update(piece)
    assert hasher.digest() == digests.digest(name, b"".join(pieces))


@pytest.mark.parametrize("name", ["", "sha256", "none", "crc32", "x" * 10_000])
def test_an_unknown_name_is_a_configuration_error_that_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigurationError, match="sha-256, sha-384, sha-512, sha-512-256, sha-1, md5") as caught:
        digests.new(name)
    assert len(str(caught.value)) < 200


def test_a_host_that_refuses_md5_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> object:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setitem(digests._HASHES, "md5", refused)
    with pytest.raises(ConfigurationError, match=r"this host refuses md5.*choose sha-256") as caught:
        digests.digest("MD5", b"")
    assert caught.value.__suppress_context__


def test_hmac_sha256_matches_rfc_4231_test_case_2_and_hashes_keys_longer_than_a_block() -> None:
    assert digests.hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    long = b"\xaa" * 131
    assert digests.hmac_sha256(long, b"x") == digests.hmac_sha256(hashlib.sha256(long).digest(), b"x")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_compare_is_equality(a: bytes, b: bytes) -> None:
    assert digests.compare(a, b) is (a == b)
    assert digests.compare(a, bytes(bytearray(a)))
