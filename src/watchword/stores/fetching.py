"""How much is fetched from strangers: so many directories at one time, and of agents that nobody has met so many in a minute.

Of both an IPv4 address or an IPv6 /64, and the wider networks around it, have a part only: one network's garbage takes no room
from the new agents of another. Agents that were met before have room of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from watchword.structures.networks import is_anybodys, network_of, networks_of
from watchword.structures.room import Bounds, LineFull, NetworkFull, Occupancy

__all__ = ["MINUTE", "Fetches"]

MINUTE: Final = 60.0

_NOBODYS: Final = ("",)


class Fetches:
    """Counts them.

    Args:
        at_once: fetches for new agents that run at one time, and as many for those that were met; of one address half of
            that, of an IPv6 /48 three quarters.
        per_minute: new agents in a minute, None: any number; of one address a sixth, of an IPv6 /56 a third, of a /48 half.

    >>> fetches = Fetches(at_once=2, per_minute=60)
    >>> fetches.admit("192.0.2.1", now=0.0)
    >>> landed = fetches.begin("192.0.2.1", met=False)
    >>> fetches.admit("192.0.2.1", now=1.0)
    Traceback (most recent call last):
    watchword.structures.room.NetworkFull: one network has as many fetches under way as it may
    >>> landed()
    >>> fetches.admit("192.0.2.1", now=2.0)
    """

    __slots__ = ("_at_once", "_begun", "_changing", "_counts", "_per_minute", "_running")

    def __init__(self, at_once: int, per_minute: int | None) -> None:
        half = max(1, at_once // 2)
        # Agents that were met are the "known" of these bounds, all of one network that has a bound of its own.
        self._at_once = Bounds(
            in_all=2 * at_once, strangers=at_once, known=at_once, widest=max(half, 3 * at_once // 4), wide=half, address=half,
            followers=0,
        )  # fmt: skip
        self._running = Occupancy()
        self._per_minute = per_minute
        self._begun = 0.0
        self._counts: dict[str | None, int] = {}  # of all networks together under None
        self._changing = threading.Lock()

    def admit(self, address: str, now: float) -> None:
        """Counts a new agent that a request from `address` names, if it may be asked now (seconds since the epoch).

        Raises:
            NetworkFull: of its network as many are asked, or were in this minute, as may.
            LineFull: so it is of all networks together.
        """
        networks = _networks(address)
        with self._changing:
            self._check_room(False, networks)
            if self._per_minute is None:
                return
            if not 0 <= now - self._begun < MINUTE:
                self._begun = now
                self._counts.clear()
            self._check_minute(networks, self._per_minute)
            for network in (None, *networks):
                self._counts[network] = self._counts.get(network, 0) + 1

    def begin(self, address: str, met: bool) -> Callable[[], None] | None:
        """Room for one fetch, until the function that is given back is called; None: there is none.

        Args:
            address: where the request came from.
            met: whether the agent had keys before: then it is no matter who asks.
        """
        networks = _NOBODYS if met else _networks(address)
        with self._changing:
            try:
                self._check_room(met, networks)
            except (NetworkFull, LineFull):
                return None
            self._running.add(1, met, networks)

        def landed() -> None:
            with self._changing:
                self._running.add(-1, met, networks)

        return landed

    def ends_in(self, now: float) -> float:
        """Seconds after which there is room again at the latest, if what runs has ended."""
        return max(1.0, self._begun + MINUTE - now) if 0 <= now - self._begun < MINUTE else 1.0

    def _check_room(self, met: bool, networks: Sequence[str]) -> None:
        try:
            self._running.check(met, networks, self._at_once)
        except NetworkFull:
            raise NetworkFull("one network has as many fetches under way as it may") from None
        except LineFull:
            raise LineFull("as many fetches are under way as may be") from None

    def _check_minute(self, networks: Sequence[str], most: int) -> None:
        if self._counts.get(None, 0) >= most:
            raise LineFull(f"{most} new agents were asked in this minute")
        parts = () if networks == _NOBODYS else (most // 6, most // 3, most // 2)
        for network, part in zip(reversed(networks), parts, strict=False):
            if self._counts.get(network, 0) >= max(1, part):
                raise NetworkFull(f"one network named {max(1, part)} new agents in this minute")


def _networks(address: str) -> Sequence[str]:
    """The networks of an address, widest first; one that is everybody's has no bound of its own."""
    return _NOBODYS if is_anybodys(network_of(address)) else networks_of(address)
