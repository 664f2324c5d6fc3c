"""What the SQL stores say to the database: `Ref`s and `Write`s as statements, and rows as records. Nothing is run here.

Five generic tables; a new kind of record needs no new one. A kind is stored under its class's `__name__`, so that name
must be unique and stay as it is. A key is stored as a JSON array in ASCII, which no two keys share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger, Column, Float, Integer, LargeBinary, MetaData, Table, Text, bindparam, case, delete, func, select, tuple_,
    update,
)  # fmt: skip
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateIndex, CreateTable

from watchword.core.records import (
    COMMITTED, Add, Conflict, Exceeded, Once, Outcome, Put, Replayed, Take, Write,
)  # fmt: skip
from watchword.stores.memory import GRACE, check_ref, check_until
from watchword.stores.queries import Say, key_text

__all__ = [
    "Answer",
    "Step",
    "forgets",
    "forgetting",
    "listing",
    "schema",
    "steps",
    "transaction",
    "with_forgetting",
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
    Column("until", Float, nullable=False, index=True),
    sqlite_with_rowid=False,
)
_COUNTERS = Table(
    "watchword_counters",
    _TABLES,
    Column("key", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("until", Float, nullable=False, index=True),
    sqlite_with_rowid=False,
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
    """A statement of a commit, which is refused if it writes exactly `refused_at` rows."""

    say: Say
    refused_at: int | None
    write: Write | None


def schema() -> list[str]:
    """The statements that make the tables, in SQLite's dialect; harmless where they are."""
    dialect = sqlite.dialect()
    made = []
    for table in _TABLES.sorted_tables:
        made.append(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
        made += [str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)) for index in table.indexes]
    return made


def _text(statement: Any) -> str:
    """A statement as SQLite reads it, its parameters by name."""
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    written = str(compiled)
    for name, value in compiled.params.items():
        if value is not None:  # a constant of the statement's own
            written = re.sub(rf":{name}\b", str(int(value)), written)
    return written


_ALL_OF_A_KIND = _text(
    select(_RECORDS.c.key, _RECORDS.c.data, _RECORDS.c.sealed).where(_RECORDS.c.kind == bindparam("kind"))
)


def listing(kind: type) -> Say:
    """The statement that reads every record of `kind`; rows are (key, data, sealed)."""
    return _ALL_OF_A_KIND, {"kind": kind.__name__}


# ---- commit ----------------------------------------------------------------------------------------------------------

_ONCE = _text(insert(_SPENT).values(key=bindparam("key"), until=bindparam("until")).on_conflict_do_nothing())

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

_ALIVE = _COUNTERS.c.until > bindparam("now")
_FIRST_ADD = insert(_COUNTERS).values(key=bindparam("key"), value=bindparam("n"), until=bindparam("until"))
_SUM = case((_ALIVE, _COUNTERS.c.value + _FIRST_ADD.excluded.value), else_=_FIRST_ADD.excluded.value)
_SUM_SET = {"value": _SUM, "until": case((_ALIVE, _COUNTERS.c.until), else_=_FIRST_ADD.excluded.until)}
_ADD = _text(_FIRST_ADD.on_conflict_do_update(index_elements=[_COUNTERS.c.key], set_=_SUM_SET))
_LIMIT = bindparam("limit", type_=BigInteger)
_ADD_LIMITED = _text(
    insert(_COUNTERS)
    .from_select(
        ["key", "value", "until"],
        select(bindparam("key", type_=Text), bindparam("n", type_=BigInteger), bindparam("until", type_=Float)).where(
            bindparam("n", type_=BigInteger) <= _LIMIT
        ),
    )
    .on_conflict_do_update(index_elements=[_COUNTERS.c.key], set_=_SUM_SET, where=_LIMIT >= _SUM)
)
_GIVE_BACK = _text(
    update(_COUNTERS)
    .where(_COUNTERS.c.key == bindparam("b_key"), _ALIVE)
    .values(value=func.max(_COUNTERS.c.value + bindparam("n"), 0))
)
# Changes nothing, and says by its row that the counter is above the limit; it queues like every writer.
_ABOVE = _text(
    update(_COUNTERS)
    .where(_COUNTERS.c.key == bindparam("b_key"), _ALIVE, _COUNTERS.c.value > _LIMIT)
    .values(value=_COUNTERS.c.value)
)
_COUNTER_END = _text(select(_COUNTERS.c.until).where(_COUNTERS.c.key == bindparam("key"), _ALIVE))

