"""The keyed digest of a request's credentials: what it tells apart, and what it needs."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import Reason, Rejected
from watchword.core.message import Headers
from watchword.schemes.signatures.consequential import CREDENTIALS
from watchword.schemes.signatures.credentials_digest import check_credentials, credentials_digest, wanting

KEY = bytes(range(32))
ASKING = (b"want-credentials-digest", wanting(KEY))
ALICE = (b"authorization", b"Basic YWxpY2U6b3BlbiBzZXNhbWU=")


def answering(*request: tuple[bytes, bytes], names: frozenset[bytes] = CREDENTIALS) -> Headers:
    value = credentials_digest(request, names)
    return [] if value is None else [(b"credentials-digest", value)]


def reason(request: Headers, answer: Headers) -> Reason:
    with pytest.raises(Rejected) as refused:
        check_credentials(request, answer)
    return refused.value.reason


REQUESTS: dict[str, Headers] = {
    "nothing": [],
    "alice": [ALICE],
    "bob": [(b"authorization", b"Basic Ym9iOng=")],
    "alice twice": [ALICE, ALICE],
    "an empty field": [(b"authorization", b"")],
    "a cookie": [(b"cookie", b"a=1")],
    "two cookies": [(b"cookie", b"a=1; b=2")],
    "a cookie that looks like another field": [(b"cookie", b"a=1\nauthorization: :AAAA:")],
    "both": [ALICE, (b"cookie", b"a=1")],
    "the values the other way round": [(b"cookie", ALICE[1]), (b"authorization", b"a=1")],
    "an API key": [(b"x-api-key", b"wk_1")],
}


def test_credentials_are_told_apart():
    names = CREDENTIALS | {b"x-api-key"}
    for one, other in combinations(REQUESTS, 2):
        answer = answering(ASKING, *REQUESTS[one], names=names)
        assert check_credentials([ASKING, *REQUESTS[one]], answer) == names
        assert reason([ASKING, *REQUESTS[other]], answer) is Reason.BINDING_MISMATCH, (one, other)


def test_what_joins_field_lines_on_the_way_changes_nothing():
    split = [ASKING, (b"cookie", b"a=1"), (b"cookie", b" b=2 ")]
    assert check_credentials(split, answering(ASKING, *REQUESTS["two cookies"]))
    assert check_credentials([ASKING, ALICE, ALICE], answering(ASKING, (ALICE[0], ALICE[1] + b", " + ALICE[1])))


def test_another_key_makes_another_digest():
    answer = answering((b"want-credentials-digest", wanting(bytes(32))), ALICE)
    assert reason([ASKING, ALICE], answer) is Reason.BINDING_MISMATCH


@pytest.mark.parametrize(
    "value",
    [
        b"", b"hmac-sha-256", b"hmac-sha-256=1", b"hmac-sha-256=::", wanting(bytes(31)), wanting(bytes(33)), b"hmac-sha-512=:AAAA:",
        b"sha-256=:AAAA:", wanting(KEY) + b", " + wanting(KEY), b"\xff", wanting(KEY) + b" " * 600 + b", a",
    ],
)  # fmt: skip
def test_a_key_that_is_none_is_not_used(value):
    assert answering((b"want-credentials-digest", value), ALICE) == []
    assert reason([(b"want-credentials-digest", value), ALICE], []) is Reason.NOT_COVERED


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Reason.NOT_COVERED),
        (b"", Reason.MALFORMED_CREDENTIALS),
        (b"hmac-sha-256=1", Reason.MALFORMED_CREDENTIALS),
        (b"hmac-sha-256=:AAAA:", Reason.MALFORMED_CREDENTIALS),
        (b'hmac-sha-256=:AAAA:;fields="cookie"', Reason.NOT_COVERED),
        (b'hmac-sha-256=:AAAA:;fields="authorization"', Reason.NOT_COVERED),
        (b'hmac-sha-256=:AAAA:;fields=""', Reason.NOT_COVERED),
        (b'hmac-sha-256=:AAAA:;fields="authorization cookie"', Reason.BINDING_MISMATCH),
    ],
)
def test_an_answer_that_says_less_is_refused(value, expected):
    assert reason([ASKING, ALICE], [] if value is None else [(b"credentials-digest", value)]) is expected


def test_a_digest_that_is_given_twice_is_refused():
    answer = answering(ASKING, ALICE)
    assert reason([ASKING, ALICE], [*answer, *answer]) is Reason.MALFORMED_CREDENTIALS


def test_credentials_for_which_no_digest_was_asked_are_not_proven():
    assert reason([ALICE], []) is Reason.NOT_COVERED
    assert check_credentials([], []) == ()


@given(st.binary(max_size=80), st.binary(max_size=120))
@examples(150)
def test_arbitrary_octets_are_refused_and_nothing_else(wanted, answered):
    credentials_digest([(b"want-credentials-digest", wanted)], CREDENTIALS)
    assert reason([ASKING], [(b"credentials-digest", answered)])
