"""A failure before anything was sent is told from all others, however a library wraps it."""

from __future__ import annotations

import socket

import pytest

from watchword import CredentialsUnavailable
from watchword.transport.never_sent import Refused, never_sent


class _Wrapped(Exception):
    def __init__(self, reason: object) -> None:
        super().__init__("a library's own")
        self.reason = reason


def chained(error: Exception, *, cause: bool) -> Exception:
    try:
        try:
            raise error
        except Exception as inner:
            if cause:
                raise RuntimeError from inner
            raise RuntimeError from None
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize("error", [ConnectionRefusedError(), socket.gaierror(), Refused("not there")])
def test_it_is_found_among_causes_contexts_reasons_and_arguments(error: Exception) -> None:
    for wrapped in (
        error,
        chained(error, cause=True),
        chained(error, cause=False),
        _Wrapped(error),
        Exception(_Wrapped(error)),
    ):
        assert never_sent(wrapped)


@pytest.mark.parametrize(
    "error",
    [
        None,
        ConnectionResetError(),
        BrokenPipeError(),
        TimeoutError(),
        OSError(),
        CredentialsUnavailable(),
        KeyboardInterrupt(),
    ],
)
def test_any_other_proves_nothing(error: BaseException | None) -> None:
    assert not never_sent(error)
    assert not never_sent(_Wrapped(error))


def test_what_was_handled_before_proves_nothing() -> None:
    before = ConnectionRefusedError()
    try:
        raise before
    except ConnectionRefusedError:
        try:
            raise TimeoutError
        except TimeoutError as error:
            assert never_sent(error)  # by its context alone
            assert not never_sent(error, before)


def test_a_circle_of_causes_has_an_end() -> None:
    one, two = Exception(), Exception()
    one.__cause__, two.__cause__ = two, one
    assert not never_sent(one)
