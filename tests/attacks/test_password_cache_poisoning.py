"""The short cut past the pipeline as a way in: entries that an attacker fills, spells, outlives, or asks instead of the hash."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from watchword import (
    AttemptPolicy, BasicVerifier, Guard, Password, PasswordCache, Peer, Policy, Reason, Rejected, Request,
)  # fmt: skip
from watchword.core.attempts import Window
from watchword.core.records import Put, Ref
from watchword.crypto import passwords
from watchword.crypto.digests import digest
from watchword.stores import MemoryStore, SQLStore

HERE, THERE = "192.0.2.1", "198.51.100.7"
MODES = [{"strict": False}, {"strict": True}]


def hashed(password: str) -> str:
    return "{SHA}" + b64encode(digest("sha-1", password.encode())).decode()


def asking(pair: str | bytes, address: str = HERE, word: str = "Basic") -> Request:
    octets = pair if isinstance(pair, bytes) else pair.encode()
    value = f"{word} {b64encode(octets).decode()}"
    return Request("GET", "https", "api.example", "/", {"Authorization": value}, peer=Peer(address))


def ask(guard: Guard, request: Request) -> str | Reason:
    try:
        return guard.verify(request).subject
    except Rejected as rejected:
        return rejected.reason


def guarded(mode: dict[str, Any], store: Any = None, attempts: AttemptPolicy | None = None, **users: str) -> Guard:
    store = store or MemoryStore()
    store.commit([Put(Ref(Password, (name,)), Password(hashed(word))) for name, word in users.items()])
    verifier = BasicVerifier(realm="x", cache=PasswordCache(**mode), rehash=None)
    return Guard([verifier], store, policy=Policy(attempts=attempts))


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_password_is_never_remembered_however_often_it_is_sent(
    mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guarded(mode, alice="right")
    for _ in range(20):
        assert ask(guard, asking("alice:wrong")) is Reason.WRONG_SECRET
        assert ask(guard, asking("nobody:wrong")) is Reason.UNKNOWN_SUBJECT
    assert ask(guard, asking("alice:right")) == "alice"
    assert ask(guard, asking("alice:wrong")) is Reason.WRONG_SECRET


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("ab:c", "a:bc"), ("a:bc", "ab:c"), ("a:b:c", "a:b"), ("1:2x", "12:x"), ("a: b", "a:b"), ("A:b", "a:b")],
)
def test_the_entry_of_one_pair_is_not_that_of_another(mode: Any, mine: str, theirs: str) -> None:
    me, mine_word = mine.split(":", 1)
    them, _ = theirs.split(":", 1)
    users = {me: mine_word, them: "secret"} if me != them else {me: mine_word}
    guard = guarded(mode, **users)
    assert ask(guard, asking(mine)) == me
    assert ask(guard, asking(theirs)) is Reason.WRONG_SECRET


@pytest.mark.parametrize("mode", MODES)
def test_who_takes_over_a_name_is_not_admitted_by_what_its_former_owner_was_remembered_for(mode: Any) -> None:
    store = MemoryStore()
    guard = guarded(mode, store, alice="of the former")
    assert ask(guard, asking("alice:of the former")) == "alice"
    store.add_user("alice", "of the new one")
    assert ask(guard, asking("alice:of the former")) is Reason.WRONG_SECRET
    assert ask(guard, asking("alice:of the new one")) == "alice"
    assert ask(guard, asking("alice:of the former")) is Reason.WRONG_SECRET


@pytest.mark.parametrize("mode", MODES)
def test_the_same_stored_hash_for_two_users_opens_neither_to_the_other(mode: Any) -> None:
    """A hash copied from one row into another is one password; the subject is always the one who is asked for."""
    store = MemoryStore()
    guard = guarded(mode, store, alice="one", bob="one")
    assert [ask(guard, asking(pair)) for pair in ("alice:one", "bob:one", "alice:one")] == ["alice", "bob", "alice"]
    store.disable_user("bob")
    assert [ask(guard, asking(pair)) for pair in ("alice:one", "bob:one")] == ["alice", Reason.DISABLED]


@pytest.mark.parametrize("mode", MODES)
def test_one_user_with_many_spellings_takes_one_place_of_the_short_cut(mode: Any) -> None:
    names = ["alice", *(f"user{number}" for number in range(3))]
    guard = guarded({"size": 4, **mode}, **dict.fromkeys(names, "jos\u00e9"))
    for name in names[1:]:
        ask(guard, asking(f"{name}:jos\u00e9"))
    for word in ("basic", "BASIC", "bASIC"):
        for spelling in ("jos\u00e9", "jose\u0301"):
            assert ask(guard, asking(f"alice:{spelling}", word=word)) == "alice"
    cache = guard.plan.verifiers[0].cache  # type: ignore[attr-defined]
    assert len(cache._admitted) == (0 if mode["strict"] else 4)


@pytest.mark.parametrize("mode", MODES)
def test_a_disabled_user_s_right_password_costs_its_hash_every_time(mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else haste would tell that it is right."""
    store = MemoryStore()
    guard = guarded(mode, store, alice="right")
    ask(guard, asking("alice:right"))
    store.disable_user("alice")
    work: list[str] = []
    matches = passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda *args: (work.append(args[0]), matches(*args))[1])
    assert [ask(guard, asking("alice:right")) for _ in range(3)] == [Reason.DISABLED] * 3
    assert len(work) == 3


