"""What a store promises of a commit: all or nothing, also of many at once."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any, Final

import pytest

from watchword.core.records import (
    COMMITTED, Add, Conflict, Counter, Exceeded, Once, Put, Ref, Replayed, Spent, Take, Write,
)  # fmt: skip
from watchword.testing.clock import Clock
from watchword.testing.conformance.called import CalledStore, Note

__all__ = ["CommitPromises"]

A: Final = Ref(Note, ("a",))
B: Final = Ref(Note, ("b",))

_LATER: Final = 2_000_000_000.0
_REFUSED: Final[list[Write]] = [
    Once(("taken",), _LATER),
    Put(B, Note("x"), if_version=7),
    Take(B, if_version=7),
    Take(A, if_version=0),
    Add(("c",), 9, _LATER, limit=5),
]


class CommitPromises:
    """All writes of a commit are made, or none."""

    @pytest.mark.parametrize("refused", _REFUSED, ids=lambda write: type(write).__name__)
    @pytest.mark.parametrize("last", [True, False])
    def test_a_refused_commit_writes_nothing_at_all(
        self, store: CalledStore, clock: Clock, refused: Any, last: bool
    ) -> None:
        end = clock.now + 100
        store.commit(Once(("taken",), end), Put(A, Note("1")), Add(("c",), 1, end))
        others = [
            Once(("fresh",), end), Put(A, Note("2")), Put(Ref(Note, ("n",)), Note("n"), 0), Add(("c",), 1, end),
            Add(("d",), 1, end), Take(Ref(Note, ("n",))),
        ]  # fmt: skip
        writes = [*others, refused] if last else [refused, *others]
        outcome = store.commit(*writes)
        assert isinstance(outcome, Replayed | Conflict | Exceeded)
        assert outcome.write == refused
        assert store.get(Spent, "fresh") is None
        assert (store.get(Note, "a"), store.version(Note, "a")) == (Note("1"), 1)
        assert store.get(Note, "n") is None
        assert store.get(Counter, "c") == Counter(1, end)
        assert store.get(Counter, "d") is None

    def test_writes_of_one_commit_see_each_other_in_order(self, store: CalledStore, clock: Clock) -> None:
        end = clock.now + 9
        once = Once(("x",), end)
        assert store.commit(once, once) == Replayed(once)
        assert store.commit(Put(A, Note("1"), 0), Put(A, Note("2"), 1), Take(A, 2), Put(A, Note("3"), 0)) == COMMITTED
        add = Add(("c",), 1, end, limit=2)
        assert store.commit(add, add, add) == Exceeded(add, end)
        assert store.commit(add, add) == COMMITTED

    def test_many_at_once_win_each_mark_once_and_never_pass_a_limit(self, store: CalledStore, clock: Clock) -> None:
        end = clock.now + 100
        outcomes: list[Any] = []

        def attempts(worker: int) -> list[list[Any]]:
            return [
                [Once(("m", str(number)), end)]
                if number % 2
                else [Put(Ref(Note, ("first", str(number))), Note("x"), 0)]
                for number in range(20)
            ] + [[Add(("c",), 1, end, limit=30)] for _ in range(10)]

        if inspect.iscoroutinefunction(store.store.commit):

            async def all_at_once() -> None:
                every = [writes for worker in range(6) for writes in attempts(worker)]
                outcomes.extend(await asyncio.gather(*(store.store.commit(writes) for writes in every)))

            store.wait(all_at_once())
        else:

            def work(worker: int) -> None:
                outcomes.extend([store.store.commit(writes) for writes in attempts(worker)])

            threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(outcomes) == 6 * 30
        assert sum(type(outcome) is Replayed for outcome in outcomes) == 10 * 5
        assert sum(type(outcome) is Conflict for outcome in outcomes) == 10 * 5
        assert sum(type(outcome) is Exceeded for outcome in outcomes) == 6 * 10 - 30
        assert store.get(Counter, "c").value == 30
