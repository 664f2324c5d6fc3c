"""The two verbs as the server runs them: its clock, what a mark costs, what outlives it, and the rule for counters."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stores.faces import Called, Clock, Note, on_valkey
from tests.valkey import Server, shared
from watchword import ConfigurationError, StoreUnavailable
from watchword.core.attempts import KnownPair
from watchword.core.records import COMMITTED, Add, After, Counter, Once, Put, Ref, Replayed, Spent, Take, TakeBack
from watchword.stores import MemoryStore, RedisStore
from watchword.stores.counting import KEPT
from watchword.stores.redis import commands
from watchword.stores.writes import GRACE

Make = Callable[..., Called]


# ---- time ----


def test_what_has_ended_is_gone_by_the_servers_clock_without_anybody_asking(make: Make, server: Server) -> None:
    """No host decides that: one whose clock is fast would forget what the others rely on."""
    store = make(url=server.url, secrets=None)
    soon = time.time() - GRACE + 0.3
    store.commit(Once(("mark",), soon), Once(("id",), soon, "owner"), Put(Ref(Note, ("n",)), Note("n"), until=soon))
    store.commit(Once(("longer",), soon + 300), Put(Ref(Note, ("m",)), Note("m")))
    while server.say("DBSIZE") != b":2\r\n":
        time.sleep(0.02)
    assert store.get(Note, "m") == Note("m")
    assert store.get(Note, "n") is None
    assert store.commit(Once(("mark",), time.time() + 9)) == COMMITTED


def test_a_counter_ends_with_its_life_by_the_servers_clock(make: Make) -> None:
    store = make()
    end = time.time() + 0.2
    store.commit(Add(("c",), 3, end, 3))
    while store.get(Counter, "c") is not None:
        time.sleep(0.02)
    assert time.time() >= end
    assert store.commit(Add(("c",), 3, time.time() + 9, 3)) == COMMITTED


def test_times_that_no_server_could_reach_are_kept(make: Make) -> None:
    store = make()
    for until in (1e11, 1e18, 1e300):
        mark = Once((str(until),), until)
        assert store.commit(mark) == COMMITTED
        assert store.commit(mark) == Replayed(mark)
        assert store.commit(Put(Ref(Note, (str(until),)), Note("n"), until=until)) == COMMITTED
        assert store.get(Note, str(until)) == Note("n")
        assert store.commit(Add((str(until),), 1, until, 2)) == COMMITTED
        assert store.get(Counter, str(until)) == Counter(1, until)
    ended = Once(("ended",), -1e300)
    assert store.commit(ended) == COMMITTED
    with pytest.raises(ConfigurationError, match="finite"):
        store.commit(Put(Ref(Note, ("n",)), Note("n"), until=float("nan")))


def test_the_end_of_a_mark_is_that_of_its_key(make: Make) -> None:
    store = make()
    until = time.time() + 300
    store.commit(Once(("m",), until), Once(("id",), until, "owner"))
    found = store.fetch([Ref(Spent, ("m",)), Ref(Spent, ("owner", "owner", "id")), Ref(Spent, ("other",))])
    assert [pytest.approx(spent.until, abs=0.01) for _, spent in found.of(Spent)] == [until, until]


@given(st.floats(2.0**30, 2.0**32))
def test_the_end_of_a_mark_by_a_clock_of_its_own_comes_back_to_the_last_bit(until: float) -> None:
    with RedisStore(**on_valkey(Clock(until))) as store:
        mark = Once(("m",), until)
        store.commit([mark])
        assert store.fetch(mark.refs).get(Ref(Spent, ("m",))) == Spent(until)


def test_a_mark_is_kept_until_the_grace_is_over_and_not_a_moment_less() -> None:
    clock = Clock()
    with RedisStore(**on_valkey(clock)) as store:
        mark = Once(("m",), clock.now)
        store.commit([mark])
        clock.advance(GRACE)
        assert store.commit([mark]) == Replayed(mark)
        assert mark.is_used(store.fetch(mark.refs))


# ---- what it costs ----

MOST = 150  # octets a mark


def used(server: Server) -> int:
    found = re.search(rb"used_memory:(\d+)", server.say("INFO", "memory"))
    assert found is not None
    return int(found[1])


def octets_a_mark(server: Server, marks: int, owner: str | None) -> float:
    """What each of so many marks costs, with the prefix that a store has by default."""
    with RedisStore(server.url) as store:
        end = time.time() + 600
        store.commit([Once(("first",), end)])
        before = used(server)
        for batch in range(0, marks, 500):
            keys = [("digest", random.randbytes(16).hex(), str(number)) for number in range(batch, batch + 500)]
            assert store.commit([Once(key, end, owner) for key in keys]) == COMMITTED
        return (used(server) - before) / marks


@pytest.mark.parametrize("owner", [None, "dGhlLW93bmVyLW9mLWEtbWFyaw"])
def test_a_mark_costs_at_most_150_octets_whatever_its_key_and_owner(server: Server, owner: str | None) -> None:
    """Just after the server's tables have grown they are half empty: the dearest moment."""
    for marks in (17_000, 16_000):
        cost = octets_a_mark(server, marks, owner)
        assert cost <= MOST, cost


