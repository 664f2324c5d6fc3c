"""One round trip to PostgreSQL: all of it is sent before any of it is answered. Nothing here waits; drivers do.

Spoken over libpq's connection itself (`psycopg.pq`), since psycopg's cursors can neither be given a deadline nor say whether a commit
ended with a warning. Nothing is prepared in the server and nothing is set for the session, so a pooler may give each transaction
another connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, Final

from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from watchword.stores.sql.dialects import Say
from watchword.stores.sql.statements import Answer

__all__ = ["READ", "WRITE", "Refused", "Waits", "encoded", "exchange"]

READ, WRITE = 1, 2
Waits = Generator[int, None, list[Answer]]
"""Yields what has to be waited for, `READ` or `READ | WRITE`; returns the answers in the order of what was said."""

_NAMED: Final = re.compile(r":([a-z_]+)\b|\?")
_BYTEA, _INT8, _INT2, _INT4, _TEXT, _FLOAT8, _VARCHAR, _BOOL, _ANY = 17, 20, 21, 23, 25, 701, 1043, 16, 0
_DOUBLE: Final = Struct("!d")


class Refused(Exception):
    """The server refused a statement, and with it everything that was sent after it.

    Args:
        sqlstate: PostgreSQL's code (its manual's appendix A). Its words may hold data, and are left alone.
    """

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def exchange(connection: PGconn, says: Sequence[Say]) -> Waits:
    """Sends the statements and one Sync, and reads every answer up to it: only then is a commit done.

    Raises:
        Refused: the server refused one of them.
        psycopg.OperationalError: the connection ended. Whether something was committed is unknown.
    """
    for say in says:
        connection.send_query_params(*encoded(say), result_format=Format.BINARY)
    connection.pipeline_sync()
    while connection.flush():
        yield READ | WRITE
        connection.consume_input()  # else both sides could wait for the other to read
    answers: list[Answer] = []
    refused: Refused | None = None
    while True:
        while connection.is_busy():
            yield READ
            connection.consume_input()
        result = connection.get_result()
        if result is None:  # the end of one statement
            continue
        status = result.status
        if status in _DONE:
            answers.append(_answer(result))
        elif status == ExecStatus.PIPELINE_SYNC:
            break
        elif status != ExecStatus.PIPELINE_ABORTED and refused is None:
            state = result.error_field(DiagnosticField.SQLSTATE)
            refused = Refused("" if state is None else state.decode())
            if state is None:  # libpq's own error: there is no server any more, and no Sync to come
                break
    if refused is not None:
        raise refused
    return answers


_DONE: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


def encoded(say: Say) -> tuple[bytes, list[bytes | None], list[int], list[Format]]:
    """The statement with `$1` for its parameters, their values, types and formats.

    >>> encoded(("SELECT :a, :b, :a", {"a": "x", "b": 7}))
    (b'SELECT $1, $2, $1', [b'x', b'7'], [25, 20], [<Format.TEXT: 0>, <Format.TEXT: 0>])
    >>> encoded(("SELECT ?, ?", (0.5, b"x")))
    (b'SELECT $1, $2', [b'0.5', b'x'], [701, 17], [<Format.TEXT: 0>, <Format.BINARY: 1>])
    """
    text, given = say
    command, names = _numbered(text)
    parameters = [given[name] for name in names] if isinstance(given, dict) else given
    values: list[bytes | None] = []
    types, formats = [], []
    for parameter in parameters:
        value, kind = _PUT[type(parameter)](parameter)
        values.append(value)
        types.append(kind)
        formats.append(Format.BINARY if kind == _BYTEA else Format.TEXT)
    return command, values, types, formats


@lru_cache(512)
def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1] or f"?{len(numbers)}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    return _NAMED.sub(number, text).encode(), tuple(numbers)


_PUT: Final[dict[type, Callable[[Any], tuple[bytes | None, int]]]] = {
    str: lambda value: (value.encode(), _TEXT),
    bytes: lambda value: (value, _BYTEA),
    int: lambda value: (b"%d" % value, _INT8),
    float: lambda value: (repr(value).encode(), _FLOAT8),
    type(None): lambda _: (None, _ANY),
}
_GET: Final[dict[int, Callable[[bytes], Any]]] = {
    _TEXT: bytes.decode,
    _VARCHAR: bytes.decode,
    _BYTEA: bytes,
    _BOOL: lambda value: value == b"\x01",
    _FLOAT8: lambda value: _DOUBLE.unpack(value)[0],
    **dict.fromkeys((_INT2, _INT4, _INT8), lambda value: int.from_bytes(value, "big", signed=True)),
}


def _answer(result: PGresult) -> Answer:
    rows, columns = result.ntuples, range(result.nfields)
    if not rows:
        return Answer(result.command_tuples or 0)
    gets = [_GET.get(result.ftype(column), bytes) for column in columns]
    read = [
        tuple(None if (value := result.get_value(row, column)) is None else gets[column](value) for column in columns)
        for row in range(rows)
    ]
    return Answer(rows, read)
