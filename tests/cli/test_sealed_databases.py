"""Databases whose secrets are sealed with a key of the application's own, from the command line."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done
from watchword.core.records import Ref
from watchword.core.rejection import ConfigurationError
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores import SQLStore

URL = "sqlite:///users.db"
TEXT = b"5ecret-of-the-application-which-is-long"
RAW = bytes(range(200, 231)) + b"\n"  # ends as a line does
OTHER = "an0ther-of-the-application-which-is-long"
COMMANDS: dict[str, tuple[str, ...]] = {
    "key add": ("key", "add", "billing"),
    "key list": ("key", "list", "--json"),
    "key rotate": ("key", "rotate", "KEY_ID"),
    "key revoke": ("key", "revoke", "KEY_ID"),
    "user add": ("user", "add", "bob", "--realm", "orders", "--password-stdin"),
    "user list": ("user", "list", "--json"),
    "user disable": ("user", "disable", "alice"),
    "user enable": ("user", "enable", "alice"),
    "user passwd": ("user", "passwd", "alice", "--password-stdin"),
}
Run = Callable[..., Done]


@pytest.fixture
def run(shell: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WATCHWORD_STORE", URL)

    def run(*arguments: str, status: int = 0, secrets: str | None = None, password: str = "another sesame") -> Done:
        with monkeypatch.context() as patch:
            if secrets is not None:
                patch.setenv("WATCHWORD_SECRETS", secrets)
            done = shell(*arguments, stdin=f"{password}\n".encode())
        assert done.returncode == status, done.stderr
        for secret in ("5ecret", "an0ther"):
            assert secret not in done.stdout + done.stderr
        return done

    return run


def made(**options: Any) -> str:
    """A database with a user who has sealed secrets, and the id of its API key."""
    with SQLStore(URL, **options) as store:
        store.add_user("alice", "open sesame", realm="orders")
        return store.add_api_key("billing").split("_")[1]


def digest_secret(name: str, **options: Any) -> bytes | str | None:
    ref = Ref(DigestSecret, ("SHA-256", "orders", name))
    with SQLStore(URL, **options) as store:
        record = store.fetch([ref]).get(ref)
    return None if record is None else record.ha1


def arguments(command: str, key_id: str) -> list[str]:
    return [key_id if word == "KEY_ID" else word for word in COMMANDS[command]]


@pytest.mark.parametrize("given", ["environment", "file"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works_with_the_key_of_the_application(run: Run, place: Path, command: str, given: str) -> None:
    key_id = made(secrets=TEXT)
    if given == "file":
        (place / "secret").write_bytes(TEXT)
        run(*arguments(command, key_id), "--secrets-file", "secret")
    else:
        run(*arguments(command, key_id), secrets=TEXT.decode())
    assert not (place / "users.db.key").exists()
    name = {"user add": "bob", "user passwd": "alice"}.get(command)
    if name is not None:
        assert digest_secret(name, secrets=TEXT) == ha1("SHA-256", name, "orders", "another sesame")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_it_every_command_says_how_it_is_given(run: Run, place: Path, command: str) -> None:
    key_id = made(secrets=TEXT)
    done = run(*arguments(command, key_id), status=2)
    assert "users.db is sealed with a key that is not in users.db.key: give the one" in done.stderr
    assert "by --secrets-file or WATCHWORD_SECRETS; or restore that file" in done.stderr
    assert not (place / "users.db.key").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("key_file", [False, True])
def test_another_key_is_refused_by_every_command(run: Run, command: str, key_file: bool) -> None:
    key_id = made() if key_file else made(secrets=TEXT)
    done = run(*arguments(command, key_id), secrets=OTHER, status=2)
    assert "WATCHWORD_SECRETS is not the key that users.db was sealed with: give the one" in done.stderr
    assert "or no key if it is in users.db.key" in done.stderr


def test_a_key_file_of_another_database_is_no_key_either(run: Run, place: Path) -> None:
    made(secrets=TEXT)
    (place / "users.db.key").write_bytes(urlsafe_b64encode(bytes(32)) + b"\n")
    assert "by --secrets-file or WATCHWORD_SECRETS" in run("key", "list", status=2).stderr
    run("key", "list", secrets=TEXT.decode())


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        (TEXT, TEXT),
        (TEXT, TEXT + b"\n"),
        (TEXT, TEXT + b"\r\n"),
        (TEXT + b"\n", TEXT + b"\n"),
        (RAW, RAW),
        (RAW, RAW + b"\n"),
        (RAW, b64encode(RAW)),
        (RAW, b64encode(RAW) + b"\n"),
        (RAW, urlsafe_b64encode(RAW)),
        (RAW, urlsafe_b64encode(RAW).rstrip(b"=")),
        (RAW, RAW.hex().encode() + b"\n"),
        (RAW + b"x", b64encode(RAW + b"x")),
        (RAW.hex().encode(), RAW.hex().encode()),
    ],
)
def test_a_file_may_hold_the_octets_or_spell_them(run: Run, place: Path, secret: bytes, written: bytes) -> None:
    made(secrets=secret)
    (place / "secret").write_bytes(written)
    run("user", "passwd", "alice", "--password-stdin", "--secrets-file", "secret")
    assert digest_secret("alice", secrets=secret) == ha1("SHA-256", "alice", "orders", "another sesame")


def test_the_file_wins_over_the_environment(run: Run, place: Path) -> None:
    made(secrets=TEXT)
    (place / "secret").write_bytes(TEXT)
    run("key", "list", "--secrets-file", "secret", secrets=OTHER)
    (place / "secret").write_bytes(OTHER.encode())
    done = run("key", "list", "--secrets-file", "secret", secrets=TEXT.decode(), status=2)
    assert "the file of --secrets-file is not the key" in done.stderr


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "the file of --secrets-file can't be read: No such file or directory"),
        (b"", "fewer than 32 octets"),
        (b"5ecret\n", "fewer than 32 octets"),
        (b"5ecret" * 20_000, "more than 65536 octets"),
        (b"-----BEGIN PUBLIC KEY-----5ecret5ecret5ecret", "is not the key that users.db was sealed with"),
    ],
)
def test_a_file_that_holds_no_key_is_not_repeated(run: Run, place: Path, written: bytes | None, said: str) -> None:
    made(secrets=TEXT)
    if written is not None:
        (place / "5ecret-file").write_bytes(written)
    assert said in run("key", "list", "--secrets-file", "5ecret-file", status=2).stderr


def test_an_environment_without_octets_is_not_taken_for_none(run: Run, place: Path) -> None:
    done = run("key", "add", "billing", secrets="", status=2)
    assert "WATCHWORD_SECRETS has fewer than 32 octets" in done.stderr
    assert list(place.iterdir()) == []


def test_a_database_that_is_begun_with_a_key_is_the_applications(run: Run, place: Path) -> None:
    run("user", "add", "bob", "--realm", "orders", "--password-stdin", secrets=TEXT.decode())
    assert digest_secret("bob", secrets=TEXT) == ha1("SHA-256", "bob", "orders", "another sesame")
    assert not (place / "users.db.key").exists()
    with pytest.raises(ConfigurationError, match="secrets=…"):
        SQLStore(URL)


def test_a_public_key_begins_no_database(run: Run, place: Path) -> None:
    done = run("key", "add", "billing", secrets="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI5ecret", status=2)
    assert "public key is no secret" in done.stderr
    assert list(place.iterdir()) == []


def test_a_look_at_a_database_without_secrets_gives_it_no_key(run: Run) -> None:
    with SQLStore(URL) as store:
        store.add_api_key("billing")
    run("key", "list", secrets=OTHER)
    made(secrets=TEXT)
