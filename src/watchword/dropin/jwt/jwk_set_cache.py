"""PyJWT's `JWKSetCache`: one key set, for a time."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from watchword.dropin.jwt.api_jwk import PyJWKSet
from watchword.dropin.jwt.exceptions import PyJWKSetError

__all__ = ["JWKSetCache"]


class _Kept(NamedTuple):
    jwk_set: PyJWKSet
    since: float


class JWKSetCache:
    """Keeps a key set for `lifespan` seconds."""

    def __init__(self, lifespan: float) -> None:
        self.lifespan = lifespan
        self.jwk_set_with_timestamp: _Kept | None = None

    def put(self, jwk_set: PyJWKSet | dict[str, Any] | None) -> None:
        """Keeps this set from now on; None forgets.

        Raises:
            PyJWKSetError: not a set with keys that can be used.
        """
        if isinstance(jwk_set, dict):
            jwk_set = PyJWKSet.from_dict(jwk_set)
        if jwk_set is not None and not isinstance(jwk_set, PyJWKSet):
            raise PyJWKSetError("Invalid JWK Set value")
        self.jwk_set_with_timestamp = None if jwk_set is None else _Kept(jwk_set, time.monotonic())

    def get(self) -> PyJWKSet | None:
        """The set, unless its time is over."""
        kept = self.jwk_set_with_timestamp
        return None if kept is None or self.is_expired() else kept.jwk_set

    def is_expired(self) -> bool:
        """Whether there is a set, and its time is over."""
        kept = self.jwk_set_with_timestamp
        return kept is not None and self.lifespan > -1 and time.monotonic() > kept.since + self.lifespan
