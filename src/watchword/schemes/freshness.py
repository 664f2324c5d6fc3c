"""How long what was signed at a given time is good, and how long its use is remembered: one rule for all schemes.

It is good from `skew` seconds before the time that it names, that second included, until `max_age` seconds after that time,
that second excluded: an end is the first moment at which it is over, as `exp` is in a JWT (RFC 7519 §4.1.4: not "on or
after"). So a mark of its use may be forgotten at the very second at which it ends, and no moment is left in which it is still
good and already forgotten.
"""

from __future__ import annotations

import math
from typing import Final, NoReturn

from watchword.core.rejection import ConfigurationError, Reason, Rejected

__all__ = ["RETENTION", "Freshness", "check_end"]

RETENTION: Final = 300.0
"""Seconds for which a mark of a use is kept at least: another verifier of the same store may accept for so long what the one
that wrote the mark finds too old. It is the `max_age` that verifiers have by default."""


class Freshness:
    """For how long after its time something is good, and by how much the clock of its maker may be ahead.

    Args:
        max_age: seconds for which it is good; None: for ever.
        skew: seconds by which its time may lie in the future.
        name: how the user's setting is called that `max_age` comes from.

    Raises:
        ConfigurationError: a `max_age` that is not positive, a `skew` that is negative, or one that is not finite.

    `retention` is how many seconds after its time a mark of its use is kept: until no verifier of the store accepts it any more.

    >>> freshness = Freshness(max_age=300, skew=30)
    >>> [freshness.holds(1000, now) for now in (969.9, 970, 1299.9, 1300)]
    [False, True, True, False]
    >>> Freshness(max_age=60, skew=30).retention, Freshness(max_age=900, skew=30).retention
    (300.0, 900)
    """

    __slots__ = ("_end", "_start", "max_age", "retention", "skew")

    def __init__(self, max_age: float | None, skew: float, name: str = "max_age") -> None:
        if max_age is not None and not (max_age > 0 and math.isfinite(max_age)):  # NaN compares false with everything
            raise ConfigurationError(f"{name} is a positive number of seconds: {name}=300")
        if not (skew >= 0 and math.isfinite(skew)):
            raise ConfigurationError("skew is a number of seconds, not negative: skew=30")
        self.max_age = max_age
        self.skew = skew
        self._start = -skew
        self._end = math.inf if max_age is None else max_age
        self.retention = max(self._end, RETENTION)

    def __repr__(self) -> str:
        return f"Freshness(max_age={self.max_age}, skew={self.skew:g})"

    def holds(self, made: float, now: float) -> bool:
        """Whether what was made at `made` is good at `now`, both in seconds since the epoch."""
        return self._start <= now - made < self._end

    def check(self, made: float, now: float, where: str, genuine: bool = True) -> None:
        """Refuses what is not good at `now`.

        Args:
            made: when it was made, by its own account; seconds since the epoch.
            now: seconds since the epoch.
            where: the part of the request that names the time.
            genuine: whether the secret was proven before.

        Raises:
            Rejected: EXPIRED or NOT_YET_VALID.

        >>> Freshness(max_age=300, skew=30).check(1000, 1300, "timestamp")
        Traceback (most recent call last):
        watchword.core.rejection.Rejected: expired at timestamp: signed 300 s ago, good for 300 s
        """
        if not self._start <= now - made < self._end:
            self._refuse(now - made, where, genuine)

    def _refuse(self, age: float, where: str, genuine: bool) -> NoReturn:
        if age >= self._end:
            raise Rejected(
                Reason.EXPIRED, f"signed {age:.0f} s ago, good for {self._end:g} s", where=where, genuine=genuine
            )
        detail = f"signed {-age:.0f} s in the future, {self.skew:g} s are allowed"
        raise Rejected(Reason.NOT_YET_VALID, detail, where=where, genuine=genuine)


def check_end(end: float, now: float, where: str, genuine: bool = True) -> None:
    """Refuses what says itself when it ends (seconds since the epoch), from that second on.

    Raises:
        Rejected: EXPIRED.

    >>> check_end(1000, 999.9, "expires")
    >>> check_end(1000, 1000, "expires")
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: expired at expires: 0 s past its end
    """
    if now >= end:
        raise Rejected(Reason.EXPIRED, f"{now - end:.0f} s past its end", where=where, genuine=genuine)
