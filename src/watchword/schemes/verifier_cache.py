"""The settings of a cache that serves one verifier, checked: `VerifierCache`."""

from __future__ import annotations

from watchword.core.rejection import ConfigurationError
from watchword.structures.in_process import InProcess

__all__ = ["VerifierCache"]


class VerifierCache(InProcess):
    """A cache of what one verifier found out, and relies upon for a while.

    Args:
        size: entries at most.
        ttl: seconds for which an entry is relied upon.
        strict: ask again for every request what may have changed since.
        least: the smallest size that makes sense.

    Raises:
        ConfigurationError: a size or a ttl that is none.
    """

    __slots__ = ("_taken", "size", "strict", "ttl")

    def __init__(self, size: int, ttl: float, strict: bool, least: int = 1) -> None:
        if type(size) is not int or size < least:
            raise ConfigurationError(f"size= is the number of entries to remember, at least {least}")
        if type(ttl) not in (int, float) or not 0 < ttl <= 86_400:
            raise ConfigurationError("ttl= is a number of seconds, more than 0 and at most a day")
        if type(strict) is not bool:
            raise ConfigurationError("strict= is True or False")
        self.size = size
        self.ttl = ttl
        self.strict = strict
        self._taken = False

    def take(self) -> None:
        """Reserves the cache for one verifier: an answer of one verifier need not be that of another.

        Raises:
            ConfigurationError: it is reserved.
        """
        if self._taken:
            raise ConfigurationError(
                f"a {type(self).__name__} belongs to one verifier, whose answers it remembers: make one for each"
            )
        self._taken = True
