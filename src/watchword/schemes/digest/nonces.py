"""The server's nonces: signed, timed, stateless (RFC 7616 §3.3, §5.4).

A nonce is base64url of time (6 octets, milliseconds since the epoch), randomness (12) and a MAC over both, the realm
and the algorithm (18 octets of HMAC-SHA-256, 144 bits). Only the key is kept: the first worker creates it in the store
and all share it, so any of them knows the nonces of every other, after a restart too.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Final, NamedTuple

from watchword.core.records import Ref
from watchword.crypto.digests import compare, hmac_sha256, keyed_digest
from watchword.schemes.freshness import Freshness

__all__ = ["NONCE_KEY", "FirstCnonce", "NonceKey", "NonceState", "Reading", "make_nonce", "mark_owner", "read_nonce"]

_TIME, _RANDOM, _MAC = 6, 12, 18
_BODY: Final = _TIME + _RANDOM
_LENGTH: Final = (_BODY + _MAC) * 4 // 3

SKEW: Final = 60.0
"""Seconds by which the clocks of two workers may differ."""


@dataclass(frozen=True, slots=True)
class NonceKey:
    """The key under which nonces are signed, at `NONCE_KEY`.

    >>> NonceKey(bytes(32))
    NonceKey()
    """

    sensitive: ClassVar[bool] = True

    key: bytes = field(repr=False)


NONCE_KEY: Final = Ref(NonceKey, ("digest",))


@dataclass(frozen=True, slots=True)
class FirstCnonce:
    """The client nonce of the first request with a nonce, at `Ref(FirstCnonce, (nonce,))`, kept for twice that nonce's life.

    With "-sess" algorithms it is part of the secret of all later requests (RFC 7616 §3.4.2).
    """

    cnonce: str


class NonceState(Enum):
    """What a nonce is to this server."""

    CURRENT = "current"
    EXPIRED = "expired"
    FOREIGN = "foreign"  # not signed by our key for this realm and algorithm


class Reading(NamedTuple):
    """What `read_nonce` found. `made` (seconds since the epoch) is 0 for a foreign nonce."""

    state: NonceState
    made: float


FOREIGN: Final = Reading(NonceState.FOREIGN, 0.0)


def make_nonce(key: NonceKey, realm: str, algorithm: str, now: float, entropy: bytes) -> str:
    """A nonce for one challenge.

    Args:
        key: the shared key.
        realm: the verifier's realm.
        algorithm: the challenge's algorithm; the nonce is good for no other.
        now: seconds since the epoch.
        entropy: 12 unpredictable octets.

    >>> nonce = make_nonce(NonceKey(bytes(32)), "orders", "SHA-256", 1000.0, bytes(12))
    >>> nonce
    'AAAAD0JAAAAAAAAAAAAAAAAAw9vkAFtOb4wrB4Dbpm0GzWhi'
    >>> freshness = Freshness(300, SKEW)
    >>> read_nonce(NonceKey(bytes(32)), "orders", "SHA-256", nonce.encode(), 1299.9, freshness).state
    <NonceState.CURRENT: 'current'>
    >>> read_nonce(NonceKey(bytes(32)), "orders", "SHA-256", nonce.encode(), 1300.0, freshness).state
    <NonceState.EXPIRED: 'expired'>
    >>> read_nonce(NonceKey(bytes(32)), "orders", "MD5", nonce.encode(), 1000.0, freshness).state
    <NonceState.FOREIGN: 'foreign'>
    """
    body = round(now * 1000).to_bytes(_TIME, "big") + entropy[:_RANDOM]
    octets = body + _mac(key, realm, algorithm, body)
    return b2a_base64(octets, newline=False).translate(_TO_URL).decode()


def read_nonce(
    key: NonceKey | None, realm: str, algorithm: str, nonce: bytes, now: float, freshness: Freshness
) -> Reading:
    """What `nonce` is: foreign, or ours and, by `freshness`, current or expired."""
    if key is None or len(nonce) != _LENGTH or nonce.translate(None, _ALPHABET):
        return FOREIGN
    try:
        octets = a2b_base64(nonce.translate(_FROM_URL))
    except Error:
        return FOREIGN
    body = octets[:_BODY]
    if not compare(octets[_BODY:], _mac(key, realm, algorithm, body)):
        return FOREIGN
    made = int.from_bytes(body[:_TIME], "big") / 1000
    # A worker whose clock is ahead may have made it; further in the future, a clock was set back.
    return Reading(NonceState.CURRENT if freshness.holds(made, now) else NonceState.EXPIRED, made)


def mark_owner(key: bytes, ha1: bytes) -> str:
    """Whose a mark of use is. A nonce is nobody's: whoever reads along can count with that of another user.

    It is the user's secret, since the name can be spelled in several ways (`username*`, `userhash`, and what a look-up takes for
    one). Under the key of the nonces, for marks are not sealed as secrets are.
    """
    return b2a_base64(keyed_digest(key, b"owner of marks:%b" % ha1), newline=False).translate(_TO_URL, b"=").decode()


_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def _mac(key: NonceKey, realm: str, algorithm: str, body: bytes) -> bytes:
    # Neither name can hold a NUL (the verifier refuses control characters), so no two contexts share a text.
    context = b"watchword digest nonce\0%b\0%b\0%b" % (algorithm.encode(), realm.encode(), body)
    return hmac_sha256(key.key, context)[:_MAC]
