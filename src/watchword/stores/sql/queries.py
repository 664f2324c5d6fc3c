"""What the SQL stores say most often, each as one statement: reading records, and marking credentials as used.

Plain text, for these two are what every verified request costs; the rest is in `stores.sql.statements`. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from watchword.core.records import Add, Counter, Once, Ref, Spent, Write
from watchword.crypto.digests import keyed_digest
from watchword.stores.sql.dialects import SQLITE, Dialect, Say
from watchword.stores.writes import check_once

__all__ = ["asking", "counter_key", "counting", "fetching", "key_text", "marking"]


@lru_cache(4096)
def key_text(key: tuple[str, ...]) -> str:
    r"""A key as it is stored, a JSON array in ASCII; no two keys have the same.

    >>> key_text(("a", "b")), key_text(("a\0b",))
    ('["a","b"]', '["a\\u0000b"]')
    """
    return _written(key)


def _written(key: tuple[str, ...]) -> str:
    return f"[{','.join(map(encode_basestring_ascii, key))}]"  # ASCII: even half of a surrogate pair has one form


@lru_cache(4096)
def counter_key(key: tuple[str, ...]) -> bytes:
    """A counter's key as it is stored: 16 octets, since strangers make many of these, and nobody reads them back.

    >>> counter_key(("attempts", "pair", "alice", "192.0.2.7", "60.0")).hex()
    '872e1d7f02448bdb040ed6bf481b2221'
    """
    return keyed_digest(b"watchword counter", _written(key).encode())


# ---- fetch -----------------------------------------------------------------------------------------------------------

# Each is joined to the keys that are sought: one seek for each, where `IN (…)` would sort them into a table of its own
# first. PostgreSQL wants to know the type of each NULL.
_PARTS: Final = {
    "r": "SELECT place, version, data, sealed, CAST(NULL AS TEXT), CAST(NULL AS BIGINT), CAST(NULL AS DOUBLE PRECISION) "
    "FROM r {join} watchword_records AS t ON t.kind = r.kind AND t.key = r.key",
    "s": "SELECT place, NULL, CAST(NULL AS {octets}), NULL, owner, CAST(NULL AS BIGINT), until "
    "FROM s {join} watchword_spent AS t ON t.key = s.key",
    "c": "SELECT place, NULL, CAST(NULL AS {octets}), NULL, CAST(NULL AS TEXT), value, until "
    "FROM c {join} watchword_counters AS t ON t.key = c.key WHERE t.until > ?",
}  # fmt: skip
_COLUMNS: Final = {"r": "place, kind, key", "s": "place, key", "c": "place, key"}


def fetching(refs: Sequence[Ref[Any]], now: float, dialect: Dialect = SQLITE) -> Say:
    """The one statement that reads all of `refs`. Rows are (index in `refs`, version, data, sealed, owner, value, until)."""
    pattern, parameters, asks_when = _fetching(tuple(refs))
    return _query(pattern, dialect), (*parameters, now) if asks_when else parameters


@lru_cache(1024)
def _fetching(refs: tuple[Ref[Any], ...]) -> tuple[str, tuple[str | bytes, ...], bool]:
    """Its pattern, its parameters, and whether the time follows them; most requests come from who came before."""
    records: list[str] = []
    marks: list[str] = []
    counters: list[bytes] = []
    pattern = ""
    for kind, key in refs:
        if kind is Counter:
            pattern += "c"
            counters.append(counter_key(key))
        elif kind is Spent:
            pattern += "s"
            marks.append(_written(key))
        else:
            pattern += "r"
            records += (kind.__name__, key_text(key))
    return pattern, (*records, *marks, *counters), bool(counters)


@lru_cache(256)
def _query(pattern: str, dialect: Dialect) -> str:
    """The text for references of which each is a record's, a mark's or a counter's: "rrsc"."""
    sought, parts = [], []
    for letter, part in _PARTS.items():
        places = [place for place, one in enumerate(pattern) if one == letter]
        if places:
            marks = ", ?" * _COLUMNS[letter].count(",")
            rows = ", ".join(f"({place}{marks})" for place in places)
            sought.append(f"{letter}({_COLUMNS[letter]}) AS (VALUES {rows})")
            parts.append(part.format(join=dialect.join, octets=dialect.octets))
    return f"WITH {', '.join(sought)} {' UNION ALL '.join(parts)}"


