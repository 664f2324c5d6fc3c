"""Authentication for aiohttp: `aiohttp.ClientSession(middlewares=[adapt(XAuth(…))])`, or `middlewares=` of any request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from watchword.clients._exchange import made, misadapted
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import not_installed
from watchword.effects import ORIGINAL, Ask, Auth
from watchword.transport.flow import AsyncDrive

try:
    import aiohttp
except ImportError:
    raise not_installed("aiohttp") from None
from aiohttp import ClientHandlerType, ClientMiddlewareType

from watchword.clients._aiohttp_exchange import Exchange
from watchword.clients._aiohttp_route import call_of

__all__ = ["adapt"]


def adapt(
    auth: Auth, *, store: Store | AsyncStore | None = None, ask: Callable[[Ask], str] | None = None
) -> ClientMiddlewareType:
    """`auth` as aiohttp takes it; one object serves any number of requests, sessions and tasks.

    A flow's own requests (for tokens) go out through the same session, with the proxy, the TLS settings and the timeout
    of the caller's request; redirects of those are not followed. Where the session follows a redirect within the origin,
    the new request is authenticated at once; once a redirect has left the origin, nothing is sent along any more, not
    even back.

    Args:
        auth: the client half of a scheme.
        store: where tokens are kept.
        ask: shows a person what to do and returns what came back; it is called in a thread.

    >>> import asyncio
    >>> from watchword import BasicAuth
    >>> async def show(request, handler):  # stands for the network
    ...     print(request.headers["Authorization"])
    ...     raise aiohttp.ClientConnectionError
    >>> async def main():
    ...     async with aiohttp.ClientSession(middlewares=[adapt(BasicAuth("a", "b")), show]) as session:
    ...         await session.get("https://api.example/")
    >>> asyncio.run(main())
    Traceback (most recent call last):
        ...
    aiohttp.client_exceptions.ClientConnectionError
    """
    return _Adapted(auth, store, ask)


class _Adapted:
    def __init__(self, auth: Auth, store: Store | AsyncStore | None, ask: Callable[[Ask], str] | None) -> None:
        self._drive = partial(AsyncDrive, made(auth), store=store, ask=ask)

    def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType | None = None
    ) -> Awaitable[aiohttp.ClientResponse]:
        """What aiohttp runs for each request, those to which redirects lead among them."""
        if handler is None:  # what other libraries would run
            raise misadapted("aiohttp")
        return self._sent(request, handler)

    async def _sent(self, request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        call = call_of(request)
        if not call.stayed:  # somebody else chose the target
            return await handler(request)
        exchange = Exchange(request, handler, call)
        drive = self._drive(exchange.bare, exchange)
        try:
            send = await drive.advance()
            while send is not None:
                act = exchange.send if send.body is ORIGINAL else exchange.fetch
                send = await drive.advance(await act(send))
        except BaseException:
            if exchange.answer is not None:
                exchange.answer.close()
            raise
        finally:
            drive.close()
        assert exchange.answer is not None  # a flow without a Send of the caller's request has raised
        return exchange.answer
