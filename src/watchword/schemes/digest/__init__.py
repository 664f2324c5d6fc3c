"""Digest (RFC 7616), both halves: computation < nonces < credentials < scheme."""

from __future__ import annotations

from watchword.schemes.digest.computation import DigestSecret, ha1
from watchword.schemes.digest.nonces import NonceKey

__all__ = ["DigestSecret", "NonceKey", "ha1"]
