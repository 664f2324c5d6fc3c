"""A store of somebody's own keeps the promises; one that breaks any of them is found."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from watchword import ConfigurationError
from watchword.core.records import (
    Add,
    Conflict,
    Counter,
    Exceeded,
    Found,
    Once,
    Outcome,
    Put,
    Ref,
    Replayed,
    Spent,
    Take,
    Write,
)
from watchword.stores import MemoryStore
from watchword.testing import Clock
from watchword.testing.conformance import StoreConformance
from watchword.testing.conformance.called import CalledStore
from watchword.testing.conformance.store_model import Model, check_against_the_model


class ModelStore:
    """A store that somebody wrote in a few lines, for one thread: by the clock that it is given."""

    kinds: frozenset[type] | None = None
    blocking = False

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.model = Model()

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        found: dict[Ref[Any], tuple[Any, int]] = {}
        for ref in refs:
            if ref.kind is Spent and ref.key in self.model.spent:
                found[ref] = (Spent(self.model.spent[ref.key]), 1)
            elif ref.kind is Counter and ref.key in self.model.counters:
                counter = self.model.counters[ref.key]
                if counter.until > self.clock.now:
                    found[ref] = (counter, 1)
            elif ref in self.model.records:
                found[ref] = self.model.records[ref]
        return Found(found)

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        for write in writes:
            if isinstance(write, Once) and write.key in self.model.spent:  # everybody's, where it has no owner
                return Replayed(write)
        return self.model.commit(list(writes), self.clock.now)


class TestAStoreOfSomebodysOwn(StoreConformance):
    def make(self, folder: Path, clock: Clock) -> MemoryStore:
        return MemoryStore(clock=clock)


class Forgetful(ModelStore):
    """Makes every mark again and again."""

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        self.model.spent.clear()
        return super().commit(writes)


class Everybodys(ModelStore):
    """Sees no owner."""

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        return super().commit([write._replace(owner=None) if isinstance(write, Once) else write for write in writes])


class ByHalves(ModelStore):
    """Writes what comes before a write that is refused."""

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        for write in writes:
            outcome = super().commit([write])
            if isinstance(outcome, Replayed | Conflict | Exceeded):
                return outcome
        return self.model.commit([], self.clock.now)


class Versionless(ModelStore):
    """Writes over any version."""

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        return super().commit([w._replace(if_version=None) if isinstance(w, Put | Take) else w for w in writes])


class Boundless(ModelStore):
    """Counts beyond the limit."""

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        return super().commit([write._replace(limit=None) if isinstance(write, Add) else write for write in writes])


class Undying(ModelStore):
    """Keeps counters that have ended."""

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        ended = {Ref(Counter, key): (counter, 1) for key, counter in self.model.counters.items()}
        return super().fetch(refs).merged(Found({ref: ended[ref] for ref in refs if ref in ended}))


class Joining(ModelStore):
    """Takes two keys that look alike for one."""

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        return super().commit([self._joined(write) for write in writes])

    def _joined(self, write: Any) -> Any:
        if isinstance(write, Put | Take):
            return write._replace(ref=Ref(write.ref.kind, ("\0".join(write.ref.key),)))
        return write


class Bountiful(ModelStore):
    """Brings more than it was asked for."""

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return Found(dict(self.model.records)).merged(super().fetch(refs))


BROKEN = [Forgetful, Everybodys, ByHalves, Versionless, Boundless, Undying, Joining, Bountiful]


def broken_promises(make: Callable[[Clock], Any]) -> list[str]:
    """The promises that such a store breaks."""

    class Tried(StoreConformance):
        def make(self, folder: Path, clock: Clock) -> Any:
            return make(clock)

    broken = []
    for name, promise in inspect.getmembers(Tried(), inspect.ismethod):
        if name.startswith("test_") and not re.search("at_once|model", name):
            for arguments in rows(promise):
                clock = Clock()
                store = CalledStore(make(clock))
                given = {"store": store, "clock": clock, "make_store": lambda folder, clock: make(clock), **arguments}
                try:
                    promise(**{each: given[each] for each in inspect.signature(promise).parameters})
                except (AssertionError, AttributeError):
                    broken.append(name)
                finally:
                    store.close()
    return broken


def rows(promise: Any) -> list[dict[str, Any]]:
    """Its parametrizations."""
    found: list[dict[str, Any]] = [{}]
    for mark in getattr(promise, "pytestmark", ()):
        name, values = mark.args
        found = [{**row, name: value} for row in found for value in values]
    return found


def test_a_store_in_a_few_lines_breaks_none() -> None:
    assert broken_promises(ModelStore) == []


@pytest.mark.parametrize("kind", BROKEN)
def test_a_store_that_breaks_a_promise_is_found(kind: type[ModelStore]) -> None:
    assert broken_promises(kind)


@pytest.mark.parametrize("kind", [Versionless, Forgetful, ByHalves, Joining])
def test_the_model_finds_a_store_that_breaks_a_promise(kind: type[ModelStore]) -> None:
    before = settings()
    settings.register_profile(
        "found is enough", before, phases=[Phase.generate], max_examples=800, derandomize=True, report_multiple_bugs=False,
    )  # fmt: skip
    settings.load_profile("found is enough")
    try:
        with pytest.raises(AssertionError):
            check_against_the_model(lambda folder, clock: kind(clock), 0.0, frozenset())
    finally:
        settings.register_profile("before", before)
        settings.load_profile("before")


def test_a_class_that_makes_no_store_says_what_to_write(tmp_path: Path) -> None:
    class TestNothing(StoreConformance):
        pass

    with pytest.raises(ConfigurationError, match=r"TestNothing makes its store: def make\(self, folder, clock\)"):
        TestNothing().make(tmp_path, Clock())
