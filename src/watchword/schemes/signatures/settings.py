"""The values that a verifier of signatures, its claims and their explanation share."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.schemes.freshness import Freshness
from watchword.schemes.signatures.policy import SignaturePolicy

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a `SignatureVerifier`, which describes them; checked.

    Args:
        policy, stream: as given.
        freshness: for how long after `created` a signature is good.
    """

    policy: SignaturePolicy
    freshness: Freshness
    stream: bool
