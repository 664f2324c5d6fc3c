"""Who exists is not told by the work either: two refusals that a client must not tell apart take as many calls, within 10 %.

Counted, not timed, so that no other program's load is in it (`tests.counting`). The hash is SHA-crypt, which passlib computes
in Python by thousands of calls; all else that a guard does is a part of a hundredth of that. That the test finds what it looks
for is shown by a guard that does not hash for unknown users. With argon2id, one call in C, `test_basic_user_enumeration`
counts which parameters it is called with.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from passlib.hash import sha512_crypt

from tests.counting import steps
from watchword import BasicVerifier, Guard, Password, PasswordCache, Policy, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto.passwords import Decoy, decoy_for
from watchword.schemes import basic
from watchword.stores import HtpasswdStore, MemoryStore, SQLStore

TOLERANCE = 0.10
HASH = sha512_crypt.using(rounds=5000).hash("right")


def difference(one: Callable[[], object], other: Callable[[], object]) -> float:
    """How many more calls `other` makes than `one`, as a part of those that `one` makes."""
    one(), other()  # the first ones load modules
    usual = steps(one)
    return (steps(other) - usual) / usual


@pytest.fixture(params=["memory", "sqlite", "htpasswd"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "htpasswd":
        (tmp_path / "users").write_text(f"known:{HASH}\n")
        yield HtpasswdStore(tmp_path / "users")
        return
    decoy = decoy_for([HASH])
    assert decoy is not None
    store = MemoryStore() if request.param == "memory" else SQLStore("sqlite://")
    store.commit([Put(Ref(Decoy, ("password",)), decoy), Put(Ref(Password, ("known",)), Password(HASH))])
    yield store
    if isinstance(store, SQLStore):
        store.close()


def refusal(guard: Guard, pair: str) -> Callable[[], None]:
    value = "Basic " + b64encode(pair.encode()).decode()
    asked = Request("GET", "https", "api.example", "/", {"Authorization": value})

    def refused() -> None:
        try:
            guard.verify(asked)
        except Rejected:
            return
        raise AssertionError("accepted")

    return refused


def guarded(store: Any, cache: PasswordCache | None = None) -> Guard:
    # Attempts are counted before the hash, for whoever is asked for; without them the test may ask as often as it must.
    return Guard([BasicVerifier(realm="x", cache=cache)], store, policy=Policy(attempts=None))


@pytest.mark.parametrize("cached", [False, True])
def test_an_unknown_user_takes_as_much_work_as_a_wrong_password(store: Any, cached: bool) -> None:
    guard = guarded(store, PasswordCache() if cached else None)
    assert abs(difference(refusal(guard, "known:wrong"), refusal(guard, "other:wrong"))) < TOLERANCE


def test_a_disabled_user_s_right_password_takes_as_much_work_as_a_wrong_one() -> None:
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("known",)), Password(HASH, disabled=True))])
    guard = guarded(store, PasswordCache())
    assert abs(difference(refusal(guard, "known:wrong"), refusal(guard, "known:right"))) < TOLERANCE


def test_the_method_finds_a_guard_that_does_not_hash_for_unknown_users(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = basic.verify_password
    monkeypatch.setattr(
        basic,
        "verify_password",
        lambda encoded, secret, **more: verify(encoded, secret, **more) if encoded == HASH else None,
    )
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("known",)), Password(HASH))])
    guard = guarded(store)
    assert difference(refusal(guard, "known:wrong"), refusal(guard, "other:wrong")) < -0.9
