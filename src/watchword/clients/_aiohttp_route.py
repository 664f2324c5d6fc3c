"""The call of an aiohttp session that a request belongs to: its first origin, its proxy, how long it waits; and who is connected to."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import aiohttp
from aiohttp.helpers import get_env_proxy_for_url
from yarl import URL

from watchword.clients._redirects import Origin, Trail, origin_of
from watchword.clients._route import calls, code_of
from watchword.core.message import Peer
from watchword.core.rejection import ConfigurationError

__all__ = ["Call", "Proxy", "call_of"]

_CALL = code_of(inspect.unwrap(aiohttp.ClientSession._request))  # noqa: SLF001 -- aiohttp tells a middleware nothing of redirects


class Proxy(NamedTuple):
    """A proxy as aiohttp takes it; no address: none."""

    url: URL | None
    auth: aiohttp.BasicAuth | None = None


class Call(NamedTuple):
    """One call of a session, with all the requests to which redirects have led it.

    Args:
        stayed: whether each request of it went to the origin of the first one.
        endless: whether the caller has set no limit to its time.
        session: the session.
        proxy: the proxy that the caller or the session names; None where the environment may.
    """

    stayed: bool
    endless: bool
    session: aiohttp.ClientSession
    proxy: URL | None

    def proxy_for(self, url: URL, request: aiohttp.ClientRequest) -> Proxy:
        """The proxy for a request of the flow's own, in the call that sends `request`."""
        if self.proxy is not None:
            return Proxy(request.proxy, request.proxy_auth)
        if self.session.trust_env:
            with suppress(LookupError):
                return Proxy(*get_env_proxy_for_url(url))
        return Proxy(None)

    def peer_of(self, url: URL, proxy: URL | None) -> Peer:
        """Who is connected to for `url`; looked for only where that matters, without TLS."""
        host = Peer(url.raw_host or "")
        if url.scheme not in ("http", "ws"):
            return host
        connector = self.session.connector
        if type(connector) is not aiohttp.TCPConnector:
            return Peer(host.address, relay=f"{type(connector).__name__}, a connector of your own")
        return host if proxy is None else Peer(host.address, relay="a proxy", relay_host=proxy.raw_host or "")


def call_of(request: aiohttp.ClientRequest) -> Call:
    """The call that `request` belongs to.

    Raises:
        ConfigurationError: it can't be seen, so that credentials might follow a redirect to another origin.
    """
    call = next(calls(_CALL), None)
    local = {} if call is None else call.f_locals
    hops: Sequence[aiohttp.ClientResponse] | None = local.get("history")
    waits: aiohttp.ClientTimeout | None = local.get("real_timeout")
    if hops is None or waits is None:
        raise ConfigurationError(
            "the call of the session can't be seen from here: put adapt(…) first among the middlewares if another one "
            "runs requests in tasks of its own; else this version of aiohttp is unknown: pip install -U watchword"
        )
    return Call(
        not hops or _stayed(*(hop.url for hop in hops), request.url),
        waits.total is None and waits.sock_read is None,
        request.session,
        local.get("proxy"),
    )


def _stayed(first: URL, *others: URL) -> bool:
    trail = Trail(_origin(first))
    return all(trail.leads_to(_origin(url)) for url in others)


def _origin(url: URL) -> Origin:
    return origin_of(url.scheme, url.host, url.port)
