"""What `watchword key` and `watchword user` share: the store that they change, what they print, how they end."""

from __future__ import annotations

import json
import os
import re
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.administration import AdministrationError
from watchword.crypto.sealing import KEY_SIZE, Sealer
from watchword.stores.sql import SQLStore
from watchword.stores.sql.database import Database
from watchword.stores.sql.key_file import SealingKeyError
from watchword.stores.sql.urls import database_at

if TYPE_CHECKING:
    from watchword.stores.sql.server import Server

__all__ = [
    "Json",
    "SecretsFile",
    "StoreURL",
    "administering",
    "duration",
    "located",
    "moment",
    "note",
    "show",
    "unusable",
]

StoreURL = Annotated[
    str,
    typer.Option(
        "--store", envvar="WATCHWORD_STORE", help="the store: sqlite:///users.db or postgresql://…", show_default=False
    ),
]
SecretsFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets-file",
        help="a file with the key that the application gives its store as secrets=; or the environment's WATCHWORD_SECRETS",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text")]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_CENTURY: Final = 100 * 366 * 24 * 3600
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_LONGEST: Final = 64 * 1024  # octets of a secret
_BY: Final = "by --secrets-file or WATCHWORD_SECRETS"


@contextmanager
def administering(url: str, secrets_file: Path | None, *, create: bool = False) -> Iterator[SQLStore]:
    """The store at `url`, closed afterwards. What goes wrong with it ends the command.

    Exit status 1: the store does not allow it, or does not answer. 2: the command can't be understood or its store used.
    Only with `create` is a missing file made: else a mistyped name would look like an empty store.
    The key of sealed secrets is in `secrets_file`, or the environment's WATCHWORD_SECRETS, or else beside the database.
    """
    try:
        with _opened(url, secrets_file, create) as store:
            yield store
    except (AdministrationError, StoreUnavailable) as error:
        note(f"watchword: {error}")
        raise typer.Exit(1) from None
    except ConfigurationError as error:
        unusable(str(error))


def _opened(url: str, secrets_file: Path | None, create: bool) -> SQLStore:
    database = located(url, create=create)
    where, given = _given(secrets_file)
    name, file = _names(url, database)
    try:
        return SQLStore(url, secrets=None if given is None else _fitting(database, url, where, given, create))
    except SealingKeyError:
        elsewhere, restored = (
            (f" that is not in {file}", "; or restore that file, if it has been there") if file else ("", "")
        )
        unusable(
            f"{name} is sealed with a key{elsewhere}: give the one that the application gives its store as "
            f"secrets=, {_BY}{restored}"
        )


def located(url: str, *, create: bool = False) -> Database | Server:
    """The database at `url`. With `create` its file may be missing."""
    scheme, found, path = url.partition(":///")
    sqlite = not scheme.startswith("postgresql")
    if sqlite and (not found or not path or path == ":memory:"):
        unusable(
            "--store is a database file, as in sqlite:///users.db or sqlite:////var/lib/app/users.db, "
            "or PostgreSQL's, as in postgresql://app@db.example/app"
        )
    if not create and scheme.startswith("sqlite") and not Path(path).exists():
        unusable(f"there is no file {path}: name the one that the guard uses, or begin one with `add`")
    return database_at(url, "pysqlite")


def _names(url: str, database: Database | Server) -> tuple[str, str]:
    """What the database is called, and the file that has its key unless that was given; "" where there is none."""
    if not isinstance(database, Database):
        return repr(database), ""
    path = url.partition(":///")[2]
    return path, f"{path}.key"


def _given(secrets_file: Path | None) -> tuple[str, bytes | None]:
    """Who gives a secret, and the secret as it is written there; None if nobody does. It is never an argument."""
    if secrets_file is None:
        text = os.environ.get("WATCHWORD_SECRETS")
        return "WATCHWORD_SECRETS", None if text is None else os.fsencode(text)
    try:
        with secrets_file.open("rb") as opened:
            written = opened.read(_LONGEST + 1)
    except OSError as error:
        # Not by its name: that is the secret itself, where somebody took the option for it.
        unusable(f"the file of --secrets-file can't be read: {error.strerror}")
    if len(written) > _LONGEST:
        unusable(f"the file of --secrets-file has more than {_LONGEST} octets")
    return "the file of --secrets-file", written


def _fitting(database: Database | Server, url: str, where: str, written: bytes, create: bool) -> bytes | None:
    """The key that was meant by what is written: the one with which the database was sealed, if it was.

    Without a key so far, the database gets this one from a command that may add the first secret, and none from others.
    """
    readings = [reading for reading in _readings(written) if len(reading) >= KEY_SIZE]
    if not readings:
        unusable(f"{where} has fewer than {KEY_SIZE} octets: give what the application gives its store as secrets=")
    missing = isinstance(database, Database) and database.path is not None and not database.path.exists()
    check = None if missing else database.key_check()
    if check is None:
        return readings[0] if create else None
    found = next((reading for reading in readings if _seals(reading, check)), None)
    if found is None:
        name, file = _names(url, database)
        unusable(
            f"{where} is not the key that {name} was sealed with: give the one that the application gives its store as secrets="
            + (f", or no key if it is in {file}" if file else "")
        )
    return found


def _seals(reading: bytes, check: str) -> bool:
    try:
        return Sealer(reading).knows(check)
    except ConfigurationError:  # a public key or the like, which no store takes
        return False


def _readings(written: bytes) -> Iterator[bytes]:
    """What an application may have made of it: the octets without the last line end, all of them, what base64 spells."""
    yield written.removesuffix(b"\n").removesuffix(b"\r")
    yield written
    digits = written.strip().translate(_URL_SAFE).rstrip(b"=")
    try:
        yield b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except ValueError:
        pass
    try:
        yield bytes.fromhex(written.strip().decode())
    except ValueError:
        pass


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
