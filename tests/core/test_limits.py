"""What is refused for its size alone, and that a `public_url` that reads fields is given the guard's limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from watchword import Limits, Reason, Rejected, Request
from watchword.core.limits import check_target_size, with_limits


def refused(target: bytes, limits: Limits = Limits()) -> Rejected | None:
    try:
        check_target_size(target, limits)
    except Rejected as rejected:
        return rejected
    return None


def test_a_target_of_the_limit_is_taken_and_a_longer_one_refused() -> None:
    limits = Limits(target=100)
    assert refused(b"/" + b"a" * 99, limits) is None
    rejected = refused(b"/" + b"a" * 100, limits)
    assert rejected is not None
    assert (rejected.reason, rejected.reason.status) == (Reason.TARGET_TOO_LONG, 414)


def test_by_default_a_target_has_16_kib() -> None:
    assert refused(b"/" + b"a" * (16 * 1024 - 1)) is None
    assert getattr(refused(b"/" + b"a" * (16 * 1024)), "reason", None) is Reason.TARGET_TOO_LONG


@pytest.mark.parametrize("parameter", [b"", b"a", b"a=b"])
@pytest.mark.parametrize("most", [1, 2, 256, 1000])
def test_a_query_has_as_many_parameters_as_the_limit_says(parameter: bytes, most: int) -> None:
    limits = Limits(parameters=most)
    assert refused(b"/?" + b"&".join([parameter] * most), limits) is None
    rejected = refused(b"/?" + b"&".join([parameter] * (most + 1)), limits)
    assert rejected is not None
    assert (rejected.reason, rejected.reason.status) == (Reason.TOO_MANY_PARAMETERS, 400)


def test_a_length_that_is_refused_is_not_looked_into() -> None:
    class Uncounted(bytes):
        def count(self, *arguments: object) -> int:
            raise AssertionError("counted in a target that is too long")

    assert getattr(refused(Uncounted(b"&" * 20_000)), "reason", None) is Reason.TARGET_TOO_LONG
    assert refused(Uncounted(b"/orders?id=7&page=2")) is None  # too short to have too many


def test_the_refusal_says_the_limit_and_quotes_nothing() -> None:
    for target in (b"/?secret=" + b"s3cret" * 4000, b"/?" + b"s3cret&" * 300):
        assert "s3cret" not in str(refused(target))
    assert "at most 16384 are read" in str(refused(b"/" + b"a" * 20_000))


def test_a_public_url_is_given_the_guards_limits_where_it_takes_any() -> None:
    def plain(request: Request) -> Request:
        return request

    class Reading:
        def __init__(self, hops: int = 32) -> None:
            self.hops = hops

        def __call__(self, request: Request) -> Request:
            return request

        def within(self, limits: Limits) -> Callable[[Request], Request]:
            return Reading(limits.hops)

    assert with_limits(plain, Limits(hops=3)) is plain
    within = with_limits(Reading(), Limits(hops=3))
    assert isinstance(within, Reading)
    assert within.hops == 3
