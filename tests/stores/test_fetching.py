"""Fetches from strangers: bounded at one time and in a minute, for each network and in all, whatever comes in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword.stores.fetching import MINUTE, Fetches
from watchword.structures.networks import networks_of
from watchword.structures.room import LineFull, NetworkFull

ADDRESSES = (
    "",
    "127.0.0.1",
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:0:1::1",
    "2001:db8:0:100::1",
    "2001:db8:1::1",
)


@given(
    st.integers(1, 9),
    st.integers(1, 40),
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.sampled_from(ADDRESSES)),
            st.tuples(st.just("renew"), st.just("")),
            st.tuples(st.just("land"), st.integers(0, 20)),
            st.tuples(st.just("later"), st.sampled_from([-100, 1, 59, 60])),
        ),
        max_size=150,
    ),
)
@examples(200)
def test_no_bound_is_ever_passed_and_nothing_is_kept_of_a_minute_that_is_over(
    at_once: int, per_minute: int, steps: list[tuple[str, str | int]]
) -> None:
    fetches, now = Fetches(at_once, per_minute), 1000.0
    begun = now
    running: list[tuple[str, bool, Callable[[], None]]] = []
    admitted: list[str] = []
    for step, value in steps:
        if step == "later":
            now += float(value)
        elif step == "land":
            if running:
                running.pop(int(value) % len(running))[2]()
        else:
            address = str(value)
            if not 0 <= now - begun < MINUTE or not admitted:
                begun, admitted = now, []
            if step == "ask":
                try:
                    fetches.admit(address, now)
                except (LineFull, NetworkFull):
                    assert 1 <= fetches.ends_in(now) <= MINUTE
                    continue
                admitted.append(address)
            landed = fetches.begin(address, step == "renew")
            if step == "ask":
                assert landed is not None  # who is admitted has room
            if landed is not None:
                running.append((address, step == "renew", landed))
        asked = Counter(network for address in admitted for network in _networks(address))
        assert len(admitted) <= per_minute
        for network, number in asked.items():
            assert number <= max(1, per_minute // (2 if "/48" in network else 3 if "/56" in network else 6))
        assert sum(met for _, met, _ in running) <= at_once
        assert sum(not met for _, met, _ in running) <= at_once
        for network, number in Counter(n for a, met, _ in running if not met for n in _networks(a)).items():
            assert number <= max(at_once // 2, 1, 3 * at_once // 4 if "/48" in network else 1)
        assert len(fetches._counts) <= 1 + 3 * per_minute
    for _, _, landed in running:
        landed()
    assert fetches._running._counts == {}


def _networks(address: str) -> tuple[str, ...]:
    return () if address in ("", "127.0.0.1") else networks_of(address)


def test_the_part_of_a_network_is_said_to_be_full_before_all_is() -> None:
    fetches = Fetches(4, 60)
    for _ in range(10):
        fetches.admit("192.0.2.1", 0.0)
    with pytest.raises(NetworkFull, match="named 10 new agents"):
        fetches.admit("192.0.2.1", 0.0)
    fetches.admit("192.0.2.2", 0.0)


def test_without_a_number_for_a_minute_only_those_at_one_time_count() -> None:
    fetches = Fetches(2, None)
    for _ in range(1000):
        fetches.admit("192.0.2.1", 0.0)
    assert fetches._counts == {}
