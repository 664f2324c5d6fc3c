"""Every store against a plain model: the same outcomes, the same contents, whatever is written in whatever order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.examples_of import examples
from tests.stores.faces import KINDS, Called, Clock, Hidden, Note
from watchword.core.records import (
    COMMITTED, Add, After, Conflict, Counter, Exceeded, Once, Put, Ref, Replayed, Spent, Take, TakeBack,
)  # fmt: skip

KEYS = st.sampled_from([("a",), ("b",), ("a", "b"), ("a\0b",)])
RECORDS = st.builds(Note, st.text(max_size=5), st.binary(max_size=5), st.tuples(st.text(max_size=3)))
RECORDS |= st.builds(Hidden, st.text(max_size=5))
VERSIONS = st.none() | st.integers(0, 3)
OWNERS = st.sampled_from(["one", "two", "three"])
LIVES = st.sampled_from([-100.0, 0.0, 0.5, 10.0, 100.0])
AFTERS = st.none() | st.builds(After, KEYS, st.integers(0, 4), st.integers(0, 3))
WRITES = st.one_of(
    st.tuples(st.just("once"), KEYS, LIVES),
    st.tuples(st.just("owned"), KEYS, LIVES, OWNERS),
    st.tuples(st.just("back"), KEYS, OWNERS),
    st.tuples(st.just("add"), KEYS, LIVES, st.integers(-3, 4), st.none() | st.integers(0, 6), AFTERS),
    st.tuples(st.just("put"), KEYS, RECORDS, VERSIONS),
    st.tuples(st.just("take"), KEYS, st.sampled_from([Note, Hidden]), VERSIONS),
)


class Model:
    """What a store is, in twenty lines: no atomicity by care but by copying everything."""

    def __init__(self) -> None:
        self.records: dict[Any, tuple[Any, int]] = {}
        self.spent: dict[Any, float] = {}
        self.counters: dict[Any, Counter] = {}

    def commit(self, writes: list[Any], now: float) -> Any:
        before = dict(self.records), dict(self.spent), dict(self.counters)
        for write in writes:
            refusal = self.write(write, now)
            if refusal is not None:
                self.records, self.spent, self.counters = before
                return refusal
        return COMMITTED

    def write(self, write: Any, now: float) -> Any:
        if isinstance(write, Once):
            if write.place in self.spent:
                return Replayed(write)
            self.spent[write.place] = write.until
        elif isinstance(write, TakeBack):
            self.spent.pop(write.place, None)
        elif isinstance(write, Add):
            return self.add(write, now)
        else:
            version = self.records.get(write.ref, (None, 0))[1]
            if write.if_version not in (None, version):
                return Conflict(write)
            if isinstance(write, Put):
                self.records[write.ref] = (write.record, version + 1)
            else:
                self.records.pop(write.ref, None)
        return None

    def add(self, write: Add, now: float) -> Any:
        counter = self.counters.get(write.counter)
        if counter is None or counter.until <= now:
            if write.n < 0 or (write.n == 0 and write.limit is not None):
                return None
            if write.after is not None:
                other = self.counters.get(write.after.counter)
                if other is None or other.until <= now or other.value < write.after.value:
                    return None
            counter = Counter(0 if write.after is None else write.after.start, write.until)
        elif write.n < 0 and counter.until > write.until:
            return None
        total = max(0, counter.value + write.n)
        if write.limit is not None and write.n >= 0 and total > write.limit:
            return Exceeded(write, counter.until)
        if write.n or write.limit is None:
            self.counters[write.counter] = Counter(total, counter.until)
        if total == 0:
            self.counters.pop(write.counter, None)
        return None


class Comparison(RuleBasedStateMachine):
    kind = ""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.model = Model()
        self.store = Called(KINDS[self.kind](Path(self.folder.name), self.clock))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(seconds=st.sampled_from([0.25, 1.0, 30.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(plans=st.lists(WRITES, max_size=5))
    def commit(self, plans: list[Any]) -> None:
        writes = [self.write(plan) for plan in plans]
        if "combined" in self.kind and any(map(is_hidden, writes)):
            writes = [write for write in writes if is_hidden(write)]  # the others are in the other store
        now = self.clock.now
        for write in writes:  # a mark that ended over a minute ago may be forgotten or not, also one of these writes
            if isinstance(write, Once) and min(write.until, self.model.spent.get(write.place, now)) < now - 60:
                return
        assert self.store.commit(*writes) == self.model.commit(writes, now)
        for write in writes:
            if isinstance(write, Once) and write.owner is not None:
                ended = self.model.spent.get(write.place, now) < now - 60
                assert ended or write.is_used(self.store.fetch(write.refs)) is (write.place in self.model.spent)

    def write(self, plan: Any) -> Any:
        verb, key, *rest = plan
        if verb == "once":
            return Once(key, self.clock.now + rest[0])
        if verb == "owned":  # of one key there are marks with owners or one without, as schemes make them
            return Once(("owned", *key), self.clock.now + rest[0], rest[1])
        if verb == "back":
            return TakeBack(("owned", *key), rest[0])
        if verb == "add":
            return Add(key, rest[1], self.clock.now + rest[0], rest[2], rest[3])
        if verb == "put":
            return Put(Ref(type(rest[0]), key), rest[0], rest[1])
        return Take(Ref(rest[0], key), rest[1])

    @invariant()
    def both_hold_the_same(self) -> None:
        now = self.clock.now
        keys = [("a",), ("b",), ("a", "b"), ("a\0b",)]
        refs = [Ref(kind, key) for kind in (Note, Hidden, Spent, Counter) for key in keys]
        found = self.store.fetch(refs)
        for ref in refs:
            if ref.kind is Spent:
                until = self.model.spent.get(ref.key)
                if until is not None and until < now - 60 and found.get(ref) is None:
                    del self.model.spent[ref.key]  # forgotten, as it may be
                else:
                    assert found.get(ref) == (None if until is None else Spent(until))
            elif ref.kind is Counter:
                counter = self.model.counters.get(ref.key)
                assert found.get(ref) == (counter if counter and counter.until > now else None)
            else:
                assert (found.get(ref), found.version(ref)) == self.model.records.get(ref, (None, 0))


def is_hidden(write: Any) -> bool:
    return isinstance(write, Put | Take) and write.ref.kind is Hidden


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_does_what_the_model_does(kind: str) -> None:
    machine = type("Machine", (Comparison,), {"kind": kind})
    run_state_machine_as_test(machine, settings=examples(25, stateful_step_count=15, database=None))
