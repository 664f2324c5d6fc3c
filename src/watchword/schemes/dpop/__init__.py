"""DPoP: access tokens that are bound to a key of the client's (RFC 9449), both halves: proof < client; proof < server."""

from __future__ import annotations

from watchword.schemes.dpop.client import DPoPAuth
from watchword.schemes.dpop.proof import make_proof
from watchword.schemes.dpop.server import DPoPVerifier

__all__ = ["DPoPAuth", "DPoPVerifier", "make_proof"]
