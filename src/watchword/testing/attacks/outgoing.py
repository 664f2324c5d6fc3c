"""A request on its way out, as a signing function of somebody else's gets it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Fields", "Outgoing"]


class Fields(MutableMapping[str, str]):
    """Header fields by name, whose case is of no importance.

    >>> fields = Fields({"Content-Type": "text/plain"})
    >>> fields["content-type"]
    'text/plain'
    """

    def __init__(self, given: MutableMapping[str, str] | dict[str, str] | None = None) -> None:
        self._lines: dict[str, tuple[str, str]] = {}
        self.update(given or {})

    def __getitem__(self, name: str) -> str:
        return self._lines[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._lines[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._lines[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._lines.values())

    def __len__(self) -> int:
        return len(self._lines)

    def __repr__(self) -> str:
        return f"Fields({', '.join(self)})"  # the values may be secrets


@dataclass
class Outgoing:
    """A request that is to be signed. A signing function sets its `headers`, or `url`, or returns the fields to set.

    The names are those of a prepared request of requests, so that its `auth=` objects sign this one too.

    Args:
        method: in upper case.
        url: the whole URL, with its query.
        headers: the fields so far.
        body: the content.

    >>> request = Outgoing("GET", "https://testserver/orders?page=2")
    >>> request.path, request.query, request.host, request.target
    ('/orders', 'page=2', 'testserver', '/orders?page=2')
    """

    method: str
    url: str
    headers: Fields = field(default_factory=Fields)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path of the URL, percent-encoded as it is sent."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        """The query without its question mark."""
        return urlsplit(self.url).query

    @property
    def target(self) -> str:
        """Path and query, as the request line has them."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def host(self) -> str:
        """Host and port, as the Host field has them."""
        return urlsplit(self.url).netloc

    @property
    def content(self) -> bytes:
        """The body, by the name that httpx has for it."""
        return self.body
