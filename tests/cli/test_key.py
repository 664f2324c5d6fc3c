"""`watchword key`: exit status and output, as a shell sees them, and what the guard then does."""

from __future__ import annotations

import errno
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from tests.cli.conftest import Done
from watchword import APIKeyVerifier, Guard, Reason, Rejected, Request
from watchword.cli import administration, key_files
from watchword.core.records import Put, Ref
from watchword.schemes.api_key_text import APIKey, APIKeyUse, hash_key
from watchword.stores import SQLStore

URL = "sqlite:///users.db"
KEY = re.compile(r"ww_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\n")
Run = Callable[..., Done]


def in_(shell: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str, store: str | None = URL, status: int = 0) -> Done:
        with monkeypatch.context() as patch:
            if store is not None:
                patch.setenv("WATCHWORD_STORE", store)
            done = shell("key", *arguments)
        assert done.returncode == status, done.stderr
        return done

    return run


@pytest.fixture
def run(shell: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Run:
    return in_(shell, monkeypatch)


def added(run: Run, *arguments: str) -> dict[str, object]:
    answer: dict[str, object] = json.loads(run("add", *arguments, "--json").stdout)
    return answer


def verdict(folder: Path, key: object) -> str | Reason:
    with SQLStore(f"sqlite:///{folder}/users.db") as store:
        try:
            return (
                Guard([APIKeyVerifier()], store)
                .verify(Request("GET", "https", "api.example", "/", {"X-API-Key": str(key)}))
                .subject
            )
        except Rejected as rejected:
            return rejected.reason


def test_add_prints_the_key_and_nothing_else_on_standard_output(
    process: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = in_(process, monkeypatch)
    done = run("add", "billing", "--scope", "read", "--scope", "write", "--expires", "90d")
    assert KEY.fullmatch(done.stdout)
    assert done.stdout.strip() not in done.stderr
    assert "shown once only" in done.stderr
    assert verdict(tmp_path, done.stdout.strip()) == "billing"
    (row,) = json.loads(run("list", "--json").stdout)
    assert (row["subject"], row["scopes"], row["state"]) == ("billing", ["read", "write"], "good")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["expires"])


def listed(folder: Path) -> list[APIKey]:
    with SQLStore(f"sqlite:///{folder}/users.db") as store:
        return [record for _, record in store.records(APIKey)]


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("command", ["add", "rotate"])
def test_a_key_that_could_not_be_printed_is_not_made(
    process: Callable[..., Done], run: Run, tmp_path: Path, command: str, form: list[str]
) -> None:
    """Standard output is a file on a disk that is full: nobody has seen the key, so it must not be good."""
    old = added(run, "billing")
    before = listed(tmp_path)
    arguments = ["add", "reports"] if command == "add" else ["rotate", str(old["key_id"]), "--overlap", "0"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "watchword", "key", *arguments, "--store", URL, *form],
            stdout=full, stderr=subprocess.PIPE, check=False, text=True, cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 1
    assert "can't be printed" in done.stderr
    assert listed(tmp_path) == before
    assert verdict(tmp_path, old["key"]) == "billing"


def test_a_disk_that_says_late_that_it_is_full_keeps_no_key(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some say so only when they are asked whether they have written."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    key_files.flush_to_disk(io.StringIO())  # nothing to wait for
    monkeypatch.setattr(key_files.os, "fsync", full)
    with (tmp_path / "out").open("w+") as out, pytest.raises(OSError, match="No space"):
        key_files.flush_to_disk(out)
    with pytest.raises(typer.Exit):
        key_files.write_private(str(tmp_path / "key.json"), b"{}")
    assert not (tmp_path / "key.json").exists()


def test_the_option_wins_over_the_environment(run: Run, tmp_path: Path) -> None:
    run("add", "billing", "--store", "sqlite:///other.db")
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "users.db").exists()


def test_list_shows_ids_states_and_uses_but_neither_keys_nor_hashes(run: Run, tmp_path: Path) -> None:
    first, second = added(run, "billing"), added(run, "reports", "--scope", "read")
    assert verdict(tmp_path, first["key"]) == "billing"
    run("revoke", str(second["key_id"]))
    shown = run("list")
    as_json = run("list", "--json")
    for key in (str(first["key"]), str(second["key"])):
        assert key.split("_")[2] not in shown.stdout + as_json.stdout
        assert hash_key(key) not in shown.stdout + as_json.stdout
    lines = {line.split()[0]: line for line in shown.stdout.splitlines()}
    assert " good " in lines[str(first["key_id"])]
    assert " revoked " in lines[str(second["key_id"])]
    rows = {row["key_id"]: row for row in json.loads(as_json.stdout)}
    assert rows[first["key_id"]]["last_used"]
    assert rows[second["key_id"]]["last_used"] is None
    assert rows[second["key_id"]]["revoked"]


def test_a_list_in_a_pipe_has_one_line_for_each_key_however_long(run: Run) -> None:
    added(run, "s" * 300)
    assert len(run("list").stdout.splitlines()) == 2


def test_an_empty_list_says_so_on_standard_error(run: Run, tmp_path: Path) -> None:
    SQLStore(f"sqlite:///{tmp_path}/users.db").close()
    assert (run("list").stdout, run("list").stderr) == ("", "none\n")
    assert json.loads(run("list", "--json").stdout) == []


def test_names_cannot_command_the_terminal(run: Run, tmp_path: Path) -> None:
    """Whoever can write to the store must not write to the administrator's screen."""
    with SQLStore(f"sqlite:///{tmp_path}/users.db") as store:
        record = APIKey("0" * 64, "\x1b]0;owned\x07[red]x[/red]\r\n\u202e", ("\x9b2J",), created=1e18)
        store.commit([Put(Ref(APIKey, ("\x1b[2J",)), record), Put(Ref(APIKeyUse, ("\x1b[2J",)), APIKeyUse(1e300))])
    for text in (run("list").stdout, run("list", "--json").stdout):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[red]x[/red]" in run("list").stdout


def test_rotate_prints_another_key_and_the_old_one_stays_good(run: Run, tmp_path: Path) -> None:
    old = added(run, "billing", "--scope", "read")
    done = run("rotate", str(old["key_id"]), "--overlap", "2h")
    assert KEY.fullmatch(done.stdout)
    assert "the old key is good until" in done.stderr
    new = done.stdout.strip()
    assert new.split("_")[1] == old["key_id"]
    assert new != old["key"]
    assert verdict(tmp_path, new) == verdict(tmp_path, old["key"]) == "billing"
    (row,) = json.loads(run("list", "--json").stdout)
    assert row["old_key_until"]
    refused = run("rotate", str(old["key_id"]), status=1)
    assert refused.stdout == ""
    assert "overlap 0" in refused.stderr
    last = run("rotate", str(old["key_id"]), "--overlap", "0", "--json")
    assert verdict(tmp_path, new) is Reason.EXPIRED
    assert verdict(tmp_path, json.loads(last.stdout)["key"]) == "billing"


def test_revoke_ends_the_key_and_says_so(run: Run, tmp_path: Path) -> None:
    key = added(run, "billing")
    done = run("revoke", str(key["key_id"]))
    assert (done.stdout, done.stderr) == ("", f"the key {key['key_id']} is revoked\n")
    assert verdict(tmp_path, key["key"]) is Reason.REVOKED
    assert json.loads(run("revoke", str(key["key_id"]), "--json").stdout)[0]["state"] == "revoked"
    assert "revoked" in run("rotate", str(key["key_id"]), status=1).stderr


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_an_unknown_id_exits_1(run: Run, verb: str) -> None:
    added(run, "billing")
    done = run(verb, "nobody000001", status=1)
    assert done.stdout == ""
    assert "no API key" in done.stderr


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_a_whole_key_as_an_argument_is_refused_and_not_repeated(run: Run, verb: str) -> None:
    key = str(added(run, "billing")["key"])
    done = run(verb, key, status=2)
    assert key not in done.stdout + done.stderr
    assert "rotate it" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", ""), "subject is empty"),
        (("add", "a\x1b[2J"), "subject"),
        (("add", "a", "--scope", "read write"), "one word"),
        (("add", "a", "--scope", ""), "one word"),
        (("add", "a", "--expires", "soon"), "--expires"),
        (("add", "a", "--expires", "0"), "--expires"),
        (("add", "a", "--expires", "0d"), "--expires"),
        (("add", "a", "--expires", "999999999w"), "century"),
        (("add", "a", "--expires", "١d"), "--expires"),
        (("add", "a", "--expires", "-1d"), "--expires"),
        (("rotate", "a", "--overlap", "1 day"), "--overlap"),
        (("add",), "Missing argument"),
        (("begin",), "begin"),
    ],
)
def test_unusable_input_exits_2_says_why_and_makes_nothing(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*arguments, status=2)
    assert done.stdout == ""
    assert said in done.stderr
    if (tmp_path / "users.db").exists():
        assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (None, "--store"),
        ("", "--store"),
        ("users.db", "sqlite:///users.db"),
        ("sqlite://", "sqlite:///users.db"),
        ("sqlite:///:memory:", "sqlite:///users.db"),
        ("mysql:///users", "SQLite"),
        ("sqlite:///no/such/folder/users.db", "folder"),
    ],
)
def test_a_store_that_cannot_be_used_exits_2(run: Run, store: str | None, said: str) -> None:
    done = run("add", "billing", store=store, status=2)
    assert done.stdout == ""
    assert said in done.stderr


@pytest.mark.parametrize("arguments", [("list",), ("rotate", "a"), ("revoke", "a")])
def test_only_add_makes_a_file(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "no file users.db" in run(*arguments, status=2).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_exits_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.db").write_text("these are no tables\n" * 100)
    assert "database" in run("list", status=1).stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("45s", 45), ("30m", 1800), ("24h", 86400), ("90d", 7776000), ("2w", 1209600)]
)
def test_times_are_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert administration.duration("--overlap", text) == seconds
