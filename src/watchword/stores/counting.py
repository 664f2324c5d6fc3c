"""What an `Add` does to a counter, and which counter goes when there are too many: one text for every store.

Counters are made by whoever guesses, so there is a ceiling. Beyond it the least valuable counter goes. Its rank is how
far it is on the way to half of its limit, in quarters. A counter goes from the lowest rank that holds a sixteenth of the
room, the one that has been of that rank the longest. So a guess is forgotten only after that many other counters have
come to its rank, and a flood of guesses that are the first at their names takes one another's places. (The one that ends
first may not go: among counters that last a day, each new one that lasts a minute would be forgotten by the next.)

A counter at half of its limit is kept, since dropping it would give somebody fresh guesses. Kept ones may fill three
quarters of the room, so whoever is new can always be counted. A counter that would have to be kept where there is no
room for one more is not counted, and its request is answered by 503.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from watchword.core.records import Add, Exceeded
from watchword.core.rejection import StoreUnavailable

__all__ = ["KEPT", "Tally", "adding", "is_question", "most_kept", "no_room_to_keep", "share_of_a_rank"]

KEPT: Final = 4
"""The rank of a counter at half of its limit or above, or without a limit."""


class Tally(NamedTuple):
    """A counter as a store keeps it."""

    value: int
    until: float
    rank: int

    def lives(self, now: float) -> bool:
        """Whether it counts: it has not ended, and is not at nothing."""
        return self.until > now and self.value > 0


def is_question(write: Add) -> bool:
    """Whether it only asks if the counter is above its limit."""
    return write.n == 0 and write.limit is not None


def adding(write: Add, old: Tally | None, other: Tally | None) -> Tally | Exceeded | None:
    """The counter after `write`; None: as before.

    Args:
        write: an addition, taking back or question.
        old: the counter if it lives.
        other: the counter of `write.after` if it lives.
    """
    n, limit, after = write.n, write.limit, write.after
    if old is None:
        if n < 0 or is_question(write):
            return None
        if after is not None:
            if other is None or other.value < after.value:
                return None
            n += after.start
        value, until = n, write.until
    else:
        if n < 0 and old.until > write.until:
            return None
        value, until = max(0, old.value + n), old.until
    if limit is not None and n >= 0 and value > limit:
        return Exceeded(write, until)
    if is_question(write):
        return None
    return Tally(value, until, old.rank if old is not None and limit is None and n < 0 else _rank(value, limit))


def _rank(value: int, limit: int | None) -> int:
    return KEPT if limit is None or limit < 1 else min(value * 2 * KEPT // limit, KEPT)


def most_kept(room: int) -> int:
    """How many of `room` counters may be such as are kept."""
    return room - max(1, room // 4)


def share_of_a_rank(room: int) -> int:
    """How many counters a rank has that loses one. From 128 on there is always such a rank among those not kept.

    Never fewer than one commit adds, or a guess would be forgotten by itself.
    """
    return max(8, room // 16)


def no_room_to_keep(room: int) -> StoreUnavailable:
    """What a commit raises that would make a counter one that is kept, where too many are."""
    return StoreUnavailable(
        f"{most_kept(room)} counters are at half of their limits or above, all that there is room for"
    )
