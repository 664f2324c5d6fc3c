"""Work that takes milliseconds, a password hash: counted as an attempt first, then done in its turn.

The guard and the token endpoint both go this way, so that neither can be kept busy by one network.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from watchword.core.io import IO
from watchword.structures.networks import is_anybodys, network_of, networks_of
from watchword.core.records import Add
from watchword.core.rejection import Reason, Rejected, too_busy
from watchword.structures.call import Call
from watchword.structures.line import Place, WaitingLine
from watchword.structures.room import LineFull, NetworkFull

__all__ = ["Applicant", "Turn", "take_turn"]

RETRY_AFTER: Final = 1
"""Seconds: in the time of a few hashes there is room again."""

T = TypeVar("T")
G = TypeVar("G")


class Turn:
    """The right to do slow work now, until `end`.

    `held` are the attempts that were counted for it, to be given back on success. `slow` is False where the work has
    become needless meanwhile: the same credentials were verified by another request.
    """

    __slots__ = ("_call", "_line", "_place", "held", "slow")

    def __init__(
        self,
        line: WaitingLine | None = None,
        place: Place | None = None,
        held: Sequence[Add] = (),
        *,
        slow: bool = True,
    ) -> None:
        self._line = line
        self._place = place
        self._call: Call[Any] | None = None
        self.held = held
        self.slow = slow

    async def work(self, io: IO[Any, Any], call: Callable[[], T]) -> T:
        """The result of `call`."""
        if not self.slow:
            return call()
        if self._line is None:  # no line bounds how many there are, so the event loop's threads have to
            return await io.work(call)
        self._call = running = Call(call)
        return await io.work_apart(running)

    def end(self) -> None:
        """Hands the line on, once the work has stopped: a thread goes on where its request was cancelled."""
        if self._line is None or self._place is None:
            return
        leave = partial(self._line.leave, self._place)
        if self._call is None:
            leave()
        else:
            self._call.then(leave)


class Applicant(NamedTuple):
    """Whose work wants a turn: see `WaitingLine.join`. `address` is the peer's."""

    known: bool
    address: str
    flight: bytes | None = None

    @property
    def networks(self) -> Sequence[str]:
        """The networks of the address; ("",) where everybody may come from it, so that it has no bound of its own."""
        return ("",) if is_anybodys(network_of(self.address)) else networks_of(self.address)


async def take_turn(
    io: IO[Any, G],
    line: WaitingLine,
    applicant: Applicant,
    count: Callable[[], Awaitable[Sequence[Add]]],
    is_still_slow: Callable[[], Awaitable[bool]],
    gone: G | None,
) -> Turn:
    """A turn at `line`.

    Args:
        io: the outside.
        line: where slow work waits.
        applicant: whose work it is.
        count: counts the attempt and gives what it added; called before the work waits, so that a client which hangs up
            has spent its attempt.
        is_still_slow: looks again; called after waiting, since others may have done the work or changed the records.
        gone: tells whether the client has left.

    Raises:
        Rejected: TOO_MANY_ATTEMPTS, or TOO_BUSY.
        ClientGone: the client left while its work waited.
    """
    try:
        place = io.join(line, applicant.known, applicant.networks, applicant.flight)
        if place.follows:
            await io.wait(line, place, gone)
            if not place.holds:
                if not await is_still_slow():
                    return Turn(slow=False)
                place = io.join(line, applicant.known, applicant.networks, None)
        try:
            held = await count()
            waits = place.waits
            if waits:
                await io.wait(line, place, gone)
            return Turn(line, place, held, slow=not waits or await is_still_slow())
        except BaseException:
            line.leave(place)
            raise
    except NetworkFull as full:
        raise Rejected(Reason.TOO_MANY_ATTEMPTS, str(full), where="attempts", retry_after=RETRY_AFTER) from None
    except LineFull as full:
        raise too_busy(str(full), retry_after=RETRY_AFTER) from None
