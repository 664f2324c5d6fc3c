"""How many requests may wait for slow work at one time: of one network, of all strangers, and in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["FOR_TASKS", "FOR_THREADS", "Bounds", "LineFull", "NetworkFull", "Occupancy"]


class NetworkFull(Exception):
    """As many of one network wait as may."""


class LineFull(Exception):
    """As many wait as may, or the line did not move for too long."""


class Bounds(NamedTuple):
    """How many turns a line gives at one time, the one that is being worked on included.

    Args:
        in_all: turns altogether.
        strangers: turns of all strangers; the rest of `in_all` is kept for known pairs.
        known: turns of one network, which its known pairs may take all; the rest of `in_all` is kept for everybody else.
            More than `widest`, so that a network's strangers leave room for its known pairs.
        widest: turns of strangers of one IPv6 /48; fewer than `strangers`, so that one /48 leaves room for others.
        wide: turns of strangers of one IPv6 /56.
        address: turns of strangers of one IPv4 address or IPv6 /64.
        followers: where n turns are allowed, n * (1 + followers) places are.
    """

    in_all: int
    strangers: int
    known: int
    widest: int
    wide: int
    address: int
    followers: int


# A thread that waits is missing elsewhere, and servers commonly have eight; one is left for requests that hash nothing.
FOR_THREADS: Final = Bounds(in_all=7, strangers=5, known=6, widest=4, wide=3, address=2, followers=0)
# A task that waits holds only its own request. The last of 64 waits some seconds.
FOR_TASKS: Final = Bounds(in_all=64, strangers=48, known=48, widest=32, wide=24, address=16, followers=7)


class Occupancy:
    """Counts the known pairs and the strangers of each network; a network with none is forgotten."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[bool, str | None], int] = {}  # of all networks together under None

    def add(self, n: int, known: bool, networks: Sequence[str]) -> None:
        """Counts `n` more, or fewer, in each of `networks`."""
        for network in (None, *networks):
            count = self._counts.pop((known, network), 0) + n
            if count:
                self._counts[known, network] = count

    def check(self, known: bool, networks: Sequence[str], bounds: Bounds, factor: int = 1) -> None:
        """Refuses one more where `factor` times the bounds are reached; `networks` are widest first.

        Raises:
            NetworkFull, LineFull: where there is no room left.
        """
        count = self._counts.get
        limits: Sequence[int] = (bounds.address, bounds.wide, bounds.widest)
        if known:
            limits = (bounds.known, bounds.known, bounds.known)
        elif not networks[-1]:
            limits = ()  # the address may be anybody's, so it has no bound of its own
        for network, limit in zip(reversed(networks), limits, strict=False):
            turns = count((known, network), 0)
            if turns >= limit * factor or (
                networks[-1] and turns + count((not known, network), 0) >= bounds.known * factor
            ):
                raise NetworkFull("too many log-ins from one network at one time")
        strangers = count((False, None), 0)
        if strangers + count((True, None), 0) >= bounds.in_all * factor or (
            not known and strangers >= bounds.strangers * factor
        ):
            raise LineFull("too many log-ins at one time")
