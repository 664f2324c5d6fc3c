"""Bearer tokens (RFC 6750): `BearerAuth`, and what every verifier of such tokens shares.

Whoever has the token can use it, so it travels in a field, never in the query (RFC 9700 §4.3.2), and over TLS.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Collection, Hashable, Sequence
from typing import Any, Final

from watchword.schemes.sending import refuse_cleartext
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejection
from watchword.core.scheme import Address, Claim, Random, Refusal
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.encoding import b64url_decode, parse_leniently
from watchword.schemes.token_places import BEARER, TOKEN, TokenPlace, in_authorization, scheme_word

__all__ = ["BearerAuth", "VerifierOfTokens", "bearer_field", "is_token", "peek_issuer", "read_token"]

_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


class BearerAuth(ClientHalf):
    """Sends a token that was got elsewhere: `Authorization: Bearer <token>`.

    Args:
        token: the token, as issued.
        word: the word before it, where the server wants another: "Token".
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: the token has characters that the grammar does not allow; a word that names no scheme of tokens.

    >>> BearerAuth("mF_9.B5f-4.1JqM")
    BearerAuth(token=***)
    """

    def __init__(self, token: str, *, word: str = "Bearer", allow_cleartext: bool = False) -> None:
        if not is_token(token):
            raise ConfigurationError(
                "a bearer token has letters, digits and -._~+/ only, then maybe = (RFC 6750 §2.1): "
                "pass it as issued, without the word Bearer, spaces or line ends"
            )
        self._field = bearer_field(token, scheme_word(word))
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


def bearer_field(token: str, word: str = "Bearer") -> tuple[bytes, bytes]:
    """The field line that carries `token`."""
    return b"authorization", f"{word} {token}".encode()


def is_token(token: object) -> bool:
    """Whether this can be sent as a bearer token."""
    return isinstance(token, str) and token.isascii() and TOKEN.fullmatch(token.encode()) is not None


def read_token(request: Request) -> bytes | None:
    """The bearer token in Authorization; None if that is absent or of another scheme.

    Raises:
        Rejected: as `InAuthorization.read`.
    """
    return BEARER.read(request)


def peek_issuer(token: bytes) -> str | None:
    """The issuer that a token names, unverified: for routing to a verifier, never to be believed.

    None for what is no JWT; "" for one that names no issuer as a text, or hides it (JWE), or that only laxer readers take
    for a JWT, so that it is taken for no opaque token.
    """
    parts = token.split(b".", 5)
    if len(parts) not in (3, 5):
        return None
    try:
        parse_leniently(b64url_decode(parts[0]))  # a header (RFC 7515 §4, RFC 7516 §4)
    except ValueError:
        return "" if _begins_an_object(parts[0]) else None
    try:
        issuer = parse_leniently(b64url_decode(parts[1])).get("iss")
    except ValueError:
        return ""
    return issuer if isinstance(issuer, str) else ""


def _begins_an_object(part: bytes) -> bool:
    """Whether a lax reader may find JSON's object there: in base64 of any spelling, after a mark or white space."""
    try:
        octets = a2b_base64(part.translate(_STANDARD) + b"==")
    except ValueError:
        return False
    return octets.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


class VerifierOfTokens(InProcess):
    """What all verifiers of bearer tokens have in common: where tokens arrive, how they are refused, how they are told
    apart. A subclass says its `scheme` and reads its own tokens; `routes` are the issuers that it knows, None: any.
    """

    scheme: str = ""
    rank: int = 10

    single_use: bool = False
    ambient: bool = False
    place: TokenPlace = BEARER
    addresses: Sequence[Address] = (BEARER.address,)
    kinds: Sequence[type] = ()
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None
    routes: Collection[Hashable] | None = None

    def take_from(self, place: TokenPlace | None, word: str = "Bearer") -> None:
        """Settles where this verifier's tokens arrive.

        Raises:
            ConfigurationError: no place of tokens, or a word for one that has none.
        """
        if place is None:
            place = in_authorization(word)
        elif word != "Bearer":
            raise ConfigurationError("word= is for tokens in Authorization: leave it out, or place=")
        elif not callable(getattr(place, "read", None)) or not hasattr(place, "address"):
            raise ConfigurationError("place= says where tokens are: InField(…), InCookie(…) or InSubprotocol(…)")
        if place is not self.place:
            self.place = place
            self.addresses = (place.address,)
            self.ambient = place.ambient

    def read(self, request: Request) -> Claim | None:
        raise NotImplementedError

    def secrets_in(self, request: Request) -> list[bytes]:
        """What no explanation may show of a request: whatever stands where this verifier's tokens are, Authorization apart."""
        address = self.place.address
        if address.word:
            return []
        lines = request.values(address.field)
        if not address.member:
            return lines
        parts = [part.strip() for line in lines for part in line.replace(b";", b",").split(b",")]
        return [part.removeprefix(address.member) for part in parts if part.startswith(address.member)]

    def route(self, request: Request) -> Hashable:
        """The issuer that a JWT names, unverified, for routing only; None for an opaque token."""
        token = self.place.read(request)
        return None if token is None else peek_issuer(token)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """RFC 6750 §3 and §3.1: no error code if there were no credentials; never our own words."""
        status, reason = rejection.reason.status, rejection.reason
        word, told = self.place.word, tuple(self.place.told)
        if reason in (Reason.NO_CREDENTIALS, Reason.UNSUPPORTED_SCHEME):
            return Refusal(401, (Challenge(word, told),))
        if reason is Reason.INSUFFICIENT_SCOPE:
            scopes = (("scope", " ".join(rejection.scopes)),) if rejection.scopes else ()
            return Refusal(403, (Challenge(word, (("error", "insufficient_scope"), *scopes, *told)),))
        error = {400: "invalid_request", 401: "invalid_token"}.get(status)
        return Refusal(status, () if error is None else (Challenge(word, (("error", error), *told)),))
