"""A lock that spans threads and tasks, and belongs to an object."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary, finalize

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Lock", "Turn", "lock_of"]


class Turn:
    """One flow's place at a lock; `granted` is set where it had to queue, and done once the lock is its own.

    `owner` is the thread or task that the flow runs in, `across` whether it goes on holding while its request is sent.
    """

    __slots__ = ("across", "granted", "lease", "owner")

    def __init__(self, lease: float, owner: object = None, across: bool = False) -> None:
        self.lease = lease
        self.owner = owner
        self.across = across
        self.granted: Future[None] | None = None


class Lock:
    """A lock that threads wait for by blocking and tasks by awaiting; waiters get it in the order in which they came.

    A holder that outstays the lease loses the lock to the next in the queue: a thread that hangs must not stop all others.
    """

    __slots__ = ("__weakref__", "_holder", "_mutex", "_queue", "_until")

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._holder: Turn | None = None
        self._until = 0.0
        self._queue: deque[Turn] = deque()

    def acquire(self, lease: float, owner: object = None, *, across: bool = False) -> Turn | None:
        """A turn; the lock is held by it already if its `granted` is None.

        None if waiting would be in vain: with `across`, a holder that waits for its answer in the same thread or task.
        """
        turn = Turn(lease, owner, across)
        with self._mutex:
            if self._holder is None or time.monotonic() >= self._until:
                self._grant(turn)
            elif across and self._holder.across and self._holder.owner == owner:
                return None
            else:
                from concurrent.futures import Future  # noqa: PLC0415 -- loads logging

                turn.granted = Future()
                self._queue.append(turn)
        return turn

    def release(self, turn: Turn) -> None:
        """Hands the lock on; nothing, if `turn` has lost it."""
        with self._mutex:
            if self._holder is turn:
                self._hand_on()

    def abandon(self, turn: Turn) -> None:
        """Leaves the queue; hands the lock on if it was handed over meanwhile."""
        if turn.granted is not None and not turn.granted.cancel():
            self.release(turn)

    def patience(self) -> float:
        """Seconds until the holder's lease ends; hands the lock on if it has."""
        with self._mutex:
            if self._holder is not None and time.monotonic() >= self._until:
                self._hand_on()
            return max(0.0, self._until - time.monotonic())

    def _grant(self, turn: Turn) -> None:
        self._holder = turn
        self._until = time.monotonic() + turn.lease

    def _hand_on(self) -> None:
        self._holder = None
        while self._queue:
            turn = self._queue.popleft()
            if turn.granted is not None and turn.granted.set_running_or_notify_cancel():
                self._grant(turn)
                turn.granted.set_result(None)
                return


# A lock lives beside its owner, by identity: owners are free to define equality, and need not know of threads. Whoever holds it or
# waits for it has a reference; one that nobody has is gone, so that an owner may have a lock for each of very many people.
_LOCKS: dict[int, WeakValueDictionary[str, Lock]] = {}
_LOCKS_GUARD = threading.Lock()


def lock_of(owner: object, key: str) -> Lock:
    """The lock `key` of `owner`.

    Raises:
        TypeError: no weak reference can be made to the owner, so that its locks would outlive it.
    """
    with _LOCKS_GUARD:
        locks = _LOCKS.get(id(owner))
        if locks is None:
            finalize(owner, _LOCKS.pop, id(owner), None).atexit = False
            locks = _LOCKS[id(owner)] = WeakValueDictionary()
        return locks.setdefault(key, Lock())
