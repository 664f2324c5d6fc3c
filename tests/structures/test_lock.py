"""Locks of an owner: one for each key, as long as somebody holds it or waits for it."""

from __future__ import annotations

from watchword.structures.lock import _LOCKS, lock_of


class Owner:
    pass


def test_a_lock_is_the_same_for_all_while_somebody_has_it_and_gone_after_that() -> None:
    owner = Owner()
    held = lock_of(owner, "alice")
    turn = held.acquire(60)
    assert turn is not None and turn.granted is None
    assert lock_of(owner, "alice") is held
    assert lock_of(owner, "bob") is not held
    waiting = lock_of(owner, "alice").acquire(60)
    assert waiting is not None and waiting.granted is not None
    held.release(turn)
    held.release(waiting)
    del held
    assert len(_LOCKS[id(owner)]) == 0


def test_locks_of_very_many_people_are_not_kept() -> None:
    owner = Owner()
    for number in range(10_000):
        lock = lock_of(owner, f"person-{number}")
        turn = lock.acquire(60)
        assert turn is not None
        lock.release(turn)
    assert len(_LOCKS[id(owner)]) <= 1


def test_the_locks_of_an_owner_end_with_it() -> None:
    owner = Owner()
    lock, name = lock_of(owner, "token"), id(owner)
    del owner
    assert name not in _LOCKS
    assert lock.patience() == 0.0
