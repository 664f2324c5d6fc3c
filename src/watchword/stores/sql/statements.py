"""What the SQL stores say to the database: `Ref`s and `Write`s as statements, and rows as records. Nothing is run here.

Generic tables; a new kind of record needs no new one. A kind is stored under its class's `__name__`, so that name
must be unique and stay as it is. A key is stored as a JSON array in ASCII, which no two keys share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, bindparam, delete, select, tuple_,
    update,
)  # fmt: skip
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateIndex, CreateTable

from watchword.core.records import (
    COMMITTED, Add, Conflict, Exceeded, Once, Outcome, Put, Replayed, Take, TakeBack, Write,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError
from watchword.stores.counting import KEPT, Tally, adding, most_kept, no_room_to_keep, share_of_a_rank
from watchword.stores.sql.queries import Say, counter_key, counting, key_text
from watchword.stores.writes import GRACE, check_once, check_ref, check_until

__all__ = [
    "ADDED",
    "OLDER",
    "Answer",
    "Step",
    "check_room",
    "forgets",
    "forgetting",
    "listing",
    "schema",
    "steps",
    "transaction",
]  # fmt: skip

_TABLES = MetaData()
_RECORDS = Table(
    "watchword_records",
    _TABLES,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("sealed", Integer, nullable=False),
    sqlite_with_rowid=False,
)
_SPENT = Table(
    "watchword_spent",
    _TABLES,
    Column("key", Text, primary_key=True),
    Column("until", Float, nullable=False),  # no index: one would double the cost of a mark (`_SWEEP`)
    Column("owner", Text),  # NULL: everybody
    sqlite_with_rowid=False,
)
_COUNTERS = Table(
    "watchword_counters",
    _TABLES,
    Column("key", LargeBinary, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("until", Float, nullable=False, index=True),
    Column("rank", Integer, nullable=False),
    Column("since", Float, nullable=False),  # of that rank
    Index("ix_watchword_counters_rank_since", "rank", "since"),
    sqlite_with_rowid=False,
)
# How many counters of each rank there are (`stores.counting`); triggers see to that.
_SIZES = Table(
    "watchword_sizes",
    _TABLES,
    Column("rank", Integer, primary_key=True),
    Column("counters", Integer, nullable=False),
)
_ENDS = Table(
    "watchword_ends",
    _TABLES,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("until", Float, nullable=False, index=True),
    sqlite_with_rowid=False,
)
_FACTS = Table(
    "watchword_facts",
    _TABLES,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


class Answer(NamedTuple):
    """What became of a statement: how many rows it wrote, and what it read."""

    rows: int
    read: Sequence[Any] = ()


class Step(NamedTuple):
    """A statement of a commit, which is refused if it writes exactly `refused_at` rows. An `Add` has none (`_Counting`)."""

    say: Say | None
    refused_at: int | None
    write: Write | None


OLDER: tuple[tuple[str, str], ...] = (("watchword_counters", "since"),)
"""Tables that are made anew where they lack that column: what is in them is of use for a day at most."""

ADDED: tuple[tuple[str, str, str], ...] = (("watchword_spent", "owner", "TEXT"),)
"""Columns that tables of earlier versions lack, with their types. Whoever runs such a version on the same file leaves them out."""

_SIZED: tuple[str, ...] = (
    (
        "WITH r(rank) AS (VALUES (0), (1), (2), (3), (4)) INSERT OR IGNORE INTO watchword_sizes "
        "SELECT rank, (SELECT count(*) FROM watchword_counters AS t WHERE t.rank = r.rank) FROM r "
        "WHERE NOT EXISTS (SELECT 1 FROM watchword_sizes)"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS watchword_counter_made AFTER INSERT ON watchword_counters "
        "BEGIN UPDATE watchword_sizes SET counters = counters + 1 WHERE rank = new.rank; END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS watchword_counter_gone AFTER DELETE ON watchword_counters "
        "BEGIN UPDATE watchword_sizes SET counters = counters - 1 WHERE rank = old.rank; END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS watchword_counter_ranked AFTER UPDATE OF rank ON watchword_counters "
        "WHEN old.rank <> new.rank BEGIN "
        "UPDATE watchword_sizes SET counters = counters - 1 WHERE rank = old.rank; "
        "UPDATE watchword_sizes SET counters = counters + 1 WHERE rank = new.rank; END"
    ),
)


def schema() -> list[str]:
    """The statements that make the tables, in SQLite's dialect; harmless where they are."""
    dialect = sqlite.dialect()
    made = []
    for table in _TABLES.sorted_tables:
        made.append(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
        made += [str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)) for index in table.indexes]
    return [*made, *_SIZED, "DROP INDEX IF EXISTS ix_watchword_spent_until"]


