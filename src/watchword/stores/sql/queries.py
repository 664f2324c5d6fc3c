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
from watchword.stores.writes import check_once

__all__ = ["Say", "asking", "counter_key", "counting", "fetching", "key_text", "marking"]

Say = tuple[str, dict[str, Any] | tuple[Any, ...]]
"""A statement and its parameters, by name or in order."""


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
# first. CROSS JOIN tells SQLite to begin with the keys.
_PARTS: Final = {
    "r": "SELECT place, version, data, sealed, NULL, NULL FROM r CROSS JOIN watchword_records AS t "
    "ON t.kind = r.kind AND t.key = r.key",
    "s": "SELECT place, NULL, owner, NULL, NULL, until FROM s CROSS JOIN watchword_spent AS t ON t.key = s.key",
    "c": "SELECT place, NULL, NULL, NULL, value, until FROM c CROSS JOIN watchword_counters AS t ON t.key = c.key "
    "WHERE t.until > ?",
}  # fmt: skip
_COLUMNS: Final = {"r": "place, kind, key", "s": "place, key", "c": "place, key"}


def fetching(refs: Sequence[Ref[Any]], now: float) -> Say:
    """The one statement that reads all of `refs`. Rows are (index in `refs`, version, data, sealed, value, until).

    In the place of data a mark has its owner.
    """
    query, parameters, asks_when = _fetching(tuple(refs))
    return query, (*parameters, now) if asks_when else parameters


@lru_cache(1024)
def _fetching(refs: tuple[Ref[Any], ...]) -> tuple[str, tuple[str | bytes, ...], bool]:
    """Its text, its parameters, and whether the time follows them; most requests come from who came before."""
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
    return _query(pattern), (*records, *marks, *counters), bool(counters)


@lru_cache(256)
def _query(pattern: str) -> str:
    """The text for references of which each is a record's, a mark's or a counter's: "rrsc"."""
    sought, parts = [], []
    for letter, part in _PARTS.items():
        places = [place for place, one in enumerate(pattern) if one == letter]
        if places:
            marks = ", ?" * _COLUMNS[letter].count(",")
            rows = ", ".join(f"({place}{marks})" for place in places)
            sought.append(f"{letter}({_COLUMNS[letter]}) AS (VALUES {rows})")
            parts.append(part)
    return f"WITH {', '.join(sought)} {' UNION ALL '.join(parts)}"


# ---- commit ----------------------------------------------------------------------------------------------------------

_FULL: Final = "SELECT until FROM watchword_counters WHERE key = ? AND until > ? AND value > ?"
_MARK: Final = "INSERT INTO watchword_spent (key, until) SELECT ?, ? WHERE true"
_MARK_OF_OWNER: Final = "INSERT INTO watchword_spent (key, until, owner) SELECT ?, ?, ? WHERE true"
_UNLESS: Final = " AND NOT EXISTS (SELECT 1 FROM watchword_counters WHERE key = ? AND until > ? AND value > ?)"


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


def marking(writes: Sequence[Write], now: float) -> Say | None:
    """If only questions are asked before one mark is made: the one statement that makes it if none of them is refused.

    It writes one row, or none: then the writes are to be made one by one, to learn which of them is refused, or whether the
    key is another owner's.
    """
    mark = writes[-1]
    if not isinstance(mark, Once):
        return None
    check_once(mark)
    parameters: list[Any] = [_written(mark.key), mark.until]
    if mark.owner is not None:
        parameters.append(mark.owner)
    for write in writes[:-1]:
        if not isinstance(write, Add) or write.n or write.limit is None:
            return None
        parameters += (counter_key(write.counter), now, write.limit)
    return _marking(mark.owner is not None, len(writes) - 1), tuple(parameters)


def counting(keys: Sequence[tuple[str, ...]]) -> Say:
    """The statement that reads counters, whether they live or not. Rows are (index in `keys`, value, until, rank).

    One more row is (-1, how many counters are kept, None, None).
    """
    return _counting(len(keys)), tuple(map(counter_key, keys))


_TALLIES: Final = (
    "SELECT place, value, until, rank FROM c CROSS JOIN watchword_counters AS t ON t.key = c.key "
    "UNION ALL SELECT -1, counters, NULL, NULL FROM watchword_sizes WHERE rank = 4"
)


@lru_cache(64)
def _counting(number: int) -> str:
    rows = ", ".join(f"({place}, ?)" for place in range(number))
    return f"WITH c(place, key) AS (VALUES {rows}) {_TALLIES}"


@lru_cache(16)
def _marking(owned: bool, questions: int) -> str:
    return f"{_MARK_OF_OWNER if owned else _MARK}{_UNLESS * questions} ON CONFLICT DO NOTHING"
