"""Requests and answers as the adapters of clients have them: their parts are made when somebody asks, for few flows ask for all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchword.core.message import Headers, Peer, Request, Response

__all__ = ["Deferred", "DeferredResponse", "changed_since"]


def changed_since(request: Request, before: Request) -> Iterable[bytes]:
    """The names of the fields whose lines differ from those of `before`; also of those that were set to what they were.

    >>> before = Request("GET", "https", "api.example", "/", {"Accept": "*/*"})
    >>> list(changed_since(before.with_headers(((b"authorization", b"Basic YTpi"),)), before))
    [b'authorization']
    """
    if request is before:
        return ()
    if isinstance(request, _Changed):
        return request.names_since(before)
    names = {**before.lines, **request.lines}
    return [name for name in names if request.values(name) != before.values(name)]


class Deferred(Request):
    """A request of which `headers` and `peer` are made when somebody asks for them, each once: much that is sent needs neither.

    A subclass makes them by `_make_headers` and `_make_peer`, and sets all other attributes, `_lines` to None.
    """

    __slots__ = ()

    def _make_headers(self) -> Headers:
        raise NotImplementedError

    def _make_peer(self) -> Peer:
        raise NotImplementedError

    def with_headers(self, headers: Headers) -> Request:
        """As that of any request, its lines made late as well."""
        return _Changed(self, headers)

    def __getattr__(self, name: str) -> Any:
        # Python asks this where a slot is empty.
        if name == "headers":
            self.headers = self._make_headers()
            return self.headers
        if name == "peer":
            self.peer = self._make_peer()
            return self.peer
        raise AttributeError(name)


class _Changed(Deferred):
    """`base` with some fields replaced."""

    __slots__ = ("_base", "_put")

    def __init__(self, base: Request, put: Headers) -> None:
        self.method = base.method
        self.scheme = base.scheme
        self.authority = base.authority
        self.target = base.target
        self.exact = base.exact
        self._lines = None
        self._base = base
        self._put = put

    def _make_headers(self) -> Headers:
        names = {name for name, _ in self._put}
        return (*(pair for pair in self._base.headers if pair[0] not in names), *self._put)

    def _make_peer(self) -> Peer:
        return self._base.peer

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self._put if field == name] or self._base.values(name)

    def names_since(self, before: Request) -> Iterable[bytes]:
        """As `changed_since`."""
        names = dict(self._put)
        return names if self._base is before else (names | dict.fromkeys(changed_since(self._base, before), b"")).keys()


class DeferredResponse(Response):
    """A response of which `headers` are made once somebody asks for them; a subclass makes them, and sets `status`."""

    __slots__ = ()

    def _make_headers(self) -> Headers:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name == "headers":
            self.headers = self._make_headers()
            return self.headers
        raise AttributeError(name)
