"""What the SQL stores say to the database: `Write`s as statements. Nothing is run here.

A commit is a conversation of one or two rounds: what is said in one round needs no answer to anything else in it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

from watchword.core.records import (
    COMMITTED, Add, Conflict, Exceeded, Once, Outcome, Put, Replayed, Take, TakeBack, Write,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError
from watchword.stores.counting import KEPT, Tally, adding, most_kept, no_room_to_keep
from watchword.stores.sql.dialects import Dialect, Say
from watchword.stores.sql.queries import counter_key, counting, key_text
from watchword.stores.writes import check_once, check_ref, check_until

__all__ = [
    "Answer", "Conversation", "Step", "check_room", "listing", "single", "steps", "transaction",
]  # fmt: skip

T = TypeVar("T")


class Answer(NamedTuple):
    """What became of a statement: how many rows it wrote, and what it read."""

    rows: int
    read: Sequence[Any] = ()


Conversation = Generator[Sequence[Say], Sequence[Answer], T]
"""Yields what is said in one round, takes the answers to it in their order, returns what came of it."""


class Step(NamedTuple):
    """A statement of a commit, which is refused if it writes exactly `refused_at` rows. An `Add` has none (`_Counting`).

    `place` is what it writes to: everybody writes in the order of the places, so that no two wait for each other.
    """

    say: Say | None
    refused_at: int | None
    write: Write | None
    place: tuple[str, ...] = ()


_ALL_OF_A_KIND: Final = "SELECT key, data, sealed FROM watchword_records WHERE kind = :kind LIMIT :most"


def listing(kind: type, most: int | None = None) -> Say:
    """The statement that reads every record of `kind`, or `most` of them; rows are (key, data, sealed)."""
    return _ALL_OF_A_KIND, {"kind": kind.__name__, "most": 2**62 if most is None else most}


# ---- commit ----------------------------------------------------------------------------------------------------------

_ONCE: Final = "INSERT INTO watchword_spent (key, until) VALUES (:key, :until) ON CONFLICT DO NOTHING"

# The marks of a key that have an owner, in SQLite. The first is under the key itself, where versions before owners look, so that
# none of them accepts what was marked here; those of other owners are each at a place of their own. The one under the key
# lives as long as any of them, and stays, as nobody's, when it is taken back.
_LIVES_LONGER: Final = "UPDATE watchword_spent SET until = max(until, :until) WHERE key = :key"
_ONCE_OF_OWNER: Final = (
    "INSERT INTO watchword_spent (key, until, owner) "
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM watchword_spent WHERE key = :key) THEN :place ELSE :key END, :until, :owner "
    "WHERE NOT EXISTS (SELECT 1 FROM watchword_spent "
    "WHERE key IN (:key, :place) AND (owner IS NULL OR owner = :owner)) ON CONFLICT DO NOTHING"
)
_NOBODYS: Final = "UPDATE watchword_spent SET owner = '' WHERE key = :key AND owner = :owner"
# In PostgreSQL, where no such version ever wrote, each is at its own place.
_ONCE_AT_PLACE: Final = (
    "INSERT INTO watchword_spent (key, until, owner) SELECT :place, :until, :owner "
    "WHERE NOT EXISTS (SELECT 1 FROM watchword_spent WHERE key = :key) ON CONFLICT DO NOTHING"
)
_UNMARK_OF_OWNER: Final = "DELETE FROM watchword_spent WHERE key = :place AND owner = :owner"
_UNMARK: Final = "DELETE FROM watchword_spent WHERE key = :key AND owner IS NULL"

_NEW: Final = "INSERT INTO watchword_records (kind, key, version, data, sealed) VALUES (:kind, :key, 1, :data, :sealed)"
_PUT_FIRST: Final = f"{_NEW} ON CONFLICT DO NOTHING"
_PUT: Final = (
    f"{_NEW} ON CONFLICT (kind, key) DO UPDATE "
    "SET version = watchword_records.version + 1, data = excluded.data, sealed = excluded.sealed"
)
_THIS: Final = "WHERE kind = :kind AND key = :key"
_PUT_OVER: Final = (
    f"UPDATE watchword_records SET version = version + 1, data = :data, sealed = :sealed {_THIS} AND version = :version"
)
_TAKE: Final = f"DELETE FROM watchword_records {_THIS}"
_TAKE_AT: Final = f"{_TAKE} AND version = :version"
_ENDS_LATER: Final = (
    "INSERT INTO watchword_ends (kind, key, until) VALUES (:kind, :key, :until) "
    "ON CONFLICT (kind, key) DO UPDATE SET until = excluded.until"
)

_COUNT: Final = (
    "INSERT INTO watchword_counters (key, value, until, rank, since) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until, rank = excluded.rank, "
    "since = CASE WHEN watchword_counters.until = excluded.until AND watchword_counters.rank = excluded.rank "
    "THEN watchword_counters.since ELSE excluded.since END"
)
_UNCOUNT: Final = "DELETE FROM watchword_counters WHERE key = ?"

# While a process stands still, nobody waits for its transaction longer than for an answer.
_PATIENCE: Final = "SELECT set_config('idle_in_transaction_session_timeout', :most, true), set_config('statement_timeout', :most, true)"

Encode = Callable[[Any, str, str], tuple[bytes, bool]]
"""`encode(record, kind, key)` gives its bytes and whether they are sealed."""


def steps(writes: Sequence[Write], encode: Encode, dialect: Dialect) -> list[Step]:
    """The statements that make `writes`."""
    made = []
    for write in writes:
        if isinstance(write, Once):
            made += _marking(write, dialect)
        elif isinstance(write, TakeBack):
            made += _unmarking(write, dialect)
        elif isinstance(write, Add):
            check_until(write.until)
            made.append(Step(None, None, write))
        else:
            made += _replacing(write, encode)
    return made


def _marking(write: Once, dialect: Dialect) -> list[Step]:
    check_once(write)
    key = key_text(write.key)
    values = {"key": key, "until": write.until}
    if write.owner is None:
        return [Step((_ONCE, values), 0, write, (_MARKS, key))]
    place = key_text(write.place)
    owned = {**values, "place": place, "owner": write.owner}
    if not dialect.shares_marks:
        return [Step((_ONCE_AT_PLACE, owned), 0, write, (_MARKS, place))]
    return [
        Step((_LIVES_LONGER, values), None, None, (_MARKS, key)),
        Step((_ONCE_OF_OWNER, owned), 0, write, (_MARKS, key)),
    ]


def _unmarking(write: TakeBack, dialect: Dialect) -> list[Step]:
    key, place = key_text(write.key), key_text(write.place)
    if write.owner is None:
        return [Step((_UNMARK, {"key": key}), None, write, (_MARKS, key))]
    own = Step((_UNMARK_OF_OWNER, {"place": place, "owner": write.owner}), None, write, (_MARKS, place))
    if not dialect.shares_marks:
        return [own]
    shared: Say = _NOBODYS, {"key": key, "owner": write.owner}
    return [Step(shared, None, write, (_MARKS, key)), own._replace(place=(_MARKS, key))]


def _replacing(write: Put | Take, encode: Encode) -> list[Step]:
    """When a record ends is written before the record: whoever forgets records locks them in that order."""
    check_ref(write)
    kind, key = write.ref.kind.__name__, key_text(write.ref.key)
    where = {"kind": kind, "key": key}
    place = (_RECORDS, kind, key)
    if isinstance(write, Take):
        if write.if_version is None:
            return [Step((_TAKE, where), None, write, place)]
        if write.if_version == 0:  # only if there is none: one that goes is one too many
            return [Step((_TAKE, where), 1, write, place)]
        return [Step((_TAKE_AT, {**where, "version": write.if_version}), 0, write, place)]
    data, sealed = encode(write.record, kind, key)
    what = {**where, "data": data, "sealed": int(sealed)}
    made = []
    if write.until is not None:
        check_until(write.until)
        made.append(Step((_ENDS_LATER, {**where, "until": write.until}), None, None, place))
    if write.if_version is None:
        return [*made, Step((_PUT, what), None, write, place)]
    if write.if_version == 0:
        return [*made, Step((_PUT_FIRST, what), 0, write, place)]
    return [*made, Step((_PUT_OVER, {**what, "version": write.if_version}), 0, write, place)]


_MARKS, _RECORDS = "1", "2"
COMMIT: Final[Say] = "COMMIT", {}
ROLLBACK: Final[Say] = "ROLLBACK", {}


def beginning(dialect: Dialect, patience: float) -> list[Say]:
    """What begins a transaction. `patience`: seconds for which others wait for it at most."""
    begin: Say = dialect.begin, {}
    if dialect.takes_turns:
        return [begin]
    return [begin, (_PATIENCE, {"most": f"{max(1, int(patience * 1000))}ms"})]


def single(say: Say) -> Conversation[Answer]:
    """One statement, which is a transaction by itself."""
    (answer,) = yield [say]
    return answer


def transaction(
    steps: Sequence[Step], now: float, room: int, dialect: Dialect, patience: float
) -> Conversation[Outcome]:
    """Makes all of the steps or none, in two rounds. The outcome is that of the first step that is refused.

    A single statement is a transaction by itself, unless it has to be undone. `room` is for how many counters there is.
    """
    adds = [step.write for step in steps if isinstance(step.write, Add)]
    if len(steps) == 1 and steps[0].say is not None and steps[0].refused_at != 1:
        answer = yield from single(steps[0].say)
        return _refusal(steps[0].write) if answer.rows == steps[0].refused_at else COMMITTED
    counters = _Counting(now, room)
    before = [*beginning(dialect, patience), *(counters.reading(adds, dialect) if adds else ())]
    said = sorted(
        ((step.place, number, step.say) for number, step in enumerate(steps) if step.say is not None), key=itemgetter(0)
    )
    answers = yield [*before, *(say for _, _, say in said)]
    if adds:
        counters.read(answers[len(before) - 1])
    rows = {number: answer.rows for (_, number, _), answer in zip(said, answers[len(before) :], strict=True)}
    for number, step in enumerate(steps):
        refusal: Outcome | None = None
        if step.say is None:
            refusal = counters.add(step.write)
        elif rows[number] == step.refused_at:
            refusal = _refusal(step.write)
        if refusal is not None:
            yield [ROLLBACK]
            return refusal
    if counters.are_too_many():
        yield [ROLLBACK]
        raise no_room_to_keep(room)
    yield [*counters.written(), COMMIT]
    return COMMITTED


def _refusal(write: Write | None) -> Outcome:
    if isinstance(write, Once):
        return Replayed(write)
    assert isinstance(write, Put | Take)
    return Conflict(write)


class _Counting:
    """The counters of one commit: read in its first round, written in its second, locked from one to the other."""

    def __init__(self, now: float, room: int) -> None:
        self._now = now
        self._room = room
        self._kept = 0
        self._keys: list[tuple[str, ...]] = []
        self._before: dict[tuple[str, ...], Tally] = {}
        self._after: dict[tuple[str, ...], Tally] = {}

    def reading(self, adds: Sequence[Add], dialect: Dialect) -> list[Say]:
        """What is said to read them, to whose last statement `read` is told the answer."""
        self._keys = list(dict.fromkeys(key for add in adds for key in _counters_of(add)))
        return counting(self._keys, dialect)

    def read(self, answer: Answer) -> None:
        """Takes what was read of them."""
        for place, value, until, rank in answer.read:
            if place < 0:
                self._kept = value
            else:
                self._before[self._keys[place]] = Tally(value, until, rank)

    def add(self, write: Write | None) -> Exceeded | None:
        assert isinstance(write, Add)
        made = adding(
            write, self._living(write.counter), None if write.after is None else self._living(write.after.counter)
        )
        if isinstance(made, Exceeded):
            return made
        if made is not None:
            self._after[write.counter] = made
        return None

    def are_too_many(self) -> bool:
        """Whether there is no room for what would have to be kept."""
        kept = sum(tally.rank == KEPT > self._rank_before(key) for key, tally in self._after.items())
        return bool(kept) and self._kept + kept > most_kept(self._room)

    def written(self) -> list[Say]:
        """What is said to write them, in the order of their keys."""
        made: list[Say] = []
        for hashed, key, tally in sorted((counter_key(key), key, tally) for key, tally in self._after.items()):
            if tally.value:
                made.append((_COUNT, (hashed, *tally, self._now)))
            elif key in self._before:
                made.append((_UNCOUNT, (hashed,)))
        return made

    def _living(self, key: tuple[str, ...]) -> Tally | None:
        tally = self._after.get(key) or self._before.get(key)
        return tally if tally is not None and tally.lives(self._now) else None

    def _rank_before(self, key: tuple[str, ...]) -> int:
        before = self._before.get(key)
        return -1 if before is None else before.rank


def _counters_of(add: Add) -> Sequence[tuple[str, ...]]:
    return (add.counter,) if add.after is None else (add.counter, add.after.counter)


def check_room(room: int) -> int:
    """`room` for counters; `ConfigurationError` if there is none."""
    if room < 1:
        raise ConfigurationError(f"max_counters={room}: at least 1, by default half a million")
    return room
