"""Where SQLite's and PostgreSQL's words differ. Every other word of the statements is one text for both."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

__all__ = ["POSTGRESQL", "SQLITE", "Dialect", "Say"]

Say = tuple[str, dict[str, Any] | tuple[Any, ...]]
"""A statement and its parameters: by name (`:key`) or in order (`?`)."""


class Dialect(NamedTuple):
    """One database's words.

    Args:
        octets: its type of octets.
        join: how keys that are sought are joined to a table.
        least: the function that gives the lesser of two numbers.
        greatest: the function that gives the greater.
        begin: the statement that begins a transaction which writes.
        takes_turns: whether only one transaction writes at a time. If not, rows and counters are locked.
        shares_marks: whether the first owner's mark lies under the key itself, where version 0.1.0 looks.
    """

    octets: str
    join: str
    least: str
    greatest: str
    begin: str
    takes_turns: bool
    shares_marks: bool


# CROSS JOIN tells SQLite to begin with the keys. SQLAlchemy's own transactions would begin as SQLite's "deferred" ones, which
# may fail half way when two of them want to write.
SQLITE: Final = Dialect("BLOB", "CROSS JOIN", "min", "max", "BEGIN IMMEDIATE", takes_turns=True, shares_marks=True)
POSTGRESQL: Final = Dialect("BYTEA", "JOIN", "least", "greatest", "BEGIN", takes_turns=False, shares_marks=False)