def _text(statement: Any) -> str:
    """A statement as SQLite reads it, its parameters by name."""
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    written = str(compiled)
    for name, value in compiled.params.items():
        if value is not None:  # a constant of the statement's own
            written = re.sub(rf":{name}\b", str(int(value)), written)
    return written


_ALL_OF_A_KIND = _text(
    select(_RECORDS.c.key, _RECORDS.c.data, _RECORDS.c.sealed)
    .where(_RECORDS.c.kind == bindparam("kind"))
    .limit(bindparam("most", type_=Integer))
)


def listing(kind: type, most: int | None = None) -> Say:
    """The statement that reads every record of `kind`, or `most` of them; rows are (key, data, sealed)."""
    return _ALL_OF_A_KIND, {"kind": kind.__name__, "most": -1 if most is None else most}


# ---- commit ----------------------------------------------------------------------------------------------------------

_ONCE = _text(insert(_SPENT).values(key=bindparam("key"), until=bindparam("until")).on_conflict_do_nothing())

# The marks of a key that have an owner. The first is under the key itself, where versions before owners look, so that none of
# them accepts what was marked here; those of other owners are each at a place of their own. The one under the key
# lives as long as any of them, and stays, as nobody's, when it is taken back.
_LIVES_LONGER = "UPDATE watchword_spent SET until = max(until, :until) WHERE key = :key"
_ONCE_OF_OWNER = (
    "INSERT INTO watchword_spent (key, until, owner) "
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM watchword_spent WHERE key = :key) THEN :place ELSE :key END, :until, :owner "
    "WHERE NOT EXISTS (SELECT 1 FROM watchword_spent "
    "WHERE key IN (:key, :place) AND (owner IS NULL OR owner = :owner)) ON CONFLICT DO NOTHING"
)
_NOBODYS = "UPDATE watchword_spent SET owner = '' WHERE key = :key AND owner = :owner"
_UNMARK_OF_OWNER = "DELETE FROM watchword_spent WHERE key = :place AND owner = :owner"
_UNMARK = "DELETE FROM watchword_spent WHERE key = :key AND owner IS NULL"

_NEW = insert(_RECORDS).values(
    kind=bindparam("kind"), key=bindparam("key"), version=1, data=bindparam("data"), sealed=bindparam("sealed")
)
_PUT_FIRST = _text(_NEW.on_conflict_do_nothing())
_PUT = _text(
    _NEW.on_conflict_do_update(
        index_elements=[_RECORDS.c.kind, _RECORDS.c.key],
        set_={"version": _RECORDS.c.version + 1, "data": _NEW.excluded.data, "sealed": _NEW.excluded.sealed},
    )
)
_THIS = (_RECORDS.c.kind == bindparam("b_kind"), _RECORDS.c.key == bindparam("b_key"))
_AT_VERSION = _RECORDS.c.version == bindparam("b_version")
_PUT_OVER = _text(
    update(_RECORDS)
    .where(*_THIS, _AT_VERSION)
    .values(version=_RECORDS.c.version + 1, data=bindparam("data"), sealed=bindparam("sealed"))
)
_TAKE = _text(delete(_RECORDS).where(*_THIS))
_TAKE_AT = _text(delete(_RECORDS).where(*_THIS, _AT_VERSION))

_COUNT = (
    "INSERT INTO watchword_counters (key, value, until, rank, since) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until, rank = excluded.rank, "
    "since = CASE WHEN until = excluded.until AND rank = excluded.rank THEN since ELSE excluded.since END"
)
_UNCOUNT = "DELETE FROM watchword_counters WHERE key = ?"

