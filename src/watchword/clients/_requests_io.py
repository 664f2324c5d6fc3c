"""What the adapter for requests reads of prepared requests, and how it runs a flow up to where requests sends."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from watchword.clients._exchange import field_lines, misadapted
from watchword.clients._redirects import Origin, origin_of
from watchword.clients._requests_own import fetch
from watchword.clients._requests_route import Caller, caller
from watchword.transport.flow import Drive
from watchword.core.message import Peer, Request
from watchword.effects import ORIGINAL, Received, Send

__all__ = ["advance", "origin", "request_of"]


def origin(prepared: requests.PreparedRequest) -> Origin:
    """The origin of a prepared request; `ConfigurationError` for one of another library."""
    if not isinstance(prepared, requests.PreparedRequest):
        raise misadapted("requests")
    parts = urlsplit(prepared.url or "")
    return origin_of(parts.scheme, parts.hostname, parts.port)


def request_of(prepared: requests.PreparedRequest, peer: Peer) -> Request:
    """The request as it will be sent to `peer`."""
    scheme, host, port = origin(prepared)
    headers = field_lines(prepared.headers.items())
    named = [value for name, value in headers if name == b"host"]
    authority = f"[{host}]" if ":" in host else host
    if port != origin_of(scheme, host, None).port:
        authority += f":{port}"
    if named:
        authority = named[0].decode("latin-1")
    # Non-ASCII octets can't be left in a URL that requests has prepared.
    target = prepared.path_url.encode()
    return Request.raw(prepared.method or "GET", scheme, authority, target, headers, peer, exact=True)


def advance(drive: Drive, answer: Callable[[], Received] | None = None, called: Caller | None = None) -> Send | None:
    """Runs the flow up to where the caller's request is to be sent, and sends its own requests on the way."""
    try:
        send = drive.advance(None if answer is None else answer())
        while send is not None and send.body is not ORIGINAL:
            send = drive.advance(fetch(send, called or caller()))
    except BaseException:
        drive.close()
        raise
    return send
