"""The entries of the cache of verified passwords: which, how many, for how long, and that none holds a password."""

from __future__ import annotations

import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, PasswordCache

SECRET = "correct-horse-battery"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def entries(cache: PasswordCache) -> int:
    """How many passwords it remembers, as it says itself."""
    return int(repr(cache).rpartition("entries=")[2].rstrip(")"))


def test_it_holds_what_was_kept_for_that_hash_only() -> None:
    cache = PasswordCache()
    mark = cache.password_key("alice", SECRET)
    assert not cache.holds(mark, "hash 1")
    cache.keep(mark, "hash 1")
    assert cache.holds(mark, "hash 1")
    assert not cache.holds(mark, "hash 2")
    assert not cache.holds(cache.password_key("alice", SECRET + "x"), "hash 1")


def test_a_new_hash_takes_the_place_of_the_old_one() -> None:
    cache = PasswordCache()
    mark = cache.password_key("alice", SECRET)
    cache.keep(mark, "hash 1")
    cache.keep(mark, "hash 2")
    assert (cache.holds(mark, "hash 1"), cache.holds(mark, "hash 2"), entries(cache)) == (False, True, 1)


def test_an_entry_is_good_until_its_time_is_over_and_keeping_it_again_renews_it() -> None:
    clock = Clock()
    cache = PasswordCache(ttl=60, clock=clock)
    mark = cache.password_key("alice", SECRET)
    cache.keep(mark, "hash")
    clock.now = 59.999
    assert cache.holds(mark, "hash")
    clock.now = 60
    assert not cache.holds(mark, "hash")
    cache.keep(mark, "hash")
    clock.now = 119.999
    assert cache.holds(mark, "hash")


def test_it_never_grows_above_its_size_and_drops_the_oldest() -> None:
    cache = PasswordCache(size=3)
    marks = [cache.password_key(f"user{number}", SECRET) for number in range(5)]
    for mark in marks[:3]:
        cache.keep(mark, "hash")
    cache.keep(marks[0], "hash")  # the newest now
    for mark in marks[3:]:
        cache.keep(mark, "hash")
    assert [cache.holds(mark, "hash") for mark in marks] == [True, False, False, True, True]
    assert entries(cache) == 3


def test_sixty_four_threads_do_not_push_it_above_its_size() -> None:
    cache = PasswordCache(size=100)
    sizes = []

    def fill(thread: int) -> None:
        for number in range(200):
            mark = cache.password_key(f"{thread}", f"{number}")
            cache.keep(mark, "hash")
            cache.holds(mark, "hash")
            sizes.append(entries(cache))

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(fill, range(64)))
    assert max(sizes) <= 100
    assert entries(cache) == 100


@given(st.text(), st.text(), st.text(), st.text())
def test_different_pairs_are_never_taken_for_each_other(one: str, two: str, three: str, four: str) -> None:
    cache = PasswordCache(random=bytes)
    assert (cache.password_key(one, two) == cache.password_key(three, four)) is ((one, two) == (three, four))


@given(st.text(st.sampled_from("0123456789:ab"), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_where_the_name_ends_and_the_password_begins_matters(text: str, one: int, other: int) -> None:
    cache = PasswordCache(random=bytes)
    same = (text[:one], text[one:]) == (text[:other], text[other:])
    assert (cache.password_key(text[:one], text[one:]) == cache.password_key(text[:other], text[other:])) is same


def test_two_caches_recognise_nothing_of_each_other() -> None:
    assert PasswordCache().password_key("alice", SECRET) != PasswordCache().password_key("alice", SECRET)


def test_half_of_a_surrogate_pair_is_text_like_any_other() -> None:
    cache = PasswordCache()
    mark = cache.password_key("\ud800", "\udfff")
    cache.keep(mark, "\ud800")
    assert cache.holds(mark, "\ud800")


def test_no_password_can_be_reached_from_it() -> None:
    cache = PasswordCache()
    cache.keep(cache.password_key("alice", SECRET), "hash")
    assert SECRET not in repr(cache)
    seen: set[int] = set()
    reachable: list[object] = [cache]
    while reachable:
        thing = reachable.pop()
        if id(thing) in seen or callable(thing) or type(thing).__name__ == "module":
            continue
        seen.add(id(thing))
        assert SECRET not in repr(thing)
        assert SECRET.encode() not in (thing if isinstance(thing, bytes) else b"")
        reachable += gc.get_referents(thing)
    assert len(seen) > 5


@pytest.mark.parametrize("copying", [copy.deepcopy, pickle.dumps])
def test_its_key_does_not_leave_the_process_with_a_copy(copying: object) -> None:
    with pytest.raises((TypeError, AttributeError)):
        copying(PasswordCache())  # type: ignore[operator]


@pytest.mark.parametrize("options", [{"size": 0}, {"size": -1}, {"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}])
def test_what_can_not_be_is_refused_at_construction(options: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        PasswordCache(**options)  # type: ignore[arg-type]
