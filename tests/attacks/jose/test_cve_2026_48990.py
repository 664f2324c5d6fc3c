"""CVE-2026-48990 (joserfc), GHSA-w7vc-732c-9m39 (PyJWT): an unencoded payload (RFC 7797) past the limit of its size."""

from __future__ import annotations


import pytest

from tests.attacks.jose.forge import KEY, SECRET, assert_unread
from tests.counting import calls
from watchword import Reason, Rejected
from watchword.crypto import jose
from watchword.dropin import jwt

TOKEN = jose.sign(b"x" * 4_000_000, KEY, b64=False)


def test_the_size_is_limited_whatever_the_encoding():
    def verify():
        with pytest.raises(Rejected) as caught:
            jose.verify(TOKEN, KEY)
        assert caught.value.rejection.reason is Reason.HEADER_TOO_LARGE
        with pytest.raises(jwt.DecodeError):
            jwt.decode(TOKEN, SECRET, algorithms=["HS256"])

    verify()
    assert_unread(calls(verify))


def test_the_limit_is_the_programs_to_raise():
    assert jose.verify(TOKEN, KEY, max_token=5_000_000).payload == b"x" * 4_000_000
