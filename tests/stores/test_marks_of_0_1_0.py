"""A database that 0.1.0 made, and a process that still runs 0.1.0 on it: neither version accepts what the other did."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.schemes.test_mark_owners import (
    A, B, NOW, Shown, given, mac_key, of_digest, of_oauth1, of_sigv4, of_store, token, verdict, webhook,
)  # fmt: skip
from tests.schemes.digest_world import params
from watchword import HMACAuth, HMACVerifier, Identity, Reason, SignatureAuth, SignatureVerifier
from watchword.core.records import COMMITTED, Once, Put, Ref, TakeBack
from watchword.stores import SQLStore
from watchword.stores.sql.async_store import AsyncSQLStore
from tests.stores.faces import Called, Note

TABLES = """
CREATE TABLE watchword_facts (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
CREATE TABLE watchword_records (
    kind TEXT NOT NULL, "key" TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL, sealed INTEGER NOT NULL,
    PRIMARY KEY (kind, "key")
) WITHOUT ROWID;
CREATE TABLE watchword_ends (kind TEXT NOT NULL, "key" TEXT NOT NULL, until FLOAT NOT NULL, PRIMARY KEY (kind, "key")) WITHOUT ROWID;
CREATE INDEX ix_watchword_ends_until ON watchword_ends (until);
CREATE TABLE watchword_spent ("key" TEXT NOT NULL, until FLOAT NOT NULL, PRIMARY KEY ("key")) WITHOUT ROWID;
CREATE INDEX ix_watchword_spent_until ON watchword_spent (until);
INSERT INTO watchword_facts VALUES ('schema', '1');
"""
"""What matters here of the tables of 0.1.0."""

PROCESS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for line in sys.stdin:
    said = (line.rstrip("\\n"), float(sys.argv[2]))
    made = connection.execute("INSERT INTO watchword_spent (key, until) SELECT ?, ? WHERE true ON CONFLICT DO NOTHING", said)
    print("accepted" if made.rowcount == 1 else "replayed", flush=True)
"""
"""0.1.0 as far as marks go: its statement, word by word."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "users.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(TABLES)
    return file


@pytest.fixture
def old(file: Path) -> Iterator[Callable[[tuple[str, ...]], str]]:
    """A process of 0.1.0 that was there before: it is given a mark's key, and says what becomes of the request."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(file), str(NOW + 300)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None

    def show(key: tuple[str, ...]) -> str:
        process.stdin.write(json.dumps(key, separators=(",", ":")) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        return process.stdout.readline().strip()  # type: ignore[union-attr]

    assert show(("hmac", "k0", "a first one")) == "accepted"
    yield show
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


@pytest.fixture
def store(file: Path, old: object) -> Iterator[SQLStore]:
    with SQLStore(f"sqlite:///{file}", clock=lambda: NOW) as store:
        yield store


Key = tuple[str, ...]


def _nonce(shown: Shown) -> str:
    return dict(shown.request.headers)[b"signature-input"].partition(b'nonce="')[2].partition(b'"')[0].decode()


def _hmac(store: Any) -> tuple[Shown, Shown, Key]:
    one, other = of_store(store, HMACAuth, HMACVerifier())
    field = dict(one.request.headers)[b"authorization"]
    return one, other, ("hmac", "k1", field.partition(b'nonce="')[2].partition(b'"')[0].decode())


def _digest(store: Any) -> tuple[Shown, Shown, Key]:
    one, other = of_digest(store)
    return one, other, ("digest", params(one.request)["nonce"], "00000001")


def _signature(store: Any, stored: bool) -> tuple[Shown, Shown, Key]:
    one, other = given(mac_key(A)), given(mac_key(B))
    if stored:
        one, other = of_store(store, SignatureAuth, SignatureVerifier())
    return one, other, ("signature", "k1" if stored else "k", _nonce(one))


def _mark_of(store: Any, made: Callable[[Any], tuple[Shown, Shown]]) -> tuple[Shown, Shown, Key]:
    """For schemes whose marks are spelled as ever, and hold what a test can't tell more simply."""
    one, other = made(store)
    claim = one.verifier.read(one.request)
    assert claim is not None
    marks: list[Key] = []

    class Noting:
        kinds = None
        blocking = False

        def fetch(self, refs: Any) -> Any:
            return store.fetch(refs)

        def commit(self, writes: Any) -> Any:
            marks.extend(write.key for write in writes if isinstance(write, Once))
            return COMMITTED

    assert isinstance(verdict(Noting(), one), Identity)
    (mark,) = marks
    return one, other, mark


A_EXAMPLE = {"iss": "https://a.example"}
SCHEMES: dict[str, Callable[[Any], tuple[Shown, Shown, Key]]] = {
    "webhook": lambda store: (
        webhook(A.encode()), webhook(B.encode()), ("webhook", "standard", "standard", "msg_1"),
    ),
    "webhook in a rotation": lambda store: (
        webhook(A.encode(), known=[B.encode(), A.encode()]), webhook(A[::-1].encode()), ("webhook", "standard", "standard", "msg_1"),
    ),
    "github": lambda store: (
        webhook(A, "github", subject="us"), webhook(B, "github", subject="us"), ("webhook", "github", "us", "msg_1"),
    ),
    "jwt without iss": lambda store: (token(mac_key(A)), token(mac_key(B)), ("jwt", "", "t1")),
    "jwt whose iss nobody checks": lambda store: (
        token(mac_key(A), **A_EXAMPLE), token(mac_key(B), **A_EXAMPLE), ("jwt", "https://a.example", "t1"),
    ),
    "jwt": lambda store: (
        token(mac_key(A), issuer="https://a.example", **A_EXAMPLE), token(mac_key(B), **A_EXAMPLE), ("jwt", "https://a.example", "t1"),
    ),
    "signature of given keys": lambda store: _signature(store, False),
    "signature of stored keys": lambda store: _signature(store, True),
    "digest": _digest,
    "hmac": _hmac,
    "oauth1": lambda store: _mark_of(store, of_oauth1),
    "sigv4": lambda store: _mark_of(store, of_sigv4),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMES)
def test_what_the_old_process_accepted_the_new_one_refuses(
    store: SQLStore, old: Callable[[Key], str], name: str
) -> None:
    shown, _, key = SCHEMES[name](store)
    assert old(key) == "accepted"
    assert verdict(store, shown) is Reason.REPLAYED
    assert old(key) == "replayed"


@pytest.mark.parametrize("name", SCHEMES)
def test_what_the_new_process_accepted_the_old_one_refuses(
    store: SQLStore, old: Callable[[Key], str], name: str
) -> None:
    shown, other, key = SCHEMES[name](store)
    assert isinstance(verdict(store, shown), Identity)
    assert old(key) == "replayed"
    assert verdict(store, shown) is Reason.REPLAYED
    assert isinstance(verdict(store, other), Identity), "another owner's, which the old version can't tell from it"
    assert old(key) == "replayed"


def test_marks_that_were_there_before_hold_until_they_end(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            """INSERT INTO watchword_spent VALUES ('["webhook","standard","standard","msg_1"]', ?)""", (NOW + 1,)
        )
    with SQLStore(f"sqlite:///{file}", clock=lambda: NOW) as store:
        for shown in (webhook(A.encode()), webhook(B.encode())):
            assert verdict(store, shown) is Reason.REPLAYED
    with SQLStore(f"sqlite:///{file}", clock=lambda: NOW + 62) as store:
        store.commit([Once(("another",), NOW + 63)])  # the first commit forgets what has ended
    with SQLStore(f"sqlite:///{file}", clock=lambda: NOW) as store:
        for shown in (webhook(A.encode()), webhook(B.encode())):
            assert isinstance(verdict(store, shown), Identity)


def test_what_is_taken_back_the_old_process_refuses_all_the_same(store: SQLStore, old: Callable[[Key], str]) -> None:
    """It may be another owner's as well, and 0.1.0 takes nothing back."""
    shown, other, key = SCHEMES["webhook"](store)
    assert isinstance(verdict(store, shown), Identity)
    assert isinstance(verdict(store, other), Identity)
    (owner,) = shown.verifier.owners  # type: ignore[attr-defined]
    store.commit([TakeBack(key, owner)])
    assert old(key) == "replayed"
    assert isinstance(verdict(store, shown), Identity)
    assert verdict(store, other) is Reason.REPLAYED


@pytest.mark.parametrize("kind", [SQLStore, AsyncSQLStore])
def test_records_stay_and_the_column_is_added_once(file: Path, kind: Any) -> None:
    note = Ref(Note, ("a",))
    for number in range(3):
        store = Called(kind(f"sqlite:///{file}"))
        assert store.get(Note, "a") == (Note("kept") if number else None)
        store.commit(Put(note, Note("kept")))
        assert store.commit(Once(("id",), 1e11, f"o{number}")) == COMMITTED
        store.close()
    with closing(sqlite3.connect(file)) as connection:
        assert [row[1] for row in connection.execute("PRAGMA table_info(watchword_spent)")] == ["key", "until", "owner"]
