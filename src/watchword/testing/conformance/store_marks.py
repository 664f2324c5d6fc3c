"""What a store promises of marks of use."""

from __future__ import annotations

from typing import ClassVar

from watchword.core.records import (
    COMMITTED, Once, Replayed, Spent, TakeBack,
)  # fmt: skip
from watchword.testing.clock import Clock
from watchword.testing.conformance.called import CalledStore

__all__ = ["MarkPromises"]


class MarkPromises:
    """A mark is made once, by each of its owners."""

    grace: ClassVar[float] = 0.0
    """Seconds for which the store keeps a mark that has ended."""

    def test_a_mark_is_made_once_until_the_store_may_forget_it(self, store: CalledStore, clock: Clock) -> None:
        once = Once(("digest", "nonce", "00000001"), clock.now + 10)
        assert store.commit(once) == COMMITTED
        assert store.commit(once) == Replayed(once)
        clock.advance(10 + self.grace - 1)
        again = once._replace(until=clock.now + 10)
        assert store.commit(again) == Replayed(again)
        assert store.get(Spent, *once.key) == Spent(once.until)

    def test_each_owner_has_marks_of_its_own(self, store: CalledStore, clock: Clock) -> None:
        marks = [Once(("id", "1"), clock.now + 10 * number, f"o{number}") for number in range(1, 4)]
        for mark in marks:
            assert not store.is_used(mark)
            assert store.commit(mark) == COMMITTED
        for mark in marks:
            assert store.commit(mark) == Replayed(mark)
            assert store.is_used(mark)
        assert not store.is_used(Once(("id", "1"), clock.now + 9, "o4"))
        assert not store.is_used(Once(("id", "2"), clock.now + 9, "o1"))

    def test_owners_that_look_alike_are_different(self, store: CalledStore, clock: Clock) -> None:
        marks = [
            Once(key, clock.now + 9, owner)
            for key in (("a",), ("a", "b"), ("a", "b", "c"), ("owner", "a"))
            for owner in ("a", "A", "b", "c", "owner", "b-c")
        ]
        assert [store.commit(mark) for mark in marks] == [COMMITTED] * len(marks)
        assert [store.commit(mark) for mark in marks] == [Replayed(mark) for mark in marks]

    def test_a_mark_without_an_owner_is_everybodys(self, store: CalledStore, clock: Clock) -> None:
        """As earlier versions made it."""
        store.commit(Once(("id", "1"), clock.now + 9))
        owned = Once(("id", "1"), clock.now + 9, "o1")
        assert store.is_used(owned)
        assert store.commit(owned) == Replayed(owned)

    def test_a_mark_holds_for_as_long_as_its_owner_says_whichever_mark_of_the_key_ends_first(
        self, store: CalledStore, clock: Clock
    ) -> None:
        short, long = Once(("id", "1"), clock.now + 1, "short"), Once(("id", "1"), clock.now + 2000, "long")
        store.commit(short)
        store.commit(long)
        for number in range(300):  # so that what has ended is forgotten
            clock.now += 1
            assert store.commit(Once(("other", str(number)), clock.now + 1)) == COMMITTED
        assert store.commit(long) == Replayed(long)

    def test_marks_of_several_owners_are_made_together_or_not_at_all(self, store: CalledStore, clock: Clock) -> None:
        first, second, third = (Once(("id", "1"), clock.now + 9, owner) for owner in ("o1", "o2", "o3"))
        assert store.commit(first, second) == COMMITTED
        assert store.commit(third, second) == Replayed(second)
        assert not store.is_used(third)
        assert store.commit(third) == COMMITTED

    def test_a_mark_that_was_taken_back_can_be_made_again_and_no_other_can(
        self, store: CalledStore, clock: Clock
    ) -> None:
        marks = [Once(("id", "1"), clock.now + 9, owner) for owner in ("o1", "o2", "o3")] + [
            Once(("id", "2"), clock.now + 9)
        ]
        for taken in marks:
            store.commit(*(mark for mark in marks if not store.is_used(mark)))
            assert store.commit(TakeBack(taken.key, taken.owner)) == COMMITTED
            assert [store.is_used(mark) for mark in marks] == [mark is not taken for mark in marks]
            assert store.commit(TakeBack(taken.key, taken.owner)) == COMMITTED, "there is none any more"
            assert [store.commit(mark) for mark in marks if mark is not taken] == [
                Replayed(mark) for mark in marks if mark is not taken
            ]
            assert store.commit(taken) == COMMITTED
            assert store.commit(taken) == Replayed(taken)

    def test_nothing_is_taken_back_for_another_owner(self, store: CalledStore, clock: Clock) -> None:
        owned, everybodys = Once(("id", "1"), clock.now + 9, "o1"), Once(("id", "2"), clock.now + 9)
        store.commit(owned, everybodys)
        store.commit(TakeBack(("id", "1"), "o2"), TakeBack(("id", "1")), TakeBack(("id", "2"), "o1"))
        assert store.commit(owned) == Replayed(owned)
        assert store.commit(everybodys) == Replayed(everybodys)

    def test_a_commit_that_is_refused_takes_nothing_back(self, store: CalledStore, clock: Clock) -> None:
        owned, taken = Once(("id", "1"), clock.now + 9, "o1"), Once(("id", "2"), clock.now + 9)
        store.commit(owned, taken)
        assert store.commit(TakeBack(owned.key, owned.owner), taken) == Replayed(taken)
        assert store.commit(owned) == Replayed(owned)
