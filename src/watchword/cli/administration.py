"""What `watchword key` and `watchword user` share: the store that they change, what they print, how they end."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.administration import AdministrationError
from watchword.stores.sql import SQLStore

__all__ = ["Json", "StoreURL", "administering", "duration", "moment", "note", "show", "unusable"]

StoreURL = Annotated[
    str, typer.Option("--store", envvar="WATCHWORD_STORE", help="the store: sqlite:///users.db", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text")]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_CENTURY: Final = 100 * 366 * 24 * 3600


@contextmanager
def administering(url: str, *, create: bool = False) -> Iterator[SQLStore]:
    """The store at `url`, closed afterwards. What goes wrong with it ends the command.

    Exit status 1: the store does not allow it, or does not answer. 2: the command can't be understood or its store used.
    Only with `create` is a missing file made: else a mistyped name would look like an empty store.
    """
    try:
        with _opened(url, create) as store:
            yield store
    except (AdministrationError, StoreUnavailable) as error:
        note(f"watchword: {error}")
        raise typer.Exit(1) from None
    except ConfigurationError as error:
        unusable(str(error))


def _opened(url: str, create: bool) -> SQLStore:
    scheme, found, path = url.partition(":///")
    if not found or not path or path == ":memory:":
        unusable("--store is a database file, as in sqlite:///users.db or sqlite:////var/lib/app/users.db")
    if not create and scheme.startswith("sqlite") and not Path(path).exists():
        unusable(f"there is no file {path}: name the one that the guard uses, or begin one with `add`")
    return SQLStore(url)


def unusable(message: str) -> NoReturn:
    """Ends the command with exit status 2."""
    note(f"watchword: {message}")
    raise typer.Exit(2)


def note(message: str) -> None:
    """A line for a person, on standard error: standard output holds what was asked for and nothing else."""
    typer.echo(_printable(message), err=True)


def duration(option: str, text: str) -> float:
    """The seconds that `text` means: 90d, 24h, 30m, 45s, 2w, or 0."""
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    if match is None:
        unusable(f"{option} is a number and a unit: 90d, 24h, 30m, 45s or 2w")
    seconds = int(match[1]) * float(_UNITS[match[2]])
    if seconds > _CENTURY:
        unusable(f"{option} is a century at most")
    return seconds


def moment(seconds: float | None) -> str:
    """A time as people and programs read it; "" for none."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # a record of somebody else's making
        return f"{seconds:g}"


def show(rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """A list: a table for people, or one JSON array."""
    if as_json:
        typer.echo(json.dumps([dict(row) for row in rows], ensure_ascii=True))
        return
    if not rows:
        note("none")
        return
    from rich.console import Console  # noqa: PLC0415 -- not needed for JSON
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))  # Text: names are not markup
    width = None if sys.stdout.isatty() else 10_000  # a pipe has no edge at which lines would have to break
    Console(width=width, highlight=False).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return _printable(" ".join(map(str, value)) if isinstance(value, list) else str(value)) or "-"


def _printable(text: str) -> str:
    """`text` without what a terminal would obey: names come from whoever could write to the store."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
