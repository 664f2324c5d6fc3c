"""A request of httpx or httpx2 as a flow sees it."""

from __future__ import annotations

from typing import Any

from watchword.clients._httpx_route import Call
from watchword.core.message import Headers, Peer
from watchword.transport.deferred import Deferred

__all__ = ["Bare"]


class Bare(Deferred):
    """The request as the client will send it, without what a flow puts into it.

    Args:
        request: the request of the library.
        plain: its headers, without what an earlier flow has put into them; nobody changes them while a flow runs.
        call: the call of the client, which knows to whom it connects.
    """

    __slots__ = ("_call", "_plain", "url")

    def __init__(self, request: Any, plain: Any, call: Call) -> None:
        self.url = url = request.url
        self.method = request.method
        self.scheme = url.scheme
        host = next((value for name, value in plain.raw if name.lower() == b"host"), None)
        self.authority = (url.netloc if host is None else host).decode("latin-1")
        self.target = request.extensions.get("target") or url.raw_path
        self.exact = True
        self._lines = None
        self._plain = plain
        self._call = call

    def _make_headers(self) -> Headers:
        return [(name.lower(), value) for name, value in self._plain.raw]

    def _make_peer(self) -> Peer:
        return self._call.peer(self.url)
