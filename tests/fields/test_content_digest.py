"""Content-Digest and its like: what is read, what is left out, what is refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Reason, Rejected
from watchword.fields.content_digest import digest_field, read_digests, read_preferences


@given(st.binary(max_size=50))
def test_what_is_made_is_read_back(content: bytes) -> None:
    digests = {"sha-512": hashlib.sha512(content).digest(), "sha-256": hashlib.sha256(content).digest()}
    assert read_digests([digest_field(digests)]) == digests


def test_lines_are_one_dictionary_and_weak_algorithms_are_left_out() -> None:
    one = digest_field({"sha-256": bytes(32)})
    assert read_digests([b"md5=:AAAA:, sha=:AAAA:", one]) == {"sha-256": bytes(32)}
    assert read_digests([b"unixsum=:AAAA:"]) == {}


@pytest.mark.parametrize(
    "value", [b"sha-256=abc", b"sha-256=:AAAA:", b"sha-256", b"sha-256=(:AAAA:)", b"SHA-256=:AAAA:", b"\xff", b"a=,"]
)
def test_what_is_no_digest_is_malformed(value: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        read_digests([value])
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (b"sha-256=1", ["sha-256"]),
        (b"sha-256=5, sha-512=5", ["sha-512", "sha-256"]),
        (b"sha-512=1, sha-256=10, sha=9", ["sha-256", "sha-512"]),
        (b"sha-256=0", []),
        (b"", []),
    ],
)
def test_preferences_come_in_order(value: bytes, wanted: list[str]) -> None:
    assert read_preferences([value]) == wanted


@pytest.mark.parametrize("value", [b"sha-256=11", b"sha-256=-1", b"sha-256=1.0", b"sha-256", b"sha-256=a", b"("])
def test_preferences_that_are_no_integers_are_malformed(value: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        read_preferences([value])
    assert caught.value.reason is Reason.MALFORMED_REQUEST


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(value: bytes) -> None:
    for read in (read_digests, read_preferences):
        try:
            read([value])
        except Rejected:
            continue
