"""The answers of one client to one challenge, and the check of what the server proves in return."""

from __future__ import annotations

import threading
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Final, NamedTuple

from watchword.core.message import Request
from watchword.effects import ORIGINAL, Context, Received, Send
from watchword.crypto.digests import at_once, compare
from watchword.schemes.digest.computation import (
    hash_a1, hash_a2, legacy_response, normal, octets_hash, response, session_key, username_hash,
)  # fmt: skip
from watchword.schemes.digest.credentials import CONTROL, Offer, credentials_form

__all__ = ["MAX_COUNT", "Session", "Signed"]

MAX_COUNT: Final = 0xFFFFFFFF


class Session:
    """The answers to one challenge: its secret, and how many there were.

    `count` is the nc of the last one (RFC 7616 §3.4), which is used up at `MAX_COUNT`. `confirmed` is set once the server has not refused one of them, `proven` once it has served what was asked for with it.
    """

    __slots__ = (
        "_cnonce", "_form", "_ha1", "_hash", "_lock", "_start", "_username", "confirmed", "count", "domain", "offer", "proven",
        "qop",
    )  # fmt: skip

    def __init__(
        self,
        offer: Offer,
        username: str,
        password: str,
        context: Context,
        *,
        auth_int: bool = False,
        domain: tuple[bytes, ...] = (),
    ) -> None:
        user, secret = _octets(username, password, offer.utf8)
        ha1 = hash_a1(offer.algorithm, user, offer.realm, secret)
        if not offer.qops:
            self.qop = b""
        else:
            self.qop = b"auth-int" if "auth" not in offer.qops or (auth_int and "auth-int" in offer.qops) else b"auth"
        self.confirmed = self.proven = False
        self.domain = domain
        self._username = username_hash(offer.algorithm, user, offer.realm) if offer.userhash else user
        # A "-sess" secret is bound to the first cnonce. It is kept for later requests too: then the servers that take
        # the current one into the secret, against RFC 7616 §3.4.2, agree as well.
        self._cnonce = b2a_base64(context.random(18), newline=False) if offer.algorithm.session else None
        self._ha1 = ha1 if self._cnonce is None else session_key(offer.algorithm, ha1, offer.nonce, self._cnonce)
        self._lock = threading.Lock()
        self._begin(offer)

    def _begin(self, offer: Offer) -> None:
        self.offer = offer
        self._form = credentials_form(offer, self._username, self.qop, offer.userhash)
        self._hash = at_once(offer.algorithm.hash)
        self._start = b"%b:%b:" % (self._ha1, offer.nonce)
        self.count = 0

    def following(self, info: Mapping[str, str]) -> Session | None:
        """The session with the `nextnonce` of an Authentication-Info (RFC 7616 §3.5), if there is one.

        The secret of a "-sess" algorithm stays as it is: it is made once, of the challenge's nonce (§3.4.2).
        """
        nonce = info.get("nextnonce")
        if not nonce or CONTROL.search(nonce) or nonce.encode("latin-1") == self.offer.nonce:
            return None
        session = object.__new__(Session)
        session.qop, session.domain, session.confirmed, session.proven = self.qop, self.domain, True, self.proven
        session._username, session._cnonce, session._ha1 = self._username, self._cnonce, self._ha1
        session._lock = threading.Lock()
        session._begin(self.offer._replace(nonce=nonce.encode("latin-1")))
        return session

    def covers(self, target: bytes) -> int:
        """The length of the longest prefix of `target` in the domain, 0 where that is the whole origin; -1: none."""
        if not self.domain:
            return 0
        return max((len(prefix) for prefix in self.domain if target.startswith(prefix)), default=-1)

    def is_of_the_space_of(self, other: Session) -> bool:
        """Whether one of the two is enough."""
        return self.offer.realm == other.offer.realm and self.domain == other.domain

    def sign(self, request: Request, uri: bytes, context: Context, field: bytes, judged: bool) -> Signed:
        """The request with the next answer in `field`; `judged`: the server shall prove what comes back."""
        cnonce = self._cnonce or b2a_base64(context.random(18), newline=False)
        with self._lock:
            self.count = count = self.count + 1
        nc, method, qop = b"%08x" % count, request.method.encode(), self.qop
        if qop == b"auth":
            # As below, without the way through four functions: a third of the time.
            a2 = self._hash(b"%b:%b" % (method, uri)).hexdigest().encode()
            proof = self._hash(b"%b%b:%b:auth:%b" % (self._start, nc, cnonce, a2)).hexdigest().encode()
        else:
            algorithm = self.offer.algorithm
            body_hash = octets_hash(algorithm, context.body()) if qop else None
            proof = self.response(nc, cnonce, hash_a2(algorithm, method, uri, body_hash))
        lines = ((field, self._form.fill(uri, nc, cnonce, proof)),)
        if judged and qop == b"auth-int":
            # The server proves the body as it left it, which a library that decodes it does not show.
            signed = request.with_headers((*lines, (b"accept-encoding", b"identity")))
            return Signed(self, Send(signed, ORIGINAL, want=True), uri, nc, cnonce)
        return Signed(self, Send(request.with_headers(lines)), uri, nc, cnonce)

    def response(self, nc: bytes, cnonce: bytes, a2: bytes) -> bytes:
        """What proves the password for this H(A2)."""
        offer = self.offer
        if not self.qop:
            return legacy_response(offer.algorithm, self._ha1, offer.nonce, a2)
        return response(offer.algorithm, self._ha1, offer.nonce, nc, cnonce, self.qop, a2)


class Signed(NamedTuple):
    """An answer on its way."""

    session: Session
    send: Send
    uri: bytes
    nc: bytes
    cnonce: bytes

    def __repr__(self) -> str:
        return f"Signed({self.send.request!r})"

    def fits(self, info: Mapping[str, str], received: Received) -> bool | None:
        """Whether `rspauth` proves the password (RFC 7616 §3.5); None: it is missing, or covers a body that wasn't read."""
        session, given = self.session, info.get("rspauth")
        if not given or not session.qop:
            return None
        body_hash = None
        if session.qop == b"auth-int":
            if received.body is None or _is_encoded(received):
                return None
            body_hash = octets_hash(session.offer.algorithm, received.body)
        a2 = hash_a2(session.offer.algorithm, b"", self.uri, body_hash)
        return compare(session.response(self.nc, self.cnonce, a2), given.lower().encode("latin-1"))


def _is_encoded(received: Received) -> bool:
    codings = received.response.values(b"content-encoding")
    return any(coding.strip().lower() not in (b"", b"identity") for coding in codings)


def _octets(username: str, password: str, utf8: bool) -> tuple[bytes, bytes]:
    """Both in UTF-8 and NFC if the server asks for it (RFC 7616 §4), else in HTTP's old ISO 8859-1 if they fit."""
    if not utf8:
        try:
            return username.encode("latin-1"), password.encode("latin-1")
        except UnicodeEncodeError:
            pass
        return username.encode(), password.encode()
    return normal(username).encode(), normal(password).encode()
