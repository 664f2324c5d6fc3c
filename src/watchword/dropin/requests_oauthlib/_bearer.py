"""A client's token, put into requests: read anew from the client for each of them, and renewed where it can be."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final
from urllib.parse import urlencode

import requests.auth

from watchword.clients._requests_io import Bare
from watchword.clients.requests import adapt
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError
from watchword.dropin.requests_oauthlib.errors import (
    InsecureOAuthWarning, InsecureTransportError, TokenExpiredError, made,
)  # fmt: skip
from watchword.effects import Call, Context, Flow, Hold, Release, Send
from watchword.oauth.renewing import Fetching, RenewingAuth
from watchword.oauth.token_response import AccessToken, token_until
from watchword.schemes.bearer import is_token
from watchword.schemes.oauth1.encoding import FORM, is_form
from watchword.schemes.sending import refuse_cleartext

__all__ = ["ClientToken", "Secured", "TokenSender", "end_of", "over_tls"]

PLACEMENTS: Final = ("auth_header", "body", "query")
LEASE: Final = 60.0
"""Seconds for which others wait for the flow that fetches."""


def end_of(token: Mapping[str, Any], now: float) -> float | None:
    """When this token ends, in seconds since the epoch; None if it does not say.

    >>> end_of({"expires_in": "60"}, 1000.0), end_of({"expires_at": 1600}, 1000.0), end_of({}, 1000.0)
    (1060.0, 1600.0, None)
    """
    for name, start in (("expires_at", 0.0), ("expires_in", now)):
        try:
            seconds = float(token[name])
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        if isfinite(seconds):
            return start + seconds
    return None


def over_tls(request: Request, *, allow_cleartext: bool) -> None:
    """That a secret may travel in `request`: over TLS, or to loopback.

    Raises:
        InsecureTransportError: it may not.
    """
    try:
        refuse_cleartext(request, allow_cleartext)
    except ConfigurationError as error:
        raise made(InsecureTransportError, str(error)) from None


class ClientToken(RenewingAuth):
    """The token of `client`, which is one of oauthlib's or ours.

    Args:
        client: has `access_token`, `token`, `token_type` and `default_token_placement`.
        allow_cleartext: also send it over plain http to other hosts than this one.
    """

    __slots__ = ("_ends", "_renew", "again", "client")

    def __init__(self, client: Any, *, allow_cleartext: bool = False) -> None:
        super().__init__(allow_cleartext=allow_cleartext)
        self.client = client
        self.again: Callable[[], object] | None = None
        self._ends: float | None = None
        self._renew: float | None = None

    def learn(self, token: Mapping[str, Any], now: float) -> None:
        """Takes over when the client's token ends."""
        ends = end_of(token, now)
        until = token_until(now, "", None if ends is None else ends - now, ())
        self._ends, self._renew = until.expires, until.renew

    @property
    def value(self) -> str | None:
        """The token itself."""
        value: str | None = getattr(self.client, "access_token", None) or self.client.token.get("access_token")
        return value

    @property
    def token(self) -> AccessToken | None:
        """The token in use.

        Raises:
            ConfigurationError: it can't be sent as a bearer token.
        """
        value = self.value
        if not value:
            return None
        if str(self.client.token_type).lower() != "bearer":
            raise ConfigurationError("Unsupported token type: only Bearer tokens can be sent")
        if not is_token(value):
            raise ConfigurationError("the access token has characters that no bearer token has (RFC 6750 §2.1)")
        return AccessToken(value, self._ends, self._renew if self.renewable else self._ends, ())

    @property
    def renewable(self) -> bool:
        """Whether another token can be fetched in the way in which this one was."""
        return self.again is not None

    def obtain(self, context: Context, refused: AccessToken | None) -> Fetching:
        """The effects that get a token other than `refused`; one flow fetches, the others wait for it."""
        yield Hold("token", LEASE)
        token = self.token
        if token is None or token == refused or not token.is_fresh(context.now()):
            token = yield from self._fetched()
        # If anything above fails, the driver lets the lock go.
        yield Release("token")
        return token

    def _fetched(self) -> Fetching:
        """The effect that fetches another token."""
        if self.again is None:
            if self.value:
                raise made(TokenExpiredError, "the token has ended: call fetch_token again")
            raise ConfigurationError("Missing access token: call fetch_token, or pass token=")
        failure = yield Call(self.again)
        if isinstance(failure, Exception):
            raise failure
        token = self.token
        assert token is not None  # else `again` has raised
        return token

    def flow(self, request: Request, context: Context) -> Flow:
        """As `RenewingAuth.flow`."""
        over_tls(request, allow_cleartext=self._allow_cleartext)
        return super().flow(request, context)

    def sending(self, request: Request, token: AccessToken, context: Context) -> Send:
        """The request with the token where the client wants it (RFC 6750 §2)."""
        placement = self.client.default_token_placement
        if placement not in PLACEMENTS:
            raise ConfigurationError(f"default_token_placement is one of {', '.join(PLACEMENTS)}")
        if placement == "auth_header":
            return super().sending(request, token, context)
        pair = urlencode({"access_token": token.value}).encode()
        if placement == "body":
            if not request.values(b"content-type"):
                request = request.with_headers(((b"content-type", FORM),))
            if not is_form(request):
                raise ConfigurationError("default_token_placement='body' is for forms (RFC 6750 §2.2)")
            return Send(request, content=b"&".join(filter(None, (context.body(), pair))))
        warnings.warn(
            "a token in the URL is kept in logs and histories, and passed on as Referer (RFC 9700 §4.3.2): leave "
            "default_token_placement as it is",
            InsecureOAuthWarning,
            stacklevel=2,
        )
        target = request.path + b"?" + b"&".join(filter(None, (request.query, pair)))
        return Send(request.seen_as(request.scheme, request.authority, target, request.peer))


class TokenSender(requests.auth.AuthBase):
    """`ClientToken` as requests takes it. A body that was text stays text."""

    def __init__(self, token: ClientToken) -> None:
        self._adapted = adapt(token)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        text = isinstance(r.body, str)
        r = self._adapted(r)
        if text and isinstance(r.body, bytes):
            r.body = r.body.decode()
        return r


class Secured(requests.auth.AuthBase):
    """Lets a request with other secrets than a token pass if it goes over TLS or to loopback.

    Args:
        inner: puts credentials into it, if somebody shall.
        allow_cleartext: let it pass in any case.
    """

    def __init__(self, inner: Callable[..., Any] | None, *, allow_cleartext: bool) -> None:
        self._inner = inner
        self._allow_cleartext = allow_cleartext

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        over_tls(Bare(r), allow_cleartext=self._allow_cleartext)
        return r if self._inner is None else self._inner(r)
