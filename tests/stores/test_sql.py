"""What only the SQL stores promise: processes, forks, failures, sealed secrets."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.stores.faces import Called, Clock, Hidden, Note
from watchword import ConfigurationError, Key, Password, StoreUnavailable
from watchword.core.records import COMMITTED, Add, Counter, Exceeded, Once, Put, Ref, Replayed, Spent, Take
from watchword.stores import AsyncSQLStore, SQLStore
from watchword.stores.sql import database

SECRET = "hunter2-the-secret"
HIDDEN = Ref(Hidden, ("h",))
NOTE = Ref(Note, ("n",))
LATER = 1e11

HAMMER = """
import json, sys, threading
from dataclasses import dataclass
from typing import ClassVar
from watchword.core.records import *
from watchword.stores import SQLStore

@dataclass(frozen=True)
class Mine:
    sensitive: ClassVar[bool] = True
    worker: str

url, worker = sys.argv[1:]
store = SQLStore(url, timeout=300.0)  # on a slow machine the last of them waits long
won = []
def work(thread):
    for number in range(30):
        if isinstance(store.commit([Once(("m", str(number)), 1e11)]), Committed):
            won.append(f"mark {number}")
        if isinstance(store.commit([Put(Ref(Mine, (str(number),)), Mine(worker), if_version=0)]), Committed):
            won.append(f"first {number}")
        if isinstance(store.commit([Add(("c",), 1, 1e11, limit=100), Once((worker, thread, str(number)), 1e11)]), Committed):
            won.append("count")
threads = [threading.Thread(target=work, args=(str(n),)) for n in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]
refs = [Ref(Mine, (str(number),)) for number in range(30)]
found = store.fetch(refs)
assert all(found.get(ref) for ref in refs)
counter = store.fetch([Ref(Counter, ("c",))]).get(Ref(Counter, ("c",)))
store.close()
print(json.dumps({"won": won, "count": counter.value}))
"""


def run(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-W", "error", "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def answer_of(process: subprocess.Popen[str]) -> Any:
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return json.loads(out)


def test_four_processes_that_start_at_once_win_each_mark_and_each_first_put_exactly_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"  # nobody made it: tables, key file and all are raced for
    answers = [answer_of(process) for process in [run(HAMMER, url, f"w{number}") for number in range(4)]]
    won = sorted(win for answer in answers for win in answer["won"] if win != "count")
    assert won == sorted(f"{what} {number}" for what in ("mark", "first") for number in range(30))
    assert sum(answer["won"].count("count") for answer in answers) == 100
    assert max(answer["count"] for answer in answers) == 100
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(("-wal", "-shm"))) == [
        "shared.db", "shared.db.key",
    ]  # fmt: skip


FORK = """
import json, os, sys
from watchword.core.records import *
from watchword.stores import SQLStore
store = SQLStore(sys.argv[1])
store.commit([Once(("before",), 1e11)])
reader, writer = os.pipe()
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        outcomes = [type(store.commit([Once((key,), 1e11)])).__name__ for key in ("before", "raced", f"own {number}")]
        store.close()
        os.write(writer, (json.dumps(outcomes) + "\\n").encode())
        os._exit(0)
    children.append(pid)
mine = [type(store.commit([Once((key,), 1e11)])).__name__ for key in ("before", "raced", "mine")]
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
os.close(writer)
theirs = [json.loads(line) for line in os.fdopen(reader)]
after = type(store.commit([Once(("after",), 1e11)])).__name__
store.close()
print(json.dumps([mine, *theirs, after]))
"""


def test_a_store_that_was_used_before_a_fork_works_on_both_sides_of_it(tmp_path: Path) -> None:
    *families, after = answer_of(run(FORK, f"sqlite:///{tmp_path}/forked.db"))
    assert len(families) == 4
    assert [family[0] for family in families] == ["Replayed"] * 4
    assert sorted(family[1] for family in families) == ["Committed", "Replayed", "Replayed", "Replayed"]
    assert [family[2] for family in families] == ["Committed"] * 4
    assert after == "Committed"


FORK_MEMORY = """
import json, os
from watchword import ConfigurationError
from watchword.core.records import *
from watchword.stores import SQLStore
store = SQLStore("sqlite://")
if os.fork() == 0:
    try:
        store.commit([Once(("x",), 1e11)])
    except ConfigurationError:
        os._exit(7)
    os._exit(0)
