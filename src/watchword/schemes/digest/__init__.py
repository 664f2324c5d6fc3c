"""Digest (RFC 7616), both halves: computation < nonces, credentials < scheme < explanation."""

from __future__ import annotations

from watchword.schemes.digest.computation import DigestSecret, ha1
from watchword.schemes.digest.nonces import NonceKey
from watchword.schemes.digest.scheme import DigestAuth, DigestVerifier

__all__ = ["DigestAuth", "DigestSecret", "DigestVerifier", "NonceKey", "ha1"]
