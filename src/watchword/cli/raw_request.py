"""A raw HTTP/1.1 request in a file, as a capture or an editor leaves it (RFC 9112)."""

from __future__ import annotations

import re

from watchword.core.message import NOBODY, Request

__all__ = ["UnusableRequest", "parse_request"]

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (.+) HTTP/[0-9](?:\.[0-9])?", re.DOTALL)
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)


class UnusableRequest(ValueError):
    """The file does not hold one request; the message says where."""


def parse_request(data: bytes, scheme: str) -> tuple[Request, bytes]:
    r"""The request and its body. Lines end with CRLF or LF; Content-Length bounds the body if it is there.

    Raises:
        UnusableRequest: naming the line.

    >>> request, body = parse_request(b"POST /a?b HTTP/1.1\nHost: api.example\nContent-Length: 2\n\nhi\n", "https")
    >>> request.method, request.authority, request.target, body
    ('POST', 'api.example', b'/a?b', b'hi')
    """
    head, body = _split(data)
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")]
    start = _REQUEST_LINE.fullmatch(lines[0])
    if start is None:
        raise UnusableRequest("line 1 is not a request line: METHOD target HTTP/1.1")
    headers: list[tuple[bytes, bytes]] = []
    for number, line in enumerate(lines[1:], 2):
        field = _FIELD.fullmatch(line)
        if field is None:
            raise UnusableRequest(f"line {number} is not a field: name: value")
        headers.append((field[1].lower(), field[2]))
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        raise UnusableRequest(f"there are {len(hosts)} Host fields where one is needed")
    request = Request.raw(start[1].decode(), scheme, hosts[0].decode("latin-1"), start[2], tuple(headers), NOBODY, True)
    return request, _body(headers, body)


def _split(data: bytes) -> tuple[bytes, bytes]:
    data = data.lstrip(b"\r\n")
    ends = [(data.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if mark in data]
    if not ends:
        return data.rstrip(b"\r\n"), b""
    at, length = min(ends)
    return data[:at], data[at + length :]


def _body(headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise UnusableRequest("the body has a transfer coding; give it decoded, with Content-Length")
    lengths = {value for name, value in headers if name == b"content-length"}
    if not lengths:
        return body
    if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
        raise UnusableRequest("Content-Length is not one number")
    length = int(lengths.pop()[:12])
    if length > len(body):
        raise UnusableRequest(f"Content-Length is {length}, the file has {len(body)} octets of body")
    return body[:length]
