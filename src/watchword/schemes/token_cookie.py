"""A bearer token in a cookie: `InCookie`. Browsers send cookies by themselves, so who had the request made is looked at first.

The rule: for a method that is not safe (RFC 9110 §9.2.1), and for every WebSocket handshake, the token is taken only if
`Sec-Fetch-Site` is `same-origin`; where that field is absent, only if `Origin` is the public origin or a listed one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from watchword.core.address import Address
from watchword.core.message import SAFE, Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.fields.target import normal_authority
from watchword.schemes.token_places import is_handshake, the_token

__all__ = ["InCookie"]

_NAME: Final = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z_-]+")  # cookie-name = token (RFC 6265 §4.1.1)
_ORIGIN: Final = re.compile(r"https?://[^/?#@\s]+")
_HTTP: Final = {"ws": "http", "wss": "https"}


class InCookie:
    """A cookie that holds the token: `JWTVerifier(…, place=InCookie())`.

    Set it with `Secure; HttpOnly; Path=/; SameSite=Lax` and no `Domain`: browsers demand that for names that begin with `__Host-`.
    Where a request has Authorization the cookie is not looked at, so it never rescues other credentials that failed. Two cookies of
    the name are refused. Several Cookie lines are read as one (RFC 9113 §8.2.3).

    Args:
        name: the cookie's name.
        origins: other origins than the public one whose pages may have requests made, for browsers that send no
            `Sec-Fetch-Site`: "https://orders.example". The public origin is that of the request, as `PublicURL` has it.

    Raises:
        ConfigurationError: a name or an origin that is none.

    >>> InCookie().told
    (('cookie', '__Host-token'),)
    """

    __slots__ = ("_find", "_origins", "address", "told", "where")

    word: str = "Bearer"
    ambient: bool = True

    def __init__(self, name: str = "__Host-token", *, origins: Collection[str] = ()) -> None:
        octets = _named(name)
        # Any cookie of the name, with or without a value; white space around name and value is no part of them.
        self._find = re.compile(rb"(?:^|;)[ \t]*+" + re.escape(octets) + rb"[ \t]*+(?:=([^;]*+))?+(?=;|\Z)").findall
        self._origins = frozenset(map(_origin, _listed(origins)))
        self.told: Sequence[tuple[str, str]] = (("cookie", name),)
        self.where = f"cookie {name}"
        self.address = Address(b"cookie", member=octets + b"=")

    def read(self, request: Request) -> bytes | None:
        """The token of the cookie; None if there is no such cookie, or an Authorization beside it.

        Raises:
            Rejected: AMBIGUOUS: two cookies of the name; ORIGIN_REFUSED: another site's page may have had the request made;
                MALFORMED_REQUEST: the cookie holds something else than one token.
        """
        if b"authorization" in request.lines:
            return None
        lines = request.values(b"cookie")
        values = self._find(b"; ".join(lines)) if lines else lines
        if not values:
            return None
        if len(values) > 1:
            raise Rejected(Reason.AMBIGUOUS, "two cookies of the name", where=self.where)
        if request.method not in SAFE or is_handshake(request):
            self._check_origin(request)
        value = values[0].strip(b" \t")
        if len(value) >= 2 and value[:1] == value[-1:] == b'"':  # as RFC 6265 §4.1.1 has it too
            value = value[1:-1]
        return the_token(value, self.where)

    def _check_origin(self, request: Request) -> None:
        sites = request.values(b"sec-fetch-site")
        if sites:
            if sites == [b"same-origin"]:
                return
            raise _foreign("Sec-Fetch-Site is not same-origin", "sec-fetch-site")
        origins = request.values(b"origin")
        if not origins:
            raise _foreign("neither Sec-Fetch-Site nor Origin says whose page had the request made", "origin")
        origin = origins[0].decode("latin-1")
        if len(origins) > 1 or (origin not in self._origins and origin != _public_origin(request)):
            raise _foreign("Origin is neither the public origin nor a listed one", "origin")

    def __repr__(self) -> str:
        return f"InCookie({self.told[0][1]!r})"


def _foreign(detail: str, where: str) -> Rejected:
    return Rejected(Reason.ORIGIN_REFUSED, detail, where=where)


def _public_origin(request: Request) -> str | None:
    """The origin of the request's own URL, as browsers write it (RFC 6454 §6.2); None where it has no authority."""
    scheme = _HTTP.get(request.scheme, request.scheme)
    try:
        authority = normal_authority(scheme, request.authority)
    except Rejected:
        return None
    return f"{scheme}://{authority}" if authority else None


def _named(name: object) -> bytes:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name.encode()
    raise ConfigurationError(
        f"a cookie's name has letters, digits and signs such as '-' and '_', not {str(name)[:64]!r}"
    )


def _listed(origins: Any) -> Collection[str]:
    if isinstance(origins, str) or not all(isinstance(origin, str) for origin in origins):
        raise ConfigurationError('origins= is a sequence of origins: origins=["https://orders.example"]')
    return list(origins)


def _origin(origin: str) -> str:
    """An origin as browsers write it."""
    scheme, _, authority = origin.partition("://")
    try:
        if _ORIGIN.fullmatch(origin):
            return f"{scheme}://{normal_authority(scheme, authority)}"
    except Rejected:
        pass
    raise ConfigurationError(f"an origin is https://host or https://host:port, without a path, not {origin[:64]!r}")
