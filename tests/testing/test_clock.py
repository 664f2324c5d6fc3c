"""The clock that stands, and the random source that repeats itself."""

from __future__ import annotations

import pytest

from watchword import ConfigurationError, Guard, HMACAuth, HMACVerifier, Key, Policy, Reason
from watchword.stores import MemoryStore
from watchword.testing import Clock, SeededRandom, assert_accepted, assert_refused, signed


def test_a_clock_stands_until_it_is_moved() -> None:
    clock = Clock(100.0)
    assert [clock(), clock()] == [100.0, 100.0]
    clock.advance(5)
    clock.advance(-1)
    assert (clock(), clock.now) == (104.0, 104.0)
    clock.now = 7
    assert clock() == 7.0


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_clock_shows_no_time_that_is_none(seconds: float) -> None:
    clock = Clock()
    for move in (lambda: Clock(seconds), lambda: clock.advance(seconds), lambda: setattr(clock, "now", seconds)):
        with pytest.raises(ConfigurationError, match="finite"):
            move()
    assert clock() == Clock()()


def test_one_clock_moves_guard_store_and_client() -> None:
    clock = Clock()
    key = Key.generate("HS256", key_id="k")
    store = MemoryStore(clock=clock)
    store.add_key("alice", key)
    guard = Guard([HMACVerifier(max_age=60)], store, policy=Policy(clock=clock))
    early = signed(HMACAuth(key), guard=guard)
    clock.advance(61)
    assert_refused(guard, *early, reason=Reason.EXPIRED)
    assert_accepted(guard, *signed(HMACAuth(key), guard=guard))


def test_a_seed_gives_the_same_octets_again_and_another_seed_others() -> None:
    one, again, other = SeededRandom(1), SeededRandom(1), SeededRandom(2)
    first = [one(5), one(16)]
    assert first == [again(5), again(16)]
    assert first != [other(5), other(16)]
    assert list(map(len, first)) == [5, 16]
