"""The counter counts calls of every kind, the same each time, and sees what it is to find."""

from __future__ import annotations

import hashlib

import pytest

from tests.counting import calls, instructions, steps


def work(size: int) -> None:
    len(str(size))
    sum(number for number in range(size))
    "".join(map(chr, range(size)))
    hashlib.sha256(b"")


def test_calls_of_functions_generators_and_what_is_written_in_c_are_counted_by_name() -> None:
    counted = calls(lambda: work(10))
    assert (counted["work"], counted["len"], counted["sum"], counted["openssl_sha256"]) == (1, 1, 1, 1)
    assert counted["<genexpr>"] == 11
    assert counted["join"] == 1
    assert "disable" not in counted


def test_the_same_work_has_the_same_count_and_the_square_has_its_own() -> None:
    def square(size: int) -> None:
        for _ in range(size):
            work(size)

    assert steps(lambda: work(50)) == steps(lambda: work(50))
    assert steps(lambda: square(160)) > 100 * steps(lambda: square(10))


def test_recursion_is_counted_whole() -> None:
    def down(number: int) -> None:
        if number:
            down(number - 1)

    assert calls(lambda: down(9))["down"] == 10


def test_what_the_work_raises_comes_through_and_ends_the_count() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        steps(lambda: int("x"))
    assert calls(lambda: len(""))["len"] == 1


def test_instructions_see_a_loop_that_calls_nothing() -> None:
    def loop(size: int) -> None:
        while size:
            size -= 1

    assert steps(lambda: loop(1000)) == steps(lambda: loop(10))
    assert instructions(lambda: loop(1000)) > 50 * instructions(lambda: loop(10))
