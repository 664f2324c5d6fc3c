"""What a store promises of records and their versions."""

from __future__ import annotations

from typing import Final

from watchword.core.records import (
    COMMITTED, Add, Conflict, Counter, Once, Put, Ref, Spent, Take,
)  # fmt: skip
from watchword.testing.clock import Clock
from watchword.testing.conformance.called import CalledStore, Hidden, Note

__all__ = ["RecordPromises"]

A: Final = Ref(Note, ("a",))
B: Final = Ref(Note, ("b",))


class RecordPromises:
    """Records come back as they were put; conditions are versions."""

    def test_a_record_comes_back_as_it_was_put_with_its_version(self, store: CalledStore) -> None:
        note = Note("ü\0\n\"'", bytes(range(256)), ("x", "y"), 0.1)
        assert store.commit(Put(A, note)) == COMMITTED
        assert store.get(Note, "a") == note
        assert store.version(Note, "a") == 1
        assert store.commit(Put(A, Note("2"))) == COMMITTED
        assert (store.get(Note, "a"), store.version(Note, "a")) == (Note("2"), 2)

    def test_what_is_not_there_is_not_found(self, store: CalledStore) -> None:
        found = store.fetch([A, Ref(Spent, ("a",)), Ref(Counter, ("a",)), Ref(Hidden, ("a",))])
        assert [found.get(ref) for ref in (A, Ref(Spent, ("a",)), Ref(Counter, ("a",)))] == [None] * 3
        assert found.version(A) == 0
        assert store.fetch([]).get(A) is None
        assert store.commit() == COMMITTED

    def test_one_fetch_brings_records_marks_and_counters_and_no_other(self, store: CalledStore, clock: Clock) -> None:
        store.commit(Put(A, Note("a")), Put(B, Note("b")), Put(Ref(Note, ("c",)), Note("c")))
        store.commit(Put(Ref(Hidden, ("a",)), Hidden("s")))
        store.commit(Put(Ref(Hidden, ("c",)), Hidden("t")))
        store.commit(Once(("a",), clock.now + 9), Add(("a",), 4, clock.now + 8))
        refs = [A, Ref(Note, ("c",)), Ref(Hidden, ("a",)), Ref(Spent, ("a",)), Ref(Counter, ("a",)), Ref(Spent, ("b",))]
        found = store.fetch(refs)
        assert [found.get(ref) for ref in refs] == [
            Note("a"), Note("c"), Hidden("s"), Spent(clock.now + 9), Counter(4, clock.now + 8), None,
        ]  # fmt: skip
        assert found.get(B) is None
        assert found.get(Ref(Hidden, ("c",))) is None

    def test_keys_that_look_alike_are_different(self, store: CalledStore, clock: Clock) -> None:
        keys = [
            ("a", "b"), ("a\0b",), ("a,b",), ('a","b',), ("ab",), ("ab", ""), ("", "ab"), ("A", "b"), (), ("",), ("a ", "b"),
            ("\u00e9",), ("e\u0301",), ("\ud800",), ("\\ud800",), ("a/b",),
        ]  # fmt: skip
        for number, key in enumerate(keys):
            assert store.commit(Put(Ref(Note, key), Note(str(number)), 0)) == COMMITTED, key
            assert store.commit(Once(key, clock.now + 10)) == COMMITTED, key
        assert [store.get(Note, *key).text for key in keys] == [str(number) for number in range(len(keys))]

    def test_put_if_version_writes_over_exactly_that_version(self, store: CalledStore) -> None:
        first = Put(A, Note("1"), if_version=0)
        assert store.commit(first) == COMMITTED
        assert store.commit(first) == Conflict(first)
        over = Put(A, Note("2"), if_version=1)
        assert store.commit(over) == COMMITTED
        assert store.commit(over) == Conflict(over)
        missing = Put(B, Note("2"), if_version=1)
        assert store.commit(missing) == Conflict(missing)
        assert (store.get(Note, "a"), store.get(Note, "b")) == (Note("2"), None)

    def test_take_deletes_and_its_condition_is_the_version(self, store: CalledStore) -> None:
        assert store.commit(Take(A)) == COMMITTED
        assert store.commit(Take(A, if_version=0)) == COMMITTED
        store.commit(Put(A, Note("1")))
        for version in (0, 2):
            assert store.commit(Take(A, version)) == Conflict(Take(A, version))
            assert store.get(Note, "a") == Note("1")
        assert store.commit(Take(A, 1)) == COMMITTED
        assert store.get(Note, "a") is None
        assert store.commit(Take(A, 1)) == Conflict(Take(A, 1))
        store.commit(Put(A, Note("again")))
        assert store.commit(Take(A)) == COMMITTED
        assert store.version(Note, "a") == 0
