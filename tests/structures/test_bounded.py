"""A table that never grows beyond its size."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Iterator

import pytest

from watchword.structures.bounded import Bounded


def filled(most: int, count: int) -> Bounded[int, str]:
    table: Bounded[int, str] = Bounded(most)
    for number in range(count):
        table.put(number, str(number))
    return table


@pytest.mark.parametrize("most", [1, 2, 7])
def test_the_oldest_goes_first(most: int) -> None:
    table = filled(most, 20)
    assert list(table) == list(range(20 - most, 20)) == [int(value) for value in table.values()]
    assert len(table) == most
    assert table.get(19) == "19" and table.get(19 - most) is None
    assert 19 in table and 19 - most not in table


def test_another_value_for_a_known_key_drives_nobody_out() -> None:
    table = filled(3, 3)
    table.put(0, "new")
    assert list(table) == [0, 1, 2] and table.get(0) == "new"
    table.put(3, "3")
    assert list(table) == [1, 2, 3]  # it was still the oldest


def test_what_is_taken_out_and_put_in_again_is_the_youngest() -> None:
    table = filled(3, 3)
    taken = table.pop(0)
    assert taken == "0" and table.pop(0) is None
    table.put(0, taken)
    table.put(3, "3")
    assert list(table) == [2, 0, 3]


def test_a_copy_begins_empty_and_is_a_table_of_its_own() -> None:
    table = filled(3, 3)
    for twin in (copy.copy(table), copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert len(twin) == 0 and twin.get(0) is None
        twin.put(9, "9")
        assert twin.get(9) == "9" and 9 not in table


def test_its_text_shows_no_entry() -> None:
    assert repr(filled(3, 5)) == "Bounded(3, entries=3)"


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_share_one_and_never_see_it_above_its_size(hasty: None) -> None:
    table: Bounded[tuple[int, int], int] = Bounded(8)
    threads, seen, faults = 6, [], []

    def work(name: int) -> None:
        try:
            for number in range(2000):
                table.put((name, number), number)
                found = table.get((name, number))
                assert found is None or found == number
                seen.append(len(table))
                table.pop((name, number - 2))
        except Exception as error:
            faults.append(error)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not faults
    assert max(seen) <= 8
    for number in range(8):
        table.put((-1, number), number)
    assert len(table) == 8 and table.values() == list(range(8))
