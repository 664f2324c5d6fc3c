"""The line for slow work: passwords are hashed one at a time, and no network can keep the others waiting.

Subjects that logged in from the same address before (known pairs) go first, but never twice in a row while a stranger
waits. Within each of the two groups the widest networks take turns, inside them the narrower ones, and inside the
narrowest it is first come, first served. The number of places is bounded, per network and in all; a request that finds
no room is refused at once.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from watchword.core.rejection import Reason, Rejected, WatchwordError

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

__all__ = ["FOR_TASKS", "FOR_THREADS", "Bounds", "ClientGone", "Place", "WaitingLine"]

LEASE: Final = 60.0
RETRY_AFTER: Final = 1


class Bounds(NamedTuple):
    """How many turns a line gives at one time; the turn that is being worked on counts.

    Args:
        in_all: turns altogether.
        strangers: turns of all strangers; the rest of `in_all` is kept for known pairs.
        known: turns of the known pairs of one network; the rest of `in_all` is kept for everybody else.
        widest: turns of strangers of one IPv6 /48; fewer than `strangers`, so that one /48 leaves room for others.
        wide: turns of strangers of one IPv6 /56.
        address: turns of strangers of one IPv4 address or IPv6 /64.
        followers: places for each turn beyond the first: where n turns are allowed, n * (1 + followers) places are.
    """

    in_all: int
    strangers: int
    known: int
    widest: int
    wide: int
    address: int
    followers: int

    def of_networks(self, known: bool, networks: Sequence[str]) -> tuple[int, ...]:
        """The bound of each network, narrowest first; none where the address is unknown: it may be anybody's."""
        if known:
            return (self.known,) * len(networks)
        return (self.address, self.wide, self.widest) if networks[-1] else ()


class Whose(NamedTuple):
    """Whose work wants a place: see `WaitingLine.join`."""

    known: bool
    networks: Sequence[str]
    flight: bytes | None = None


# A thread that waits is missing elsewhere, and servers commonly have eight; one is left for requests that hash nothing.
FOR_THREADS: Final = Bounds(in_all=7, strangers=5, known=6, widest=4, wide=3, address=2, followers=0)
FOR_TASKS: Final = Bounds(in_all=64, strangers=48, known=48, widest=32, wide=24, address=16, followers=7)


class ClientGone(WatchwordError):
    """The client hung up while its request waited: nothing was verified, and nobody is there to be answered."""


class Place:
    """One request's place in a line.

    `granted` is None if the place held the line from the start. `holds` says that the work may be done now.
    """

    __slots__ = ("granted", "holds", "known", "networks", "turn")

    def __init__(self, known: bool, networks: Sequence[str]) -> None:
        self.granted: Future[None] | None = None
        self.holds = False
        self.known = known
        self.networks = networks
        self.turn: _Turn | None = None  # None once it is out of the line

    @property
    def follows(self) -> bool:
        """Another place in the line does the same work."""
        turn = self.turn
        return turn is not None and turn.leader is not self

    @property
    def waits(self) -> bool:
        """It neither holds the line nor is out of it."""
        return self.turn is not None and not self.holds


