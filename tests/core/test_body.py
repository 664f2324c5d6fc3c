"""Reading bodies: under a limit, digested on the way, checked as they pass."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.core.body import BodyReader
from watchword.servers.checked_body import CheckedBody
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import WHOLE, Digests


@given(st.lists(st.binary(max_size=20)))
def test_chunks_in_any_cut_are_the_same_body_and_digest(chunks):
    reader = BodyReader(Digests(("sha-256",), lambda name: hashlib.sha256()), limit=10_000)
    for chunk in chunks:
        reader.feed(chunk)
    whole = b"".join(chunks)
    assert reader.body().data == whole
    assert reader.body().digest("sha-256") == hashlib.sha256(whole).digest()


def test_the_limit_is_the_last_size_that_is_taken():
    reader = BodyReader(WHOLE, limit=3)
    reader.feed(b"abc")
    with pytest.raises(Rejected) as caught:
        reader.feed(b"d")
    assert caught.value.reason is Reason.BODY_TOO_LARGE


def test_a_digest_that_nobody_asked_for_is_a_key_error():
    with pytest.raises(KeyError):
        BodyReader(WHOLE, limit=3).body().digest("sha-256")


class HoldBack:
    """Proves a body by its last octet: hands out all but that, and it at the end if it is "!"."""

    def __init__(self):
        self.held = b""

    def feed(self, chunk):
        ready, self.held = self.held + chunk[:-1], chunk[-1:]
        return ready

    def end(self):
        if self.held != b"!":
            raise Rejected(Reason.WRONG_BODY, "no exclamation mark", where="body")
        return self.held


def checked(*chunks):
    incoming = iter([*chunks, b""])
    raw = CheckedBody(lambda: next(incoming), HoldBack())
    return raw, io.BufferedReader(raw)


@given(st.lists(st.binary(min_size=1, max_size=20)))
def test_a_checked_body_reads_as_the_body_itself(chunks):
    _, file = checked(*chunks, b"!")
    assert file.read() == b"".join(chunks) + b"!"


def test_a_checked_body_reads_by_lines():
    _, file = checked(b"a\nb", b"b\n", b"!")
    assert list(file) == [b"a\n", b"bb\n", b"!"]


def test_a_checked_body_that_fails_keeps_failing_and_gives_nothing_unproven():
    raw, file = checked(b"abc", b"d")
    with pytest.raises(Rejected):
        file.read()
    assert raw.failed is not None
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            raw.read(1)
        assert caught.value is raw.failed
