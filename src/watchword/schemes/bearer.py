"""Bearer tokens (RFC 6750): `BearerAuth`, and what every verifier of such tokens shares.

Whoever has the token can use it, so it travels in Authorization only, never in the query (RFC 9700 §4.3.2), and over TLS.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence
from typing import Any, Final

from watchword.core.sending import refuse_cleartext
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import Address, Claim, Context, Flow, Random, Refusal, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_decode, parse_leniently
from watchword.fields.percent import percent_decoded

__all__ = ["BearerAuth", "BearerVerifier", "bearer_field", "is_token", "peek_issuer", "read_token"]

# b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="                             (RFC 6750 §2.1)
_TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
# "Bearer" 1*SP b64token; the scheme word is case-insensitive (RFC 9110 §11.1).
_QUESTION_MARK, _PERCENT = 0x3F, 0x25  # as numbers: looking for one octet as text takes ten times as long
_CREDENTIALS: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_PLAIN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"


class BearerAuth(ClientHalf):
    """Sends a token that was got elsewhere: `Authorization: Bearer <token>`.

    Args:
        token: the token, as issued.
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: the token has characters that the grammar does not allow.

    >>> BearerAuth("mF_9.B5f-4.1JqM")
    BearerAuth(token=***)
    """

    def __init__(self, token: str, *, allow_cleartext: bool = False) -> None:
        if not is_token(token):
            raise ConfigurationError(
                "a bearer token has letters, digits and -._~+/ only, then maybe = (RFC 6750 §2.1): "
                "pass it as issued, without the word Bearer, spaces or line ends"
            )
        self._field = bearer_field(token)
        self._allow_cleartext = allow_cleartext

    def flow(self, request: Request, context: Context, /) -> Flow:
        """One request, with the token.

        Raises:
            ConfigurationError: the request would show the token to the network.
        """
        refuse_cleartext(request, self._allow_cleartext)
        yield Send(request.with_headers((self._field,)))

    def __repr__(self) -> str:
        return "BearerAuth(token=***)"


def bearer_field(token: str) -> tuple[bytes, bytes]:
    """The field line that carries `token`."""
    return b"authorization", b"Bearer " + token.encode()


def is_token(token: object) -> bool:
    """Whether this can be sent as a bearer token."""
    return isinstance(token, str) and token.isascii() and _TOKEN.fullmatch(token.encode()) is not None


def read_token(request: Request) -> bytes | None:
    """The bearer token of a request; None if its Authorization is absent or of another scheme.

    Raises:
        Rejected: MALFORMED_REQUEST off the grammar; AMBIGUOUS if the query has a token too (RFC 6750 §2).
    """
    value = request.lines.get(b"authorization")  # the guard has refused a second line
    if value is None:
        return None
    # What is left without the token's characters is the one space, where it is written as nearly everybody does.
    if value[:7] == b"Bearer " and len(value) > 7 and value.translate(None, _PLAIN) == b" ":
        token = value[7:]
    else:
        match = _CREDENTIALS.fullmatch(value)
        if match is None:
            if value[:6].lower() == b"bearer" and value[6:7] in (b"", b" "):
                raise Rejected(Reason.MALFORMED_REQUEST, "not one token (RFC 6750 §2.1)", where="authorization")
            return None
        token = match[1]
    target = request.target
    if _QUESTION_MARK in target and (_PERCENT in target or b"access_token" in target) and _has_token(request):
        raise Rejected(Reason.AMBIGUOUS, "a token in the query besides the one in Authorization", where="query")
    return token


def peek_issuer(token: bytes) -> str | None:
    """The issuer that a token names, unverified: for routing to a verifier, never to be believed.

    None for what is no JWT or names no issuer as a text.
    """
    try:
        issuer = parse_leniently(b64url_decode(jose.split(token, len(token))[1])).get("iss")
    except (Rejected, ValueError):
        return None
    return issuer if isinstance(issuer, str) else None


def _has_token(request: Request) -> bool:
    names = (part.partition(b"=")[0] for part in (request.query or b"").split(b"&"))
    return any(percent_decoded(name) == b"access_token" for name in names)


class BearerVerifier(InProcess):
    """What all verifiers of bearer tokens have in common: where tokens arrive, how they are refused, how they are told
    apart. A subclass says its `scheme` and reads its own tokens; `routes` are the issuers that it knows, None: any.
    """

    scheme: str = ""
    rank: int = 10

    single_use: bool = False
    ambient: bool = False
    addresses: Sequence[Address] = (Address(b"authorization", "bearer"),)
    kinds: Sequence[type] = ()
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None
    routes: Collection[Hashable] | None = None

    def read(self, request: Request) -> Claim | None:
        raise NotImplementedError

    def route(self, request: Request) -> Hashable:
        """The issuer that a JWT names, unverified, for routing only; None for an opaque token."""
        token = read_token(request)
        return None if token is None else peek_issuer(token)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """RFC 6750 §3 and §3.1: no error code if there were no credentials; never our own words."""
        status = rejection.reason.status
        if rejection.reason in (Reason.NO_CREDENTIALS, Reason.UNSUPPORTED_SCHEME):
            return Refusal(401, (Challenge("Bearer"),))
        if rejection.reason is Reason.INSUFFICIENT_SCOPE:
            scopes = (("scope", " ".join(rejection.scopes)),) if rejection.scopes else ()
            return Refusal(403, (Challenge("Bearer", (("error", "insufficient_scope"), *scopes)),))
        error = {400: "invalid_request", 401: "invalid_token"}.get(status)
        return Refusal(status, () if error is None else (Challenge("Bearer", (("error", error),)),))