status = os.waitstatus_to_exitcode(os.wait()[1])
store.close()
print(json.dumps(status))
"""


def test_memory_is_not_silently_copied_into_a_forked_process() -> None:
    assert answer_of(run(FORK_MEMORY)) == 7


# ---- construction ----------------------------------------------------------------------------------------------------

STORES: list[Callable[..., Any]] = [SQLStore, AsyncSQLStore]


@pytest.fixture(params=STORES)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Called]]:
    made: list[Called] = []

    def make(*arguments: Any, **options: Any) -> Called:
        made.append(Called(request.param(*arguments, **options)))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("users.db", "no database URL"),
        ("mysql://u:hunter2@h/d", "only SQLite and PostgreSQL"),
        ("postgresql+asyncpg://u:hunter2@h/d", "only SQLite and PostgreSQL"),
        ("postgresql://u:hunter2@h/d?sslmod=hunter2", "libpq's; one of these is none: sslmod"),
        ("sqlite+pysqlcipher://:hunter2@/x.db", "only SQLite"),
        ("sqlite://host/x.db", "the path"),
        ("sqlite:///x.db?mode=ro", "the path"),
        ("sqlite:///file:x.db", "the path"),
        ("http//:hunter2@x", "no database URL"),
        ("sqlite:////nowhere/at/all/x.db", "make its folder"),
    ],
)
def test_a_url_that_cannot_be_used_is_a_configuration_error(make: Any, url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        make(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_without_the_extra_one_is_told_what_to_install(tmp_path: Path) -> None:
    code = """
import sys, json
for name in sys.argv[2:]:
    sys.modules[name] = None
from watchword import ConfigurationError
from watchword.stores import AsyncSQLStore, SQLStore
said = []
for make in (SQLStore, AsyncSQLStore):
    try:
        make(sys.argv[1])
        said.append("")
    except ConfigurationError as error:
        said.append(str(error))
print(json.dumps(said))
"""
    url = f"sqlite:///{tmp_path}/x.db"
    both = answer_of(run(code, url, "sqlalchemy"))
    assert all("pip install 'watchword[sql]'" in words for words in both)
    for words in answer_of(run(code, "postgresql://db.example/app", "psycopg")):
        assert "pip install 'watchword[postgresql]'" in words
    for part in ("aiosqlite", "greenlet"):
        sync, awaited = answer_of(run(code, url, part))
        assert sync == ""
        assert "pip install 'watchword[sql]'" in awaited


def test_importing_the_stores_loads_no_extra_and_no_asyncio() -> None:
    code = """
