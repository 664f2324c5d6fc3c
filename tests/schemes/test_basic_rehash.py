"""Whoever logs in with a password whose stored hash is outdated gets a new one, where it can be kept."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from watchword import (
    AsyncGuard, BasicVerifier, ConfigurationError, Guard, Identity, Password, Rejected, Request, StoreUnavailable,
)  # fmt: skip
from watchword.core.records import Conflict, Outcome, Put, Ref, Write
from watchword.crypto import passwords
from watchword.crypto.passwords import hash_password, is_outdated, verify_password
from watchword.schemes import basic
from watchword.stores import HtpasswdStore, MemoryStore, SQLStore, combine, from_callables

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # of "secret"
ALICE = Ref(Password, ("alice",))
GUARDS = [Guard, AsyncGuard]


def asking(password: str, username: str = "alice") -> Request:
    value = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    return Request("GET", "https", "api.example", "/", {"Authorization": value})


def ask(guard: Any, password: str, username: str = "alice") -> Identity:
    answer = guard.verify(asking(password, username))
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer  # type: ignore[no-any-return]


def holding(encoded: str, **fields: Any) -> MemoryStore:
    store = MemoryStore()
    store.commit([Put(ALICE, Password(encoded, **fields))])
    return store


def stored(store: Any) -> tuple[str, int]:
    found = store.fetch([ALICE])
    record = found.get(ALICE)
    assert record is not None
    return record.encoded, found.version(ALICE)


@pytest.mark.real_cost
@pytest.mark.parametrize("kind", GUARDS)
def test_a_log_in_replaces_an_outdated_hash_once_and_keeps_the_rest_of_the_record(kind: Any) -> None:
    store = holding(SHA, scopes=("read",), subject="user:1")
    guard = kind([BasicVerifier(realm="x", cache=None)], store)
    assert ask(guard, "secret").subject == "user:1"
    encoded, version = stored(store)
    assert encoded.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and version == 2
    verify_password(encoded, "secret")
    assert store.fetch([ALICE]).get(ALICE) == Password(encoded, ("read",), "user:1")
    ask(guard, "secret")
    assert stored(store) == (encoded, 2)


def test_the_salt_is_of_the_randomness_that_decide_is_given() -> None:
    claim = BasicVerifier(realm="x").read(asking("secret"))
    found = holding(SHA).fetch([ALICE])
    (note,) = claim.decide(found, basic.Body(), 0.0, lambda n: b"\7" * n).notes
    assert note == Put(ALICE, Password(hash_password("secret", random=lambda n: b"\7" * n)), 1)


@pytest.mark.parametrize("fields", [{}, {"disabled": True}])
def test_a_refused_log_in_replaces_nothing(fields: dict[str, Any]) -> None:
    store = holding(SHA, **fields)
    with pytest.raises(Rejected):
        ask(Guard([BasicVerifier(realm="x")], store), "secret" if fields else "guess")
    assert stored(store) == (SHA, 1)


def test_the_new_hash_is_in_the_cache_too(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard([BasicVerifier(realm="x")], holding(SHA))
    ask(guard, "secret")
    monkeypatch.setattr(passwords, "_matches", None)  # calling it would be a TypeError
    assert ask(guard, "secret").subject == "alice"


@pytest.mark.real_cost
def test_rehash_none_leaves_hashes_as_they_are_and_a_profile_says_what_they_become() -> None:
    store = holding(SHA)
    ask(Guard([BasicVerifier(realm="x", rehash=None)], store), "secret")
    assert stored(store) == (SHA, 1)
    ask(Guard([BasicVerifier(realm="x", rehash="bcrypt")], store), "secret")
    assert stored(store)[0].startswith("$2b$12$")
    assert not is_outdated(stored(store)[0], "bcrypt")
    with pytest.raises(ConfigurationError, match="no password profile is called 'md5'"):
        BasicVerifier(realm="x", rehash="md5")


def test_a_change_of_the_password_meanwhile_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    store = holding(SHA)
    outcomes: list[Outcome] = []
    commit = store.commit

    def slow(writes: list[Write]) -> Outcome:
        commit([Put(ALICE, Password("changed"))])
        outcomes.append(commit(writes))
        return outcomes[-1]

    monkeypatch.setattr(store, "commit", slow)
    assert ask(Guard([BasicVerifier(realm="x")], store), "secret").subject == "alice"
    assert stored(store)[0] == "changed"
    assert any(type(outcome) is Conflict for outcome in outcomes)


@pytest.mark.parametrize("error", [ConfigurationError("no argon2id here"), StoreUnavailable("no memory")])
def test_a_host_that_cant_make_the_new_hash_admits_all_the_same(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(basic, "hash_password", fail)
    store = holding(SHA)
    assert ask(Guard([BasicVerifier(realm="x")], store), "secret").subject == "alice"
    assert stored(store) == (SHA, 1)


def test_an_empty_password_that_was_stored_is_admitted_and_left_as_it_is() -> None:
    empty = "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="
    store = holding(empty)
    assert ask(Guard([BasicVerifier(realm="x")], store), "").subject == "alice"
    assert stored(store) == (empty, 1)


@pytest.mark.parametrize("kind", GUARDS)
@pytest.mark.parametrize("where", ["file", "look-up", "look-up alone"])
def test_where_the_record_is_only_read_no_new_hash_is_made(
    kind: Any, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basic, "hash_password", None)  # calling it would be a TypeError
    (tmp_path / "users").write_text(f"alice:{SHA}\n")
    users: Any = HtpasswdStore(tmp_path / "users")
    if where != "file":
        users = from_callables(password={"alice": Password(SHA)}.get)
    guard = kind([BasicVerifier(realm="x")], users if where == "look-up alone" else combine(users, MemoryStore()))
    for _ in range(2):
        assert ask(guard, "secret").subject == "alice"


def test_sqlite_keeps_the_new_hash() -> None:
    with SQLStore("sqlite://") as store:
        store.commit([Put(ALICE, Password(SHA))])
        ask(Guard([BasicVerifier(realm="x")], store), "secret")
        verify_password(stored(store)[0], "secret")
        assert stored(store)[0].startswith("$argon2id$")
