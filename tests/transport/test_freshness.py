"""Cache-Control, Expires and Age at their edges (RFC 9111 §4.2, §5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.transport.freshness import lifetime

DATE = (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")


def said(*values, **fields):
    lines = [(b"cache-control", value) for value in values]
    return lifetime([*lines, *((name.encode(), value) for name, value in fields.items())])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"max-age=600", 600),
        (b"public, Max-Age=600, must-revalidate", 600),
        (b"max-age = 600", 600),
        (b'max-age="600"', 600),  # RFC 9111 §5.2: both forms ought to be accepted
        (b"max-age=0", 0),
        (b"max-age=000600", 600),
        (b"s-maxage=5, max-age=600", 600),  # this is no shared cache
        (b"max-age=99999999999999999999", 2**31),
        (b"max-age=3000000000", 2**31),
        (b"max-age=600, max-age=60", 60),
        (b"max-age=600, no-cache", 0),
        (b"no-store", 0),
        (b'no-cache="set-cookie"', 0),
        (b"max-age=-1", 0),
        (b"max-age=1.5", 0),
        (b"max-age=", 0),
        (b"max-age", 0),
        (b"max-age=\xb2", 0),
        (b"max-age=1e3", 0),
        (b"max-age=1_000", 0),
    ],
)
def test_max_age_says_how_long(value, seconds):
    assert said(value) == seconds


@pytest.mark.parametrize("value", [b"", b"public", b",,,", b"s-maxage=10", b"xmax-age=10"])
def test_without_a_word_on_it_nothing_is_known(value):
    assert said(value) is None
    assert lifetime([]) is None


def test_several_lines_are_one_list():
    assert said(b"public", b"max-age=60") == 60
    assert said(b"max-age=60", b"no-store") == 0


def test_the_time_spent_in_caches_counts():
    assert said(b"max-age=600", age=b"100") == 500
    assert said(b"max-age=600", age=b"700") == 0
    assert said(b"max-age=600", age=b"soon") == 600


def test_expires_counts_from_the_answers_own_date():
    assert lifetime([DATE, (b"expires", b"Sun, 06 Nov 1994 09:49:37 GMT")]) == 3600
    assert lifetime([DATE, (b"expires", b"Sun, 06 Nov 1994 07:49:37 GMT")]) == 0
    assert said(b"max-age=5", expires=b"Sun, 06 Nov 2094 09:49:37 GMT") == 5


@pytest.mark.parametrize(
    "value", [b"0", b"-1", b"", b"yesterday", b"Sun, 06 Nov 1994 09:49:37", b"Sun, 99 Nov 1994 09:49:37 GMT"]
)
def test_a_date_that_cannot_be_read_has_passed(value):
    assert lifetime([DATE, (b"expires", value)]) == 0


def test_expires_without_one_date_has_passed():
    expires = (b"expires", b"Sun, 06 Nov 1994 09:49:37 GMT")
    assert lifetime([expires]) == 0
    assert lifetime([DATE, DATE, expires]) == 0
    assert lifetime([DATE, expires, expires]) == 0


@given(st.lists(st.tuples(st.sampled_from([b"cache-control", b"expires", b"date", b"age"]), st.binary(max_size=40))))
def test_no_field_is_an_error(headers):
    answer = lifetime(headers)
    assert answer is None or 0 <= answer < 1e12
