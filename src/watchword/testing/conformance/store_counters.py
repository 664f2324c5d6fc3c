"""What a store promises of counters."""

from __future__ import annotations


from watchword.core.records import (
    COMMITTED, Add, After, Counter, Exceeded, Once, Spent,
)  # fmt: skip
from watchword.testing.clock import Clock
from watchword.testing.conformance.called import CalledStore

__all__ = ["CounterPromises"]


class CounterPromises:
    """A counter counts up to its limit, for one life."""

    def test_a_counter_counts_up_to_its_limit_for_one_life(self, store: CalledStore, clock: Clock) -> None:
        end = clock.now + 10
        assert store.commit(Add(("c",), 2, end, limit=3)) == COMMITTED
        too_much = Add(("c",), 2, end + 99, limit=3)
        assert store.commit(too_much) == Exceeded(too_much, end)
        assert store.commit(Add(("c",), 1, end + 99, limit=3)) == COMMITTED
        assert store.get(Counter, "c") == Counter(3, end)
        assert store.commit(Add(("c",), 5, end)) == COMMITTED  # no limit, no refusal
        clock.now = end
        assert store.get(Counter, "c") is None
        assert store.commit(Add(("c",), 2, end + 10, limit=3)) == COMMITTED
        assert store.get(Counter, "c") == Counter(2, end + 10)

    def test_adding_nothing_only_asks_whether_the_counter_is_above_its_limit(
        self, store: CalledStore, clock: Clock
    ) -> None:
        end = clock.now + 10
        assert store.commit(Add(("c",), 0, end, limit=0)) == COMMITTED
        assert store.get(Counter, "c") is None
        store.commit(Add(("c",), 3, end))
        assert store.commit(Add(("c",), 0, end + 99, limit=3)) == COMMITTED
        above = Add(("c",), 0, end + 99, limit=2)
        assert store.commit(above, Once(("x",), end)) == Exceeded(above, end)
        assert store.get(Spent, "x") is None
        assert store.get(Counter, "c") == Counter(3, end)
        clock.now = end
        assert store.commit(above) == COMMITTED

    def test_an_addition_above_the_limit_is_refused_even_from_nothing(self, store: CalledStore, clock: Clock) -> None:
        add = Add(("c",), 4, clock.now + 10, limit=3)
        assert store.commit(add) == Exceeded(add, clock.now + 10)
        assert store.get(Counter, "c") is None

    def test_giving_back_goes_no_lower_than_nothing_and_never_starts_a_life(
        self, store: CalledStore, clock: Clock
    ) -> None:
        end = clock.now + 10
        assert store.commit(Add(("c",), -1, end)) == COMMITTED
        assert store.get(Counter, "c") is None
        store.commit(Add(("c",), 2, end))
        store.commit(Add(("c",), -1, end, limit=0))  # giving back is never refused
        assert store.get(Counter, "c") == Counter(1, end)
        store.commit(Add(("c",), -5, end))
        assert store.get(Counter, "c") is None

    def test_a_counter_that_is_given_back_whole_begins_a_new_life(self, store: CalledStore, clock: Clock) -> None:
        end = clock.now + 10
        store.commit(Add(("c",), 1, end, limit=3))
        store.commit(Add(("c",), -1, end, limit=3))
        clock.now += 5
        store.commit(Add(("c",), 1, end + 5, limit=3))
        assert store.get(Counter, "c") == Counter(1, end + 5)

    def test_giving_back_takes_nothing_from_a_life_that_has_begun_since(self, store: CalledStore, clock: Clock) -> None:
        mine = Add(("c",), 1, clock.now + 10, limit=3)
        store.commit(mine)
        clock.now += 10
        store.commit(Add(("c",), 1, clock.now + 10, limit=3))
        assert store.commit(mine._replace(n=-1)) == COMMITTED
        assert store.get(Counter, "c") == Counter(1, clock.now + 10)

    def test_a_life_that_has_to_wait_for_another_counter_begins_with_what_that_one_stands_for(
        self, store: CalledStore, clock: Clock
    ) -> None:
        end = clock.now + 10
        short = Add(("short",), 1, end, limit=9)
        long = Add(("long",), 1, end + 90, limit=6, after=After(("short",), 3, start=2))
        seen = []
        for _ in range(4):
            assert store.commit(short, long) == COMMITTED
            seen.append(store.get(Counter, "long"))
        assert seen == [None, None, Counter(3, end + 90), Counter(4, end + 90)]
        clock.now = end  # the short one ends, the long one counts on
        for value in (5, 6):
            assert store.commit(short._replace(until=end + 10), long) == COMMITTED
            assert store.get(Counter, "long") == Counter(value, end + 90)
        assert store.commit(short._replace(until=end + 10), long) == Exceeded(long, end + 90)
        assert store.get(Counter, "short") == Counter(2, end + 10)
        clock.now = end + 90  # and so has the long one
        assert store.commit(long) == COMMITTED
        assert store.get(Counter, "long") is None

    def test_a_life_that_would_begin_above_its_limit_is_refused(self, store: CalledStore, clock: Clock) -> None:
        end = clock.now + 10
        store.commit(Add(("short",), 3, end))
        late = Add(("long",), 1, end, limit=2, after=After(("short",), 3, start=2))
        assert store.commit(late) == Exceeded(late, end)
        assert store.get(Counter, "long") is None
