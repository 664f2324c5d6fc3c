"""A request of aiohttp as a flow sees it."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from watchword.clients._aiohttp_answer import octets_of
from watchword.clients._aiohttp_route import Call
from watchword.core.message import Headers, Peer
from watchword.transport.deferred import Deferred

__all__ = ["Bare"]


class Bare(Deferred):
    """The caller's request as it will be sent, without what a flow puts into it.

    Args:
        request: the request of the library; what becomes of it later changes nothing here.
        plain: its field lines.
        call: the call of the session, which knows to whom it connects.
    """

    __slots__ = ("_call", "_plain", "_proxy", "_url")

    def __init__(self, request: aiohttp.ClientRequest, plain: Sequence[tuple[str, str]], call: Call) -> None:
        self._url, self._proxy = request.url, request.proxy
        self.method = request.method
        self.scheme = request.url.scheme
        self.authority = request.headers["Host"]
        self.target = request.url.raw_path_qs.encode()
        self.exact = True
        self._lines = None
        self._plain = plain
        self._call = call

    def _make_headers(self) -> Headers:
        return octets_of(self._plain)

    def _make_peer(self) -> Peer:
        return self._call.peer_of(self._url, self._proxy)
