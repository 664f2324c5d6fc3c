"""Remembering verified tokens, so that the next request with the same one costs a look-up: `TokenCache`."""

from __future__ import annotations

from threading import Lock
from typing import Any

from watchword.core.identity import Identity
from watchword.crypto.keys import KeySet
from watchword.schemes.revocation import Mark
from watchword.schemes.verifier_cache import VerifierCache

__all__ = ["Entry", "Generation", "TokenCache"]

Entry = tuple[float, float, Identity[Any], KeySet, Mark | None, bytes]
"""From when and until when it may be used (seconds since the epoch), the identity without its claims, the keys among which the
token's was when it was verified, how it can be taken back, and its payload, from which every request gets claims of its own."""
Generation = dict[str | bytes, Entry]


class TokenCache(VerifierCache):
    """What whole tokens were found to say: `JWTVerifier(…, cache=TokenCache())`; one cache serves one verifier.

    A token is found by all of its octets and only once it has been verified. It is forgotten when it expires, when its
    key leaves the verifier's keys, and when something is taken back through the verifier's `Revocations` in this process:
    all at once. What another process takes back is seen within `ttl` seconds, or with `strict` at once, because the
    revocations are then looked up for each request, and only the signature is spared.

    Args:
        size: tokens that are remembered at most.
        ttl: seconds for which one verification is relied upon.
        strict: ask the revocations for each request.

    Raises:
        ConfigurationError: a size or a ttl that is none.

    >>> from watchword import JWTVerifier, Key
    >>> JWTVerifier(Key.generate("HS256"), cache=TokenCache(size=1000, ttl=30))
    JWTVerifier(KeySet([Key(HS256, key_id=None, secret)]))
    """

    __slots__ = ("__weakref__", "_half", "_turning", "current", "previous")

    def __init__(self, size: int = 10_000, ttl: float = 60, strict: bool = False) -> None:
        super().__init__(size, ttl, strict, least=2)
        self._half = size // 2
        self._turning = Lock()
        # Two generations: what was used since the last change of generation, and what was used before it.
        self.current: Generation = {}
        self.previous: Generation = {}

    def clear(self) -> None:
        """Clears the cache. A verification in progress writes to the discarded dictionary."""
        with self._turning:
            self.previous = {}  # the old one first: see `again`
            self.current = {}

    def keep(self, generation: Generation, token: str | bytes, entry: Entry) -> None:
        """Remembers in `generation`, which was `current` before anything about the token was looked up."""
        if len(generation) >= self._half:
            with self._turning:
                if generation is self.current:
                    self.previous, self.current = generation, {}
                    generation = self.current
        generation[token] = entry

    def again(self, token: str | bytes) -> Entry | None:
        """What the former generation knew, moved to the present one."""
        generation = self.current  # before `previous`: if this generation is new because of `clear`, so is the other
        entry = self.previous.get(token)
        if entry is not None:
            self.keep(generation, token, entry)
        return entry

    def __len__(self) -> int:
        return len(self.current) + len(self.previous)

    def __repr__(self) -> str:
        return f"TokenCache(size={2 * self._half}, ttl={self.ttl:g}, strict={self.strict})"
