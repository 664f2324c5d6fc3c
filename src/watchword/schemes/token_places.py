"""Where a bearer token is in a request: after a scheme word in Authorization, or in a field of its own.

Each place is read in one way only, and a verifier has one place. A token is never read from the query (RFC 9700 §4.3.2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from watchword.core.address import Address
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.fields.percent import percent_decoded
from watchword.schemes.field_names import field_named

__all__ = [
    "BEARER",
    "TOKEN",
    "InAuthorization",
    "InField",
    "TokenPlace",
    "in_authorization",
    "scheme_word",
    "the_token",
]

# b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="                             (RFC 6750 §2.1)
TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
_PLAIN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
_QUESTION_MARK, _PERCENT = 0x3F, 0x25  # as numbers: looking for one octet as text takes ten times as long
_WORD: Final = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z_-]+")  # auth-scheme = token (RFC 9110 §11.1)
# Words that other schemes of ours, or everybody's, have.
_TAKEN: Final = frozenset({"basic", "digest", "oauth", "negotiate", "ntlm", "aws4-hmac-sha256", "signature", "hmac"})


class TokenPlace(Protocol):
    """Where a verifier finds its tokens.

    `word` is the scheme of its challenges and `told` their parameters that name the place; `where` is the place in words,
    for the operator. `ambient` is True if browsers send what is there by themselves.
    """

    @property
    def word(self) -> str: ...
    @property
    def told(self) -> Sequence[tuple[str, str]]: ...
    @property
    def where(self) -> str: ...
    @property
    def ambient(self) -> bool: ...
    @property
    def address(self) -> Address: ...
    def read(self, request: Request) -> bytes | None:
        """The token; None if the request has none there.

        Raises:
            Rejected: what is there is no token, or can't be taken.
        """
        ...


class InAuthorization:
    """`Authorization: Bearer <token>`, or after another word."""

    __slots__ = ("_credentials", "_word", "address", "word")

    told: Sequence[tuple[str, str]] = ()
    where: str = "authorization"
    ambient: bool = False

    def __init__(self, word: str = "Bearer") -> None:
        self.word = scheme_word(word)
        self._word = self.word.encode()
        # The word, 1*SP b64token; the scheme word is case-insensitive (RFC 9110 §11.1).
        self._credentials = re.compile(re.escape(self._word) + rb" +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
        self.address = Address(b"authorization", self.word.lower())

    def read(self, request: Request) -> bytes | None:
        """The token of a request; None if its Authorization is absent or of another scheme.

        Raises:
            Rejected: MALFORMED_REQUEST off the grammar; AMBIGUOUS if the query has a token too (RFC 6750 §2).
        """
        value = request.lines.get(b"authorization")  # the guard has refused a second line
        if value is None:
            return None
        word, _, token = value.partition(b" ")
        # As nearly everybody writes it: the word in this case, one space, and nothing but a token's characters.
        if word != self._word or not token or token.translate(None, _PLAIN):
            match = self._credentials.fullmatch(value)
            if match is None:
                if word.lower() == self._word.lower():
                    raise Rejected(Reason.MALFORMED_REQUEST, "not one token (RFC 6750 §2.1)", where="authorization")
                return None
            token = match[1]
        target = request.target
        if _QUESTION_MARK in target and (_PERCENT in target or b"access_token" in target) and _has_token(request):
            raise Rejected(Reason.AMBIGUOUS, "a token in the query besides the one in Authorization", where="query")
        return token

    def __repr__(self) -> str:
        return f"InAuthorization({self.word!r})"


class InField:
    """A field that holds the token and nothing else, such as a gateway writes: `JWTVerifier(…, place=InField("Cf-Access-Jwt-Assertion"))`.

    A gateway writes it for whoever has the gateway's cookie, so another site's page can have requests made that carry it.
    Such credentials are `ambient`. Have the gateway take the field out of what clients send, or the token be proven anew here.

    Args:
        header: the name of the field; it must be one that says nothing else.
        ambient: False if clients write it by themselves, as they do Authorization.

    Raises:
        ConfigurationError: a field that can't carry tokens.

    >>> InField("X-Goog-IAP-JWT-Assertion").where
    'x-goog-iap-jwt-assertion'
    """

    __slots__ = ("_field", "address", "ambient", "told", "where")

    word: str = "Bearer"

    def __init__(self, header: str, *, ambient: bool = True) -> None:
        self._field = field_named(header, "a token")
        if self._field == b"authorization":
            raise ConfigurationError(
                'tokens are read from Authorization without place=; its word is set by word="Token"'
            )
        if type(ambient) is not bool:
            raise ConfigurationError("ambient= is True or False")
        self.ambient = ambient
        self.where = self._field.decode()
        self.told: Sequence[tuple[str, str]] = (("header", header),)
        self.address = Address(self._field)

    def read(self, request: Request) -> bytes | None:
        """The token of the field; None if there is no such field.

        Raises:
            Rejected: MALFORMED_REQUEST: something else than one token.
        """
        values = request.values(self._field)
        if not values:
            return None
        if len(values) > 1:
            raise Rejected(Reason.MALFORMED_REQUEST, "more than one line", where=self.where)
        return the_token(values[0], self.where)

    def __repr__(self) -> str:
        return f"InField({self.told[0][1]!r})"


def in_authorization(word: str) -> InAuthorization:
    """The place after this word."""
    return BEARER if word == "Bearer" else InAuthorization(word)


def scheme_word(word: object) -> str:
    """The word, if it can name the scheme of tokens.

    Raises:
        ConfigurationError: it can't.
    """
    if not isinstance(word, str) or not _WORD.fullmatch(word):
        raise ConfigurationError('word= is the word before the token, without a space: word="Token"')
    if word.lower() in _TAKEN:
        raise ConfigurationError(
            f"{word} is the word of another scheme: tokens come after Bearer, or a word of their own"
        )
    return word


def is_handshake(request: Request) -> bool:
    """Whether a WebSocket is asked for (RFC 6455 §4.1, RFC 8441 §4), whichever server tells it how."""
    lines = request.lines
    return (
        request.scheme in ("ws", "wss")
        or b"sec-websocket-key" in lines
        or b"sec-websocket-version" in lines
        or b"websocket" in lines.get(b"upgrade", b"").lower()
    )


def the_token(value: bytes, where: str) -> bytes:
    """The value, if it is a token (RFC 6750 §2.1).

    Raises:
        Rejected: MALFORMED_REQUEST.
    """
    if TOKEN.fullmatch(value) is None:
        raise Rejected(Reason.MALFORMED_REQUEST, "not one token (RFC 6750 §2.1)", where=where)
    return value


def _has_token(request: Request) -> bool:
    names = (part.partition(b"=")[0] for part in (request.query or b"").split(b"&"))
    return any(percent_decoded(name) == b"access_token" for name in names)


BEARER: Final = InAuthorization()
"""The place that RFC 6750 §2.1 has."""
