"""The promises of a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from watchword.core.rejection import ConfigurationError
from watchword.testing.clock import Clock
from watchword.testing.conformance.called import CalledStore
from watchword.testing.conformance.store_commits import CommitPromises
from watchword.testing.conformance.store_counters import CounterPromises
from watchword.testing.conformance.store_marks import MarkPromises
from watchword.testing.conformance.store_model import Make, check_against_the_model
from watchword.testing.conformance.store_records import RecordPromises

__all__ = ["StoreConformance"]


class StoreConformance(RecordPromises, MarkPromises, CounterPromises, CommitPromises):
    """What a `Store` or `AsyncStore` has to do. Subclass it in a test module, under a name that pytest collects:

    >>> from watchword.stores import MemoryStore
    >>> class TestMemoryStore(StoreConformance):
    ...     def make(self, folder, clock):
    ...         return MemoryStore(clock=clock)

    The store has to keep records of any frozen dataclass (`core.records`), and to go by the clock that it is given. `grace` says for
    how many seconds it keeps a mark that has ended; `kept_apart` names classes of records that one commit can't write together with
    others, where several stores are combined.
    """

    kept_apart: ClassVar[frozenset[type]] = frozenset()

    def make(self, folder: Path, clock: Clock) -> Any:
        """An empty store, sync or async.

        Args:
            folder: for its files, if it has any; empty, and its own.
            clock: its time.
        """
        raise ConfigurationError(f"{type(self).__name__} makes its store: def make(self, folder, clock): return …")

    @pytest.fixture
    def make_store(self) -> Make:
        """What makes the store; a subclass that is for several stores has a fixture of this name with `params`."""
        return self.make

    @pytest.fixture
    def clock(self) -> Clock:
        """The store's time."""
        return Clock()

    @pytest.fixture
    def store(self, make_store: Make, tmp_path: Path, clock: Clock) -> Iterator[CalledStore]:
        """An empty store."""
        called = CalledStore(make_store(tmp_path, clock))
        yield called
        called.close()

    def test_it_does_what_the_model_does(self, make_store: Make) -> None:
        check_against_the_model(make_store, self.grace, self.kept_apart)
