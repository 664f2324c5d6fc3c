"""Digest (RFC 7616), both halves: computation < nonces, credentials < session < client; assurance < usual < server."""

from __future__ import annotations

from watchword.schemes.digest.computation import DigestSecret, UserHash, ha1, user_hash
from watchword.schemes.digest.nonces import FirstCnonce, NonceKey
from watchword.schemes.digest.client import DigestAuth, ServerUnproven, Unproven, UnprovenWarning
from watchword.schemes.digest.server import DigestVerifier

__all__ = [
    "DigestAuth", "DigestSecret", "DigestVerifier", "FirstCnonce", "NonceKey", "ServerUnproven", "Unproven",
    "UnprovenWarning", "UserHash", "ha1", "user_hash",
]  # fmt: skip
