"""What the adapter for requests reads of prepared requests, and how it runs a flow up to where requests sends."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests

from watchword.clients._exchange import field_lines, misadapted
from watchword.clients._redirects import Origin, origin_of
from watchword.clients._repeats import check_repeatable
from watchword.clients._requests_own import fetch
from watchword.clients._requests_route import Caller, caller
from watchword.transport.flow import Drive
from watchword.core.message import Peer, Request
from watchword.core.scheme import ORIGINAL, Received, Send

__all__ = ["advance", "origin", "read", "request_of", "rewind"]


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


def rewind(body: Any, start: int | None) -> None:
    """Makes a body ready to be sent once more.

    Raises:
        ConfigurationError: it can be read only once.
    """
    check_repeatable(body, start, "the server wants the request with its body once more")
    if start is not None:
        body.seek(start)


def read(body: Any, start: int | None) -> bytes:
    """The octets of a body, which stays ready to be sent.

    Raises:
        ConfigurationError: it can be read only once.
    """
    if body is None or isinstance(body, (str, bytes, bytearray)):
        return body.encode() if isinstance(body, str) else bytes(body or b"")
    if start is not None:
        body.seek(start)
        content = body.read()
        body.seek(start)
        return content.encode() if isinstance(body, io.TextIOBase) else bytes(content)
    check_repeatable(body, start, "this scheme covers the body")
    return b"".join(body)


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
