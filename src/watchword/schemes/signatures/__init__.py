"""HTTP Message Signatures (RFC 9421), by layer.

From the inside: components and messages, the signature base of either kind of message, the fields on the wire; then what is
demanded (policy, accept), read and signed; then the verdict (claim) and the two halves (scheme). Signed responses are beside
them, on the same base.
"""

from __future__ import annotations

from watchword.schemes.signatures.policy import SignaturePolicy
from watchword.schemes.signatures.scheme import SignatureAuth, SignatureVerifier

__all__ = ["SignatureAuth", "SignaturePolicy", "SignatureVerifier"]
