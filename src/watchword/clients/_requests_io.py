"""What the adapter for requests reads of prepared requests, and how it runs a flow up to where requests sends."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import requests

from watchword.clients._exchange import field_lines, octets
from watchword.clients._redirects import Origin, origin_of
from watchword.clients._requests_headers import stored
from watchword.clients._requests_own import fetch
from watchword.clients._requests_route import Caller, caller
from watchword.transport.flow import Drive
from watchword.core.message import Headers, Peer
from watchword.transport.deferred import Deferred
from watchword.effects import ORIGINAL, Received, Send

__all__ = ["Bare", "advance", "origin"]


@lru_cache(256)
def _site(scheme: str, netloc: str) -> tuple[Origin, str]:
    """The origin of such URLs, and the Host field of requests to it that have none of their own."""
    parts = SplitResult(scheme, netloc, "", "", "")
    at = origin_of(scheme, parts.hostname, parts.port)
    authority = f"[{at.host}]" if ":" in at.host else at.host
    if at.port != origin_of(scheme, at.host, None).port:
        authority += f":{at.port}"
    return at, authority


def origin(prepared: requests.PreparedRequest) -> Origin:
    """The origin of a prepared request."""
    parts = urlsplit(prepared.url or "")
    return _site(parts.scheme, parts.netloc)[0]


class Bare(Deferred):
    """The request as it will be sent, without what a flow puts into it.

    Args:
        prepared: the request of the library; what becomes of it later changes nothing here.
        peer: who is connected to, where that is known; else it is looked for among the callers once a flow asks.
    """

    __slots__ = ("_given", "body", "origin", "url")

    def __init__(self, prepared: requests.PreparedRequest, peer: Peer | None = None) -> None:
        self.url = prepared.url or ""
        parts = urlsplit(self.url)
        self.origin, self.authority = _site(parts.scheme, parts.netloc)
        self.body = prepared.body
        lines = stored(prepared.headers)
        if "host" in lines:
            self.authority = octets(lines["host"][1]).decode("latin-1")
        self.method = prepared.method or "GET"
        self.scheme = self.origin.scheme
        # Non-ASCII octets can't be left in a URL that requests has prepared.
        self.target = f"{parts.path or '/'}{parts.query and '?'}{parts.query}".encode()
        self.exact = True
        self._lines = None
        self._given = list(lines.values())
        if peer is not None:
            self.peer = peer

    def _make_headers(self) -> Headers:
        return field_lines(self._given)

    def _make_peer(self) -> Peer:
        return caller().peer(self.url)


def advance(drive: Drive, answer: Received | None = None, called: Caller | None = None) -> Send | None:
    """Runs the flow up to where the caller's request is to be sent, and sends its own requests on the way."""
    send = drive.advance(answer)
    while send is not None and send.body is not ORIGINAL:
        try:
            received = fetch(send, called or caller())
        except BaseException:
            drive.close()
            raise
        send = drive.advance(received)
    return send
