"""Authentication for requests: `requests.get(url, auth=adapt(XAuth(…)))`, or once for all as `session.auth`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from watchword.clients._exchange import made, misadapted
from watchword.transport.flow import Drive
from watchword.core.records import Store
from watchword.core.rejection import not_installed
from watchword.effects import Ask, Auth

try:
    import requests
except ImportError:
    raise not_installed("requests") from None
import requests.auth

from watchword.clients._requests_exchange import Exchange
from watchword.clients._requests_proxy import ProxyAdapter

__all__ = ["ProxyAdapter", "adapt"]


def adapt(auth: Auth, *, store: Store | None = None, ask: Callable[[Ask], str] | None = None) -> requests.auth.AuthBase:
    """`auth` as requests takes it; one object serves any number of requests, sessions and threads.

    A flow's own requests (for tokens) go out through the adapters of the same session, with the timeout, certificates and
    proxies of the caller's request; redirects of those are refused. What urllib3 repeats by itself (an adapter's
    `max_retries`) is signed anew for each attempt. On a redirect within the origin credentials go along, made for the new
    request; once a redirect has left the origin, nothing is sent along any more, not even back.

    Args:
        auth: the client half of a scheme.
        store: where tokens are kept.
        ask: shows a person what to do and returns what came back.

    >>> from watchword import BasicAuth
    >>> prepared = requests.Request("GET", "https://api.example/", auth=adapt(BasicAuth("a", "b"))).prepare()
    >>> prepared.headers["Authorization"]
    'Basic YTpi'
    """
    return _Adapted(auth, store, ask)


class _Adapted(requests.auth.AuthBase):
    def __init__(self, auth: Auth, store: Store | None, ask: Callable[[Ask], str] | None) -> None:
        self._every_answer: bool = getattr(made(auth), "every_answer", False)
        self._drive = partial(Drive, auth, store=store, ask=ask)

    def __call__(self, r: requests.PreparedRequest, *_: object) -> requests.PreparedRequest:  # others pass more
        if not isinstance(r, requests.PreparedRequest):
            raise misadapted("requests")
        exchange = Exchange(self._drive, self._every_answer, r)
        r.hooks["response"].append(exchange.answered)
        return r
