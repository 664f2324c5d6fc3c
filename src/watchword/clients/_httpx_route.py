"""Who httpx or httpx2 connects to for a URL: the host itself, a proxy, an application in memory, or nobody knows."""

from __future__ import annotations

from typing import Any, Final

from watchword.clients._route import calls
from watchword.core.message import Peer

__all__ = ["peer_of"]

IN_MEMORY: Final = frozenset({"starlette.testclient._TestClientTransport"})
"""Transports of others that call an application and connect to nothing."""

HERE: Final = Peer("localhost")


def peer_of(library: Any, url: Any) -> Peer:
    """Who the client that asks for credentials connects to for `url`; looked for only where that matters, without TLS."""
    if url.scheme != "http":
        return Peer(url.host)
    asking = calls(library.Client._send_handling_auth, library.AsyncClient._send_handling_auth)  # noqa: SLF001 -- see _route
    client = asking[0].f_locals.get("self") if asking else None
    choose = getattr(client, "_transport_for_url", None)
    return (
        Peer(url.host, relay="a client that can't be seen")
        if choose is None
        else _behind(library, choose(url), url.host)
    )


def _behind(library: Any, transport: Any, host: str) -> Peer:
    kind = type(transport)
    if kind in (library.ASGITransport, library.WSGITransport) or f"{kind.__module__}.{kind.__qualname__}" in IN_MEMORY:
        return HERE
    if kind is library.MockTransport:
        return Peer(host)  # it stands for whatever the URL names
    if kind not in (library.HTTPTransport, library.AsyncHTTPTransport):
        return Peer(host, relay=f"{kind.__name__}, a transport of your own")
    # A subclass of these pools is one that goes through a proxy.
    direct = type(getattr(transport, "_pool", None)).__name__ in ("ConnectionPool", "AsyncConnectionPool")
    return Peer(host) if direct else Peer(host, relay="a proxy")
