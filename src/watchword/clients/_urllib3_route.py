"""A pool or PoolManager of urllib3: how URLs are read there, who is connected to, how a flow's own requests are sent."""

from __future__ import annotations

from typing import Any, Final

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.util import Url, parse_url

from watchword.clients._exchange import waiting
from watchword.core.message import Peer

__all__ = ["Pool", "Route"]

Pool = PoolManager | HTTPConnectionPool

_CLASSES: Final = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
_TLS: Final = ("key_file", "cert_file", "cert_reqs", "key_password", "ca_certs", "ca_cert_dir", "ssl_version",
               "ssl_minimum_version", "ssl_maximum_version")  # fmt: skip
"""What a pool knows of TLS that isn't about its host alone."""


class Route:
    """The way that requests go from `pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def parsed(self, url: str) -> Url:
        """A URL as it is requested; that of a pool may be a path."""
        pool = self._pool
        if isinstance(pool, HTTPConnectionPool) and url.startswith("/"):
            host = f"[{pool.host}]" if ":" in pool.host else pool.host
            url = f"{pool.scheme}://{host}:{pool.port}{url}"
        return parse_url(url)

    def pool_of(self, url: Url) -> HTTPConnectionPool:
        """The pool that sends requests to `url`."""
        pool = self._pool
        return pool.connection_from_host(url.host, url.port, url.scheme) if isinstance(pool, PoolManager) else pool

    def peer(self, url: Url) -> Peer:
        """Who is connected to for `url`; looked for only where that matters, without TLS."""
        host = Peer((url.host or "").strip("[]"))
        if url.scheme != "http":
            return host
        pool = self._pool
        if pool.proxy is not None:
            return Peer(host.address, relay="a proxy", relay_host=(pool.proxy.host or "").strip("[]"))
        own: Any = None if type(pool) in (PoolManager, HTTPConnectionPool) else type(pool)
        if type(pool) is PoolManager and pool.pool_classes_by_scheme != _CLASSES:
            own = pool.pool_classes_by_scheme["http"]
        return host if own is None else Peer(host.address, relay=f"{own.__name__}, a pool of your own")

    def open(self, method: str, url: Url, target: str, **settings: Any) -> BaseHTTPResponse:
        """Sends one request once, with `target` in place of that of `url`."""
        settings |= {"redirect": False, "retries": False, "preload_content": False}
        if isinstance(self._pool, PoolManager):
            return self._pool.urlopen(method, f"{url.scheme}://{url.netloc}{target}", **settings)
        if self._pool.proxy is not None and url.scheme == "http":
            target = f"{url.scheme}://{url.netloc}{target}"
        return self._pool.urlopen(method, target, **settings)

    def open_own(self, method: str, url: str, timeout: Any, retries: Any, **settings: Any) -> BaseHTTPResponse:
        """Sends a request of a flow's own, which no redirect leads on, as the caller's are sent."""
        settings |= {"redirect": False, "retries": retries, "preload_content": False, "decode_content": False}
        pool = self._pool
        if isinstance(pool, PoolManager):
            if timeout is Timeout.DEFAULT_TIMEOUT:
                timeout = pool.connection_pool_kw.get("timeout")
            return pool.urlopen(method, url, timeout=_ending(timeout), **settings)
        timeout = _ending(pool.timeout if timeout is Timeout.DEFAULT_TIMEOUT else timeout)
        if pool.is_same_host(url):
            return pool.urlopen(method, parse_url(url).request_uri, timeout=timeout, **settings)
        return _manager_like(pool).urlopen(method, url, timeout=timeout, **settings)


def _manager_like(pool: HTTPConnectionPool) -> PoolManager:
    """A manager for other hosts than that of `pool`, with the pool's settings."""
    tls: dict[str, Any] = {name: getattr(pool, name, None) for name in _TLS}
    tls["ssl_context"] = pool.conn_kw.get("ssl_context")
    given = {name: value for name, value in tls.items() if value is not None}
    if pool.proxy is None:
        return PoolManager(**given)
    return ProxyManager(pool.proxy.url, proxy_headers=pool.proxy_headers, **given)


def _ending(timeout: Any) -> Timeout:
    """The caller's timeout; where it has no end, ours."""
    waits = timeout if isinstance(timeout, Timeout) else Timeout.from_float(timeout)
    if isinstance(waits.total, (int, float)):
        return waits
    connect, read = (
        Timeout.resolve_default_timeout(seconds) for seconds in (waits.connect_timeout, waits.read_timeout)
    )
    return Timeout(connect=waiting(connect), read=waiting(read))
