"""What the server proves in its answer: that it knows the password as well (RFC 7616 §3.5)."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from watchword.core.message import Headers
from watchword.core.records import Found
from watchword.core.scheme import Random
from watchword.schemes.digest.computation import Algorithm
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey

__all__ = ["NonceMaker", "Proof", "authentication_info"]

RENEWAL: Final = 0.25
"""The last part of a nonce's life, in which each answer brings the next one."""


class Proof(NamedTuple):
    """H(A1) as the client had it, and whether that is RFC 7616 §3.4.2's (of "-sess" there are two)."""

    ha1: bytes
    by_rfc: bool

    def __repr__(self) -> str:
        return f"Proof(by_rfc={self.by_rfc})"


class NonceMaker(Protocol):
    """Whose nonces they are: a `DigestVerifier`."""

    @property
    def nonce_lifetime(self) -> float: ...

    def make_nonce(self, key: NonceKey, algorithm: Algorithm, now: float, random: Random) -> str: ...


def authentication_info(
    maker: NonceMaker, algorithm: Algorithm, rspauth: bytes, said: bytes, found: Found, until: float, now: float,
    random: Random,
) -> Headers:  # fmt: skip
    """The field with this proof and what the client `said` (RFC 7616 §3.5); the guard of a proxy renames it.

    Where the nonce ends soon (`until`), the `maker`'s next one is in it too.
    """
    value = b'rspauth="%b", %b' % (rspauth, said)
    key = found.get(NONCE_KEY)
    if key is not None and not algorithm.session and now > until - RENEWAL * maker.nonce_lifetime:
        value += b', nextnonce="%b"' % maker.make_nonce(key, algorithm, now, random).encode()
    return ((b"authentication-info", value),)
