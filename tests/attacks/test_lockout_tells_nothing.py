"""A locked pair is refused before anything is hashed, in the same octets whether or not the user exists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.attempts_world import KINDS, SMALL, THERE, World, world
from watchword import Reason


@pytest.fixture(params=KINDS)
def guarded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(request.param, tmp_path, monkeypatch) as made:
        yield made


def test_unknown_disabled_and_known_users_are_locked_alike(guarded: World) -> None:
    guarded.add("carol", disabled=True)
    seen = []
    for name, password in (("alice", "wrong"), ("nobody", "wrong"), ("carol", "wrong"), ("carol", "right")):
        guarded.now += 1000
        guarded.hashes.clear()
        seen.append([guarded.ask(name, password) for _ in range(6)])
        assert len(guarded.hashes) == SMALL.pair[0].limit
    assert [answer.status for answer in seen[0]] == [401, 401, 401, 429, 429, 429]
    assert seen[0] == seen[1] == seen[2] == seen[3]


def test_a_locked_pair_costs_no_hash_and_the_right_password_is_no_exception(guarded: World) -> None:
    for _ in range(3):
        guarded.ask("alice")
    guarded.hashes.clear()
    assert guarded.ask("alice", "right") == guarded.ask("alice", "wrong")
    assert guarded.hashes == []
    assert guarded.verdicts[-1].reason is Reason.TOO_MANY_ATTEMPTS
    assert guarded.verdicts[-1].scheme == "basic"


def test_a_password_that_is_in_the_cache_is_no_exception(guarded: World) -> None:
    """Else whoever goes on guessing would see the right one pass."""
    assert guarded.ask("alice", "right", THERE).status == 200
    for _ in range(3):
        guarded.ask("alice")
    assert guarded.ask("alice", "right") == guarded.ask("alice", "wrong")


def test_the_429_has_no_challenge_and_says_when(guarded: World) -> None:
    for _ in range(3):
        guarded.ask("alice")
    guarded.now += 17.25
    answer = guarded.ask("alice")
    assert answer.status == 429
    assert answer.wait == 43  # never less than what is left
    assert b"www-authenticate" not in dict(answer.headers)
    guarded.now += answer.wait
    assert guarded.ask("alice").status == 401
