"""Captured requests, in any of the formats that people have them in, as the server saw them."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from watchword.cli.curl_output import parse_trace, parse_verbose
from watchword.cli.har import parse_har
from watchword.cli.raw_request import Capture, Line, UnusableRequest, as_request, parse_head, parse_raw
from watchword.core.message import NOBODY, Peer, Request

__all__ = [
    "FORMATS",
    "MAX_FILE",
    "Sighting",
    "certificate_der",
    "format_of",
    "peer_address",
    "read_capture",
    "seen_by_the_server",
]

MAX_FILE: Final = 64 * 1024 * 1024
"""Octets of a file: browsers save answers as well."""
FORMATS: Final = ("raw", "har", "curl", "trace")

_RAW: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\r\n]+ HTTP/[0-9.]+\r?(?:\n|\Z)")
_CURL: Final = re.compile(rb"^(?:> \S+ \S+ HTTP/[0-9.]+\r?$|\* (?:\[HTTP/[23]\] |h2h3 \[|h[23] \[))", re.MULTILINE)
_TRACE: Final = re.compile(rb"^=> Send header, ", re.MULTILINE)
_SEEN: Final = re.compile(r"(https?)://([^/?#@\s]+)([^#\s]*)", re.IGNORECASE)
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
MAX_CERTIFICATE: Final = 64 * 1024
LOOKED_AT: Final = 256 * 1024
"""Octets by which a format is told."""


class Sighting(NamedTuple):
    """How the request reached the server, as far as the file doesn't say.

    Args:
        scheme: "http" or "https"; None: as the file says, or else https.
        peer: the other end of the connection.
        fields: lines that proxies added: "name: value".
        url: the URL that the last proxy asked for, where that is another than the client's.
        body: its octets; None: those of the file.
    """

    scheme: str | None = None
    peer: Peer = NOBODY
    fields: Sequence[str] = ()
    url: str | None = None
    body: bytes | None = None


def format_of(data: bytes) -> str:
    r"""Which of `FORMATS` this is.

    >>> format_of(b'{"log": {}}'), format_of(b"* Connected\n> GET / HTTP/1.1\n"), format_of(b"GET / HTTP/1.1\n")
    ('har', 'curl', 'raw')
    """
    start = data[:LOOKED_AT]
    if _RAW.match(start.lstrip(b"\r\n")):
        return "raw"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return "har"
    if _TRACE.search(start):
        return "trace"
    return "curl" if _CURL.search(start) else "raw"


def read_capture(data: bytes, form: str | None = None, *, entry: int | None = None, url: str | None = None) -> Capture:
    """The request that a file holds.

    Args:
        data: the file.
        form: one of `FORMATS`; None: what it looks like.
        entry: which request of several, from 1.
        url: the URL of the one that is meant, or a part of it; of a HAR file.

    Raises:
        UnusableRequest: it holds none, or several.
    """
    if len(data) > MAX_FILE:
        raise UnusableRequest(f"the file has more than {MAX_FILE} octets")
    form = form or format_of(data)
    if url is not None and form != "har":
        raise UnusableRequest("--url chooses an entry of a HAR file")
    if form == "har":
        return parse_har(data, entry, url)
    if form != "raw":
        return (parse_trace if form == "trace" else parse_verbose)(data, entry)
    if entry not in (None, 1):
        raise UnusableRequest("--entry: a raw request is one only")
    return parse_raw(data)


def seen_by_the_server(capture: Capture, sighting: Sighting) -> tuple[Request, bytes]:
    """The request and its body as they reached the server.

    Raises:
        UnusableRequest: the two don't fit together; or the file doesn't hold the body, and nobody gave it.
    """
    body = _body(capture, sighting.body)
    scheme = sighting.scheme or capture.scheme or "https"
    if sighting.fields:
        added = [
            Line(0, 0, b"GET / HTTP/1.1"),
            *(Line(0, 0, text.encode("utf-8", "surrogateescape")) for text in sighting.fields),
        ]
        try:
            capture = capture._replace(headers=(*capture.headers, *parse_head(added)[2]))
        except UnusableRequest:
            raise UnusableRequest('--field is a field line, such as "X-Forwarded-For: 192.0.2.7"') from None
    if sighting.url is not None:
        match = _SEEN.fullmatch(sighting.url)
        if match is None:
            raise UnusableRequest("--proxied-as is a URL, such as http://app:8000/orders")
        scheme = sighting.scheme or match[1].lower()
        kept = [pair for pair in capture.headers if pair[0] != b"host"]
        target = match[3] if match[3][:1] == "/" else "/" + match[3]
        headers = [(b"host", match[2].encode()), *kept]
        capture = capture._replace(headers=headers, target=target.encode() if match[3] else capture.target)
    return as_request(capture, scheme, sighting.peer), body


def peer_address(text: str) -> str:
    """An address as adapters give it.

    Raises:
        UnusableRequest: it is none.
    """
    try:
        return str(ip_address(text))
    except ValueError:
        raise UnusableRequest("--peer is an IP address, such as 10.0.0.2 or 2001:db8::2") from None


def certificate_der(data: bytes) -> bytes:
    """A client's certificate as adapters give it: the first of a PEM file, or DER.

    Raises:
        UnusableRequest: it is neither.
    """
    match = _CERTIFICATE.search(data)
    try:
        der = data if match is None else b64decode(b"".join(match[1].split()), validate=True)
    except ValueError:
        der = b""
    if der[:1] != b"\x30" or len(der) > MAX_CERTIFICATE:  # a SEQUENCE (RFC 5280 §4.1)
        raise UnusableRequest("--client-certificate is a file with a certificate: PEM or DER")
    return der


def _body(capture: Capture, given: bytes | None) -> bytes:
    if given is not None:
        if capture.size is not None and len(given) != capture.size:
            raise UnusableRequest(f"--body has {len(given)} octets, the request had {capture.size}")
        return given
    if capture.body is None:
        size = "" if capture.size is None else f" of {capture.size} octets"
        raise UnusableRequest(
            f"the request had a body{size} that the file does not hold exactly: give it by --body FILE"
        )
    return capture.body