# ---- commit ----------------------------------------------------------------------------------------------------------

_FULL: Final = "SELECT until FROM watchword_counters WHERE key = ? AND until > ? AND value > ?"
_MARK: Final = "INSERT INTO watchword_spent (key, until) SELECT ?, ? WHERE true"
_MARK_OF_OWNER: Final = "INSERT INTO watchword_spent (key, until, owner) SELECT ?, ?, ? WHERE true"
_UNLESS: Final = " AND NOT EXISTS (SELECT 1 FROM watchword_counters WHERE key = ? AND until > ? AND value > ?)"
_UNLESS_EVERYBODYS: Final = " AND NOT EXISTS (SELECT 1 FROM watchword_spent WHERE key = ?)"


def asking(writes: Sequence[Write], now: float) -> list[tuple[Add, Say]] | None:
    """If nothing is written, only asked: each question with its statement, whose row (until) says that it is refused.

    A writer's turn is not waited for: whatever was counted when the question is answered counts.
    """
    if isinstance(writes[-1], Once):  # as most commits end
        return None
    asked = []
    for write in writes:
        if not isinstance(write, Add) or write.n or write.limit is None:
            return None
        question: Say = _FULL, (counter_key(write.counter), now, write.limit)
        asked.append((write, question))
    return asked


def marking(writes: Sequence[Write], now: float, dialect: Dialect = SQLITE) -> Say | None:
    """If only questions are asked before one mark is made: the one statement that makes it if none of them is refused.

    It writes one row, or none: then the writes are to be made one by one, to learn which of them is refused, or whether the
    key is another owner's.
    """
    mark = writes[-1]
    if not isinstance(mark, Once):
        return None
    check_once(mark)
    owned, shared = mark.owner is not None, dialect.shares_marks
    parameters: list[Any] = [_written(mark.key if shared else mark.place), mark.until]
    if owned:
        parameters.append(mark.owner)
    if owned and not shared:
        parameters.append(_written(mark.key))
    for write in writes[:-1]:
        if not isinstance(write, Add) or write.n or write.limit is None:
            return None
        parameters += (counter_key(write.counter), now, write.limit)
    return _marking(owned, shared, len(writes) - 1), tuple(parameters)


def counting(keys: Sequence[tuple[str, ...]], dialect: Dialect) -> list[Say]:
    """The statements that read counters, whether they live or not, the last of them; those before it lock the counters.

    Rows are (index in `keys`, value, until, rank). One more row is (-1, how many counters are kept, 0, 0).
    """
    hashed = tuple(map(counter_key, keys))
    reading: Say = _counting(len(keys), dialect), hashed
    if dialect.takes_turns:
        return [reading]
    # A counter that isn't there yet has no row to lock. In the order of the locks, so that nobody waits in a circle.
    locks = sorted({int.from_bytes(key[:8], "big", signed=True) for key in hashed})
    return [(_LOCK, (f"{{{','.join(map(str, locks))}}}",)), reading]


_LOCK: Final = "SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(CAST(? AS TEXT) AS BIGINT[])) AS locks(key)"
_TALLIES: Final = (
    "SELECT place, value, until, rank FROM c {join} watchword_counters AS t ON t.key = c.key "
    "UNION ALL SELECT -1, CAST(coalesce(sum(counters), 0) AS BIGINT), 0.0, 0 FROM watchword_sizes WHERE rank = 4"
)


@lru_cache(64)
def _counting(number: int, dialect: Dialect) -> str:
    rows = ", ".join(f"({place}, ?)" for place in range(number))
    return f"WITH c(place, key) AS (VALUES {rows}) {_TALLIES.format(join=dialect.join)}"


@lru_cache(16)
def _marking(owned: bool, shared: bool, questions: int) -> str:
    mark = _MARK_OF_OWNER if owned else _MARK
    unless = _UNLESS_EVERYBODYS if owned and not shared else ""
    return f"{mark}{unless}{_UNLESS * questions} ON CONFLICT DO NOTHING"
