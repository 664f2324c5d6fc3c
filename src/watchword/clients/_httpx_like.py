"""The one adapter for httpx and for httpx2, its continuation; `httpx.py` and `httpx2.py` bind it to their library."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from typing import Any, ClassVar, NoReturn

from watchword.clients._exchange import made, misadapted
from watchword.clients._httpx_answer import TooLong, head_of
from watchword.clients._httpx_exchange import Exchange
from watchword.clients._httpx_parts import Kit
from watchword.transport.flow import AsyncDrive, Drive
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import ConfigurationError
from watchword.effects import Ask, Auth

__all__ = ["FlowAuth"]


class FlowAuth:
    """The library's Auth class, for its sync and its async client.

    The flow sees the answer to its own request even where the client followed a redirect from it. What it was redirected
    to within the origin has a flow of its own, which signs it before it goes out.
    """

    kit: ClassVar[Kit]

    def __init__(self, auth: Auth, store: Store | AsyncStore | None, ask: Callable[[Ask], str] | None) -> None:
        library = self.kit.module
        try:
            bound = self.kit.headers(library.Headers({"z": "z"}), {b"x": [b"y"]})
            known = library.Headers(bound).raw == [(b"z", b"z")] and bound.raw == [(b"z", b"z"), (b"X", b"y")]
        except AttributeError:
            known = False
        if not known:
            # A later version may copy headers in another way; better none of it than credentials that go astray.
            raise ConfigurationError(f"this version of {library.__name__} is unknown: pip install -U watchword")
        settings: dict[str, Any] = {"store": store, "ask": ask}
        self._drive = partial(Drive, made(auth), **settings)
        self._async_drive = partial(AsyncDrive, auth, **settings)

    def __call__(self, *_: object) -> NoReturn:
        """What other libraries would run."""
        raise misadapted(self.kit.module.__name__)

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """What the sync client runs."""
        exchange = Exchange(self.kit, request, self._drive)
        try:
            while (leg := exchange.leg) is not None:
                send = leg.send or leg.drive.advance()
                while send is not None:
                    response = exchange.standing(leg, send)
                    if response is None:
                        response = yield exchange.outgoing(leg, send)
                    answer = exchange.arrived(leg, send, response)
                    received, wanted = head_of(self.kit, send, answer)
                    if wanted:
                        try:
                            received = received._replace(body=answer.read())
                        except TooLong:
                            answer.close()
                    send = leg.drive.advance(received)
                exchange.move_on(leg)
        except (
            GeneratorExit
        ):  # no longer handled below, where what the client is handling says whether anything was sent
            pass
        finally:
            exchange.close()

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """What the async client runs."""
        exchange = Exchange(self.kit, request, self._async_drive)
        try:
            while (leg := exchange.leg) is not None:
                send = leg.send or await leg.drive.advance()
                while send is not None:
                    response = exchange.standing(leg, send)
                    if response is None:
                        response = yield exchange.outgoing(leg, send)
                    answer = exchange.arrived(leg, send, response)
                    received, wanted = head_of(self.kit, send, answer)
                    if wanted:
                        try:
                            received = received._replace(body=await answer.aread())
                        except TooLong:
                            await answer.aclose()
                    send = await leg.drive.advance(received)
                exchange.move_on(leg)
        except (
            GeneratorExit
        ):  # no longer handled below, where what the client is handling says whether anything was sent
            pass
        finally:
            exchange.close()