# Marks are looked through in the order of their keys, some at a time, from where the last sweep of any process ended: the
# facts 'swept from' (excluded) and 'swept to' (included; '' is the end).
_SWEEP: tuple[str, ...] = (
    (
        "INSERT OR REPLACE INTO watchword_facts (name, value) "
        "SELECT 'swept from', coalesce((SELECT value FROM watchword_facts WHERE name = 'swept to'), '')"
    ),
    (
        "INSERT OR REPLACE INTO watchword_facts (name, value) "
        "SELECT 'swept to', coalesce((SELECT key FROM watchword_spent WHERE key > "
        "(SELECT value FROM watchword_facts WHERE name = 'swept from') ORDER BY key LIMIT 1 OFFSET :most - 1), '')"
    ),
    (
        "DELETE FROM watchword_spent WHERE until < :past "
        "AND key > (SELECT value FROM watchword_facts WHERE name = 'swept from') "
        "AND key <= coalesce((SELECT nullif(value, '') FROM watchword_facts WHERE name = 'swept to'), x'')"
    ),
)  # a blob comes after every text
_FORGET_COUNTERS = (
    "DELETE FROM watchword_counters WHERE key IN (SELECT key FROM watchword_counters WHERE until < :past LIMIT :most)"
)
_DROP_LEAST = (
    "DELETE FROM watchword_counters WHERE key IN "
    "(SELECT key FROM watchword_counters WHERE rank = :rank ORDER BY since LIMIT max(0, min("
    ":most, (SELECT sum(counters) FROM watchword_sizes) - :room, "
    "(SELECT counters FROM watchword_sizes WHERE rank = :rank) - :share)))"
)

_END = insert(_ENDS).values(kind=bindparam("kind"), key=bindparam("key"), until=bindparam("until"))
_ENDS_LATER = _text(
    _END.on_conflict_do_update(index_elements=[_ENDS.c.kind, _ENDS.c.key], set_={"until": _END.excluded.until})
)
_ENDED = (
    select(_ENDS.c.kind, _ENDS.c.key)
    .where(_ENDS.c.until < bindparam("past"))
    .order_by(_ENDS.c.until, _ENDS.c.kind, _ENDS.c.key)
    .limit(bindparam("most"))
)
# The records first: both statements find the same ends, for they are of one transaction.
_FORGET_RECORDS, _FORGET_ENDS = (
    _text(delete(table).where(tuple_(table.c.kind, table.c.key).in_(_ENDED))) for table in (_RECORDS, _ENDS)
)

Encode = Callable[[Any, str, str], tuple[bytes, bool]]
"""`encode(record, kind, key)` gives its bytes and whether they are sealed."""


def steps(writes: Sequence[Write], encode: Encode) -> list[Step]:
    """The statements that make `writes`."""
    made = []
    for write in writes:
        if isinstance(write, Once):
            made += _marking(write)
            continue
        if isinstance(write, TakeBack):
            made += _unmarking(write)
            continue
        made.append(_step(write, encode))
        if isinstance(write, Put) and write.until is not None:
            check_until(write.until)
            end = {"kind": write.ref.kind.__name__, "key": key_text(write.ref.key), "until": write.until}
            made.append(Step((_ENDS_LATER, end), None, None))
    return made


def forgetting(now: float, room: int) -> list[Step]:
    """The statements that forget some of the marks, counters and records that ended more than `GRACE` seconds ago.

    The least valuable counters go as well while there are more than `room`. Of each twice as many as may come in until
    the next time; of the marks eight times as many are looked at, so that few that ended are still there. All that is
    no part of a commit, since a commit may be refused.
    """
    past, counted = {"past": now - GRACE, "most": _MOST}, {"past": now - GRACE, "most": _MOST_COUNTERS}
    swept = {"past": now - GRACE, "most": _MOST_SWEPT}
    least = {"most": _MOST_COUNTERS, "room": room, "share": share_of_a_rank(room)}
    says: list[Say] = [
        *((sweep, swept) for sweep in _SWEEP),
        (_FORGET_COUNTERS, counted),
        *((_DROP_LEAST, {**least, "rank": rank}) for rank in range(KEPT)),
        (_FORGET_RECORDS, past),
        (_FORGET_ENDS, past),
    ]
    return [Step(say, None, None) for say in says]


def _marking(write: Once) -> list[Step]:
    check_once(write)
    values = {"key": key_text(write.key), "until": write.until}
    if write.owner is None:
        return [Step((_ONCE, values), 0, write)]
    owned = {**values, "place": key_text(write.place), "owner": write.owner}
    return [Step((_LIVES_LONGER, values), None, None), Step((_ONCE_OF_OWNER, owned), 0, write)]


def _unmarking(write: TakeBack) -> list[Step]:
    if write.owner is None:
        return [Step((_UNMARK, {"key": key_text(write.key)}), None, write)]
    says: list[Say] = [
        (_NOBODYS, {"key": key_text(write.key), "owner": write.owner}),
        (_UNMARK_OF_OWNER, {"place": key_text(write.place), "owner": write.owner}),
    ]
    return [Step(say, None, write) for say in says]