# ---- the cache is no second door for guesses that the hash is closed to ----

POLICY = AttemptPolicy(pair=(Window(3, 600),), subject=(Window(1000, 60),), address=(Window(1000, 60),))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("mode", MODES)
def test_a_locked_out_address_learns_nothing_from_what_is_remembered_for_another(mode: Any, kind: str) -> None:
    store = MemoryStore() if kind == "memory" else SQLStore("sqlite://")
    guard = guarded(mode, store, POLICY, alice="right")
    for _ in range(3):
        assert ask(guard, asking("alice:wrong", THERE)) is Reason.WRONG_SECRET
    for _ in range(20):
        assert ask(guard, asking("alice:right", HERE)) == "alice"
        assert ask(guard, asking("alice:right", THERE)) is Reason.TOO_MANY_ATTEMPTS
    if kind == "sqlite":
        store.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", MODES)
def test_a_locked_out_address_that_the_user_shares_is_answered_by_the_store_after_one_wrong_guess(mode: Any) -> None:
    guard = guarded(mode, None, POLICY, alice="right")
    assert ask(guard, asking("alice:right")) == "alice"
    for _ in range(3):
        assert ask(guard, asking("alice:wrong")) is Reason.WRONG_SECRET
    for _ in range(20):
        assert ask(guard, asking("alice:right")) is Reason.TOO_MANY_ATTEMPTS
        assert ask(guard, asking("alice:other")) is Reason.TOO_MANY_ATTEMPTS


@pytest.mark.parametrize("mode", MODES)
def test_the_lock_that_another_process_filled_holds_here_but_for_one_guess(mode: Any, tmp_path: Any) -> None:
    """The right password on that one guess is what `ttl` grants to anybody; a wrong one takes the short cut away."""
    url = f"sqlite:///{tmp_path}/users.db"
    with SQLStore(url) as here, SQLStore(url) as there:
        guard = guarded(mode, here, POLICY, alice="right")
        other = guarded(mode, there, POLICY)
        assert ask(guard, asking("alice:right")) == "alice"
        for _ in range(3):
            assert ask(other, asking("alice:wrong")) is Reason.WRONG_SECRET
        assert ask(guard, asking("alice:wrong")) is Reason.TOO_MANY_ATTEMPTS
        assert ask(guard, asking("alice:right")) is Reason.TOO_MANY_ATTEMPTS
