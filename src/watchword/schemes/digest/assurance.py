"""What the server proves in its answer: that it knows the password as well (RFC 7616 §3.5)."""

from __future__ import annotations

from typing import Final, NamedTuple

from watchword.core.message import Headers
from watchword.core.records import Found
from watchword.core.scheme import Random
from watchword.schemes.digest.computation import Algorithm
from watchword.schemes.digest.nonces import NONCE_KEY, make_nonce

__all__ = ["Proof", "authentication_info"]

RENEWAL: Final = 0.25
"""The last part of a nonce's life, in which each answer brings the next one."""


class Proof(NamedTuple):
    """H(A1) as the client had it, and whether that is RFC 7616 §3.4.2's (of "-sess" there are two)."""

    ha1: bytes
    by_rfc: bool

    def __repr__(self) -> str:
        return f"Proof(by_rfc={self.by_rfc})"


def authentication_info(
    realm: str, lifetime: float, algorithm: Algorithm, rspauth: bytes, said: bytes, found: Found, until: float, now: float,
    random: Random,
) -> Headers:  # fmt: skip
    """The field with this proof and what the client `said` (RFC 7616 §3.5); the guard of a proxy renames it.

    Where the nonce ends soon (`until`), the next one of `realm` is in it too; `lifetime` is that of a whole nonce.
    """
    value = b'rspauth="%b", %b' % (rspauth, said)
    key = found.get(NONCE_KEY)
    if key is not None and not algorithm.session and now > until - RENEWAL * lifetime:
        value += b', nextnonce="%b"' % make_nonce(key, realm, algorithm.name, now, random(12)).encode()
    return ((b"authentication-info", value),)
