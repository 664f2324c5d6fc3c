"""A client half that goes by the clock of a test, whichever client it is put into."""

from __future__ import annotations

from collections.abc import Callable

from watchword.core.message import Peer, Request
from watchword.effects import Auth, Context, Flow

__all__ = ["ClockedAuth"]


class ClockedAuth:
    """A client half by a clock of yours: the adapters of clients take none, and go by the host's.

    Args:
        auth: the client half.
        clock: its time: that of the guard.
        random: its random octets; None: those of the adapter.

    >>> from watchword import HMACAuth, Key
    >>> from watchword.testing import Clock, signed
    >>> clocked = ClockedAuth(HMACAuth(Key.generate("HS256", key_id="k")), Clock(5_000_000.0))
    >>> b"5000000" in signed(clocked).request.values(b"authorization")[0]
    True
    """

    def __init__(self, auth: Auth, clock: Callable[[], float], random: Callable[[int], bytes] | None = None) -> None:
        self._auth, self._clock, self._random = auth, clock, random
        self.every_answer: bool = getattr(auth, "every_answer", False)

    def flow(self, request: Request, context: Context, /) -> Flow:
        """As that of `auth`, by this clock."""
        return self._auth.flow(request, _Clocked(context, self._clock, self._random))

    def __repr__(self) -> str:
        return f"ClockedAuth({self._auth!r})"


class _Clocked:
    """The means of a flow, but for the time and perhaps the random octets."""

    def __init__(self, context: Context, clock: Callable[[], float], random: Callable[[int], bytes] | None) -> None:
        self._context = context
        self.now = clock
        self.random = context.random if random is None else random

    def body(self) -> bytes:
        return self._context.body()

    def check_repeatable(self) -> None:
        self._context.check_repeatable()

    def peer(self, request: Request, /) -> Peer:
        return self._context.peer(request)

    @property
    def stored(self) -> bool:
        return self._context.stored

    @property
    def asks(self) -> bool:
        return self._context.asks