# ---- what outlives the server ----


def test_nothing_is_accepted_twice_over_a_killed_server(make: Make, server: Server) -> None:
    store = make(url=server.url, timeout=30)
    accepted: set[Once] = set()
    for generation in range(3):
        marks = [Once((str(generation), str(number)), time.time() + 600, "owner") for number in range(100)]
        for mark in marks:
            if store.commit(mark) == COMMITTED:
                accepted.add(mark)
        store.commit(Add(("c",), 1, time.time() + 600, 9), Put(Ref(Note, (str(generation),)), Note("n")))
        server.kill()
        server.start()
        assert len(accepted) == 100 * (generation + 1)
        assert [store.commit(mark) for mark in accepted] == [Replayed(mark) for mark in accepted]
        assert store.get(Counter, "c").value == generation + 1
        assert store.get(Note, str(generation)) == Note("n")


# ---- what is touched ----


def test_every_key_that_is_touched_is_among_the_declared_ones(make: Make, server: Server) -> None:
    """Tried by a user of the server who may use these keys only; a cluster would refuse the commit as well."""
    end = time.time() + 300
    note = Ref(Note, ("n",))
    names = [
        ("m", str(number)) for number in range(200) if is_a_word(("m", str(number)), ("owner", "o", "m", str(number)))
    ]
    setting_up = make(url=server.url, prefix=PREFIX, max_counters=128, secrets=None)
    setting_up.commit(
        *(Add((str(number),), 1, end, 9) for number in range(128)), Add(("ended",), 1, time.time() + 0.05)
    )
    time.sleep(0.1)
    mark = Once(names[0], end, "o")
    for writes in (
        [mark, Put(note, Note("1"), 0)],
        [Add(("one more",), 1, end, 9), Add(("another",), 1, end, 9, After(("1",), 1))],  # others have to go
        [TakeBack(names[0], "o"), Take(note, 1), Add(("one more",), -1, end, 9), Add(("1",), 0, end, 9)],
    ):
        layout = commands.Layout(PREFIX)
        words = next(commands.committing(layout, writes, None, 128, lambda *_: (b"", False)))
        declared = words[3 : 3 + int(words[2])]
        patterns = [b"~" + re.sub(rb"(\W)", rb"\\\1", key) for key in declared]
        rights = ("on", "nopass", "resetkeys", "+@all")
        assert server.say("ACL", "SETUSER", "few", *rights, *patterns) == b"+OK\r\n"
        few = make(url=f"redis://few:x@127.0.0.1:{server.port}", prefix=PREFIX, max_counters=128, secrets=None)
        assert few.commit(*writes) == COMMITTED
    with pytest.raises(StoreUnavailable):
        few.commit(Put(Ref(Note, ("of another name",)), Note("2")))


PREFIX = "declared:"


def is_a_word(*places: tuple[str, ...]) -> bool:
    """Whether the keys of these marks have no octet that a list of rights can't hold."""
    layout = commands.Layout(PREFIX)
    return not any(re.search(rb"[\s\0]", layout.mark(place)) for place in places)


def test_the_prefix_may_hold_what_patterns_are_made_of(make: Make) -> None:
    stores = [make(prefix=prefix) for prefix in ("a*:", "a[b]:", "ab:", r"a\*:", "a?:", "a^:")]
    for number, store in enumerate(stores):
        store.commit(Put(Ref(Note, ("n",)), Note(str(number))))
    for number, store in enumerate(stores):
        assert store.records(Note) == [(("n",), Note(str(number)))]


def test_all_records_of_a_kind_are_listed_or_so_many_of_them(make: Make) -> None:
    store = make()
    for number in range(3000):
        store.commit(*(Put(Ref(Note, (str(number),)), Note("n")) for number in range(number, number + 1)))
    assert store.records(Note) == sorted(((str(number),), Note("n")) for number in range(3000))
    assert len(store.records(Note, 7)) == 7


# ---- counters ----


