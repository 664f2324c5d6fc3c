"""What a list of parameters off the grammar is said to have: true of each form, and silent about what is in order."""

from __future__ import annotations

import pytest

from watchword.schemes.explaining.off_grammar import odd_marks, odd_times
from watchword.schemes.explaining.unread import described, shape_of
from watchword.schemes.explaining.value_spellings import part_that_differs


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1767225600123", "in milliseconds"),
        ("1767225600123456", "in microseconds"),
        ("1767225600123456789", "in nanoseconds"),
        ("134116992000000000", "a Windows file time"),
        ("639028224000000000", "ticks of .NET"),
        ("2026-01-01T00:00:00Z", "ISO 8601"),
        ("20260101T000000Z", "ISO 8601"),
        ("1767225600.25", "a decimal fraction"),
        ("1.767e9", "an exponent"),
        ("-5", "a negative number"),
        ("undefined", "no number"),
        ("6955b900a", "in hex digits"),
    ],
)
def test_a_time_in_another_unit_or_form_is_told_with_its_name(value: str, words: str) -> None:
    for name, text in (("authorization", f'HMAC id="a",timestamp={value},nonce="b"'), ("x-timestamp", value)):
        (told,) = odd_times(name, text)
        assert words in told
        assert told.startswith("timestamp is" if name == "authorization" else "x-timestamp is")


@pytest.mark.parametrize("value", ["1767225600", "0", "99999", "12:30", "soon", "1" * 5000])
def test_a_time_in_seconds_and_what_means_nothing_are_not_called_odd(value: str) -> None:
    assert list(odd_times("timestamp", value)) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (":AAAA:", "label is missing"),
        ("AAAA", "label is missing"),
        ('("@method");created=1', "label is missing"),
        ("Sig1=:AAAA:", "a capital letter perhaps"),
        ("sig1 =:AAAA:", "a blank"),
        ("sig1= :AAAA:", "a blank"),
        ("sig1=:AAAA", "second colon is missing"),
        ("sig1=:AAAAA:", "5 characters of base64"),
        ("sha-256=AAAA", "not between colons"),
        ('sig1=("@method";created=1', "closing parenthesis is missing"),
        ('sig1=("@method", "@path");created=1', "commas or semicolons"),
        ('sig1=(@method content-type);keyid="a"', "aren't quoted"),
        ("sig1=('@method' '@path');created=1", "single quotes"),
    ],
)
def test_a_mark_that_a_dictionary_lacks_is_told(value: str, words: str) -> None:
    (told,) = odd_marks(value)
    assert words in told


@pytest.mark.parametrize(
    "value", ["sig1=:AAAA:", 'sig1=("@method" "x");created=1;keyid="a = (b"', "a, sha-256=:AAAA:", "a=:AAA=:, b=:BBBB:"]
)
def test_of_a_dictionary_in_order_nothing_is_told(value: str) -> None:
    assert list(odd_marks(value)) == []


def test_the_parameter_that_differs_is_named_where_there_is_one() -> None:
    value = b'HMAC id="a", mac="b"'
    assert part_that_differs(value, b'HMAC id="a", mac="c"') == "mac"
    assert part_that_differs(value, b'HMAC id=" a", mac="b"') == "id"
    assert part_that_differs(value, b'HMAC id="c", mac="d"') == ""
    assert part_that_differs(value, b'HMAC id="a"') == ""
    assert part_that_differs(value, b'HMAC  id="a", mac="b"') == ""


def test_the_case_is_said_to_be_lost_of_what_has_letters_beyond_hex_alone() -> None:
    assert "its case is lost" in described(b"c2lnbmf0dxjlig9micegcmvxdwvzda" * 2)
    assert "its case is lost" in described(b"C2LNBMF0DXJLIG9MICEGCMVXDWVZDA" * 2)
    assert "case" not in described(b"ts=1767225600;" + b"0abcdef9" * 8)
    assert "case" not in described(b"0ABCDEF9" * 8)


def test_sixteen_octets_are_those_of_md5_or_half_of_those_of_sha_256() -> None:
    assert "as MD5 gives, or cut: half of what SHA-256 gives" in shape_of("00ff" * 8)
