"""Names, times and methods that some readers take for the ones that were signed (RFC 5849 §3.1, §3.3, §3.4.1.1)."""

from __future__ import annotations

import pytest

from tests.schemes.oauth1_world import GET, auth, changed, guard, reason, signed
from watchword import Reason


def respelt(old: bytes, new: bytes):
    request, _ = signed(auth(), GET)
    value = request.values(b"authorization")[0]
    assert old in value
    return request.with_headers(((b"authorization", value.replace(old, new)),))


@pytest.mark.parametrize("name", [b"OAuth_nonce", b"oauth_Nonce", b"xoauth_nonce", b"oauth-nonce", b"nonce"])
def test_a_name_in_another_spelling_is_another_name(name: bytes) -> None:
    assert reason(guard(), respelt(b"oauth_nonce", name)) is Reason.MALFORMED_CREDENTIALS


def test_an_encoded_nonce_is_the_same_nonce() -> None:
    judge = guard()
    request, _ = signed(auth(), GET)
    assert judge.verify(request).subject == "alice"
    value = request.values(b"authorization")[0]
    at = value.index(b'oauth_nonce="') + len(b'oauth_nonce="')
    encoded = value[:at] + b"%%%02X" % value[at] + value[at + 1 :]
    assert reason(judge, request.with_headers(((b"authorization", encoded),))) is Reason.REPLAYED


@pytest.mark.parametrize(
    "stamp", ["0", "-1", "01700000000", "1.7e9", "nan", "inf", "+1700000000", " 1700000000", "1" * 13, "", "٣"]
)
def test_a_time_is_a_decimal_number(stamp: str) -> None:
    request, _ = signed(auth(), GET)
    value = request.values(b"authorization")[0]
    at = value.index(b'oauth_timestamp="') + len(b'oauth_timestamp="')
    put = value[:at] + stamp.encode() + value[value.index(b'"', at) :]
    changed_request = request.with_headers(((b"authorization", put),))
    assert reason(guard(), changed_request) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("method", ["ÿ", "ı", "\ud800", "", "GET\n", "G T"])
def test_a_method_without_an_upper_case_in_ascii_is_no_method(method: str) -> None:
    """ "ı" becomes "I" in upper case, and "ÿ" leaves ISO 8859-1."""
    request, _ = signed(auth(), GET)
    assert reason(guard(), changed(request, method=method)) is Reason.MALFORMED_REQUEST
