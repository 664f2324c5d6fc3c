"""One call of urllib3 with its redirects and with what `Retry` repeats, each request of which is authenticated anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPHeaderDict, Retry
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ProtocolError, ProxyError, SSLError
from urllib3.exceptions import TimeoutError as TimedOut

from watchword.clients._redirects import Trail, origin_of
from watchword.clients._repeats import check_repeatable, position, rewind
from watchword.clients._urllib3_answer import drain
from watchword.clients._urllib3_exchange import Exchange
from watchword.clients._urllib3_route import Pool, Route
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError
from watchword.transport.flow import ClientContext, Drive

__all__ = ["Call"]

_FAILURES: Final = (NewConnectionError, TimedOut, ProtocolError, ProxyError, SSLError)
"""The errors that urllib3 counts as a try."""
_OF_CONTENT: Final = frozenset(
    {"content-encoding", "content-language", "content-length", "content-location", "content-type", "transfer-encoding",
     "digest", "content-digest", "last-modified"}
)  # fmt: skip
"""The fields that go with a body when a redirect takes it away (RFC 9110 §15.4)."""


class Call:
    """One call of `urlopen`, with its arguments."""

    def __init__(
        self, pool: Pool, method: str, url: str, headers: HTTPHeaderDict, redirect: bool, retries: Any, preload: bool,
        settings: dict[str, Any],
    ) -> None:  # fmt: skip
        self._pool = pool
        self._route = Route(pool)
        self._method = method
        self._url = self._route.parsed(url)
        self._headers = headers
        self._redirect = redirect
        self._preload = preload
        self._settings = settings
        if settings.get("body_pos") is None:
            settings["body_pos"] = position(settings["body"])
        default = pool.retries if isinstance(pool, HTTPConnectionPool) else pool.connection_pool_kw.get("retries")
        self._retries = Retry.from_int(retries, redirect=redirect, default=default)

    def run(self, drive_of: Callable[[Request, ClientContext], Drive]) -> BaseHTTPResponse:
        """The answer at the end of all redirects and retries."""
        trail = Trail(self._origin())
        while trail.leads_to(self._origin()):
            response = self._try_once(drive_of)
            if response is None:
                continue
            location = self._redirect and response.get_redirect_location()
            goes_on = self._follow(response, location) if location else self._repeat(response)
            if not goes_on:
                response.retries = self._retries
                return response
        return self._leave()

    def _origin(self) -> Any:
        return origin_of(self._url.scheme or "http", self._url.host, self._url.port)

    def _try_once(self, drive_of: Callable[[Request, ClientContext], Drive]) -> BaseHTTPResponse | None:
        """The answer; None if there is none, and the request is to be repeated."""
        exchange = Exchange(self._route, self._method, self._url, self._headers, self._settings)
        try:
            response = exchange.run(drive_of, self._retries)
            if self._preload:
                exchange.read(response)
        except _FAILURES as error:
            if error is not exchange.error or not self._is_repeatable():
                raise
            self._retries = self._counting(error)
        else:
            return response
        self._retries.sleep()
        rewind(self._settings["body"], self._settings["body_pos"])
        return None

    def _counting(self, error: HTTPError) -> Retry:
        """What is left of the retries after `error`; raises it, or `MaxRetryError`, where nothing is."""
        allowed = self._retries.allowed_methods
        if isinstance(error, SSLError) and allowed is not None and self._method.upper() not in allowed:
            # It may be of the answer. urllib3 sends even a POST again; who knows what the server has done.
            raise MaxRetryError(self._route.pool_of(self._url), self._url.url, error) from error
        return self._retries.increment(self._method, self._url.url, error=error, _pool=self._route.pool_of(self._url))

    def _is_repeatable(self) -> bool:
        try:
            check_repeatable(self._settings["body"], self._settings["body_pos"])
        except ConfigurationError:
            return False
        return True

    def _repeat(self, response: BaseHTTPResponse) -> bool:
        """Whether an answer is one that `Retry` doesn't take, and tries are left."""
        waits = bool(response.headers.get("Retry-After"))
        if not (self._retries.is_retry(self._method, response.status, waits) and self._is_repeatable()):
            return False
        if not self._count(response, raises=self._retries.raise_on_status):
            return False
        self._retries.sleep(response)
        rewind(self._settings["body"], self._settings["body_pos"])
        return True

    def _follow(self, response: BaseHTTPResponse, location: str) -> bool:
        """Goes on to where an answer points; False if it may not, so that it is the caller's answer."""
        method = "GET" if response.status == 303 and self._method != "HEAD" else self._method
        if not self._count(response, raises=self._retries.raise_on_redirect):
            return False
        if isinstance(self._pool, HTTPConnectionPool):
            self._retries.sleep_for_retry(response)
        if response.status == 303:
            self._method = method
            self._settings |= {"body": None, "body_pos": None, "chunked": False}
            self._headers = HTTPHeaderDict(
                [(name, value) for name, value in self._headers.items() if name.lower() not in _OF_CONTENT]
            )
        rewind(self._settings["body"], self._settings["body_pos"])
        self._url = self._route.parsed(urljoin(self._url.url, location))
        return True

    def _count(self, response: BaseHTTPResponse, *, raises: bool) -> bool:
        try:
            self._retries = self._retries.increment(
                self._method, self._url.url, response=response, _pool=self._route.pool_of(self._url)
            )
        except MaxRetryError:
            if raises:
                drain(response)
                raise
            return False
        drain(response)
        return True

    def _leave(self) -> BaseHTTPResponse:
        """Lets urllib3 go on by itself, with what it takes along to another origin."""
        dropped = self._retries.remove_headers_on_redirect
        kept = HTTPHeaderDict([(name, value) for name, value in self._headers.items() if name.lower() not in dropped])
        settings = {"preload_content": self._preload, "retries": self._retries, "headers": kept, **self._settings}
        return self._pool.urlopen(self._method, self._url.url, redirect=self._redirect, **settings)
