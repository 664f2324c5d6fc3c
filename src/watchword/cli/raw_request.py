"""A raw HTTP/1.1 request in a file, as a capture or an editor leaves it (RFC 9112), and what every kind of capture comes to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from watchword.core.message import NOBODY, Peer, Request

__all__ = ["Capture", "Line", "UnusableRequest", "as_request", "length_of", "parse_head", "parse_raw", "parse_request"]

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE: Final = re.compile(rb"(%b) (.+) HTTP/[0-9](?:\.[0-9])?" % _TOKEN, re.DOTALL)
_FIELD: Final = re.compile(rb"(%b):[ \t]*(.*?)[ \t]*" % _TOKEN, re.DOTALL)
_START: Final = re.compile(rb"(?:%b(?: (?:\S+ (?:HTTP/?)?)?)?)?" % _TOKEN)
_NAME: Final = re.compile(rb"(?:%b)?" % _TOKEN)
_CODED: Final = "the body has a transfer coding; give it decoded, with Content-Length"
MAX_FIELDS: Final = 1000
"""Field lines of one request."""


class UnusableRequest(ValueError):
    """The file does not hold one request. The message says where and repeats nothing of the file, which may hold secrets.

    Args:
        fault: what is wrong.
        line: of the file, from 1; 0 if it is about no line.
        column: of the line, from 1; 0 if it is about all of it.
    """

    def __init__(self, fault: str, line: int = 0, column: int = 0) -> None:
        place = f"line {line}" if line else ""
        place += f", column {column}" if column else ""
        super().__init__(f"{place}: {fault}" if place else fault)
        self.line, self.column = line, column


class Line(NamedTuple):
    """A line of a request's head: where it stands in the file, and its octets."""

    number: int
    column: int
    octets: bytes


class Capture(NamedTuple):
    """A request as a file holds it.

    Args:
        method: as sent.
        target: as sent.
        headers: field lines, names in lower case.
        body: its octets; None where it has a body that the file does not hold.
        scheme: "http" or "https"; "" where the file doesn't say.
        size: octets that the body had, where the file says so.
        note: for the person who asks.
    """

    method: str
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes | None
    scheme: str = ""
    size: int | None = None
    note: str = ""


def parse_request(data: bytes, scheme: str) -> tuple[Request, bytes]:
    r"""The request and its body. Lines end with CRLF or LF; Content-Length bounds the body if it is there.

    Raises:
        UnusableRequest: naming line and column.

    >>> request, body = parse_request(b"POST /a?b HTTP/1.1\nHost: api.example\nContent-Length: 2\n\nhi\n", "https")
    >>> request.method, request.authority, request.target, body
    ('POST', 'api.example', b'/a?b', b'hi')
    """
    capture = parse_raw(data)
    return as_request(capture, scheme), capture.body or b""


def parse_raw(data: bytes) -> Capture:
    """The request that a file holds as it went over the connection.

    Raises:
        UnusableRequest: naming line and column.
    """
    blank = len(data) - len(data.lstrip(b"\r\n"))
    before = data[:blank].count(b"\n")
    head, body = _split(data[blank:])
    lines = [Line(before + at, 0, line.removesuffix(b"\r")) for at, line in enumerate(head.split(b"\n"), 1)]
    method, target, headers = parse_head(lines)
    return Capture(method, target, headers, _body(headers, body))


def parse_head(lines: Sequence[Line]) -> tuple[str, bytes, list[tuple[bytes, bytes]]]:
    """Method, target and field lines (RFC 9112 §3, §5). `column` of a line is how many octets of the file stand before it there.

    Raises:
        UnusableRequest: naming line and column.
    """
    number, before, octets = lines[0]
    start = _REQUEST_LINE.fullmatch(octets)
    if start is None:
        right = _START.match(octets)
        column = before + 1 + (right.end() if right else 0)
        raise UnusableRequest("this is not a request line: METHOD target HTTP/1.1", number, column)
    if len(lines) > MAX_FIELDS:
        raise UnusableRequest(f"there are more than {MAX_FIELDS} fields", lines[MAX_FIELDS].number)
    headers: list[tuple[bytes, bytes]] = []
    for number, before, octets in lines[1:]:
        field = _FIELD.fullmatch(octets)
        if field is None:
            name = _NAME.match(octets)
            raise UnusableRequest("this is not a field: name: value", number, before + 1 + (name.end() if name else 0))
        headers.append((field[1].lower(), field[2]))
    return start[1].decode(), start[2], headers


def as_request(capture: Capture, scheme: str, peer: Peer = NOBODY) -> Request:
    """The request as the server has it.

    Raises:
        UnusableRequest: it has no Host, or several.
    """
    hosts = [value for name, value in capture.headers if name == b"host"]
    if len(hosts) != 1:
        raise UnusableRequest(f"there are {len(hosts)} Host fields where one is needed")
    return Request.raw(
        capture.method, scheme, hosts[0].decode("latin-1"), capture.target, tuple(capture.headers), peer, True
    )


def length_of(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """What Content-Length says; None where there is none.

    Raises:
        UnusableRequest: it is not one number.
    """
    lengths = {value for name, value in headers if name == b"content-length"}
    if not lengths:
        return None
    if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
        raise UnusableRequest("Content-Length is not one number")
    return int(lengths.pop()[:12])


def _split(data: bytes) -> tuple[bytes, bytes]:
    ends = [(data.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if mark in data]
    if not ends:
        return data.rstrip(b"\r\n"), b""
    at, length = min(ends)
    return data[:at], data[at + length :]


def _body(headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise UnusableRequest(_CODED)
    length = length_of(headers)
    if length is None:
        return body
    if length > len(body):
        raise UnusableRequest(f"Content-Length is {length}, the file has {len(body)} octets of body")
    return body[:length]
