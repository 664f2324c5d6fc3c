"""What is said to a database, before anything is said: two rounds at most, and always in one order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stores.faces import Hidden, Note
from watchword.core.records import COMMITTED, Add, After, Once, Outcome, Put, Ref, Take, TakeBack, Write
from watchword.stores.sql.dialects import POSTGRESQL, SQLITE, Dialect, Say
from watchword.stores.sql.forgetting import forgetting
from watchword.stores.sql.queries import asking, fetching, marking
from watchword.stores.sql.statements import Answer, steps, transaction

LATER = 2e9
WRITES: list[Write] = [
    *(Once((name,), LATER) for name in "cab"),
    *(Once(("owned", name), LATER, owner) for name in "ba" for owner in ("y", "x")),
    TakeBack(("gone",), "x"),
    TakeBack(("gone",)),
    *(Add((name,), 1, LATER, 9, After(("z",), 1)) for name in "dcb"),
    *(Put(Ref(kind, (name,)), kind("x"), version, until) for kind in (Note, Hidden) for name, version, until in
      (("b", 0, None), ("a", 3, LATER), ("c", None, None))),
    *(Take(Ref(Note, (name,)), version) for name, version in (("e", None), ("d", 2), ("f", 0))),
]  # fmt: skip


def encode(record: Any, kind: str, key: str) -> tuple[bytes, bool]:
    return b"{}", False


def rounds(writes: Sequence[Write], dialect: Dialect, refused: int = -1) -> tuple[list[list[Say]], Outcome]:
    """What is said in each round; every statement writes a row, but the `refused`-th step's, which writes none."""
    conversation = transaction(steps(writes, encode, dialect), 1e9, 1000, dialect, 5.0)
    said: list[list[Say]] = [list(next(conversation))]
    try:
        while True:
            answers = [
                Answer(0 if "watchword" in text and number == refused else 1)
                for number, (text, _) in enumerate(said[-1])
            ]
            said.append(list(conversation.send(answers)))
    except StopIteration as stop:
        return said, stop.value


@given(st.lists(st.sampled_from(WRITES), min_size=1, max_size=12), st.integers(-1, 15))
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
def test_whatever_is_written_and_whatever_is_refused_there_are_two_rounds_at_most(
    dialect: Dialect, writes: list[Write], refused: int
) -> None:
    said, outcome = rounds(writes, dialect, refused)
    assert len(said) <= 2
    if len(said) == 2:
        assert said[0][0][0] == dialect.begin
        assert said[1][-1][0] == ("COMMIT" if outcome == COMMITTED else "ROLLBACK")


@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(range(len(WRITES))), min_size=2))
def test_two_commits_lock_in_the_same_order_what_both_write(random: random.Random, chosen: set[int]) -> None:
    """In SQLite one writes at a time."""
    writes = [write for number, write in enumerate(WRITES) if number in chosen and not _refused(write)]
    if len(steps(writes, encode, POSTGRESQL)) > 1:
        assert locking(writes) == locking(random.sample(writes, len(writes)))


def locking(writes: Sequence[Write]) -> list[list[Say]]:
    """What is said, without what reads."""
    said, _ = rounds(writes, POSTGRESQL)
    return [[say for say in made if "WITH c(" not in say[0]] for made in said]


def _refused(write: Write) -> bool:
    return isinstance(write, Take) and write.if_version == 0


def test_a_postgresql_commit_locks_counters_first_in_the_order_of_the_locks() -> None:
    adds = [Add((str(number),), 1, LATER) for number in range(9)]
    first, _ = rounds(adds, POSTGRESQL)[0]
    (text, parameters) = first[2]
    assert "pg_advisory_xact_lock" in text
    locks = [int(lock) for lock in parameters[0].strip("{}").split(",")]  # type: ignore[index]
    assert locks == sorted(set(locks))
    assert len(locks) == 9


def test_nothing_that_is_said_to_postgresql_outlives_its_transaction() -> None:
    """A pooler gives each transaction another connection: no session's setting, prepared statement, lock or temporary table."""
    said = [say for made in rounds(WRITES, POSTGRESQL)[0] for say in made]
    said += next(forgetting(None, 1000, POSTGRESQL, 5.0))
    said += [fetching([Ref(Note, ("a",))], 0.0, POSTGRESQL), marking([WRITES[0]], 0.0, POSTGRESQL)]  # type: ignore[list-item]
    said += [say for _, say in asking([Add(("a",), 0, 0.0, 1)], 0.0) or ()]
    for text, _ in said:
        for word in ("PREPARE", "LISTEN", "TEMP", "SET ", "pg_advisory_lock", ", false)"):
            assert word not in text.replace("DO UPDATE SET ", "").replace("watchword_records SET ", ""), text