class WaitingLine:
    """A line in which threads block and tasks await; one place holds it at a time.

    A holder that outstays the lease loses the line to the next: a thread that hangs must not stop all others.
    `clock` tells seconds that never run backwards.
    """

    __slots__ = ("_clock", "_flights", "_holder", "_known_last", "_lease", "_leaving", "_mutex", "_places", "_rings",
                 "_turns", "_until")  # fmt: skip

    def __init__(self, lease: float = LEASE, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease = lease
        self._clock = clock
        self._mutex = threading.Lock()
        self._leaving: deque[Place] = deque()
        self._holder: Place | None = None
        self._until = 0.0
        self._known_last = False
        self._rings = {True: _Ring(), False: _Ring()}
        self._flights: dict[Hashable, _Turn] = {}
        self._turns: dict[_Counted, int] = {}
        self._places: dict[_Counted, int] = {}

    def join(
        self, known: bool, networks: Sequence[str], flight: bytes | None = None, bounds: Bounds = FOR_THREADS
    ) -> Place:
        """A place, which must be left with `leave`.

        Args:
            known: the subject has logged in from this address before.
            networks: the networks of the address, widest first; ("",) if it is unknown.
            flight: the same for the same credentials. A place follows one of its network with the same flight: it
                takes no turn, and is out of the line when the other is. Its work may be needless then; if it is not,
                it joins again, without a flight.
            bounds: how much room there is for callers of this kind.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS if the network has no room left, TOO_BUSY if the line has none.
        """
        place = Place(known, networks)
        key = None if flight is None else (known, tuple(networks), flight)
        try:
            with self._mutex:
                self._reclaim()
                turn = None if key is None else self._flights.get(key)
                self._check(place, bounds, follows=turn is not None)
                self._let_in(place, turn, key)
        except BaseException:
            self.leave(place)
            raise
        finally:
            self._settle()
        return place

    def leave(self, place: Place) -> None:
        """Gives up a place: hands the line on if it holds it. Nothing, if it is out of the line already.

        It never blocks. Any thread may call it, and so may the garbage collector in the midst of another call.
        """
        self._leaving.append(place)
        self._settle()

    def wait(self, place: Place, patience: float, gone: Callable[[], bool] | None = None) -> None:
        """Blocks until `place` holds the line or is out of it.

        Args:
            place: what `join` gave.
            patience: seconds.
            gone: says that the client has left; asked when the turn comes, so that nothing is hashed for nobody.

        Raises:
            Rejected: TOO_BUSY after `patience` seconds.
            ClientGone: as `gone` says. Whatever is raised, the place has been left.
        """
        deadline = self._clock() + patience
        try:
            while place.waits:
                assert place.granted is not None  # only a place that holds the line from the start has none
                with suppress(TimeoutError):
                    place.granted.result(self._time_left(deadline))
            if gone is not None and gone():
                raise ClientGone("the client left before its turn came")
        except BaseException:
            self.leave(place)
            raise

    async def wait_async(self, place: Place, patience: float, gone: asyncio.Future[object] | None = None) -> None:
        """As `wait`, for a task; `gone` is done once the client has left, which ends the waiting. It isn't cancelled."""
        from asyncio import FIRST_COMPLETED, wait, wrap_future  # noqa: PLC0415 -- `import watchword` must not load asyncio

        deadline = self._clock() + patience
        try:
            watched: list[asyncio.Future[object]] = [] if gone is None else [gone]
            if place.granted is not None:
                watched.append(wrap_future(place.granted))
            while place.waits and not (gone is not None and gone.done()):
                await wait(watched, timeout=self._time_left(deadline), return_when=FIRST_COMPLETED)
            if gone is not None and gone.done():
                raise ClientGone("the client left before its turn came")
        except BaseException:
            self.leave(place)
            raise

    def _time_left(self, deadline: float) -> float:
        """Seconds until the holder's lease ends or patience does; hands the line on if the lease has ended."""
        try:
            with self._mutex:
                self._reclaim()
                now, until = self._clock(), self._until
        finally:
            self._settle()
        if now >= deadline:
            raise Rejected(Reason.TOO_BUSY, "waited too long for other slow work", retry_after=RETRY_AFTER)
        return max(0.0, min(until, deadline) - now)

    def _settle(self) -> None:
        """Lets out the places in `_leaving`, or leaves that to the call that has the mutex: each ends with this."""
        while self._leaving and self._mutex.acquire(blocking=False):
            try:
                while self._leaving:
                    self._let_out(self._leaving.popleft())
            finally:
                self._mutex.release()

    # ---- under the mutex ---------------------------------------------------------------------------------------------

    def _check(self, place: Place, bounds: Bounds, *, follows: bool) -> None:
        """Refuses where there are as many places, or as many turns if it would take one, as there may be."""
        limits = bounds.of_networks(place.known, place.networks)
        for counts, factor in ((self._places, 1 + bounds.followers), (self._turns, 1))[: 1 if follows else 2]:
            for network, limit in zip(reversed(place.networks), limits, strict=False):
                if counts.get((place.known, network), 0) >= limit * factor:
                    detail = "too many log-ins from one network at one time"
                    raise Rejected(Reason.TOO_MANY_ATTEMPTS, detail, where="attempts", retry_after=RETRY_AFTER)
            strangers, pairs = counts.get((False, None), 0), counts.get((True, None), 0)
            full = strangers + pairs >= bounds.in_all * factor
            if full or (not place.known and strangers >= bounds.strangers * factor):
                raise Rejected(Reason.TOO_BUSY, "too many log-ins at one time", retry_after=RETRY_AFTER)

    def _let_in(self, place: Place, turn: _Turn | None, flight: Hashable) -> None:
        if self._holder is not None:
            from concurrent.futures import Future  # noqa: PLC0415 -- loads logging

            place.granted = Future()
        _add(self._places, place, 1)
        if turn is not None:
            turn.places[place] = None
            place.turn = turn
            return
        place.turn = turn = _Turn(place, flight)
        _add(self._turns, place, 1)
        if flight is not None:
            self._flights[flight] = turn
        if self._holder is None:
            self._grant(turn)
        else:
            self._rings[place.known].append(place.networks, turn)

    def _let_out(self, place: Place) -> None:
        turn = place.turn
        if turn is None:
            return
        self._forget(place, turn)
        if place.holds:
            place.holds = False
            while turn.places:
                follower = turn.leader
                self._forget(follower, turn)
                _wake(follower)
            self._end(place, turn)
            self._hand_on()
        elif not turn.places:
            self._rings[place.known].remove(place.networks, turn)
            self._end(place, turn)

    def _forget(self, place: Place, turn: _Turn) -> None:
        del turn.places[place]
        place.turn = None
        _add(self._places, place, -1)

    def _end(self, place: Place, turn: _Turn) -> None:
        _add(self._turns, place, -1)
        if turn.flight is not None:
            del self._flights[turn.flight]

    def _reclaim(self) -> None:
        if self._holder is not None and self._clock() >= self._until:
            self._let_out(self._holder)

    def _hand_on(self) -> None:
        self._holder = None
        known, strangers = self._rings[True], self._rings[False]
        ring = strangers if strangers and (self._known_last or not known) else known
        if ring:
            self._grant(ring.pop())

    def _grant(self, turn: _Turn) -> None:
        self._holder = place = turn.leader
        self._until = self._clock() + self._lease
        self._known_last = place.known
        place.holds = True
        _wake(place)


class _Turn:
    """One piece of work, and the places that need it: the leader, who does it, and its followers."""

    __slots__ = ("flight", "places")

    def __init__(self, leader: Place, flight: Hashable) -> None:
        self.places = OrderedDict([(leader, None)])
        self.flight = flight

    @property
    def leader(self) -> Place:
        return next(iter(self.places))


class _Ring:
    """Networks that take turns, each of them a ring of narrower ones; the narrowest hold turns, first come first."""

    __slots__ = ("rings", "turns")

    def __init__(self) -> None:
        self.rings: OrderedDict[str, _Ring] = OrderedDict()
        self.turns: OrderedDict[_Turn, None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self.rings or self.turns)

    def append(self, networks: Sequence[str], turn: _Turn) -> None:
        ring = self
        for network in networks:
            ring = ring.rings.setdefault(network, _Ring())
        ring.turns[turn] = None

    def remove(self, networks: Sequence[str], turn: _Turn) -> None:
        if not networks:
            del self.turns[turn]
            return
        ring = self.rings[networks[0]]
        ring.remove(networks[1:], turn)
        if not ring:
            del self.rings[networks[0]]

    def pop(self) -> _Turn:
        if not self.rings:
            return self.turns.popitem(last=False)[0]
        network, ring = self.rings.popitem(last=False)
        turn = ring.pop()
        if ring:
            self.rings[network] = ring  # at the end: the others come first
        return turn


_Counted = tuple[bool, str | None]
"""A network's known pairs or strangers; those of all networks together under None."""


def _add(counts: dict[_Counted, int], place: Place, n: int) -> None:
    for network in (None, *place.networks):
        key = (place.known, network)
        counts[key] = counts.get(key, 0) + n
        if not counts[key]:
            del counts[key]


def _wake(place: Place) -> None:
    if place.granted is not None:
        place.granted.set_result(None)
