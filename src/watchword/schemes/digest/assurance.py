"""What the server proves in its answer: that it knows the password as well (RFC 7616 §3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from watchword.core.message import Headers, Response
from watchword.core.records import Found
from watchword.core.scheme import Random
from watchword.schemes.digest.computation import Algorithm, hash_a2, octets_hash
from watchword.schemes.digest.credentials import quoted
from watchword.schemes.digest.nonces import NONCE_KEY, make_nonce

if TYPE_CHECKING:
    from watchword.schemes.digest.server import DigestClaim, DigestVerifier

__all__ = ["Assurance", "Proof", "authentication_info"]

RENEWAL: Final = 0.25
"""The last part of a nonce's life, in which each answer brings the next one."""


class Proof(NamedTuple):
    """H(A1) as the client had it, and whether that is RFC 7616 §3.4.2's (of "-sess" there are two)."""

    ha1: bytes
    by_rfc: bool

    def __repr__(self) -> str:
        return f"Proof(by_rfc={self.by_rfc})"


class Assurance(NamedTuple):
    """The server's own proof, made when the answer goes out."""

    claim: DigestClaim
    proof: Proof
    found: Found
    until: float

    def __repr__(self) -> str:
        return f"Assurance({self.claim!r})"

    def headers(self, answer: Response, body: bytes | None, now: float, random: Random) -> Headers:
        """Authentication-Info (RFC 7616 §3.5); the guard of a proxy renames it."""
        claim, presented = self.claim, self.claim.presented
        algorithm = claim.algorithm
        assert algorithm is not None
        body_hash = octets_hash(algorithm, body or b"") if presented.qop == "auth-int" else None
        a2 = hash_a2(algorithm, b"", presented.uri, body_hash)
        rspauth = claim.expected(self.proof.ha1, a2)
        said = b"cnonce=%b, nc=%b, qop=%b" % (quoted(presented.cnonce), presented.nc.encode(), presented.qop.encode())
        return authentication_info(claim.verifier, algorithm, rspauth, said, self.found, self.until, now, random)


def authentication_info(
    verifier: DigestVerifier, algorithm: Algorithm, rspauth: bytes, said: bytes, found: Found, until: float, now: float,
    random: Random,
) -> Headers:  # fmt: skip
    """The field with this proof and what the client `said`; and with the next nonce, where this one ends soon (`until`)."""
    value = b'rspauth="%b", %b' % (rspauth, said)
    key = found.get(NONCE_KEY)
    if key is not None and not algorithm.session and now > until - RENEWAL * verifier.nonce_lifetime:
        value += b', nextnonce="%b"' % make_nonce(key, verifier.realm, algorithm.name, now, random(12)).encode()
    return ((b"authentication-info", value),)
