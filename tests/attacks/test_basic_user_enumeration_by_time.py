"""Who exists is not told by the clock either: an equivalence test of the time that refusals take.

The method. What is compared are two refusals that the client must not tell apart. Each of N pairs times both, in random order
right after each other, by the CPU time of the thread: another program's load is not in it. The median of the N differences
is estimated with its confidence interval from order statistics (no distribution is assumed): of the sorted differences those
at N/2 ∓ z√N/2, with z = 3.3 for 99.9 %. The two count as equal if the whole interval lies within ±10 % of what one refusal
takes; so noise makes the test fail, never pass. The hash is SHA-crypt in Python, 2 ms in this thread, of which ±10 % is
0.2 ms; beside argon2id in its threads, thirty times as dear, that is 0.3 %. That the test
finds what it looks for is shown by a guard that does not hash for unknown users.
"""

from __future__ import annotations

import gc
import random
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest
from passlib.hash import sha512_crypt

from watchword import BasicVerifier, Guard, Password, PasswordCache, Policy, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto.passwords import Decoy, decoy_for
from watchword.schemes import basic
from watchword.stores import HtpasswdStore, MemoryStore, SQLStore

PAIRS, Z, TOLERANCE = 121, 3.3, 0.10
HASH = sha512_crypt.using(rounds=5000).hash("right")


class Interval(NamedTuple):
    """Of the median difference, as a part of what one refusal takes."""

    low: float
    high: float

    @property
    def is_equal(self) -> bool:
        return -TOLERANCE < self.low <= self.high < TOLERANCE


def compared(one: Callable[[], object], other: Callable[[], object]) -> Interval:
    """`other` minus `one`."""
    clock, coin = time.thread_time_ns, random.Random(7)
    differences, whole = [], []
    gc.collect()
    gc.disable()
    try:
        for number in range(PAIRS + 5):
            taken = {}
            for work in (one, other) if coin.random() < 0.5 else (other, one):
                start = clock()
                work()
                taken[work] = clock() - start
            if number >= 5:  # the first ones load modules
                differences.append(taken[other] - taken[one])
                whole.append(taken[one])
    finally:
        gc.enable()
    differences.sort()
    reach = int(Z * sqrt(PAIRS) / 2) + 1
    cost = median(whole)
    return Interval(differences[PAIRS // 2 - reach] / cost, differences[PAIRS // 2 + reach] / cost)


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
def test_an_unknown_user_takes_as_long_as_a_wrong_password(store: Any, cached: bool) -> None:
    guard = guarded(store, PasswordCache() if cached else None)
    interval = compared(refusal(guard, "known:wrong"), refusal(guard, "other:wrong"))
    assert interval.is_equal, interval


def test_a_disabled_user_s_right_password_takes_as_long_as_a_wrong_one() -> None:
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("known",)), Password(HASH, disabled=True))])
    guard = guarded(store, PasswordCache())
    interval = compared(refusal(guard, "known:wrong"), refusal(guard, "known:right"))
    assert interval.is_equal, interval


def test_the_method_finds_a_guard_that_does_not_hash_for_unknown_users(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = basic.verify_password
    monkeypatch.setattr(
        basic, "verify_password", lambda encoded, secret: verify(encoded, secret) if encoded == HASH else None
    )
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("known",)), Password(HASH))])
    guard = guarded(store)
    interval = compared(refusal(guard, "known:wrong"), refusal(guard, "other:wrong"))
    assert interval.high < -0.5, interval
