"""Where redirects lead a request, and where its credentials go along: one rule for all adapters."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Origin", "Trail", "origin_of"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port (RFC 9110 §4.3.1); requests to one origin reach one server, whatever their Host says."""

    scheme: str
    host: str
    port: int | None


def origin_of(scheme: str, host: str | None, port: int | None) -> Origin:
    """The origin of a URL's parts, as every library spells them.

    >>> origin_of("HTTP", "API.example", None) == origin_of("http", "api.example", 80)
    True
    """
    scheme = scheme.lower()
    return Origin(scheme, (host or "").lower(), port or _DEFAULT_PORTS.get(scheme))


class Trail:
    """The way of one request through redirects (RFC 9110 §15.4).

    On the origin of the first request credentials go along, made anew for each target. Once a redirect has left that
    origin, they go nowhere any more, not even back: since then somebody else has chosen the target.

    >>> trail = Trail(origin_of("https", "api.example", None))
    >>> trail.leads_to(origin_of("https", "api.example", 443))
    True
    >>> trail.leads_to(origin_of("https", "evil.example", None)), trail.leads_to(origin_of("https", "api.example", None))
    (False, False)
    """

    __slots__ = ("_first", "left")

    def __init__(self, first: Origin) -> None:
        self._first = first
        self.left = False

    def leads_to(self, origin: Origin) -> bool:
        """Goes on to `origin`; whether credentials go along."""
        self.left = self.left or origin != self._first
        return not self.left