import json, sys
import watchword.stores
watchword.stores.SQLStore, watchword.stores.MemoryStore, watchword.stores.combine, watchword.stores.from_callables
print(json.dumps([name for name in ("sqlalchemy", "aiosqlite", "psycopg", "alembic", "asyncio", "cryptography") if name in sys.modules]))
"""
    assert answer_of(run(code)) == []


@pytest.mark.parametrize("options", [{"max_connections": 3}, {"synchronous_standby": True}, {"timeout": 0.0}])
def test_an_argument_that_means_nothing_here_is_a_configuration_error(make: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="for PostgreSQL|seconds, above nothing"):
        make("sqlite://", **options)


def test_a_path_with_odd_characters_is_that_path(make: Any, tmp_path: Path) -> None:
    folder = tmp_path / "ä b#c'd"
    folder.mkdir()
    store = make(f"sqlite:///{folder}/x.db")
    store.commit(Put(NOTE, Note("n")))
    assert (folder / "x.db").exists()
    assert store.get(Note, "n") == Note("n")


def test_a_relative_path_is_that_of_the_moment_of_construction(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = make("sqlite:///x.db")
    monkeypatch.chdir("/")
    assert store.commit(Put(NOTE, Note("n"))) == COMMITTED
    assert (tmp_path / "x.db").exists()


def test_tables_of_a_later_version_are_refused(make: Any, tmp_path: Path) -> None:
    make(f"sqlite:///{tmp_path}/x.db").close()
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("UPDATE watchword_facts SET value = '2' WHERE name = 'schema'")
    connection.close()
    with pytest.raises(ConfigurationError, match="another version"):
        make(f"sqlite:///{tmp_path}/x.db")


def test_what_was_committed_is_there_after_closing_and_opening_again(make: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    once = Once(("x",), LATER)
    store = make(url)
    store.commit(once, Put(HIDDEN, Hidden(SECRET)))
    store.close()
    again = make(url)
    assert again.commit(once) == Replayed(once)
    assert again.get(Hidden, "h") == Hidden(SECRET)


def test_a_closed_file_store_opens_again_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    store = SQLStore(f"sqlite:///{tmp_path}/x.db")
    store.commit([Put(NOTE, Note("n"))])
    store.close()
    store.close()
    with store:
        assert store.fetch([NOTE]).get(NOTE) == Note("n")
    memory = SQLStore("sqlite://")
    memory.close()
    with pytest.raises(ConfigurationError, match="closed"):
        memory.fetch([NOTE])


def test_an_async_store_says_that_it_serves_one_loop_until_closed(tmp_path: Path) -> None:
    store = AsyncSQLStore(f"sqlite:///{tmp_path}/x.db")

    async def use() -> Any:
        return await store.commit([Put(NOTE, Note("n"))])

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(use())
        with pytest.raises(ConfigurationError, match="another event loop"):
            second.run(use())
        first.run(store.close())
        assert second.run(use()) == COMMITTED
        second.run(store.close())


def test_a_cancelled_commit_is_finished_and_breaks_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSQLStore(f"sqlite:///{tmp_path}/x.db") as store:
            for number in range(20):
                task = asyncio.ensure_future(store.commit([Once((str(number),), LATER), Put(NOTE, Note("n"))]))
                for _ in range(number):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            assert await store.commit([Once(("after",), LATER)]) == COMMITTED
            assert (await store.fetch([NOTE])).get(NOTE) == Note("n")

    asyncio.run(main())
    gc.collect()


# ---- failure ---------------------------------------------------------------------------------------------------------


def fails(store: Called) -> None:
    for verb in (lambda: store.fetch([NOTE]), lambda: store.commit(Once((SECRET,), LATER))):
        with pytest.raises(StoreUnavailable) as caught:
            verb()
        assert caught.value.__cause__ is None
        assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(f'"{SECRET}"', "")


def test_a_database_that_is_gone_is_unavailable_and_never_made_anew(make: Any, tmp_path: Path) -> None:
    store = make(f"sqlite:///{tmp_path}/x.db")
    for path in tmp_path.iterdir():
        path.unlink()
    fails(store)
    assert list(tmp_path.iterdir()) == []
    tmp_path.rmdir()
    fails(store)


def test_a_corrupt_database_is_unavailable(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = make(f"sqlite:///{path}")
    for extra in ("-wal", "-shm"):
        Path(f"{path}{extra}").unlink(missing_ok=True)
    path.write_bytes(b"this is no database at all" * 500)
    fails(store)
    with pytest.raises(StoreUnavailable):
        make(f"sqlite:///{path}")


def test_a_database_that_another_process_keeps_locked_is_unavailable_after_the_timeout(
    make: Any, tmp_path: Path
) -> None:
    store = make(f"sqlite:///{tmp_path}/x.db", timeout=0.1)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
        store.commit(Once(("x",), LATER))
    assert store.get(Note, "n") is None  # readers never wait
    other.execute("ROLLBACK")
    other.close()
    assert store.commit(Once(("x",), LATER)) == COMMITTED


class Losing:
    """A connection whose answer to one statement is lost, after it was carried out."""

    def __init__(self, connection: Any, lost: str, said: list[str]) -> None:
        self._connection, self._lost, self._said = connection, lost, said

    def execute(self, statement: str, *parameters: Any) -> Any:
        self._said.append(statement)
        cursor = self._connection.execute(statement, *parameters)
        if self._lost and statement.startswith(self._lost):
            self._lost = ""
            raise sqlite3.OperationalError("disk I/O error")
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize(
    ("lost", "writes"),
    [
        ("INSERT INTO watchword_spent", [Once(("x",), LATER)]),
        ("COMMIT", [Once(("x",), LATER), Put(NOTE, Note("n"), if_version=0)]),
    ],
)
def test_a_commit_whose_outcome_is_unknown_is_unavailable_and_never_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, writes: list[Any]
) -> None:
    said: list[str] = []
    with SQLStore(f"sqlite:///{tmp_path}/x.db") as store:
        store.commit([Once(("first",), LATER)])
        with monkeypatch.context() as patch:
            take = store._engine().connections.take
            patch.setattr(database.Connections, "take", lambda self: Losing(take(), lost, said))
            with pytest.raises(StoreUnavailable):
                store.commit(writes)
        assert sum(statement.startswith(lost) for statement in said) == 1
        assert store.commit(writes) == Replayed(writes[0])


def test_a_statement_that_fails_half_way_leaves_nothing_behind(make: Any, tmp_path: Path) -> None:
    for url in ("sqlite://", f"sqlite:///{tmp_path}/x.db"):
        store = make(url)
        with pytest.raises(StoreUnavailable):  # the version is more than SQLite can count to
            store.commit(Once(("x",), LATER), Put(NOTE, Note("n"), if_version=2**70))
        assert store.commit(Once(("x",), LATER)) == COMMITTED


def test_a_stored_record_that_no_longer_fits_its_class_is_unavailable(make: Any, tmp_path: Path) -> None:
    store = make(f"sqlite:///{tmp_path}/x.db")
    store.commit(Put(NOTE, Note("n")))
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("""UPDATE watchword_records SET data = CAST('{"text": 1}' AS BLOB)""")
    connection.close()
    with pytest.raises(StoreUnavailable, match="does not fit its class"):
        store.fetch([NOTE])


def test_a_record_that_json_cannot_hold_is_a_configuration_error_without_its_words(make: Any) -> None:
    store = make("sqlite://")
    for record in (Hidden(SECRET + "\ud800"), Hidden(object())):  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="a Hidden record can't be stored") as caught:
            store.commit(Put(HIDDEN, record))
        assert SECRET not in str(caught.value)
        assert caught.value.__suppress_context__


def test_two_record_classes_of_one_name_are_refused(make: Any) -> None:
    store = make("sqlite://")
    store.commit(Put(NOTE, Note("n")))
    impostor = type("Note", (), {"__annotations__": {"text": str}})
    with pytest.raises(ConfigurationError, match="two record classes are called Note"):
        store.get(impostor, "n")


# ---- secrets ---------------------------------------------------------------------------------------------------------


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_secrets_are_nowhere_in_the_files(make: Any, tmp_path: Path) -> None:
    store = make(f"sqlite:///{tmp_path}/x.db")
    key = Key.from_secret(b"K" * 32, algorithm="HS256", key_id="visible-key-id")
    store.add_key("alice", key)
    store.add_user("alice", SECRET, realm="orders")
    store.add_client("svc", SECRET)
    store.commit(Put(HIDDEN, Hidden(SECRET)), Put(NOTE, Note("visible-note")))
    from watchword.schemes.digest import DigestSecret

    ha1 = store.get(DigestSecret, "SHA-256", "orders", "alice").ha1
    files = everything_in(tmp_path)
    assert b"visible-note" in files  # so the search finds what is there
    assert b"visible-key-id" in files
    for secret in (SECRET, ha1, "K" * 32, "S0tLS0tL"):
        assert secret.encode() not in files
    assert SECRET not in repr(store.store)


def test_the_key_file_is_its_owners_only_and_so_is_the_database(make: Any, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make(f"sqlite:///{tmp_path}/x.db").commit(Put(HIDDEN, Hidden(SECRET)))
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_no_key_file_is_made_before_there_is_a_secret(make: Any, tmp_path: Path) -> None:
    store = make(f"sqlite:///{tmp_path}/x.db")
    store.add_user("alice", SECRET)
    assert not (tmp_path / "x.db.key").exists()
    store.commit(Put(HIDDEN, Hidden(SECRET)))
    assert len((tmp_path / "x.db.key").read_bytes()) == 45


def sealed_database(make: Any, folder: Path) -> str:
    url = f"sqlite:///{folder}/x.db"
    store = make(url)
    store.commit(Put(HIDDEN, Hidden(SECRET)))
    store.close()
    return url


def test_a_database_without_its_key_file_is_refused_and_gets_no_new_one(make: Any, tmp_path: Path) -> None:
    url = sealed_database(make, tmp_path)
    key = tmp_path / "x.db.key"
    saved = key.read_bytes()
    key.unlink()
    with pytest.raises(ConfigurationError, match=r"secrets=….*restore .*x\.db\.key"):
        make(url)
    assert not key.exists()
    key.write_bytes(saved)
    assert make(url).get(Hidden, "h") == Hidden(SECRET)


def test_a_foreign_or_damaged_key_file_is_refused(make: Any, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    url = sealed_database(make, tmp_path / "one")
    sealed_database(make, tmp_path / "two")
    key = tmp_path / "one" / "x.db.key"
    key.write_bytes((tmp_path / "two" / "x.db.key").read_bytes())
    with pytest.raises(ConfigurationError, match="not the key.*restore.*secrets=…"):
        make(url)
    for damage in (b"", b"AAAA\n", b"\xff" * 44, b"A" * 45):
        key.write_bytes(damage)
        with pytest.raises(ConfigurationError, match="damaged.*restore"):
            make(url)
    key.unlink()
    key.mkdir()
    with pytest.raises(ConfigurationError, match="can't be read"):
        make(url)


def test_a_key_of_ones_own_leaves_no_file_and_must_stay_the_same(make: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    make(url, secrets=b"k" * 32).commit(Put(HIDDEN, Hidden(SECRET)))
    assert not (tmp_path / "x.db.key").exists()
    assert make(url, secrets=b"k" * 32).get(Hidden, "h") == Hidden(SECRET)
    with pytest.raises(ConfigurationError, match="secrets=… is not the key"):
        make(url, secrets=b"j" * 32)
    with pytest.raises(ConfigurationError, match="missing"):
        make(url)
    with pytest.raises(ConfigurationError, match="32 octets"):
        make(url, secrets=b"short")


def test_a_key_of_ones_own_is_the_databases_before_there_is_a_secret(make: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    make(url, secrets=b"k" * 32)
    with pytest.raises(ConfigurationError, match="missing: give the one that it was made with, secrets=…"):
        make(url)
    with pytest.raises(ConfigurationError, match="secrets=… is not the key"):
        make(url, secrets=b"j" * 32)
    assert not (tmp_path / "x.db.key").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///x.db"])
@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ("5ecret" * 8, "as bytes, not str: a text is made octets"),
        ("", "not str"),
        (b"5ecret", "32 octets or more"),
        (b"", "32 octets or more"),
        (bytearray(b"5ecret" * 8), "not bytearray: "),
        (memoryview(b"5ecret" * 8), "not memoryview: "),
        ([b"5ecret" * 8], "one key.*not list"),
        ({"key": b"5ecret" * 8}, "one key.*not dict"),
        (32, "not int"),
        (False, "not bool"),
        (Path("5ecret"), "not .*Path"),
        (b"-----BEGIN PUBLIC KEY-----5ecret5ecret5ecret", "public key is no secret"),
    ],
)
def test_secrets_that_can_be_no_key_are_named_and_not_repeated_and_nothing_is_made(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, secrets: Any, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=said) as caught:
        make(url, secrets=secrets)
    assert "5ecret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_in_the_clear_only_when_asked_and_then_readable_only_when_asked(make: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    store = make(url, allow_plaintext_secrets=True)
    store.commit(Put(HIDDEN, Hidden(SECRET)))
    assert store.get(Hidden, "h") == Hidden(SECRET)
    assert not (tmp_path / "x.db.key").exists()
    assert SECRET.encode() in everything_in(tmp_path)
    with pytest.raises(StoreUnavailable, match="in the clear.*allow_plaintext_secrets=True"):
        make(url).get(Hidden, "h")


def test_a_sealed_row_that_was_moved_or_altered_does_not_open(make: Any, tmp_path: Path) -> None:
    url = sealed_database(make, tmp_path)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("""UPDATE watchword_records SET key = '["other"]' WHERE kind = 'Hidden'""")
    connection.close()
    with pytest.raises(StoreUnavailable, match="does not open"):
        make(url).get(Hidden, "other")


def test_a_process_that_was_there_before_the_first_secret_learns_the_key(make: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    early = make(url)
    sealed_database(make, tmp_path)
    assert early.get(Hidden, "h") == Hidden(SECRET)
    assert early.commit(Put(HIDDEN, Hidden("2"))) == COMMITTED
    assert make(url).get(Hidden, "h") == Hidden("2")


def test_stores_of_both_colours_share_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    once = Once(("x",), LATER)

    async def awaited() -> Any:
        async with AsyncSQLStore(url) as store:
            return await store.commit([once]), (await store.fetch([HIDDEN])).get(HIDDEN)

    with SQLStore(url) as store:
        store.commit([Put(HIDDEN, Hidden(SECRET))])
        assert asyncio.run(awaited()) == (COMMITTED, Hidden(SECRET))
        assert store.commit([once]) == Replayed(once)


def test_threads_share_the_memory_database(clock: Clock) -> None:
    with SQLStore("sqlite://", clock=clock) as store:
        outcomes: list[Any] = []

        def work() -> None:
            outcomes.extend(store.commit([Once((str(n),), LATER), Put(NOTE, Note("n"))]) for n in range(50))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(COMMITTED) == 50
        assert len(outcomes) == 200
        assert store.fetch([NOTE]).version(NOTE) == 50


def test_a_mark_that_comes_with_questions_is_made_only_if_none_is_refused(tmp_path: Path) -> None:
    full, free = Add(("full",), 0, 0.0, limit=2), Add(("free",), 0, 0.0, limit=2)
    now = 1_800_000_000.0
    with SQLStore(f"sqlite:///{tmp_path / 'marks.db'}", clock=lambda: now) as store:
        store.commit([Add(("full",), 3, now + 60), Add(("free",), 2, now + 60)])
        for number in range(60):  # every path: alone, and with the commits that forget
            mark = Once(("nonce", str(number)), now + 300)
            assert store.commit([free, full, mark]) == Exceeded(full, now + 60)
            assert store.fetch([Ref(Spent, mark.key)]).get(Ref(Spent, mark.key)) is None
            assert store.commit([free, mark]) == COMMITTED
            assert store.commit([free, mark]) == Replayed(mark)
            assert store.commit([full, mark]) == Exceeded(full, now + 60)
            assert store.commit([free, full]) == Exceeded(full, now + 60)
            assert store.commit([free]) == COMMITTED
        now += 61
        assert store.commit([full, Once(("later",), now + 300)]) == COMMITTED


def test_questions_wait_for_no_writer(tmp_path: Path) -> None:
    url = tmp_path / "questions.db"
    with SQLStore(f"sqlite:///{url}") as store, closing(sqlite3.connect(url, isolation_level=None)) as writer:
        store.commit([Add(("a",), 3, 2e9)])
        writer.execute("BEGIN IMMEDIATE")
        assert isinstance(store.commit([Add(("a",), 0, 0.0, limit=2)]), Exceeded)
        assert store.commit([Add(("a",), 0, 0.0, limit=3)]) == COMMITTED
        writer.execute("ROLLBACK")


def test_any_number_of_records_are_fetched_at_once(tmp_path: Path) -> None:
    with SQLStore(f"sqlite:///{tmp_path / 'many.db'}") as store:
        refs = [Ref(Spent, (str(number),)) for number in range(1500)]
        store.commit([Once(ref.key, 2e9) for ref in refs[::2]])
        counters = [Ref(Counter, (str(number),)) for number in range(1500)]
        store.commit([Add(ref.key, 1, 2e9) for ref in counters[::3]])
        found = store.fetch([*refs, *counters])
        assert [found.get(ref) is not None for ref in refs] == [number % 2 == 0 for number in range(1500)]
        assert [found.get(ref) is not None for ref in counters] == [number % 3 == 0 for number in range(1500)]
        assert found.counts and not store.fetch(refs).counts


def test_what_was_stored_anew_is_read_anew_also_by_another_store(tmp_path: Path) -> None:
    url, ref = f"sqlite:///{tmp_path / 'again.db'}", Ref(Password, ("alice",))
    with SQLStore(url) as one, SQLStore(url) as other:
        for encoded in ("a", "b", "a"):
            other.commit([Put(ref, Password(encoded))])
            first, again = (one.fetch([ref]).get(ref) for _ in range(2))
            assert first == Password(encoded) and first is again
        other.commit([Take(ref)])
        assert one.fetch([ref]).get(ref) is None


def test_a_connection_that_failed_half_way_is_used_again_without_its_transaction(tmp_path: Path) -> None:
    with SQLStore(f"sqlite:///{tmp_path / 'half.db'}") as store:
        engine = store._engine()
        connections = engine.connections

        def failing() -> Any:
            yield [("BEGIN IMMEDIATE", ())]
            yield [("INSERT INTO watchword_spent (key, until) VALUES ('a', 2e9)", ()), ("no statement", ())]

        for _ in range(20):
            with pytest.raises(StoreUnavailable, match="SQLITE_ERROR"):
                engine.converse(failing)
        assert len(connections._idle) == 1
        assert store.fetch([Ref(Spent, ("a",))]).get(Ref(Spent, ("a",))) is None
        assert store.commit([Once(("a",), 2e9)]) == COMMITTED
        borrowed = [connections.take() for _ in range(12)]
        for connection in borrowed:
            connections.give_back(connection)
        assert len(connections._idle) == 8
        late = connections.take()
    connections.give_back(late)
    with pytest.raises(sqlite3.ProgrammingError):
        late.execute("SELECT 1")


def test_marks_that_ended_stay_at_most_about_as_many_as_those_that_live(tmp_path: Path, clock: Clock) -> None:
    """Marks come at an even rate for 30 times as long as one lives, by two processes in turn (an object stands for one)."""
    url = f"sqlite:///{tmp_path / 'even.db'}"
    most = 0
    with SQLStore(url, clock=clock) as one, SQLStore(url, clock=clock) as other:
        for number in range(30 * 600):
            clock.now += 0.5
            store = other if number % 3 else one
            assert store.commit([Once((os.urandom(8).hex(),), clock.now + 240)]) == COMMITTED
            if number % 600 == 0:
                most = max(
                    most, *(rows for (rows,) in _rows(tmp_path / "even.db", "SELECT count(*) FROM watchword_spent"))
                )
    assert 600 <= most <= 2 * 600 + 1024, "240 s and a minute's grace are 600 marks"


def test_a_file_with_an_index_of_marks_from_an_earlier_version_loses_it(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    with SQLStore(f"sqlite:///{path}") as store:
        assert store.commit([Once(("a",), LATER)]) == COMMITTED
    _rows(path, "CREATE INDEX ix_watchword_spent_until ON watchword_spent (until)")
    with SQLStore(f"sqlite:///{path}") as store:
        assert isinstance(store.commit([Once(("a",), LATER)]), Replayed)
    assert _rows(path, "SELECT name FROM sqlite_master WHERE name LIKE 'ix%spent%'") == []


def _rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
