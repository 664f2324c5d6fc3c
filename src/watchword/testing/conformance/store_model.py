"""A store against a plain model: the same outcomes, the same contents, whatever is written in whatever order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from watchword.core.records import (
    COMMITTED, Add, After, Conflict, Counter, Exceeded, Once, Outcome, Put, Ref, Replayed, Spent, Take, TakeBack, Write,
)  # fmt: skip
from watchword.testing.clock import Clock
from watchword.testing.conformance.called import CalledStore, Hidden, Note

__all__ = ["Make", "Model", "check_against_the_model"]

Make = Callable[[Path, Clock], Any]
"""Makes an empty store with files in this folder, if it has any, by this clock."""

_SHARE: Final = 4
_KEYS = st.sampled_from([("a",), ("b",), ("a", "b"), ("a\0b",)])
_NOTES = st.builds(Note, st.text(max_size=5), st.binary(max_size=5), st.tuples(st.text(max_size=3)))
_RECORDS = _NOTES | st.builds(Hidden, st.text(max_size=5))
_VERSIONS = st.none() | st.integers(0, 3)
_OWNERS = st.sampled_from(["one", "two", "three"])
_LIVES = st.sampled_from([-100.0, 0.0, 0.5, 10.0, 100.0])
_AFTERS = st.none() | st.builds(After, _KEYS, st.integers(0, 4), st.integers(0, 3))
_WRITES = st.one_of(
    st.tuples(st.just("once"), _KEYS, _LIVES),
    st.tuples(st.just("owned"), _KEYS, _LIVES, _OWNERS),
    st.tuples(st.just("back"), _KEYS, _OWNERS),
    st.tuples(st.just("add"), _KEYS, _LIVES, st.integers(-3, 4), st.none() | st.integers(0, 6), _AFTERS),
    st.tuples(st.just("put"), _KEYS, _RECORDS, _VERSIONS),
    st.tuples(st.just("take"), _KEYS, st.sampled_from([Note, Hidden]), _VERSIONS),
)


class Model:
    """A store in a few lines: atomic because it copies everything."""

    def __init__(self) -> None:
        self.records: dict[Any, tuple[Any, int]] = {}
        self.spent: dict[Any, float] = {}
        self.counters: dict[Any, Counter] = {}

    def commit(self, writes: list[Write], now: float) -> Outcome:
        """As a store's, at the time `now`."""
        before = dict(self.records), dict(self.spent), dict(self.counters)
        for write in writes:
            refusal = self._write(write, now)
            if refusal is not None:
                self.records, self.spent, self.counters = before
                return refusal
        return COMMITTED

    def _write(self, write: Any, now: float) -> Outcome | None:
        if isinstance(write, Once):
            if write.place in self.spent:
                return Replayed(write)
            self.spent[write.place] = write.until
        elif isinstance(write, TakeBack):
            self.spent.pop(write.place, None)
        elif isinstance(write, Add):
            return self._add(write, now)
        else:
            version = self.records.get(write.ref, (None, 0))[1]
            if write.if_version not in (None, version):
                return Conflict(write)
            if isinstance(write, Put):
                self.records[write.ref] = (write.record, version + 1)
            else:
                self.records.pop(write.ref, None)
        return None

    def _add(self, write: Add, now: float) -> Outcome | None:
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


class _Comparison(RuleBasedStateMachine):
    make: Make
    grace: float
    kept_apart: frozenset[type]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.model = Model()
        self.store = CalledStore(type(self).make(Path(self.folder.name), self.clock))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(seconds=st.sampled_from([0.25, 1.0, 30.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(plans=st.lists(_WRITES, max_size=5))
    def commit(self, plans: list[Any]) -> None:
        writes = [self._planned(plan) for plan in plans]
        if any(map(self._is_apart, writes)):
            writes = [write for write in writes if self._is_apart(write)]  # the others are kept elsewhere
        now = self.clock.now
        for write in writes:  # a mark that has ended for longer may be forgotten or not, also one of these writes
            if isinstance(write, Once) and min(write.until, self.model.spent.get(write.place, now)) < now - self.grace:
                return
        assert self.store.commit(*writes) == self.model.commit(writes, now)
        for write in writes:
            if isinstance(write, Once) and write.owner is not None:
                ended = self.model.spent.get(write.place, now) < now - self.grace
                assert ended or self.store.is_used(write) is (write.place in self.model.spent)

    def _is_apart(self, write: Write) -> bool:
        return isinstance(write, Put | Take) and write.ref.kind in self.kept_apart

    def _planned(self, plan: Any) -> Write:
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
        refs: list[Ref[Any]] = [Ref(kind, key) for kind in (Note, Hidden, Spent, Counter) for key in keys]
        found = self.store.fetch(refs)
        for ref in refs:
            if ref.kind is Spent:
                until = self.model.spent.get(ref.key)
                if until is not None and until < now - self.grace and found.get(ref) is None:
                    del self.model.spent[ref.key]  # forgotten, as it may be
                else:
                    assert found.get(ref) == (None if until is None else Spent(until))
            elif ref.kind is Counter:
                counter = self.model.counters.get(ref.key)
                assert found.get(ref) == (counter if counter and counter.until > now else None)
            else:
                assert (found.get(ref), found.version(ref)) == self.model.records.get(ref, (None, 0))


def check_against_the_model(make: Make, grace: float, kept_apart: frozenset[type]) -> None:
    """That a store does what the model does, in any order of commits that Hypothesis finds.

    Args:
        make: makes the store.
        grace: seconds for which it keeps a mark that has ended.
        kept_apart: classes of records that one commit can't write together with others.
    """
    parts = {"make": staticmethod(make), "grace": grace, "kept_apart": kept_apart}
    run_state_machine_as_test(
        type("Comparison", (_Comparison,), parts),
        settings=settings(
            # One example is many commits.
            max_examples=max(1, settings().max_examples // _SHARE), stateful_step_count=15, database=None, deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )  # fmt: skip
