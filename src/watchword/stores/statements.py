"""What the SQL stores say to the database: `Ref`s and `Write`s as statements, and rows as records. Nothing is run here.

Five generic tables; a new kind of record needs no new one. A kind is stored under its class's `__name__`, so that name
must be unique and stay as it is. A key is stored as a JSON array in ASCII, which no two keys share.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger, Column, CursorResult, Executable, Float, Integer, LargeBinary, MetaData, Table, Text, bindparam, case, delete, func,
    literal, null, select, text, tuple_, union_all, update,
)  # fmt: skip
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateIndex, CreateTable

from watchword.core.records import (
    COMMITTED, Add, Conflict, Counter, Exceeded, Once, Outcome, Put, Ref, Replayed, Spent, Take, Write,
)  # fmt: skip
from watchword.stores.memory import GRACE, check_ref, check_until

__all__ = ["Answer", "Say", "Step", "fetching", "forgetting", "key_text", "listing", "schema", "steps", "transaction"]

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

Say = tuple[Executable, Mapping[str, Any]]
"""A statement and its parameters."""


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


def key_text(key: tuple[str, ...]) -> str:
    r"""A key as it is stored; no two keys have the same.

    >>> key_text(("a", "b")), key_text(("a\0b",))
    ('["a","b"]', '["a\\u0000b"]')
    """
    return json.dumps(key, separators=(",", ":"))  # ASCII: even half of a surrogate pair has one form


# ---- fetch -----------------------------------------------------------------------------------------------------------

_NO_RECORD = (null().label("version"), null().label("data"), null().label("sealed"))
_RECORDS_PART = select(
    _RECORDS.c.kind, _RECORDS.c.key, _RECORDS.c.version, _RECORDS.c.data, _RECORDS.c.sealed,
    null().label("value"), null().label("until"),
).where(
    # Not pairs of (kind, key): SQLite would scan the whole table for them. Rows that nobody asked for are left out later.
    _RECORDS.c.kind.in_(bindparam("kinds", expanding=True)),
    _RECORDS.c.key.in_(bindparam("keys", expanding=True)),
)  # fmt: skip
_SPENT_PART = select(
    literal("Spent").label("kind"), _SPENT.c.key, *_NO_RECORD, null().label("value"), _SPENT.c.until
).where(_SPENT.c.key.in_(bindparam("spent", expanding=True)))
_COUNTERS_PART = select(
    literal("Counter").label("kind"), _COUNTERS.c.key, *_NO_RECORD, _COUNTERS.c.value, _COUNTERS.c.until
).where(_COUNTERS.c.key.in_(bindparam("counters", expanding=True)), _COUNTERS.c.until > bindparam("now"))
_ONE_RECORD = select(
    _RECORDS.c.kind, _RECORDS.c.key, _RECORDS.c.version, _RECORDS.c.data, _RECORDS.c.sealed,
    null().label("value"), null().label("until"),
).where(_RECORDS.c.kind == bindparam("kind"), _RECORDS.c.key == bindparam("key"))  # fmt: skip

_ALL_OF_A_KIND = select(_RECORDS.c.key, _RECORDS.c.data, _RECORDS.c.sealed).where(_RECORDS.c.kind == bindparam("kind"))

# One statement for every mixture of tables, made once: SQLAlchemy compiles each a single time.
_PARTS = (_RECORDS_PART, _SPENT_PART, _COUNTERS_PART)
_FETCHES: dict[tuple[bool, ...], Executable] = {
    wanted: union_all(*(part for part, want in zip(_PARTS, wanted, strict=True) if want))
    for wanted in product((False, True), repeat=3)
    if any(wanted)
}


def fetching(refs: Sequence[Ref[Any]], now: float) -> Say:
    """The one statement that reads all of `refs`, and perhaps a few records more.

    Rows are (kind, key, version, data, sealed, value, until).
    """
    records = [(ref.kind.__name__, key_text(ref.key)) for ref in refs if ref.kind not in (Spent, Counter)]
    if len(records) == len(refs) == 1:
        return _ONE_RECORD, {"kind": records[0][0], "key": records[0][1]}
    spent = [key_text(ref.key) for ref in refs if ref.kind is Spent]
    counters = [key_text(ref.key) for ref in refs if ref.kind is Counter]
    parameters: dict[str, Any] = {}
    if records:
        parameters |= {"kinds": list({kind for kind, _ in records}), "keys": list({key for _, key in records})}
    if spent:
        parameters["spent"] = spent
    if counters:
        parameters |= {"counters": counters, "now": now}
    return _FETCHES[bool(records), bool(spent), bool(counters)], parameters


def listing(kind: type) -> Say:
    """The statement that reads every record of `kind`; rows are (key, data, sealed)."""
    return _ALL_OF_A_KIND, {"kind": kind.__name__}


# ---- commit ----------------------------------------------------------------------------------------------------------

_ONCE = insert(_SPENT).values(key=bindparam("key"), until=bindparam("until")).on_conflict_do_nothing()

_NEW = insert(_RECORDS).values(
    kind=bindparam("kind"), key=bindparam("key"), version=1, data=bindparam("data"), sealed=bindparam("sealed")
)
_PUT_FIRST = _NEW.on_conflict_do_nothing()
_PUT = _NEW.on_conflict_do_update(
    index_elements=[_RECORDS.c.kind, _RECORDS.c.key],
    set_={"version": _RECORDS.c.version + 1, "data": _NEW.excluded.data, "sealed": _NEW.excluded.sealed},
)
_THIS = (_RECORDS.c.kind == bindparam("b_kind"), _RECORDS.c.key == bindparam("b_key"))
_AT_VERSION = _RECORDS.c.version == bindparam("b_version")
_PUT_OVER = (
    update(_RECORDS)
    .where(*_THIS, _AT_VERSION)
    .values(version=_RECORDS.c.version + 1, data=bindparam("data"), sealed=bindparam("sealed"))
)
_TAKE = delete(_RECORDS).where(*_THIS)
_TAKE_AT = delete(_RECORDS).where(*_THIS, _AT_VERSION)

_ALIVE = _COUNTERS.c.until > bindparam("now")
_FIRST_ADD = insert(_COUNTERS).values(key=bindparam("key"), value=bindparam("n"), until=bindparam("until"))
_SUM = case((_ALIVE, _COUNTERS.c.value + _FIRST_ADD.excluded.value), else_=_FIRST_ADD.excluded.value)
_SUM_SET = {"value": _SUM, "until": case((_ALIVE, _COUNTERS.c.until), else_=_FIRST_ADD.excluded.until)}
_ADD = _FIRST_ADD.on_conflict_do_update(index_elements=[_COUNTERS.c.key], set_=_SUM_SET)
_LIMIT = bindparam("limit", type_=BigInteger)
_ADD_LIMITED = (
    insert(_COUNTERS)
    .from_select(
        ["key", "value", "until"],
        select(bindparam("key", type_=Text), bindparam("n", type_=BigInteger), bindparam("until", type_=Float)).where(
            bindparam("n", type_=BigInteger) <= _LIMIT
        ),
    )
    .on_conflict_do_update(index_elements=[_COUNTERS.c.key], set_=_SUM_SET, where=_LIMIT >= _SUM)
)
_GIVE_BACK = (
    update(_COUNTERS)
    .where(_COUNTERS.c.key == bindparam("b_key"), _ALIVE)
    .values(value=func.max(_COUNTERS.c.value + bindparam("n"), 0))
)
# Changes nothing, and says by its row that the counter is above the limit; it queues like every writer.
_ABOVE = (
    update(_COUNTERS)
    .where(_COUNTERS.c.key == bindparam("b_key"), _ALIVE, _COUNTERS.c.value > _LIMIT)
    .values(value=_COUNTERS.c.value)
)
_COUNTER_END = select(_COUNTERS.c.until).where(_COUNTERS.c.key == bindparam("key"), _ALIVE)

_FORGET_SPENT, _FORGET_COUNTERS = (
    delete(table).where(
        table.c.key.in_(select(table.c.key).where(table.c.until < bindparam("past")).limit(bindparam("most")))
    )
    for table in (_SPENT, _COUNTERS)
)

_END = insert(_ENDS).values(kind=bindparam("kind"), key=bindparam("key"), until=bindparam("until"))
_ENDS_LATER = _END.on_conflict_do_update(
    index_elements=[_ENDS.c.kind, _ENDS.c.key], set_={"until": _END.excluded.until}
)
_ENDED = (
    select(_ENDS.c.kind, _ENDS.c.key)
    .where(_ENDS.c.until < bindparam("past"))
    .order_by(_ENDS.c.until, _ENDS.c.kind, _ENDS.c.key)
    .limit(bindparam("most"))
)
# The records first: both statements find the same ends, for they are of one transaction.
_FORGET_RECORDS, _FORGET_ENDS = (
    delete(table).where(tuple_(table.c.kind, table.c.key).in_(_ENDED)) for table in (_RECORDS, _ENDS)
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
_BEGIN, _COMMIT, _ROLLBACK = text("BEGIN IMMEDIATE"), text("COMMIT"), text("ROLLBACK")


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


_EVERY, _MOST = 32, 64


def with_forgetting(steps: list[Step], commits: int, now: float) -> list[Step]:
    """The steps of the `commits`-th commit; now and then some more that forget, twice as much as comes in."""
    return [*forgetting(now, _MOST), *steps] if commits % _EVERY == 1 else steps


def answer(result: CursorResult[Any]) -> Answer:
    """What transaction wants to know of a statement that was run."""
    return Answer(result.rowcount, result.all() if result.returns_rows else ())
