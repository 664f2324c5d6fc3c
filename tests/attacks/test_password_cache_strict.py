"""A cache that looks the user up for every request lets nobody in who would not be let in without it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.guessing import BOTH, START, Hashes, Server, asking
from watchword import AttemptPolicy, Guard, Identity, Password, PasswordCache, explain
from watchword.core.attempts import Window
from watchword.core.records import Ref, Take
from watchword.stores import MemoryStore, from_callables

ROOMY = AttemptPolicy(pair=[Window(10_000, 60)], subject=[Window(10_000, 60)], address=[Window(10_000, 60)])


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    return Hashes(monkeypatch)


def warm(kind: Any, **options: Any) -> Server:
    """A server whose cache knows alice's password."""
    server = Server(MemoryStore(clock=lambda: START), kind, attempts=ROOMY, cache=PasswordCache(strict=True, **options))
    assert [server.status("right") for _ in range(3)] == [200] * 3
    return server


@BOTH
def test_a_right_password_is_hashed_once(kind: Any, hashes: Hashes) -> None:
    warm(kind)
    assert hashes.count == 1


@BOTH
def test_a_wrong_password_is_never_remembered_and_costs_its_hash_each_time(kind: Any, hashes: Hashes) -> None:
    server = warm(kind)
    cache = server.verifier.cache
    assert cache is not None
    before = repr(cache)  # which counts its entries
    assert [server.status("guess") for _ in range(5)] == [401] * 5
    assert [server.status("right", "nobody") for _ in range(5)] == [401] * 5
    assert repr(cache) == before
    assert hashes.count == 1 + 5 + 5


@BOTH
def test_a_changed_password_misses_at_once(kind: Any, hashes: Hashes) -> None:
    server = warm(kind)
    server.put("alice", Password("plain:new"))
    assert [server.status("right"), server.status("new"), server.status("right")] == [401, 200, 401]


@BOTH
def test_a_removed_user_is_refused_at_once(kind: Any, hashes: Hashes) -> None:
    server = warm(kind)
    server.store.commit([Take(Ref(Password, ("alice",)))])
    assert server.status("right") == 401


@BOTH
def test_a_disabled_user_is_refused_at_once_and_as_slowly_as_for_a_wrong_password(kind: Any, hashes: Hashes) -> None:
    server = warm(kind)
    server.put("alice", Password("plain:right", disabled=True))
    hashes.count = 0
    assert [server.status("right"), server.status("right"), server.status("guess")] == [401] * 3
    assert hashes.count == 3


@BOTH
def test_scopes_and_subject_are_those_of_now(kind: Any, hashes: Hashes) -> None:
    server = warm(kind)
    server.put("alice", Password("plain:right", scopes=("read",), subject="u1"))
    who = server.ask("right")
    assert isinstance(who, Identity)
    assert (who.subject, who.scopes) == ("u1", {"read"})
    assert hashes.count == 1


@BOTH
@pytest.mark.parametrize(
    ("username", "password"), [("alicer", "ight"), ("alic", "eright"), ("bob", "wrong"), ("", "right")]
)
def test_another_split_of_the_same_characters_is_another_pair(
    kind: Any, username: str, password: str, hashes: Hashes
) -> None:
    assert warm(kind).status(password, username) == 401


@BOTH
def test_two_users_with_one_hash_are_two_entries(kind: Any, hashes: Hashes) -> None:
    """Whoever can choose a stored hash, by an import, gains nothing by a copy of somebody else's."""
    server = warm(kind)
    server.put("mallory", Password("plain:right"))
    assert server.status("guess", "mallory") == 401
    hashes.count = 0
    assert server.status("right", "mallory") == 200
    assert hashes.count == 1


@BOTH
def test_a_locked_pair_is_refused_although_its_password_is_remembered(kind: Any, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=lambda: START), kind, cache=PasswordCache(strict=True))
    assert server.status("right") == 200
    assert [server.status("guess") for _ in range(3)] == [401] * 3
    assert server.status("right") == 429


@BOTH
def test_an_entry_that_is_over_costs_a_hash_again(kind: Any, hashes: Hashes) -> None:
    clock = [0.0]
    server = warm(kind, ttl=10, clock=lambda: clock[0])
    clock[0] = 10
    assert server.status("right") == 200
    assert hashes.count == 2


def test_explaining_a_wrong_password_remembers_nothing(hashes: Hashes) -> None:
    server = warm(Guard)
    cache = server.verifier.cache
    assert cache is not None
    before = repr(cache)  # which counts its entries
    assert not explain(asking("alice", "guess"), server.guard).accepted
    assert repr(cache) == before


@BOTH
def test_a_store_that_only_looks_up_is_asked_every_time(kind: Any, hashes: Hashes) -> None:
    users = {"alice": Password("plain:right")}
    server = Server(from_callables(password=users.get), kind, cache=PasswordCache(strict=True), fill=False)
    assert [server.status("right") for _ in range(3)] == [200] * 3
    assert hashes.count == 1
    users.clear()
    assert server.status("right") == 401