def test_a_store_with_less_room_than_an_earlier_one_drops_down_to_it(make: Make) -> None:
    prefix, end = "room:", time.time() + 300
    large, small = make(prefix=prefix), make(prefix=prefix, max_counters=128)
    large.commit(*(Add((str(number),), 1, end, 20) for number in range(3000)))
    small.commit(Add(("one more",), 1, end, 20))
    small.commit(Add(("and another",), 1, end, 20))
    counted = shared().say("HLEN", f"{prefix}c")
    assert counted == b":128\r\n"
    ranks = [shared().say("ZCARD", f"{prefix}{name}") for name in ("c0", "ce")]
    assert ranks == [counted, counted]


def test_a_flood_of_guesses_drops_no_mark_no_known_pair_and_no_counter_at_half_of_its_limit(make: Make) -> None:
    store = make(max_counters=128)
    end = time.time() + 300
    marks = [Once((str(number),), end) for number in range(50)]
    pairs = [Ref(KnownPair, ("alice", str(number))) for number in range(50)]
    store.commit(*marks, *(Put(pair, KnownPair(end), until=end) for pair in pairs))
    store.commit(*(Add(("kept", str(number)), 10, end, 20) for number in range(50)))
    for first in range(0, 2000, 100):
        store.commit(*(Add(("flood", str(number)), 1, end, 20) for number in range(first, first + 100)))
    assert [store.commit(mark) for mark in marks] == [Replayed(mark) for mark in marks]
    assert [store.get(*pair[:1], *pair.key) for pair in pairs] == [KnownPair(end)] * 50
    assert [store.get(Counter, "kept", str(number)).value for number in range(50)] == [10] * 50
    assert store.get(Counter, "flood", "0") is None


def test_where_no_counter_may_go_there_is_no_room(make: Make) -> None:
    store = make(max_counters=8)
    end = time.time() + 300
    for number in range(8):
        store.commit(Add((str(number),), [1, 6, 8][number % 3], end, 20))
    with pytest.raises(StoreUnavailable, match="8 counters already"):
        store.commit(Add(("one more",), 1, end, 20), Once(("mark",), end))
    assert store.get(Spent, "mark") is None


_COUNTERS = st.sampled_from([("a",), ("b",), ("c",)])
_ADDS = st.builds(
    Add,
    _COUNTERS,
    st.integers(-3, 9),
    st.sampled_from([1e9, 2e9]).map(lambda until: until + 0.1),
    st.none() | st.integers(0, 12),
    st.none() | st.builds(After, _COUNTERS, st.integers(0, 5), st.integers(0, 3)),
)


@given(st.lists(st.lists(_ADDS, max_size=4), min_size=1, max_size=12), st.sampled_from([9.0, 1.5e9]))
@settings(deadline=None)
def test_the_server_counts_as_the_rule_of_all_stores_does(commits: list[list[Add]], now: float) -> None:
    """`stores.counting.adding` is the rule; `commit.lua` has it in another language."""
    clock = Clock(now)
    memory = MemoryStore(clock=clock)
    names = [Ref(Counter, (name,)) for name in "abc"]
    with RedisStore(**on_valkey(clock)) as store:
        layout = store._remembering._layout
        for writes in commits:
            assert store.commit(writes) == memory.commit(writes)
            found, expected = store.fetch(names), memory.fetch(names)
            assert [found.get(name) for name in names] == [expected.get(name) for name in names]
        counted = {
            key: tally for shard in memory._counters._shards for key, (tally, _) in shard.items() if tally.lives(now)
        }
        for rank in range(KEPT + 1):
            listed = store._ask(iter_command(("ZRANGE", layout.counting[1 + rank], 0, -1)))
            mine = {commands.counter_key(key) for key, tally in counted.items() if tally.rank == rank}
            assert mine <= set(listed)
            others = {commands.counter_key(key) for key, tally in counted.items() if tally.rank != rank}
            assert not others & set(listed)


def iter_command(command: tuple[Any, ...]) -> Any:
    """A conversation of one command."""
    return (yield command)


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(-2, 12), st.sampled_from([3, 8, 20, None])), min_size=50, max_size=120
    )
)
@settings(deadline=None, max_examples=10)
def test_the_same_counters_go_as_in_memory(steps: list[tuple[int, int, int | None]]) -> None:
    clock, room = Clock(), 40
    memory = MemoryStore(capacity=2 * room, clock=clock)
    refs = [Ref(Counter, (str(name),)) for name in range(61)]
    with RedisStore(**on_valkey(clock, max_counters=room)) as store:
        for name, n, limit in steps:
            write = Add((str(name),), n, clock.now + 60, limit)
            outcomes: list[Any] = []
            for one in (store, memory):
                try:
                    outcomes.append(one.commit([write]))
                except StoreUnavailable:
                    outcomes.append("unavailable")
            assert outcomes[0] == outcomes[1]
        found, expected = store.fetch(refs), memory.fetch(refs)
        assert [found.get(ref) for ref in refs] == [expected.get(ref) for ref in refs]