_FORGET_SPENT, _FORGET_COUNTERS = (
    _text(
        delete(table).where(
            table.c.key.in_(select(table.c.key).where(table.c.until < bindparam("past")).limit(bindparam("most")))
        )
    )
    for table in (_SPENT, _COUNTERS)
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


def steps(writes: Sequence[Write], encode: Encode, now: float) -> list[Step]:
    """The statements that make `writes`."""
    made = []
    for write in writes:
        made.append(_step(write, encode, now))
        if isinstance(write, Put) and write.until is not None:
            check_until(write.until)
            end = {"kind": write.ref.kind.__name__, "key": key_text(write.ref.key), "until": write.until}
            made.append(Step((_ENDS_LATER, end), None, None))
    return made


def forgetting(now: float, most: int) -> list[Step]:
    """The statements that forget up to `most` marks, counters and records each that ended more than `GRACE` seconds ago."""
    parameters = {"past": now - GRACE, "most": most}
    statements = (_FORGET_SPENT, _FORGET_COUNTERS, _FORGET_RECORDS, _FORGET_ENDS)
    return [Step((statement, parameters), None, None) for statement in statements]


def _step(write: Write, encode: Encode, now: float) -> Step:
    if isinstance(write, Once):
        check_until(write.until)
        return Step((_ONCE, {"key": key_text(write.key), "until": write.until}), 0, write)
    if isinstance(write, Add):
        return _adding(write, now)
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


def _adding(write: Add, now: float) -> Step:
    check_until(write.until)
    key = key_text(write.counter)
    if write.n < 0:
        return Step((_GIVE_BACK, {"b_key": key, "n": write.n, "now": now}), None, write)
    parameters = {"key": key, "n": write.n, "until": write.until, "now": now}
    if write.limit is None:
        return Step((_ADD, parameters), None, write)
    if write.n == 0:
        return Step((_ABOVE, {"b_key": key, "limit": write.limit, "now": now}), 1, write)
    return Step((_ADD_LIMITED, {**parameters, "limit": write.limit}), 0, write)


# SQLAlchemy's own transactions begin as SQLite's "deferred" ones, which may fail half way when two of them want to write.
_BEGIN, _COMMIT, _ROLLBACK = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"


def transaction(steps: Sequence[Step], now: float) -> Generator[Say, Answer, Outcome]:
    """Makes all of the steps or none: yields what to run, takes its `Answer`, returns the outcome.

    A single statement is a transaction by itself, unless it has to be undone.
    """
    alone = len(steps) == 1 and steps[0].refused_at != 1
    if not alone:
        yield _BEGIN, {}
    for step in steps:
        answer = yield step.say
        if step.refused_at is not None and answer.rows == step.refused_at:
            ends = () if not isinstance(step.write, Add) else (yield _counter_end(step.write, now)).read
            if not alone:
                yield _ROLLBACK, {}
            return _refusal(step.write, ends)
    if not alone:
        yield _COMMIT, {}
    return COMMITTED


def _counter_end(write: Add, now: float) -> Say:
    return _COUNTER_END, {"key": key_text(write.counter), "now": now}


def _refusal(write: Write | None, ends: Sequence[Any]) -> Outcome:
    if isinstance(write, Once):
        return Replayed(write)
    if isinstance(write, Add):
        return Exceeded(write, ends[0][0] if ends else write.until)
    assert isinstance(write, Put | Take)
    return Conflict(write)


_EVERY, _MOST = 128, 256


def forgets(commits: int) -> bool:
    """Whether it is the turn of the `commits`-th commit to forget what has ended."""
    return commits % _EVERY == 1


def with_forgetting(steps: list[Step], now: float) -> list[Step]:
    """The steps of a commit, and some more that forget, twice as much as comes in."""
    return [*forgetting(now, _MOST), *steps]
