"""Whose request it is, and who httpx or httpx2 connects to: the host itself, a proxy, an application in memory, or nobody knows."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from watchword.clients._httpx_parts import Kit
from watchword.clients._route import calls
from watchword.core.message import SOCKS, Peer

__all__ = ["Call", "call_of"]

IN_MEMORY: Final = frozenset({"starlette.testclient._TestClientTransport"})
"""Transports of others that call an application and connect to nothing."""

HERE: Final = Peer("localhost")


class Call(NamedTuple):
    """The client that asks for credentials, if it can be seen, and whether it follows redirects."""

    library: Any
    client: Any
    follows: bool

    def peer(self, url: Any) -> Peer:
        """Who the client connects to for `url`; looked for only where that matters, without TLS."""
        if url.scheme != "http":
            return Peer(url.host)
        choose = getattr(self.client, "_transport_for_url", None)
        if choose is None:
            return Peer(url.host, relay="a client that can't be seen")
        return _behind(self.library, choose(url), url.host)


def call_of(kit: Kit) -> Call:
    """The call of a client that is under way."""
    call = next(calls(*kit.asking), None)
    if call is None:
        return Call(kit.module, None, follows=False)
    known = call.f_locals
    return Call(kit.module, known["self"], known["follow_redirects"])


def _behind(library: Any, transport: Any, host: str) -> Peer:
    kind = type(transport)
    if kind in (library.ASGITransport, library.WSGITransport) or f"{kind.__module__}.{kind.__qualname__}" in IN_MEMORY:
        return HERE
    if kind is library.MockTransport:
        return Peer(host)  # it stands for whatever the URL names
    if kind not in (library.HTTPTransport, library.AsyncHTTPTransport):
        return Peer(host, relay=f"{kind.__name__}, a transport of your own")
    # A subclass of these pools is one that goes through a proxy.
    pool = getattr(transport, "_pool", None)
    if type(pool).__name__ in ("ConnectionPool", "AsyncConnectionPool"):
        return Peer(host)
    if "SOCKS" in type(pool).__name__:
        return Peer(host, relay=SOCKS)
    proxy = getattr(getattr(pool, "_proxy_url", None), "host", b"")
    return Peer(host, relay="a proxy", relay_host=proxy.decode("latin-1").strip("[]"))
