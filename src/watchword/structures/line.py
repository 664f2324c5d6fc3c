"""The line for slow work: passwords are hashed one at a time, and no network keeps the others waiting.

Known pairs, which are subjects that logged in from the same address before, go first, but never twice in a row while a
stranger waits. Among each of the two kinds the networks take turns. The places are bounded per network and in all.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from watchword.structures.room import FOR_THREADS, Bounds, LineFull, Occupancy
from watchword.structures.round_robin import RoundRobin

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

__all__ = ["ClientGone", "Place", "WaitingLine"]

LEASE: Final = 60.0
_Flight = tuple[bool, tuple[str, ...], bytes]


class ClientGone(Exception):
    """The client hung up before its request was verified; nobody is there to be answered."""


class Place:
    """One request's place in a line; `granted` is None if it held the line from the start.

    `holds`: the work may be done now. A place that neither holds nor `waits` is out of the line.
    `follows`: an earlier place, which is still in the line, does the same work.
    """

    __slots__ = ("follows", "granted", "holds", "known", "networks", "turn")

    def __init__(self, known: bool, networks: Sequence[str]) -> None:
        self.granted: Future[object] | None = None
        self.holds = False
        self.follows = False
        self.known = known
        self.networks = networks
        self.turn: _Turn | None = None  # None: out of the line

    @property
    def waits(self) -> bool:
        """Its turn has not come yet."""
        return self.turn is not None and not self.holds


class WaitingLine:
    """A line in which threads block and tasks await; one place holds it at a time.

    A holder that outstays the `lease` loses the line to the next: a thread that hangs must not stop all others.
    `clock` tells seconds that never run backwards.
    """

    __slots__ = ("_clock", "_flights", "_holder", "_lease", "_leaving", "_mutex", "_places", "_turns", "_until",
                 "_waiting", "_was_known")  # fmt: skip

    def __init__(self, lease: float = LEASE, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease = lease
        self._clock = clock
        self._mutex = threading.Lock()
        self._leaving: deque[Place] = deque()
        self._holder: Place | None = None
        self._until = 0.0
        self._was_known = False  # the last one that it was granted to
        self._waiting = {True: RoundRobin[_Turn](), False: RoundRobin[_Turn]()}
        self._flights: dict[_Flight, _Turn] = {}
        self._turns = Occupancy()
        self._places = Occupancy()

    def join(
        self, known: bool, networks: Sequence[str], flight: bytes | None = None, bounds: Bounds = FOR_THREADS
    ) -> Place:
        """A place, which must be left with `leave`.

        Args:
            known: whether the subject has logged in from this address before.
            networks: the networks of the address, widest first; ("",) if it is unknown.
            flight: the same for the same credentials. A place follows an earlier one of its network with the same
                flight: it takes no turn, and is out of the line when the turn of the other ends. The work may be needless
                then; if it is not, the request joins again, without a flight.
            bounds: the room for callers of this kind, threads or tasks.

        Raises:
            NetworkFull, LineFull: there is no room left.
        """
        place = Place(known, networks)
        key = None if flight is None else (known, tuple(networks), flight)
        try:
            with self._mutex:
                self._reclaim()
                turn = None if key is None else self._flights.get(key)
                self._places.check(known, networks, bounds, 1 + bounds.followers)
                if turn is None:
                    self._turns.check(known, networks, bounds)
                self._let_in(place, turn, key)
        except BaseException:
            self.leave(place)
            raise
        finally:
            self._settle()
        return place

    def leave(self, place: Place) -> None:
        """Gives up a place, and hands the line on if it holds it; nothing, if it is out of the line already.

        It never blocks. Any thread may call it, and so may the garbage collector amid another call.
        """
        self._leaving.append(place)
        self._settle()

    def wait(self, place: Place, patience: float, gone: Callable[[], bool] | None = None) -> None:
        """Blocks until `place` holds the line or is out of it. If it raises anything, the place has been left.

        `gone` tells whether the client has left. It is asked when the turn has come, so that nothing is hashed for nobody.

        Raises:
            LineFull: after `patience` seconds.
            ClientGone: as `gone` says.
        """
        deadline = self._clock() + patience
        try:
            while place.waits and place.granted is not None:
                with suppress(TimeoutError):
                    place.granted.result(self._time_left(place, deadline))
            if gone is not None and gone():
                raise ClientGone
        except BaseException:
            self.leave(place)
            raise

    async def wait_async(self, place: Place, patience: float, gone: asyncio.Future[object] | None = None) -> None:
        """`wait` for a task. `gone` is done once the client has left, which ends the waiting; it is never cancelled."""
        from asyncio import FIRST_COMPLETED, wait, wrap_future  # noqa: PLC0415 -- `import watchword` must not load asyncio

        deadline = self._clock() + patience
        try:
            watched = [] if place.granted is None else [wrap_future(place.granted)]
            watched += [] if gone is None else [gone]
            while place.waits and not (gone is not None and gone.done()):
                await wait(watched, timeout=self._time_left(place, deadline), return_when=FIRST_COMPLETED)
            if gone is not None and gone.done():
                raise ClientGone
        except BaseException:
            self.leave(place)
            raise

    def _time_left(self, place: Place, deadline: float) -> float:
        """Seconds until patience or the holder's lease ends; hands the line on if the lease has ended."""
        with self._mutex:
            self._reclaim()
            now, until = self._clock(), self._until
        self._settle()
        if now >= deadline and place.waits:
            raise LineFull("waited too long for other slow work")
        return max(0.0, min(until, deadline) - now)

    def _settle(self) -> None:
        """Lets out who is leaving. If another call has the mutex, that call does so, as its last step."""
        while self._leaving and self._mutex.acquire(blocking=False):
            try:
                while self._leaving:
                    self._let_out(self._leaving.popleft())
            finally:
                self._mutex.release()

    # The rest is called with the mutex held.

    def _reclaim(self) -> None:
        if self._holder is not None and self._clock() >= self._until:
            self._let_out(self._holder)

    def _let_in(self, place: Place, turn: _Turn | None, flight: _Flight | None) -> None:
        if self._holder is not None:
            from concurrent.futures import Future  # noqa: PLC0415 -- loads logging

            place.granted = Future()
        self._places.add(1, place.known, place.networks)
        if turn is not None:
            turn.places[place] = None
            place.turn, place.follows = turn, True
            return
        place.turn = turn = _Turn(place, flight)
        self._turns.add(1, place.known, place.networks)
        if flight:
            self._flights[flight] = turn
        if self._holder is None:
            self._grant(turn)
        else:
            self._waiting[place.known].append(place.networks, turn)

    def _let_out(self, place: Place) -> None:
        turn = place.turn
        if turn is None:
            return
        self._dismiss(place, turn)
        if place.holds:
            place.holds = False
            while turn.places:
                follower = turn.leader
                self._dismiss(follower, turn)
                _wake(follower)
            self._end(turn, place)
            self._hand_on()
        elif turn.places:
            turn.leader.follows = False
        else:
            self._waiting[place.known].remove(place.networks, turn)
            self._end(turn, place)

    def _dismiss(self, place: Place, turn: _Turn) -> None:
        del turn.places[place]
        place.turn, place.follows = None, False
        self._places.add(-1, place.known, place.networks)

    def _end(self, turn: _Turn, place: Place) -> None:
        self._turns.add(-1, place.known, place.networks)
        if turn.flight:
            del self._flights[turn.flight]

    def _hand_on(self) -> None:
        self._holder = None
        known, strangers = self._waiting[True], self._waiting[False]
        following = strangers if strangers and (self._was_known or not known) else known
        if following:
            self._grant(following.pop())

    def _grant(self, turn: _Turn) -> None:
        self._holder = place = turn.leader
        self._until = self._clock() + self._lease
        self._was_known = place.known
        place.holds = True
        _wake(place)


class _Turn:
    """One piece of work; the first of its places does it, the others follow."""

    __slots__ = ("flight", "places")

    def __init__(self, leader: Place, flight: _Flight | None) -> None:
        self.places: OrderedDict[Place, None] = OrderedDict([(leader, None)])
        self.flight = flight

    @property
    def leader(self) -> Place:
        return next(iter(self.places))


def _wake(place: Place) -> None:
    if place.granted is not None:
        place.granted.set_result(None)
