"""Whoever guesses locks out themselves only: never the same user elsewhere, nor other users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.attempts_world import HERE, KINDS, THERE, World, world


@pytest.fixture(params=KINDS)
def guarded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(request.param, tmp_path, monkeypatch) as made:
        yield made


def test_an_attacker_elsewhere_does_not_lock_the_user_out(guarded: World) -> None:
    for _ in range(30):
        guarded.ask("alice", "wrong", THERE)
    assert guarded.ask("alice", "right", THERE).status == 429
    assert guarded.ask("alice", "right", HERE).status == 200


def test_an_attacker_with_many_addresses_does_not_lock_the_user_out(guarded: World) -> None:
    """Although the subject's window is full, and whether or not the user was here before."""
    for host in range(1, 200):
        guarded.ask("alice", "wrong", f"203.0.113.{host}")
    assert guarded.ask("alice", "right", HERE).status == 200
    assert guarded.ask("alice", "right", HERE).status == 200


def test_a_user_who_was_here_before_may_mistype_during_a_siege(guarded: World) -> None:
    assert guarded.ask("alice", "right", HERE).status == 200
    for host in range(1, 200):
        guarded.ask("alice", "wrong", f"203.0.113.{host}")
    assert [guarded.ask("alice", "wrong", HERE).status for _ in range(2)] == [401, 401]
    assert guarded.ask("alice", "right", HERE).status == 200


def test_during_a_siege_every_address_has_one_attempt_and_no_more(guarded: World) -> None:
    for host in range(1, 100):
        guarded.ask("alice", "wrong", f"203.0.113.{host}")
    guarded.hashes.clear()
    assert [guarded.ask("alice", "wrong", THERE).status for _ in range(5)] == [401, 429, 429, 429, 429]
    assert guarded.hashes == ["wrong"]


def test_a_user_who_was_here_before_is_not_held_up_by_others_at_the_address(guarded: World) -> None:
    assert guarded.ask("alice", "right", HERE).status == 200
    for number in range(40):
        guarded.ask(f"user{number}", "wrong", HERE)
    assert guarded.ask("bob", "right", HERE).status == 429
    assert guarded.ask("alice", "right", HERE).status == 200
    guarded.now += 60
    assert guarded.ask("bob", "right", HERE).status == 200


def test_an_attacker_with_an_account_gets_no_further_attempts_at_others_by_using_it(guarded: World) -> None:
    seen = []
    for _ in range(8):
        seen.append(guarded.ask("alice", "wrong").status)
        assert guarded.ask("bob", "right").status == 200
    assert seen == [401] * 3 + [429] * 5


def test_without_an_address_nobody_is_locked_out_for_long(guarded: World) -> None:
    """Behind a proxy that the guard was not told of everybody has one address: the long windows would be a weapon."""
    for address in ("", "127.0.0.1", "::1", "::ffff:127.0.0.1"):
        name = "at-" + address.replace(":", ".") + "-"
        guarded.add(name)
        for _ in range(3):
            assert [guarded.ask(name, "wrong", address).status for _ in range(4)] == [401, 401, 401, 429]
            guarded.now += 60
        assert guarded.ask(name, "right", address).status == 200
