"""How a request came to a handler of urllib.request, and who is connected to for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import (
    BaseHandler,
    HTTPHandler,
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    proxy_bypass,
)

from watchword.clients._redirects import Origin, Trail, origin_of
from watchword.clients._route import calls, code_of
from watchword.core.message import Peer

__all__ = ["OwnRequest", "led", "opening", "peer_of", "stays", "target_of"]

_LEADING: Final = code_of(HTTPRedirectHandler.http_error_302)
"""Opens the next request while it is under way, whatever the status."""


class OwnRequest(Request):
    """A request of a flow's own, which no handler of ours authenticates."""


def led(request: Request) -> list[Request]:
    """The requests from which redirects have led to `request`, the last one first."""
    way = [request]
    for call in calls(_LEADING):
        if call.f_locals.get("new") is way[-1]:
            way.append(call.f_locals["req"])
    return way[1:]


def stays(request: Request, before: Sequence[Request]) -> bool:
    """Whether all redirects that led to `request` stayed within the origin of the first one."""
    if not before and request.unverifiable:  # a handler of the user's own has followed a redirect
        return False
    way = [*reversed(before), request]
    trail = Trail(_origin(way[0]))
    return all(trail.leads_to(_origin(one)) for one in way)


def _origin(request: Request) -> Origin:
    parts = urlsplit(request.full_url)
    return origin_of(parts.scheme, parts.hostname, parts.port)


def target_of(request: Request) -> str:
    """The target as the origin gets it, whatever a proxy is sent."""
    after = request.full_url.partition("#")[0].partition("://")[2]
    start = min((at for at in (after.find("/"), after.find("?")) if at >= 0), default=len(after))
    target = after[start:]
    return target if target.startswith("/") else f"/{target}"


def opening(opener: OpenerDirector, kind: str, after: BaseHandler | None = None) -> Iterator[Any]:
    """The handlers that open requests of this kind ("http"), or those of them that come after one."""
    library: Any = opener
    handlers: list[BaseHandler] = library.handle_open.get(kind, [])
    yield from handlers if after is None else handlers[handlers.index(after) + 1 :]


def peer_of(request: Request, opener: OpenerDirector, own: type[BaseHandler]) -> Peer:
    """Who is connected to for a request; looked for only where that matters, without TLS. `own` are handlers of ours."""
    parts = urlsplit(request.full_url)
    host = parts.hostname or ""
    if parts.scheme != "http":
        return Peer(host)
    if request.host != parts.netloc:
        return Peer(host, relay="a proxy", relay_host=_host_of(request.host or ""))
    for handler in opening(opener, "http"):
        if isinstance(handler, ProxyHandler):
            if proxy := _proxy_of(handler, request):
                return Peer(host, relay="a proxy", relay_host=_host_of(proxy))
        elif type(handler) is HTTPHandler:
            break
        elif not isinstance(handler, own):
            return Peer(host, relay=f"{type(handler).__name__}, a handler of your own")
    return Peer(host)


def _proxy_of(handler: ProxyHandler, request: Request) -> str:
    """The proxy through which a handler leads requests in the clear; or ""."""
    library: Any = handler
    proxies = {kind.lower(): proxy for kind, proxy in library.proxies.items()}
    return "" if proxy_bypass(request.host) else str(proxies.get("http", ""))


def _host_of(proxy: str) -> str:
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").hostname or ""
