"""Authentication for urllib.request: `urllib.request.build_opener(adapt(XAuth(…)))`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.request import BaseHandler, OpenerDirector, Request

from watchword.clients._exchange import made, misadapted
from watchword.clients._repeats import WANTED, check_repeatable, position
from watchword.clients._urllib_exchange import Exchange
from watchword.clients._urllib_route import OwnRequest, led, stays
from watchword.core.records import Store
from watchword.core.rejection import ConfigurationError
from watchword.effects import Ask, Auth
from watchword.transport.flow import Drive

__all__ = ["adapt"]


def adapt(auth: Auth, *, store: Store | None = None, ask: Callable[[Ask], str] | None = None) -> BaseHandler:
    """`auth` as a handler for `build_opener`; it serves one opener, any number of requests and threads.

    Adapt one `auth` for each opener: they then share its tokens and nonces. A flow's own requests (for tokens) go out
    through the opener's handlers, with the timeout of the caller's request; redirects of those are not followed. On a
    redirect within the origin the new request is authenticated at once; once a redirect has left the origin, nothing is
    sent along any more, not even back.

    Args:
        auth: the client half of a scheme.
        store: where tokens are kept.
        ask: shows a person what to do and returns what came back.

    >>> from urllib.request import build_opener
    >>> from watchword import BasicAuth
    >>> build_opener(adapt(BasicAuth("alice", "open sesame"))).open("http://api.example/")
    Traceback (most recent call last):
        ...
    watchword.core.rejection.ConfigurationError: the secret would travel in the clear to api.example: use https, or
    allow_cleartext=True if the network is trusted
    """
    return _Adapted(auth, store, ask)


class _Adapted(BaseHandler):
    handler_order = 490  # after proxies, before what connects

    def __init__(self, auth: Auth, store: Store | None, ask: Callable[[Ask], str] | None) -> None:
        self._auth = made(auth)
        self._settings: dict[str, Any] = {"store": store, "ask": ask}

    def __call__(self, *_: object) -> NoReturn:
        """What other libraries would run."""
        raise misadapted("urllib.request")

    def add_parent(self, parent: OpenerDirector) -> None:
        """What an opener calls that gets this handler."""
        if getattr(self, "parent", parent) is not parent:
            raise ConfigurationError("this handler has an opener already: adapt(auth) for each one, of the same auth")
        super().add_parent(parent)

    def http_open(self, req: Request) -> Any:
        """What the opener calls to have a request opened; None: by somebody else."""
        before = led(req)
        if any(isinstance(one, OwnRequest) for one in (req, *before)):
            return None
        if any(one.data is req.data for one in before):
            check_repeatable(req.data, position(req.data), WANTED)
        if not stays(req, before):  # somebody else chose the target
            return None
        exchange = Exchange(req, self.parent, self)
        return exchange.run(Drive(self._auth, exchange.bare, exchange.context, **self._settings))

    https_open = http_open
