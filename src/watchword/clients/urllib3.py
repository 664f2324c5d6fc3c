"""Authentication for urllib3: `http = adapt(XAuth(…))(urllib3.PoolManager())`, for as long as the pool lives or for one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from watchword.clients._exchange import made, misadapted
from watchword.core.message import Request
from watchword.core.records import Store
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.effects import Ask, Auth
from watchword.transport.flow import ClientContext, Drive

try:
    import urllib3
except ImportError:
    raise not_installed("urllib3") from None
if hasattr(urllib3, "AsyncPoolManager"):
    raise ConfigurationError(
        "what is installed as urllib3 is urllib3-future, another library, which niquests puts in its place: "
        "pip uninstall urllib3-future, then pip install --force-reinstall urllib3"
    )
from urllib3._request_methods import RequestMethods

from watchword.clients._urllib3_call import Call
from watchword.clients._urllib3_route import Pool

__all__ = ["AuthenticatedPool", "adapt"]


def adapt(
    auth: Auth, *, store: Store | None = None, ask: Callable[[Ask], str] | None = None
) -> Callable[[Pool], AuthenticatedPool]:
    """`auth` as it goes round a `PoolManager`, `ProxyManager`, `HTTPConnectionPool` or `HTTPSConnectionPool`.

    One object serves any number of pools, requests and threads. A flow's own requests (for tokens) go out through the
    same pools, with the timeout of the caller's request; redirects of those are not followed. What `Retry` repeats is
    signed anew. On a redirect within the origin the new request is authenticated at once; once a redirect has left the
    origin, nothing is sent along any more, not even back.

    Args:
        auth: the client half of a scheme.
        store: where tokens are kept.
        ask: shows a person what to do and returns what came back.

    >>> from watchword import BasicAuth
    >>> alice = adapt(BasicAuth("alice", "open sesame"))
    >>> with alice(urllib3.PoolManager()) as http:
    ...     http.request("GET", "http://api.example/")
    Traceback (most recent call last):
        ...
    watchword.core.rejection.ConfigurationError: the secret would travel in the clear to api.example: use https, or
    allow_cleartext=True if the network is trusted
    """
    made(auth)

    def around(pool: Pool, *_: object) -> AuthenticatedPool:  # others pass more
        if not isinstance(pool, (urllib3.PoolManager, urllib3.HTTPConnectionPool)):
            raise misadapted("urllib3")
        return AuthenticatedPool(pool, lambda request, context: Drive(auth, request, context, store=store, ask=ask))

    return around


class AuthenticatedPool(RequestMethods):
    """A manager or pool of urllib3 whose requests carry credentials: `request` and `urlopen` as it has them.

    It has no connections of its own, so that one may be made for a single request. As a context manager it closes the
    pool. `pool` is the pool itself, whose requests carry none.
    """

    def __init__(self, pool: Pool, drive_of: Callable[[Request, ClientContext], Drive]) -> None:
        super().__init__(pool.headers)
        self.pool = pool
        self._drive_of = drive_of

    def __enter__(self) -> Self:
        self.pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.pool.__exit__(kind, error, traceback)

    def urlopen(  # type: ignore[override] # the arguments of a pool's own
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        retries: urllib3.Retry | bool | int | None = None,
        redirect: bool = True,
        preload_content: bool = True,
        **settings: Any,
    ) -> urllib3.BaseHTTPResponse:
        """Sends a request, as the pool's own `urlopen`.

        Args:
            method: "GET".
            url: of a manager absolute; of a pool it may be a path.
            body: octets, text, a file, or what can be iterated.
            headers: those of the request; without them, those of the pool.
            retries: what is repeated; by default what the pool repeats.
            redirect: whether redirects are followed.
            preload_content: whether the whole content is read first.
            settings: what urllib3 takes besides.

        Raises:
            ConfigurationError: a body that would have to be read twice, or a network that would see a secret.
            CredentialsUnavailable: no token, or an answer that is not proven.
        """
        lines = urllib3.HTTPHeaderDict(self.headers if headers is None else headers)
        settings["body"] = body
        call = Call(self.pool, method, url, lines, redirect, retries, preload_content, settings)
        return call.run(self._drive_of)