def _step(write: Put | Take | Add, encode: Encode) -> Step:
    if isinstance(write, Add):
        check_until(write.until)
        return Step(None, None, write)
    check_ref(write)
    kind, key = write.ref.kind.__name__, key_text(write.ref.key)
    where = {"b_kind": kind, "b_key": key}
    if isinstance(write, Take):
        if write.if_version is None:
            return Step((_TAKE, where), None, write)
        if write.if_version == 0:  # only if there is none: one that goes is one too many
            return Step((_TAKE, where), 1, write)
        return Step((_TAKE_AT, {**where, "b_version": write.if_version}), 0, write)
    data, sealed = encode(write.record, kind, key)
    what = {"data": data, "sealed": int(sealed)}
    if write.if_version is None:
        return Step((_PUT, {"kind": kind, "key": key, **what}), None, write)
    if write.if_version == 0:
        return Step((_PUT_FIRST, {"kind": kind, "key": key, **what}), 0, write)
    return Step((_PUT_OVER, {**where, "b_version": write.if_version, **what}), 0, write)


# SQLAlchemy's own transactions begin as SQLite's "deferred" ones, which may fail half way when two of them want to write.
_BEGIN, _COMMIT, _ROLLBACK = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"


def transaction(steps: Sequence[Step], now: float, room: int) -> Generator[Say, Answer, Outcome]:
    """Makes all of the steps or none: yields what to run, takes its `Answer`, returns the outcome.

    A single statement is a transaction by itself, unless it has to be undone. `room` is for how many counters there is.
    """
    adds = [step.write for step in steps if isinstance(step.write, Add)]
    alone = len(steps) == 1 and steps[0].refused_at != 1 and not adds
    if not alone:
        yield _BEGIN, {}
    counters = _Counting(now, room)
    if adds:
        yield from counters.read(adds)
    for step in steps:
        refusal: Outcome | None = None
        if step.say is None:
            refusal = counters.add(step.write)
        elif (yield step.say).rows == step.refused_at:
            refusal = _refusal(step.write)
        if refusal is not None:
            if not alone:
                yield _ROLLBACK, {}
            return refusal
    if adds:
        yield from counters.written()
    if not alone:
        yield _COMMIT, {}
    return COMMITTED


def _refusal(write: Write | None) -> Outcome:
    if isinstance(write, Once):
        return Replayed(write)
    assert isinstance(write, Put | Take)
    return Conflict(write)


class _Counting:
    """The counters of one commit: read at its beginning, written at its end, both in its turn to write."""

    def __init__(self, now: float, room: int) -> None:
        self._now = now
        self._room = room
        self._kept = 0
        self._before: dict[tuple[str, ...], Tally] = {}
        self._after: dict[tuple[str, ...], Tally] = {}

    def read(self, adds: Sequence[Add]) -> Generator[Say, Answer, None]:
        keys = list(dict.fromkeys(key for add in adds for key in _counters_of(add)))
        for place, value, until, rank in (yield counting(keys)).read:
            if place < 0:
                self._kept = value
            else:
                self._before[keys[place]] = Tally(value, until, rank)

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

    def written(self) -> Generator[Say, Answer, None]:
        """Raises `StoreUnavailable` where there is no room for what would have to be kept."""
        kept = sum(tally.rank == KEPT > self._rank_before(key) for key, tally in self._after.items())
        if kept and self._kept + kept > most_kept(self._room):
            yield _ROLLBACK, {}
            raise no_room_to_keep(self._room)
        for key, tally in self._after.items():
            if tally.value:
                yield _COUNT, (counter_key(key), *tally, self._now)
            elif key in self._before:
                yield _UNCOUNT, (counter_key(key),)

    def _living(self, key: tuple[str, ...]) -> Tally | None:
        tally = self._after.get(key) or self._before.get(key)
        return tally if tally is not None and tally.lives(self._now) else None

    def _rank_before(self, key: tuple[str, ...]) -> int:
        before = self._before.get(key)
        return -1 if before is None else before.rank


def _counters_of(add: Add) -> Sequence[tuple[str, ...]]:
    return (add.counter,) if add.after is None else (add.counter, add.after.counter)


_EVERY, _MOST = 128, 256
_MOST_SWEPT = 1024
_MOST_COUNTERS = 2048  # a guess makes eight counters at most


def forgets(commits: int) -> bool:
    """Whether `forgetting` is due before the `commits`-th commit."""
    return commits % _EVERY == 1


def check_room(room: int) -> int:
    """`room` for counters; `ConfigurationError` if there is none."""
    if room < 1:
        raise ConfigurationError(f"max_counters={room}: at least 1, by default half a million")
    return room
