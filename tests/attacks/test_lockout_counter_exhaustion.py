"""Counters don't grow without bound, and if they did, genuine requests that need none would go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.attempts_world import HERE, SMALL, THERE, basic, world
from watchword import BasicVerifier, Guard, Password, Peer, Policy, Rejected, Request, StoreUnavailable
from watchword.core.records import Put, Ref
from watchword.crypto import passwords
from watchword.stores import MemoryStore


def test_one_network_can_make_no_more_counters_than_its_window_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        for number in range(500):
            guarded.ask(f"user{number}", "wrong", f"2001:db8::{number:x}")
        # Per attempt that was let in: one window of the pair, one of the subject; one of each network for all.
        assert len(guarded.store._counters) == 2 * SMALL.address[0].limit + 3


def test_a_whole_48_can_make_no_more_counters_than_its_window_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        for number in range(500):
            guarded.ask(f"user{number}", "wrong", f"2001:db8:0:{number << 7:x}::1")
        let_in = 5 * SMALL.address[0].limit
        assert len(guarded.store._counters) <= 4 * let_in + 1


def test_counters_are_forgotten_after_their_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        sizes = []
        for _ in range(50):
            for number in range(20):
                guarded.ask(f"user{guarded.now}{number}", "wrong", HERE)
            guarded.now += 700
            sizes.append(len(guarded.store._counters))
        assert max(sizes[5:]) <= 2 * sizes[0]


def test_a_store_full_of_counters_still_lets_in_who_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessers fill their share of the memory; a password in the cache needs no counter."""
    hashed = Password.hash("right")
    store = MemoryStore(capacity=60)
    store.commit([Put(Ref(Password, ("alice",)), hashed)])
    guard = Guard([BasicVerifier(realm="orders")], store, policy=Policy(attempts=SMALL))

    def ask(name: str, password: str, address: str) -> int:
        request = Request(
            "GET", "https", "api.example", "/", [(b"authorization", basic(name, password))], Peer(address)
        )
        try:
            guard.verify(request)
        except (Rejected, StoreUnavailable) as error:
            assert error.refusal is not None
            return error.refusal.status
        return 200

    assert ask("alice", "right", HERE) == 200
    real: Any = passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda *_: False)
    seen = [ask(f"user{number // 2}", "wrong", f"203.0.113.{number // 2}") for number in range(80)]
    monkeypatch.setattr(passwords, "_matches", real)
    assert 503 in seen  # uncounted guesses are not tried
    assert ask("alice", "right", HERE) == 200
    assert ask("alice", "right", THERE) == 200
