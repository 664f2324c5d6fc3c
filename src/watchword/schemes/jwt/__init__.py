"""JSON Web Tokens as bearer tokens (RFC 7519, RFC 8725, RFC 6750), both halves: checks < settings < auth; claim < verifier."""

from __future__ import annotations

from watchword.schemes.jwt.auth import JWTAuth
from watchword.schemes.jwt.claim import JWTClaim
from watchword.schemes.jwt.verifier import JWTVerifier

__all__ = ["JWTAuth", "JWTClaim", "JWTVerifier"]
