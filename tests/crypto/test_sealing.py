"""The seal on stored secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, StoreUnavailable
from watchword.crypto.sealing import Sealer

KEY = bytes(range(32))


@given(st.binary(max_size=100), st.binary(max_size=50))
def test_what_is_sealed_opens_as_the_same_record_only(plain: bytes, identity: bytes) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(plain, identity)
    assert sealer.open(sealed, identity) == plain
    with pytest.raises(StoreUnavailable):
        sealer.open(sealed, identity + b"x")
    with pytest.raises(StoreUnavailable):
        Sealer(KEY + b"x").open(sealed, identity)


def test_every_flipped_bit_and_every_shortening_is_noticed() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(b"s3cret", b"id")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StoreUnavailable):
            sealer.open(bytes(altered), b"id")
    for length in range(len(sealed)):
        with pytest.raises(StoreUnavailable):
            sealer.open(sealed[:length], b"id")


def test_sealing_twice_gives_different_bytes_and_the_nonce_is_the_randomness_handed_in() -> None:
    assert Sealer(KEY).seal(b"x", b"id") != Sealer(KEY).seal(b"x", b"id")
    fixed = Sealer(KEY, random=lambda size: b"n" * size)
    assert fixed.seal(b"x", b"id") == fixed.seal(b"x", b"id")
    assert fixed.seal(b"x", b"id")[1:13] == b"n" * 12


def test_the_check_value_tells_keys_apart_and_is_not_the_key() -> None:
    assert Sealer(KEY).knows(Sealer(KEY).check_value)
    assert not Sealer(KEY).knows(Sealer(KEY + b"x").check_value)
    assert KEY.hex() not in Sealer(KEY).check_value


def test_no_repr_shows_the_key() -> None:
    assert repr(Sealer(KEY)) == "Sealer(…)"


@pytest.mark.parametrize("size", [0, 16, 31])
def test_a_short_key_is_a_configuration_error_that_does_not_repeat_it(size: int) -> None:
    with pytest.raises(ConfigurationError, match="32 octets or more") as caught:
        Sealer(b"k" * size)
    assert "kkk" not in str(caught.value)
