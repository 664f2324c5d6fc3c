"""Requests with credentials, as a client half makes them: no adapter, no socket."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from watchword.clients._exchange import limited
from watchword.core.address import has_parameter
from watchword.core.answer import Refusal
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.message import HeadersLike, Request, Response
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.effects import Auth, Received, Send
from watchword.transport.flow import ClientContext, arun, run

__all__ = ["URL", "Elsewhere", "SignedRequest", "signed", "signed_async"]

URL = "https://api.example/orders?id=7"

Elsewhere = Callable[[Request, bytes], Received]
"""Answers a request of the client half's own, such as one for a token: the request and its body."""


class SignedRequest(NamedTuple):
    """A request with credentials, and its body: `assert_accepted(guard, *signed(…))`."""

    request: Request
    body: bytes

    def __repr__(self) -> str:
        # The body may hold a token.
        return f"SignedRequest({self.request!r}, body: {len(self.body)} octets)"


def signed(
    auth: Auth,
    method: str = "GET",
    url: str = URL,
    *,
    headers: HeadersLike = (),
    body: bytes = b"",
    guard: Guard | None = None,
    clock: Callable[[], float] | None = None,
    random: Callable[[int], bytes] = os.urandom,
    elsewhere: Elsewhere | None = None,
) -> SignedRequest:
    """The request that `auth` makes of this one, with its credentials.

    Args:
        auth: the client half of a scheme.
        method: the method.
        url: where to; what follows the host is the request target, octet for octet.
        headers: field lines of the caller's own.
        body: the body.
        guard: whose challenge the client half answers, if it sends nothing before one (Digest).
        clock: the client's time; None: the guard's, and the host's without a guard.
        random: the client's random octets.
        elsewhere: answers the client half's own requests: `FakeIssuer.answer` for `OAuth2Auth`.

    Raises:
        ConfigurationError: no URL, an `AsyncGuard`, or a request of the client half's own that nobody answers.
        CredentialsUnavailable: whoever answered that refused, or at too great a length.

    >>> from watchword import BasicAuth
    >>> signed(BasicAuth("alice", "open sesame"), "POST", "https://api.example/orders", body=b"pay 10")
    SignedRequest(Request(POST https://api.example/orders, fields: authorization), body: 6 octets)
    """
    if isinstance(guard, AsyncGuard):
        raise ConfigurationError("this is an AsyncGuard: await signed_async(…), or give the Guard that it was made of")
    sending = _Sending(method, url, headers, body, guard, elsewhere)

    def send(effect: Send) -> Received:
        own = sending.own(effect)
        if own is not None:
            return own
        return sending.answered(guard.refuse(_anonymous(), effect.request) if guard and sending.asks(effect) else None)

    run(auth, sending.bare, send, sending.context(clock, random))
    return sending.last()


async def signed_async(
    auth: Auth,
    method: str = "GET",
    url: str = URL,
    *,
    headers: HeadersLike = (),
    body: bytes = b"",
    guard: Guard | AsyncGuard | None = None,
    clock: Callable[[], float] | None = None,
    random: Callable[[int], bytes] = os.urandom,
    elsewhere: Elsewhere | None = None,
) -> SignedRequest:
    """`signed` on an event loop, for guards of either kind."""
    sending = _Sending(method, url, headers, body, guard, elsewhere)
    judge = None if guard is None else AsyncGuard.of(guard)

    async def send(effect: Send) -> Received:
        own = sending.own(effect)
        if own is not None:
            return own
        asks = judge is not None and sending.asks(effect)
        return sending.answered(await judge.refuse(_anonymous(), effect.request) if judge and asks else None)

    await arun(auth, sending.bare, send, sending.context(clock, random))
    return sending.last()


def _anonymous() -> Rejected:
    return Rejected(Reason.NO_CREDENTIALS, "a test asks for a challenge")


class _Sending:
    """What goes out, and what comes back."""

    def __init__(
        self,
        method: str,
        url: str,
        headers: HeadersLike,
        body: bytes,
        guard: Guard | AsyncGuard | None,
        elsewhere: Elsewhere | None,
    ) -> None:
        parts = urlsplit(url)
        if not parts.scheme or not parts.netloc or parts.fragment or "@" in parts.netloc:
            raise ConfigurationError("url has a scheme and a host, no user information and no fragment")
        target = url.partition("://")[2][len(parts.netloc) :]
        self.bare = Request(method, parts.scheme, parts.netloc, target if target[:1] == "/" else "/" + target, headers)
        self._body = body
        self._plan = None if guard is None else guard.plan
        self._elsewhere = elsewhere
        self._last: Send | None = None

    def context(self, clock: Callable[[], float] | None, random: Callable[[int], bytes]) -> ClientContext:
        if clock is None:
            clock = time.time if self._plan is None else self._plan.clock
        return ClientContext(lambda: self._body, now=clock, random=random)

    def own(self, effect: Send) -> Received | None:
        """The answer to a request of the client half's own; None for the caller's."""
        if effect.body is None:
            self._last = effect
            return None
        if self._elsewhere is None:
            raise ConfigurationError(
                f"{effect.request.method} {effect.request.authority} is a request of the client half's own: say who answers it, "
                "signed(…, elsewhere=issuer.answer)"
            )
        received = self._elsewhere(effect.request, effect.body)
        return received._replace(body=limited([received.body or b""]))

    def asks(self, effect: Send) -> bool:
        """Whether the request goes out without credentials, so that the guard would challenge it."""
        assert self._plan is not None
        request = effect.request
        for address in (address for verifier in self._plan.verifiers for address in verifier.addresses):
            proxied = self._plan.proxy and address.field == b"authorization"
            field = b"proxy-authorization" if proxied else address.field
            if address.query:
                if has_parameter(request.query or b"", address.query):
                    return False
            elif request.values(field):
                return False
        return True

    def answered(self, refusal: Refusal | None) -> Received:
        return Received(Response(200) if refusal is None else refusal.response())

    def last(self) -> SignedRequest:
        assert self._last is not None  # a flow without a Send of the caller's request has raised
        content = self._last.content
        return SignedRequest(self._last.request, self._body if content is None else content)
