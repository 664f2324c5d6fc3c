"""One token, one spelling: stray base64 bits, padding, repeated members, other encodings, white space, deep nesting."""

from __future__ import annotations

import string

import pytest

from tests.attacks.jose.forge import KEY, NOW, VERIFIER, forge, refused, segment
from watchword import Guard, Policy, Reason, Rejected, Request

GENUINE = forge({"alg": "HS256"})
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def test_stray_bits_in_the_signature_are_refused():
    """43 characters hold 258 bits, a MAC 256: three other last characters decode to the same MAC."""
    last = ALPHABET.index(GENUINE[-1])
    twins = [GENUINE[:-1] + ALPHABET[last ^ bits] for bits in (1, 2, 3)]
    assert {refused(twin) for twin in twins} == {Reason.MALFORMED_CREDENTIALS}


def test_every_other_last_character_is_refused():
    for character in set(ALPHABET) - {GENUINE[-1]}:
        refused(GENUINE[:-1] + character)


@pytest.mark.parametrize("payload", [b'{"sub":"admin" }', b'{"sub":"admin"  }'])
def test_stray_bits_in_a_signed_segment_are_refused(payload):
    text = segment(payload)
    strays = {2: 16, 3: 4}[len(text) % 4]
    for bits in range(1, strays):
        twin = text[:-1] + ALPHABET[ALPHABET.index(chr(text[-1])) ^ bits].encode()
        assert refused(signed_as_is(segment({"alg": "HS256"}), twin)) is Reason.MALFORMED_CREDENTIALS


def signed_as_is(head, payload):
    """A genuine MAC over segments that are spelled as given."""
    return (head + b"." + payload + b"." + segment(KEY.sign(head + b"." + payload))).decode()


@pytest.mark.parametrize("noise", ["=", "==", " ", "\n", "\t", "\0", "%", "+", "/", "!", ".", "é", "\u200b", "\ufeff"])
def test_noise_anywhere_in_a_token_is_refused(noise):
    first, second = GENUINE.index("."), GENUINE.rindex(".")
    for place in (0, 1, first, first + 1, second, second + 1, len(GENUINE)):
        refused(GENUINE[:place] + noise + GENUINE[place:])


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":"eve","sub":"admin"}', b'{"sub":"eve","s\\u0075b":"admin"}', b'{"sub":"eve", "sub" :"admin"}',
        b'{"sub":"admin","exp":1,"exp":4000000000}', b'{"sub":"admin","act":{"sub":"a","sub":"b"}}',
        b'{"sub":"admin","x":[{"y":1,"y":1}]}',
    ],
)  # fmt: skip
def test_repeated_claims_are_refused(payload):
    assert refused(forge({"alg": "HS256"}, payload)) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    "header",
    [b'{"alg":"none","alg":"HS256"}', b'{"alg":"HS256","kid":"k1","kid":"k1"}', b'{"alg":"HS256","\\u0061lg":"HS256"}',
     b"[]", b'"HS256"', b"", b"null", b'\xef\xbb\xbf{"alg":"HS256"}', b'{"alg":"HS256"}\0', b'{"alg":"HS256"}{}',
     '{"alg":"HS256"}'.encode("utf-16"), b'{"alg":"HS256","x":"\xff"}'],
)  # fmt: skip
def test_malformed_headers_are_refused(header):
    assert refused(forge(header)) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"null", b'"admin"', b"\xef\xbb\xbf{}", b'{"sub":"admin"}x', b'{"sub":"\xff"}', b'{"sub":"admin","exp":NaN}',
     b'{"sub":"admin","exp":1e999}', b'{"sub":"admin","exp":Infinity}', '{"sub":"admin"}'.encode("utf-16")],
)  # fmt: skip
def test_malformed_claims_are_refused(payload):
    assert refused(forge({"alg": "HS256"}, payload)) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    "number", [b"true", b'"4000000000"', b"1e300", b"[4000000000]", b"null", b"4000000000000", b"9" * 300]
)
def test_dates_that_are_no_dates_are_refused(number):
    assert refused(forge({"alg": "HS256"}, b'{"sub":"admin","exp":' + number + b"}")) is Reason.WRONG_CLAIM


@pytest.mark.parametrize("depth", [33, 200, 1000, 5000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused_in_header_and_payload(depth, opening, closing):
    depth = min(depth, 1500) if len(opening) > 1 else depth
    deep = b'{"alg":"HS256","sub":"admin","x":' + opening * depth + b"1" + closing * depth + b"}"
    assert refused(forge(deep, b"{}")) is Reason.MALFORMED_CREDENTIALS
    assert refused(forge({"alg": "HS256"}, deep)) is Reason.MALFORMED_CREDENTIALS
    assert refused(forge({"alg": "HS256"}, b"[" * 9000)) is Reason.MALFORMED_CREDENTIALS


def test_huge_tokens_are_refused_before_anything_is_read():
    huge = GENUINE + "A" * 10_000_000
    assert refused_once(huge) is Reason.HEADER_TOO_LARGE
    assert refused_once("." * 10_000_000) is Reason.HEADER_TOO_LARGE
    assert refused_once("." * 16_000) is Reason.MALFORMED_CREDENTIALS
    guard = Guard([VERIFIER], policy=Policy(clock=lambda: NOW))
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {huge}"}))
    assert caught.value.reason is Reason.HEADER_TOO_LARGE


def refused_once(token):
    with pytest.raises(Rejected) as caught:
        VERIFIER.verify(token)
    return caught.value.reason
