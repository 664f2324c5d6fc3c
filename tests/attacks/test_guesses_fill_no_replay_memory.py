"""Counting guesses must not use up the memory of nonces: else anybody could have every signed request answered by 503."""

from __future__ import annotations

import pytest

from watchword import StoreUnavailable
from watchword.core.records import COMMITTED, Add, Once, Replayed
from watchword.stores import MemoryStore


@pytest.mark.parametrize("capacity", [256, 1001])
def test_half_of_it_is_left_for_genuine_requests(capacity: int) -> None:
    store = MemoryStore(capacity=capacity, clock=lambda: 1000.0)
    for number in range(2 * capacity):
        assert store.commit([Add(("attempts", str(number)), 1, 2000.0, limit=5)]) == COMMITTED
    counted = len(store._counters)
    assert counted == capacity // 2
    marks = [Once(("hmac", str(number)), 2000.0) for number in range(capacity - counted)]
    assert [store.commit([mark]) for mark in marks] == [COMMITTED] * len(marks)
    with pytest.raises(StoreUnavailable, match="full"):
        store.commit([Once(("one", "more"), 2000.0)])
    assert store.commit([Add(("attempts", "one more"), 1, 2000.0, limit=5)]) == COMMITTED  # in a counter's place
    assert [store.commit([mark]) for mark in marks] == [Replayed(mark) for mark in marks]


@pytest.mark.parametrize("capacity", [2, 10])
def test_a_memory_too_small_to_choose_what_goes_refuses_what_is_new(capacity: int) -> None:
    store = MemoryStore(capacity=capacity, clock=lambda: 1000.0)
    counted = 0
    with pytest.raises(StoreUnavailable, match="counters"):
        for number in range(capacity + 1):
            store.commit([Add(("attempts", str(number)), 1, 2000.0, limit=5)])
            counted += 1
    assert counted == capacity // 2
    assert store.commit([Add(("attempts", "0"), 1, 2000.0, limit=5)]) == COMMITTED  # one that is there goes on
    marks = [Once(("hmac", str(number)), 2000.0) for number in range(capacity - counted)]
    assert [store.commit([mark]) for mark in marks] == [COMMITTED] * len(marks)
    assert [store.commit([mark]) for mark in marks] == [Replayed(mark) for mark in marks]
