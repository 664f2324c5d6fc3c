"""Requests as somebody has changed them on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from watchword.core.message import Headers, Peer, Request

__all__ = ["Tampering", "changed", "flips", "is_covered", "tamperings"]


class Tampering(NamedTuple):
    """One change.

    Args:
        part: what was changed: "method", "path", "query", "headers" or "body".
        change: how, in words.
        request: the request after it.
        body: its body after it.
    """

    part: str
    change: str
    request: Request
    body: bytes

    def __repr__(self) -> str:
        # The body may hold a token.
        return f"Tampering({self.part}: {self.change})"


def is_covered(part: str, covers: Collection[str]) -> bool:
    """Whether a part of a request is among what a scheme covers; the "target" is "path" and "query".

    >>> is_covered("query", {"method", "target"}), is_covered("query", {"method", "path"})
    (True, False)
    """
    return part in covers or (part in ("path", "query") and "target" in covers)


def changed(
    request: Request,
    *,
    method: str | None = None,
    scheme: str | None = None,
    authority: str | None = None,
    target: str | bytes | None = None,
    headers: Headers = (),
    without: Collection[bytes] = (),
    peer: Peer | None = None,
) -> Request:
    """The request with these parts instead of its own.

    Args:
        request: the request; it stays as it is.
        method: another method.
        scheme: "http" for one that came in the clear.
        authority: another host.
        target: another request target.
        headers: field lines instead of those of the same names; names in lower case.
        without: names of fields that it loses, in lower case.
        peer: another sender.

    >>> genuine = Request("GET", "https", "api.example", "/orders", {"Authorization": "Basic YTpi", "Accept": "*/*"})
    >>> changed(genuine, method="DELETE", without=[b"authorization"])
    Request(DELETE https://api.example/orders, fields: accept)
    """
    other = Request(
        request.method if method is None else method,
        request.scheme if scheme is None else scheme,
        request.authority if authority is None else authority,
        request.target if target is None else target,
        [line for line in request.headers if line[0] not in without],
        request.peer if peer is None else peer,
        request.exact,
    )
    return other.with_headers(headers) if headers else other


def tamperings(request: Request, body: bytes = b"") -> Iterator[Tampering]:
    """The request, changed in one part after the other. A scheme refuses those of the parts that it covers.

    >>> genuine = Request("GET", "https", "api.example", "/orders?id=7")
    >>> for tampering in tamperings(genuine):
    ...     print(tampering)
    Tampering(method: another method)
    Tampering(query: another last octet)
    Tampering(path: a slash after the path)
    Tampering(path: a fragment after the path)
    Tampering(query: without its query)
    Tampering(headers: a field more)
    Tampering(body: an octet more)
    """
    other = "PUT" if request.method != "PUT" else "POST"
    yield Tampering("method", "another method", changed(request, method=other), body)
    for part, change, target in _targets(request):
        yield Tampering(part, change, changed(request, target=target), body)
    more = ((b"x-role", b"admin"),)
    yield Tampering("headers", "a field more", changed(request, headers=more), body)
    if body:
        yield Tampering("body", "another last octet", request, body[:-1] + _other(body[-1]))
        yield Tampering("body", "no body", request, b"")
    yield Tampering("body", "an octet more", request, body + b"0")


def _targets(request: Request) -> Iterator[tuple[str, str, bytes]]:
    target, path, query = request.target, request.path, request.query
    if target[-1:].isalnum():
        yield "path" if query is None else "query", "another last octet", target[:-1] + _other(target[-1])
    yield "path", "a slash after the path", path + b"/" + target[len(path) :]
    yield "path", "a fragment after the path", path + b"#" + target[len(path) :]
    if query is not None:
        yield "query", "without its query", path
    else:
        yield "query", "a query", target + b"?admin=1"


def flips(request: Request, field: bytes) -> Iterator[Request]:
    """The request with one octet of a field's value changed, for each octet of it: letters and digits stay such.

    Args:
        request: the request.
        field: the field's name, in lower case; the first line of that name is changed.

    >>> genuine = Request("GET", "https", "api.example", "/", {"Authorization": "Bearer a7"})
    >>> [other.values(b"authorization")[0][-2:] for other in flips(genuine, b"authorization")][-2:]
    [b'b7', b'a8']
    """
    at = next((number for number, (name, _) in enumerate(request.headers) if name == field), None)
    if at is None:
        return
    name, value = request.headers[at]
    for place, octet in enumerate(value):
        line = (name, value[:place] + _other(octet) + value[place + 1 :])
        yield _with_line(request, at, line)


def _with_line(request: Request, at: int, line: tuple[bytes, bytes]) -> Request:
    lines = (*request.headers[:at], line, *request.headers[at + 1 :])
    return Request.raw(
        request.method, request.scheme, request.authority, request.target, lines, request.peer, request.exact
    )


def _other(octet: int) -> bytes:
    """Another octet of the same kind."""
    if bytes([octet]).isalnum():
        after = octet + 1
        if bytes([after]).isalnum():
            return bytes([after])
        return bytes([octet - 1])
    return b"0"
