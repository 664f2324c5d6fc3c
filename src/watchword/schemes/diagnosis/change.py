"""One change of a request, what it is called, and how it is undone: the word that all guesses are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import zip_longest
from typing import Final, NamedTuple, TypeVar

from watchword.core.message import Headers, Request

__all__ = [
    "MAX_TARGET",
    "Change",
    "Guess",
    "Undo",
    "in_turn",
    "show",
    "varied",
    "with_field",
    "with_parts",
    "with_target",
]

MAX_TARGET: Final = 8 * 1024
"""Octets of a path or a query that is guessed at."""
SHOWN: Final = 160
"""Characters of a value that are shown; of a longer one, those around the first octet that differs."""

T = TypeVar("T")

Undo = Callable[[Request, bytes], tuple[Request, bytes]]
"""Gives request and body as they may have been signed."""


class Guess(NamedTuple):
    """What may have gone wrong, and the request as it would have been signed then.

    Args:
        component: the part that changed: "@method", "@scheme", "@authority", "@path", "@query", "header date", "body".
        expected: what the signer had there.
        received: what this request has there.
        mend: what happened, and what to do about it.
        request: the request as it would have been signed.
        body: its body.
        second: the other change, where it takes two; its own `second` is None.
    """

    component: str
    expected: str
    received: str
    mend: str
    request: Request
    body: bytes
    second: Guess | None = None


class Change(NamedTuple):
    """One part of a guess, before it is applied to a request. Two changes of one `component` don't go together."""

    component: str
    expected: str
    received: str
    mend: str
    undo: Undo


def in_turn(*kinds: Iterable[T]) -> Iterator[T]:
    """One of each kind, then the next of each: pairs are made of the first ones.

    >>> list(in_turn("ab", "1", "xyz"))
    ['a', '1', 'x', 'b', 'y', 'z']
    """
    nothing = object()
    for row in zip_longest(*kinds, fillvalue=nothing):
        yield from (each for each in row if each is not nothing)  # type: ignore[misc] # what is left are T


def show(signed: str | bytes, received: str | bytes) -> tuple[str, str]:
    """Both values for a person; long ones are cut to the place where they begin to differ.

    >>> show("a" * 1000 + "b", "a" * 1000 + "c")[0][:16]
    '…(octet 940) aaa'
    """
    one, other = _text(signed), _text(received)
    at = first_difference(one, other)
    return _cut(one, at), _cut(other, at)


def varied(
    component: str, received: T, found: Iterable[tuple[T, str]], undo: Callable[[T, Request, bytes], tuple[Request, bytes]],
    shown: Callable[[T, T], tuple[str, str]] = show,  # type: ignore[assignment] # T is a text then
) -> Iterator[Change]:  # fmt: skip
    """A change for each other value that is `found`, with what happened then; none twice."""
    seen = {received}
    for value, mend in found:
        if value not in seen:
            seen.add(value)
            yield Change(component, *shown(value, received), mend, partial(undo, value))


def first_difference(one: str | bytes, other: str | bytes) -> int:
    """The index of the first character in which they differ; the length of the shorter one if that is the beginning of the other."""
    shorter = min(len(one), len(other))
    low, high = 0, shorter
    while low < high:  # by halves, so that the comparing is done in C
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _cut(text: str, at: int) -> str:
    if len(text) <= SHOWN:
        return text
    start = max(0, at - 60)
    lead = f"…(octet {start}) " if start else ""
    tail = "…" if len(text) > start + SHOWN else ""
    return lead + text[start : start + SHOWN] + tail


# ---- how a change is undone ------------------------------------------------------------------------------------------


def with_parts(
    request: Request,
    *,
    method: str | None = None,
    scheme: str | None = None,
    authority: str | None = None,
    target: bytes | None = None,
    headers: Headers | None = None,
) -> Request:
    """The same request with other parts. With another authority, Host says the same."""
    headers = request.headers if headers is None else headers
    if authority is not None:
        host = authority.encode("utf-8", "surrogateescape")
        headers = tuple((name, host if name == b"host" else value) for name, value in headers)
    return Request.raw(
        request.method if method is None else method,
        request.scheme if scheme is None else scheme,
        request.authority if authority is None else authority,
        request.target if target is None else target,
        headers,
        request.peer,
        request.exact,
    )


def with_target(request: Request, *, path: bytes | None = None, query: bytes | bool | None = True) -> Request:
    """The same request with another path, or another query: None for no `?`, True for the one that it has."""
    path = request.path if path is None else path
    query = request.query if isinstance(query, bool) else query
    return with_parts(request, target=path if query is None else path + b"?" + query)


def with_field(request: Request, name: bytes, lines: Iterable[bytes]) -> Request:
    """The same request where the field `name` has these lines, in the place of the first one that it had; or none."""
    headers: list[tuple[bytes, bytes]] = []
    new: list[tuple[bytes, bytes]] | None = [(name, line) for line in lines]
    for pair in request.headers:
        if pair[0] != name:
            headers.append(pair)
        elif new is not None:
            headers += new
            new = None
    return with_parts(request, headers=(*headers, *(new or ())))
