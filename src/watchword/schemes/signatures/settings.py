"""The values that a verifier of signatures, its claims and their explanation share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchword.schemes.signatures.policy import SignaturePolicy

__all__ = ["Settings"]

KEPT: Final = 300.0
"""Seconds for which a nonce is kept at least: another verifier of the store may accept what this one finds too old."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a `SignatureVerifier`, which describes them; checked.

    Args:
        policy, max_age, skew, stream: as given.
        kept: seconds since `created` for which a nonce is kept.
    """

    policy: SignaturePolicy
    max_age: float | None
    skew: float
    stream: bool
    kept: float

    @classmethod
    def of(cls, policy: SignaturePolicy, max_age: float | None, skew: float, stream: bool) -> Settings:
        """The settings, and what follows from them."""
        return cls(policy, max_age, skew, stream, max(KEPT, max_age or 0))
