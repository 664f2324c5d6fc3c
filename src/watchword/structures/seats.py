"""How many may do something at one time, without waiting for a turn: `Seats`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NoSeat", "Seats"]


class NoSeat(Exception):
    """All seats are taken."""


class Seats:
    """`most` may sit at one time; for one more there is no seat, and nobody waits for one.

    >>> seats = Seats(1)
    >>> with seats.one():
    ...     with seats.one():
    ...         pass
    Traceback (most recent call last):
    watchword.structures.seats.NoSeat: all 1 seats are taken
    >>> seats.taken
    0
    """

    __slots__ = ("_changing", "most", "taken")

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self._changing = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Takes a seat until the block ends.

        Raises:
            NoSeat: all are taken.
        """
        with self._changing:
            if self.taken >= self.most:
                raise NoSeat(f"all {self.most} seats are taken")
            self.taken += 1
        try:
            yield
        finally:
            with self._changing:
                self.taken -= 1
