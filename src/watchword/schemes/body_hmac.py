"""The article's own HMAC: `X-HMAC: <hex>` over the body alone. Both halves.

It covers neither method, target nor time, so whoever sees a request can send it again, anywhere that shares the key, for
ever: hence the loud names. Use `HMACAuth` and `HMACVerifier` unless an existing peer speaks only this.

The MAC says not even what it is for. Use its key for nothing else: whoever can choose a body that is signed with the key of
a JWT has a token made, and every token is a signed body.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from watchword.core.identity import NO_SCOPES, Identity
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import WHOLE, Address, Body, BodyNeed, Decision, Random, Refusal, malformed
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.digests import compare, digest
from watchword.crypto.keys import Key

__all__ = ["ReplayableBodyHMACAuth", "ReplayableBodyHMACVerifier", "canonical"]

FIELD: Final = b"x-hmac"
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{64}")


def _hs256(key: Key) -> Key:
    if not isinstance(key, Key):
        raise ConfigurationError(
            f"this scheme needs a Key, not {type(key).__name__}: Key.from_secret(secret, algorithm='HS256')"
        )
    if key.algorithm != "HS256":
        raise ConfigurationError(f"X-HMAC is an HMAC-SHA256: give an HS256 key, not {key.algorithm}")
    return key


def canonical(body: bytes) -> str:
    """The body, by its length and hash: it may hold what nobody wants in a log.

    >>> canonical(b"")
    'the body, 0 octets, SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return f"the body, {len(body)} octets, SHA-256 {digest('sha-256', body).hex()}"


class ReplayableBodyHMACAuth(ClientHalf):
    """Sends the hex HMAC-SHA256 of the body in X-HMAC. Can be replayed.

    Raises:
        ConfigurationError: the key is not an HS256 key.

    >>> ReplayableBodyHMACAuth(Key.generate("HS256"))
    ReplayableBodyHMACAuth()
    """

    __slots__ = ("__weakref__", "_key")

    def __init__(self, key: Key) -> None:
        self._key = _hs256(key)

    def __repr__(self) -> str:
        return "ReplayableBodyHMACAuth()"

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """What the MAC of `request` covers, to compare with what the server's `explain` shows: the body, by length and hash.

        Raises:
            ConfigurationError: the request has no X-HMAC.
        """
        if not request.values(FIELD):
            raise ConfigurationError("the request has no X-HMAC field: give the one that was sent")
        return canonical(body)

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, the body signed."""
        mac = self._key.sign(context.body()).hex().encode()
        yield Send(request.with_headers(((FIELD, mac),)))


class ReplayableBodyHMACVerifier(InProcess):
    """Verifies X-HMAC with one key. Can be replayed.

    Args:
        key: the HS256 key that the peer has, used for nothing else.
        subject: who the peer is; X-HMAC does not say.
        scopes: what it may do.

    Raises:
        ConfigurationError: the key is not an HS256 key.

    >>> from watchword import Guard
    >>> key = Key.generate("HS256")
    >>> guard = Guard([ReplayableBodyHMACVerifier(key, subject="partner")])
    >>> signed = Request("POST", "https", "api.example", "/", {"X-HMAC": key.sign(b"message").hex()})
    >>> guard.verify(signed, b"message").subject
    'partner'
    """

    scheme: str = "replayable_body_hmac"
    described: str = "An HMAC over the body. Made anew for each body, which Swagger UI can't do."
    single_use: bool = False
    ambient: bool = False
    rank: int = 40
    addresses: Sequence[Address] = (Address(FIELD),)
    kinds: Sequence[type] = ()
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    def __init__(self, key: Key, *, subject: str, scopes: frozenset[str] = NO_SCOPES) -> None:
        self.key = _hs256(key)
        self.identity = Identity(subject, self.scheme, key.key_id, scopes)

    def secrets(self) -> list[bytes]:
        """What no explanation may show."""
        return [self.key.secret_bytes()]

    def read(self, request: Request) -> BodyHMACClaim | None:
        """The MAC of the field.

        Raises:
            Rejected: MALFORMED_CREDENTIALS: several lines, or not 64 hex digits.
        """
        values = request.values(FIELD)
        if not values:
            return None
        if len(values) > 1 or not _HEX.fullmatch(values[0]):
            raise malformed("X-HMAC is one line of 64 hex digits", "x-hmac")
        return BodyHMACClaim(bytes.fromhex(values[0].decode()), request, self)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """No challenge: no registered scheme asks for X-HMAC."""
        return Refusal(rejection.reason.status)


class BodyHMACClaim:
    """An X-HMAC, not yet verified."""

    __slots__ = ("mac", "request", "verifier")

    needs: Sequence[Ref[Any]] = ()
    body: BodyNeed = WHOLE

    def __init__(self, mac: bytes, request: Request, verifier: ReplayableBodyHMACVerifier) -> None:
        self.mac = mac
        self.request = request
        self.verifier = verifier

    def slow(self, found: Found) -> bool:
        """Never: a MAC takes microseconds."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """Compares the MAC of the body."""
        if not compare(self.verifier.key.sign(body.data), self.mac):
            raise Rejected(Reason.WRONG_SIGNATURE, "the MAC is of another body or another key", where="x-hmac")
        return Decision(self.verifier.identity)
