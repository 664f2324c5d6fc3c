"""Time that stands until a test moves it."""

from __future__ import annotations

from math import isfinite

from watchword.core.rejection import ConfigurationError

__all__ = ["Clock"]


class Clock:
    """Seconds since the epoch, which stand still until a test moves them.

    Give the same clock to all that has one: `Policy(clock=clock)`, `MemoryStore(clock=clock)`, `SQLStore(url, clock=clock)`,
    `RemoteKeySet(…, clock=clock)`, `JWTVerifier(…, clock=clock)`. `signed` takes the guard's.

    Args:
        now: where it begins; by default a moment of the year 2023, the same in every run.

    Raises:
        ConfigurationError: a time that is not finite.

    >>> clock = Clock()
    >>> clock.advance(300)
    >>> clock() == clock.now == 1_700_000_300.0
    True
    """

    __slots__ = ("_now",)

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    @property
    def now(self) -> float:
        """The time, in seconds since the epoch; it may be set."""
        return self._now

    @now.setter
    def now(self, seconds: float) -> None:
        if not isfinite(seconds):
            raise ConfigurationError(f"a clock shows a finite number of seconds since the epoch, not {seconds}")
        self._now = float(seconds)

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves the time on, or back where `seconds` is negative, as clocks that are set do.

        Args:
            seconds: how far.

        Raises:
            ConfigurationError: not a finite number.
        """
        self.now = self._now + seconds

    def __repr__(self) -> str:
        return f"Clock({self._now!r})"
