"""The rule of repetitions, without a library: which bodies can be sent again, and which methods may be."""

from __future__ import annotations

import io

import pytest

from watchword import ConfigurationError
from watchword.clients._repeats import IDEMPOTENT, check_repeatable, may_repeat, position


class Anew:
    def __iter__(self):
        return iter([b"a"])


class Pipe(io.RawIOBase):
    def readable(self):
        return True


REPEATABLE = [None, b"", b"a", "a", bytearray(b"a"), [b"a"], Anew(), io.BytesIO(b"a"), io.StringIO("a")]


async def chunks():
    yield b"a"


@pytest.mark.parametrize("body", REPEATABLE, ids=lambda body: type(body).__name__)
def test_a_body_that_stays_can_be_sent_again(body):
    check_repeatable(body, position(body))
    assert may_repeat("PUT", lambda: check_repeatable(body, position(body)))


@pytest.mark.parametrize("make", [lambda: iter([b"a"]), lambda: (b"a" for _ in "a"), Pipe, chunks])
def test_a_body_that_is_read_only_once_is_named(make):
    body = make()
    with pytest.raises(ConfigurationError, match="why, but it can be read only once: pass bytes or a seekable file"):
        check_repeatable(body, position(body), "why")
    assert not may_repeat("PUT", lambda: check_repeatable(body, position(body)))


@pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT", "LOCK", "get", ""])
def test_a_method_that_may_do_something_twice_is_never_repeated(method):
    assert not may_repeat(method, lambda: None)
    assert method not in IDEMPOTENT
