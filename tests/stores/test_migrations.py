"""Tables of every version become today's, by opening the file or by `watchword store upgrade`; what is in them stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from tests.cli.conftest import Done, shell  # noqa: F401 -- a fixture
from tests.stores.faces import Called, Note
from tests.stores.test_marks_of_0_1_0 import TABLES
from watchword import ConfigurationError
from watchword.core.records import COMMITTED, Once, Put, Ref, Replayed
from watchword.stores import AsyncSQLStore, SQLStore
from watchword.stores.sql import migrations
from watchword.stores.sql.migrations import upgrade
from watchword.stores.sql.tables import REVISION

MARK = Once(("a",), 1e11)
NOTE = Put(Ref(Note, ("n",)), Note("kept"))


def uncounted(path: Path) -> None:
    """A file as it was before revisions were counted."""
    with SQLStore(f"sqlite:///{path}") as store:
        assert store.commit([MARK]) == COMMITTED
        assert store.commit([NOTE]) == COMMITTED
    run(path, "DROP TABLE watchword_version")


def of_0_1_0(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
        connection.execute("""INSERT INTO watchword_spent VALUES ('["a"]', 1e11)""")
        connection.execute(
            """INSERT INTO watchword_records VALUES ('Note', '["n"]', 1, CAST('{"text":"kept"}' AS BLOB), 0)"""
        )


def missing(path: Path) -> None:
    """Nobody made it."""


def run(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def shape(path: Path) -> list[Any]:
    """Tables with their columns, indexes and triggers; not in the words by which they were made."""
    made = run(
        path,
        "SELECT type, name FROM sqlite_master WHERE name LIKE '%watchword%' AND name NOT LIKE 'sqlite%' ORDER BY 1, 2",
    )
    return [*made, *(run(path, f"PRAGMA table_info({name})") for kind, name in made if kind == "table")]


def by_opening(url: str) -> None:
    SQLStore(url).close()


@pytest.mark.parametrize("way", [by_opening, upgrade])
@pytest.mark.parametrize("before", [uncounted, of_0_1_0, missing])
def test_a_file_of_any_version_becomes_todays_and_keeps_what_is_in_it(
    tmp_path: Path, before: Callable[[Path], None], way: Callable[[str], Any]
) -> None:
    path = tmp_path / "users.db"
    before(path)
    for _ in range(2):
        way(f"sqlite:///{path}")
        assert run(path, "SELECT * FROM watchword_version") == [(REVISION,)]
    for kind in (SQLStore, AsyncSQLStore):
        store = Called(kind(f"sqlite:///{path}"))
        assert store.get(Note, "n") == (None if before is missing else Note("kept"))
        assert isinstance(store.commit(MARK), Replayed) is (before is not missing)
        store.close()
        if before is missing:
            break
    by_opening(f"sqlite:///{tmp_path}/new.db")
    assert {str(part) for part in shape(path)} == {str(part) for part in shape(tmp_path / "new.db")}


def test_the_newest_revision_is_the_one_that_this_version_works_on() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_a_later_versions_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "users.db"
    by_opening(f"sqlite:///{path}")
    run(path, "UPDATE watchword_version SET version_num = '9999'")
    before = path.read_bytes(), shape(path)
    for way in (by_opening, upgrade, AsyncSQLStore):
        with pytest.raises(ConfigurationError, match="version of watchword.*upgrade watchword"):
            way(f"sqlite:///{path}")
    assert shape(path) == before[1]


def test_the_command_line_upgrades_and_checks_a_file(tmp_path: Path, shell: Callable[..., Done]) -> None:  # noqa: F811
    path = tmp_path / "users.db"
    assert "no file" in shell("store", "check", "--store", f"sqlite:///{path}").stderr
    uncounted(path)
    done = shell("store", "check", "--store", f"sqlite:///{path}")
    assert (done.returncode, "FAIL tables: none that are counted" in done.stdout) == (1, True)
    assert shell("store", "upgrade", "--store", f"sqlite:///{path}").returncode == 0
    done = shell("store", "check", "--store", f"sqlite:///{path}")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "ok   tables: revision 0001, this version's")
    assert "never twice: on one host" in done.stdout
    assert shell("store", "check", "--synchronous-standby", "--store", f"sqlite:///{path}").returncode == 1
    assert '"well": true' in shell("store", "check", "--json", "--store", f"sqlite:///{path}").stdout
