"""The values that a SigV4 verifier, its claims and their explanation share: its settings, and what has proven genuine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchword.structures.bounded import Bounded
from watchword.schemes.freshness import Freshness
from watchword.schemes.sigv4.access_key import AccessKey, Signing, SigningKeys
from watchword.schemes.sigv4.canonical import PathRules
from watchword.schemes.sigv4.credentials import Plan, PresentedCredentials

__all__ = ["ProvenCredentials", "Settings"]

MAX_SKEW: Final = 900
"""Seconds that a request's time may be off; services of AWS take no more."""

MAX_PROVEN: Final = 1024
"""Derived keys, and parsed credentials, that are kept."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a `SigV4Verifier`, which describes them; checked, and texts as octets."""

    region: bytes | None
    service: bytes | None
    freshness: Freshness
    max_expires: float
    allow_unsigned_payload: bool
    single_use: bool
    require: frozenset[bytes]
    paths: PathRules | None
    max_chunk: int


class ProvenCredentials:
    """What was parsed and derived for credentials that are genuine."""

    __slots__ = ("keys", "plans")

    def __init__(self) -> None:
        self.keys = SigningKeys(MAX_PROVEN)
        self.plans: Bounded[tuple[bytes, bytes], Plan] = Bounded(MAX_PROVEN)

    def keep(self, presented: PresentedCredentials, record: AccessKey, signing: Signing) -> None:
        """For the next request with these credentials; called after a good signature."""
        plan = presented.plan
        self.keys.keep(plan.access_key_id, record.secret, plan.scope, plan.ecdsa, signing)
        if presented.around is not None:
            self.plans.put(presented.around, plan)
