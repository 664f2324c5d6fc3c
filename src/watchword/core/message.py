"""Messages: `Request`, `Response`, and the `Peer` behind a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

__all__ = ["SAFE", "SOCKS", "Headers", "Peer", "Request", "Response"]

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that ask for nothing to be done (RFC 9110 §9.2.1); their case matters (§9.1)."""

Headers = Sequence[tuple[bytes, bytes]]
"""Field lines in order, duplicates kept: (lower-case name, raw value)."""

HeadersLike = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]


class Peer(msgspec.Struct, frozen=True):
    """The other end of the connection.

    Args:
        address: the IP address as text, or "" where the transport has none; in clients the host that is connected to.
        client_certificate: the DER bytes of the verified TLS client certificate, or None.
        relay: in clients, the proxy or the unknown transport that a request passes on its way to that host; or "".
        relay_host: the proxy's host, where that is known.
    """

    address: str = ""
    client_certificate: bytes | None = None
    relay: str = ""
    relay_host: str = ""


NOBODY = Peer()

SOCKS: Final = "a SOCKS proxy"
"""The relay that passes octets on without reading them (RFC 1928), so that a field for a proxy would reach the origin."""


class Request:
    """A request as the schemes see it; treat it as immutable.

    Args:
        method: as sent, case-sensitive (RFC 9110 §9.1).
        scheme: "http", "https", "ws" or "wss".
        authority: host and optional port as sent in Host or :authority.
        target: the request target exactly as sent (RFC 9112 §3.2); text is encoded as UTF-8.
        headers: field lines in order; names are lower-cased, text values are encoded as UTF-8.
        peer: the connection's other end.
        exact: False where the server rebuilt the target, so that its bytes are a guess.

    >>> request = Request("GET", "https", "api.example", "/orders?id=7", {"Accept": "*/*"})
    >>> request.path, request.query, request.values(b"accept")
    (b'/orders', b'id=7', [b'*/*'])
    """

    __slots__ = ("_lines", "authority", "exact", "headers", "method", "peer", "scheme", "target")

    method: str
    scheme: str
    authority: str
    target: bytes
    headers: Headers
    peer: Peer
    exact: bool

    def __init__(
        self,
        method: str,
        scheme: str,
        authority: str,
        target: str | bytes,
        headers: HeadersLike = (),
        peer: Peer = NOBODY,
        exact: bool = True,
    ) -> None:
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.target = _octets(target)
        self.headers = _lines_of(headers)
        self.peer = peer
        self.exact = exact
        self._lines: dict[bytes, bytes] | None = None

    @classmethod
    def raw(
        cls, method: str, scheme: str, authority: str, target: bytes, headers: Headers, peer: Peer, exact: bool,
        lines: dict[bytes, bytes] | None = None,
    ) -> Request:  # fmt: skip
        """The constructor for adapters: takes the arguments as they are, names already in lower case; `lines` are `Request.lines`."""
        self = object.__new__(cls)
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.target = target
        self.headers = headers
        self.peer = peer
        self.exact = exact
        self._lines = lines
        return self

    def seen_as(self, scheme: str, authority: str, target: bytes, peer: Peer) -> Request:
        """The same request as another hop saw it."""
        return Request.raw(self.method, scheme, authority, target, self.headers, peer, self.exact, self._lines)

    @property
    def lines(self) -> dict[bytes, bytes]:
        """The value of each field, of its last line where it has several. Made once."""
        lines = self._lines
        if lines is None:
            lines = self._lines = dict(self.headers)
        return lines

    @property
    def path(self) -> bytes:
        """The target up to the first "?"."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes | None:
        """The target after the first "?"; None where there is no "?"."""
        _, mark, query = self.target.partition(b"?")
        return query if mark else None

    def values(self, name: bytes) -> list[bytes]:
        """The values of every field line called `name` (lower case), in order."""
        value = self.lines.get(name)
        if value is None:
            return []
        if len(self.lines) == len(self.headers):
            return [value]
        return [value for field, value in self.headers if field == name]

    def with_headers(self, headers: Headers) -> Request:
        """The same request where the named fields have these values instead of any they had."""
        names = {name for name, _ in headers}
        kept = tuple(pair for pair in self.headers if pair[0] not in names)
        return Request.raw(
            self.method, self.scheme, self.authority, self.target, (*kept, *headers), self.peer, self.exact
        )

    def __repr__(self) -> str:
        # The query and the field values may hold secrets.
        names = ", ".join(name.decode("latin-1") for name, _ in self.headers)
        path = self.path.decode("latin-1")
        return f"Request({self.method} {self.scheme}://{self.authority}{path}, fields: {names})"


class Response:
    """The status and field lines of an answer.

    >>> Response(401, {"WWW-Authenticate": 'Basic realm="a"'}).values(b"www-authenticate")
    [b'Basic realm="a"']
    """

    __slots__ = ("headers", "status")

    def __init__(self, status: int, headers: HeadersLike = ()) -> None:
        self.status = status
        self.headers = _lines_of(headers)

    def values(self, name: bytes) -> list[bytes]:
        """The values of every field line called `name` (lower case), in order."""
        return [value for field, value in self.headers if field == name]

    def with_more(self, lines: Headers) -> Response:
        """The same answer with these field lines besides; their names are in lower case."""
        longer = object.__new__(Response)
        longer.status = self.status
        longer.headers = (*self.headers, *lines)
        return longer

    def __repr__(self) -> str:
        return f"Response({self.status}, fields: {', '.join(name.decode('latin-1') for name, _ in self.headers)})"


def _lines_of(headers: HeadersLike) -> Headers:
    given: Any = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((_octets(name).lower(), _octets(value)) for name, value in given)


def _octets(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)
