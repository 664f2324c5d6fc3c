"""`watchword user`: exit status and output, as a shell sees them, and what the guard then does."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done
from watchword import BasicVerifier, Guard, Identity, Password, Reason, Rejected, Request
from watchword.core.records import Ref
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores import SQLStore

Run = Callable[..., Done]
COMMAND = [sys.executable, "-m", "watchword", "user"]


@pytest.fixture
def run(shell: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WATCHWORD_STORE", "sqlite:///users.db")

    def run(*arguments: str, typed: str | bytes = "", status: int = 0) -> Done:
        done = shell("user", *arguments, stdin=typed.encode() if isinstance(typed, str) else typed)
        assert done.returncode == status, done.stderr
        return done

    return run


def add(run: Run, name: str, *options: str, password: str = "open sesame") -> None:
    done = run("add", name, *options, "--password-stdin", typed=password + "\n")
    assert done.stdout == ""
    assert password not in done.stderr


def verdict(folder: Path, name: str, password: str) -> Identity | Reason:
    pair = b64encode(f"{name}:{password}".encode()).decode()
    with SQLStore(f"sqlite:///{folder}/users.db") as store:
        try:
            return Guard([BasicVerifier(realm="orders")], store).verify(
                Request("GET", "https", "api.example", "/", {"Authorization": f"Basic {pair}"})
            )
        except Rejected as rejected:
            return rejected.reason


def digest_secret(folder: Path, algorithm: str, realm: str, name: str) -> DigestSecret | None:
    ref = Ref(DigestSecret, (algorithm, realm, name))
    with SQLStore(f"sqlite:///{folder}/users.db") as store:
        return store.fetch([ref]).get(ref)


def test_add_makes_a_user_who_gets_in(run: Run, tmp_path: Path) -> None:
    add(run, "alice", "--scope", "read", "--scope", "write")
    who = verdict(tmp_path, "alice", "open sesame")
    assert isinstance(who, Identity)
    assert who.scopes == {"read", "write"}


def test_add_with_a_realm_makes_the_digest_secrets(run: Run, tmp_path: Path) -> None:
    add(run, "alice", "--realm", "orders", "--digest", "SHA-256", "--digest", "MD5")
    for algorithm in ("SHA-256", "MD5"):
        secret = digest_secret(tmp_path, algorithm, "orders", "alice")
        assert secret is not None
        assert secret.ha1 == ha1(algorithm, "alice", "orders", "open sesame")


def test_list_shows_everything_but_hashes(run: Run, tmp_path: Path) -> None:
    add(run, "alice", "--scope", "read", "--realm", "orders")
    shown, as_json = run("list").stdout, run("list", "--json").stdout
    assert json.loads(as_json) == [
        {"username": "alice", "subject": "alice", "scopes": ["read"], "digest": ["SHA-256:orders"], "state": "enabled"}
    ]
    assert shown.splitlines()[1].split() == ["alice", "alice", "read", "SHA-256:orders", "enabled"]
    with SQLStore(f"sqlite:///{tmp_path}/users.db") as store:
        ((_, record),) = store.records(Password)
    secret = digest_secret(tmp_path, "SHA-256", "orders", "alice")
    assert secret is not None
    for hidden in (record.encoded, secret.ha1, "argon2"):
        assert hidden not in shown + as_json


def test_a_user_who_is_there_is_not_replaced(run: Run, tmp_path: Path) -> None:
    add(run, "alice")
    done = run("add", "alice", "--password-stdin", typed="another\n", status=1)
    assert "already" in done.stderr
    assert isinstance(verdict(tmp_path, "alice", "open sesame"), Identity)


def test_disable_and_enable(run: Run, tmp_path: Path) -> None:
    add(run, "alice", "--realm", "orders")
    run("disable", "alice")
    assert verdict(tmp_path, "alice", "open sesame") is Reason.DISABLED
    secret = digest_secret(tmp_path, "SHA-256", "orders", "alice")
    assert secret is not None and secret.disabled
    assert json.loads(run("list", "--json").stdout)[0]["state"] == "disabled"
    run("enable", "alice")
    assert isinstance(verdict(tmp_path, "alice", "open sesame"), Identity)
    secret = digest_secret(tmp_path, "SHA-256", "orders", "alice")
    assert secret is not None and not secret.disabled


def test_passwd_changes_every_secret_and_keeps_the_rest(run: Run, tmp_path: Path) -> None:
    add(run, "alice", "--scope", "read", "--realm", "orders", "--digest", "SHA-256", "--digest", "MD5")
    run("disable", "alice")
    done = run("passwd", "alice", "--password-stdin", typed="swordfish\r\n")
    assert "swordfish" not in done.stdout + done.stderr
    assert verdict(tmp_path, "alice", "swordfish") is Reason.DISABLED
    run("enable", "alice")
    assert verdict(tmp_path, "alice", "open sesame") is Reason.WRONG_SECRET
    who = verdict(tmp_path, "alice", "swordfish")
    assert isinstance(who, Identity)
    assert who.scopes == {"read"}
    for algorithm in ("SHA-256", "MD5"):
        secret = digest_secret(tmp_path, algorithm, "orders", "alice")
        assert secret == DigestSecret(ha1(algorithm, "alice", "orders", "swordfish"), ("read",))


@pytest.mark.parametrize("arguments", [("disable",), ("enable",), ("passwd", "--password-stdin")])
def test_an_unknown_user_exits_1(run: Run, arguments: tuple[str, ...]) -> None:
    add(run, "alice")
    assert "no user 'bob'" in run(*arguments, "bob", typed="pw\n", status=1).stderr


@pytest.mark.parametrize(
    ("name", "options", "typed", "said"),
    [
        ("alice", (), b"\n", "empty"),
        ("alice", (), b"", "empty"),
        ("alice", (), b"\xff\n", "UTF-8"),
        ("alice", (), b"x" * 513 + b"\n", "512 characters: choose a shorter one"),
        ("alice", (), b"x" * 5000 + b"\n", "512 characters: choose a shorter one"),
        ("alice", (), "é".encode() * 5000 + b"\n", "512 characters: choose a shorter one"),
        ("", (), b"pw\n", "username is empty"),
        ("a:b", (), b"pw\n", "colon"),
        ("a\x1b", (), b"pw\n", "control"),
        ("alice", ("--digest", "MD5"), b"pw\n", "realm"),
        ("alice", ("--realm", "r", "--digest", "MD4"), b"pw\n", "MD4"),
    ],
)
def test_unusable_input_exits_2_and_adds_nobody(
    run: Run, name: str, options: tuple[str, ...], typed: bytes, said: str
) -> None:
    add(run, "carol")
    done = run("add", name, *options, "--password-stdin", typed=typed, status=2)
    assert done.stdout == ""
    assert said in done.stderr
    assert "\x1b" not in done.stderr
    assert [row["username"] for row in json.loads(run("list", "--json").stdout)] == ["carol"]


def test_there_is_no_option_for_the_password(run: Run) -> None:
    assert "No such option" in run("add", "alice", "--password", "x", status=2).stderr
    assert "unexpected extra argument" in run("add", "alice", "open sesame", status=2).stderr


def test_without_a_terminal_the_password_must_be_piped_openly(run: Run) -> None:
    assert "--password-stdin" in run("add", "alice", typed="pw\n", status=2).stderr


@pytest.mark.parametrize("arguments", [("list",), ("disable", "a"), ("passwd", "a", "--password-stdin")])
def test_only_add_makes_a_file(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "no file users.db" in run(*arguments, typed="pw\n", status=2).stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("again", "status"), [("open sesame", 0), ("open sesamE", 2)])
def test_at_a_terminal_the_password_is_asked_for_twice_and_not_echoed(tmp_path: Path, again: str, status: int) -> None:
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*COMMAND, "add", "alice"], cwd=tmp_path, env={**os.environ, "WATCHWORD_STORE": "sqlite:///users.db"}, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        seen = read_until(ours, b"password: ")
        os.write(ours, b"open sesame\n")
        seen += read_until(ours, b"once more: ")
        os.write(ours, again.encode() + b"\n")
        seen += read_until(ours, None)
        assert process.wait() == status, seen
    finally:
        os.close(ours)
    assert b"sesam" not in seen
    if status == 0:
        assert isinstance(verdict(tmp_path, "alice", "open sesame"), Identity)
    else:
        assert b"differ" in seen
        assert list(tmp_path.iterdir()) == []


def read_until(terminal: int, prompt: bytes | None) -> bytes:
    """What the program writes, up to its prompt or its end."""
    seen = b""
    while prompt is None or not seen.endswith(prompt):
        try:
            octets = os.read(terminal, 4096)
        except OSError:  # Linux says EIO when the last program has gone
            octets = b""
        if not octets:
            assert prompt is None, seen
            break
        seen += octets
    return seen
