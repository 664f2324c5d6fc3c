"""Authentication for httpx2: `httpx2.Client(auth=adapt(XAuth(…)))`, or `auth=` of any request, sync and async."""

from __future__ import annotations

from collections.abc import Callable

from watchword.clients._httpx_like import FlowAuth
from watchword.clients._httpx_parts import kit_of
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import not_installed
from watchword.effects import Ask, Auth

try:
    import httpx2
except ImportError:
    raise not_installed("httpx2") from None

__all__ = ["adapt"]


class _Adapted(FlowAuth, httpx2.Auth):
    kit = kit_of(httpx2)


def adapt(
    auth: Auth, *, store: Store | AsyncStore | None = None, ask: Callable[[Ask], str] | None = None
) -> httpx2.Auth:
    """`auth` as httpx2 takes it; one object serves `Client` and `AsyncClient`, any number of requests, threads and tasks.

    A flow's own requests (for tokens) go out through the same client; redirects of those are refused. Where the client
    follows a redirect within the origin, credentials go along, made for the new request: the client gets an event hook for
    that. Once a redirect has left the origin, nothing is sent along any more, not even back.

    Args:
        auth: the client half of a scheme.
        store: where tokens are kept; an `AsyncStore` serves `AsyncClient` only.
        ask: shows a person what to do and returns what came back.

    Raises:
        ConfigurationError: this version of httpx2 is unknown, so that it might take credentials to other origins.

    >>> from watchword import BasicAuth
    >>> def show(request):
    ...     print(request.headers["Authorization"])
    ...     return httpx2.Response(200)
    >>> with httpx2.Client(auth=adapt(BasicAuth("a", "b")), transport=httpx2.MockTransport(show)) as client:
    ...     client.get("https://api.example/")
    Basic YTpi
    <Response [200 OK]>
    """
    return _Adapted(auth, store, ask)
