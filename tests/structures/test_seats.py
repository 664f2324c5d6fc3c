"""Seats: never more than there are, and none is lost."""

from __future__ import annotations

import pickle
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword.structures.seats import NoSeat, Seats


@given(st.integers(0, 5), st.lists(st.booleans(), max_size=40))
@examples(100)
def test_no_more_sit_than_there_are_seats_and_each_that_leaves_makes_room(most: int, comings: list[bool]) -> None:
    seats, sitting = Seats(most), list[ExitStack]()
    for comes in comings:
        if not comes:
            if sitting:
                sitting.pop().close()
        elif len(sitting) < most:
            with ExitStack() as stack:
                stack.enter_context(seats.one())
                sitting.append(stack.pop_all())
        else:
            with pytest.raises(NoSeat, match=f"all {most} seats"), seats.one():
                pass
        assert seats.taken == len(sitting) <= most


def test_a_seat_is_free_again_after_a_failure() -> None:
    seats = Seats(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), seats.one():
            raise ZeroDivisionError
    assert seats.taken == 0


def test_they_stay_in_their_process() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Seats(1))
