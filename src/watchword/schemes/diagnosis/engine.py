"""The search: single changes in the order of their likelihood, then pairs of them, up to a fixed number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, combinations, islice, zip_longest
from typing import Final

from watchword.core.message import Request
from watchword.core.scheme import Check
from watchword.schemes.diagnosis.bodies import bodies
from watchword.schemes.diagnosis.change import Change, Guess
from watchword.schemes.diagnosis.fields import fields
from watchword.schemes.diagnosis.origins import authorities, forwarded, methods, schemes
from watchword.schemes.diagnosis.targets import paths, queries, whole_targets

__all__ = ["MAX_GUESSES", "PARTS", "affordable", "causes", "request_guesses", "search"]

MAX_GUESSES: Final = 4096
"""Guesses that are made about one request, whatever is in it."""
MAX_SINGLES: Final = 2560
"""How many of them are single changes."""
MAX_OCTETS: Final = 8 * 1024 * 1024
"""Octets that all those guesses may cost together: about a long request fewer are made, `FEWEST` at least."""
FEWEST: Final = 256
LINE: Final = 16
"""Octets that every field line counts for, covered or not: all of them are looked through."""
MAX_OF_PART: Final = 1024
"""Changes of one part of the request."""
PAIRED: Final = 64
"""Of each part the changes, likeliest first, that are combined with those of other parts."""

PARTS: Final = frozenset({"@method", "@scheme", "@authority", "@path", "@query", "body"})
"""What is guessed at besides fields."""


def request_guesses(
    request: Request, body: bytes, *, headers: Collection[bytes] = (), parts: Collection[str] = PARTS
) -> Iterator[Guess]:
    """What the request may have looked like when it was signed: single changes, likeliest first, then pairs.

    Args:
        request: as the guard judges it.
        body: its body.
        headers: the covered fields, in lower case.
        parts: what else is covered, of `PARTS`; what isn't need not be guessed at.

    >>> request = Request("GET", "https", "api.example:443", "/a/")
    >>> [(guess.component, guess.expected) for guess in request_guesses(request, b"", parts=("@authority", "@path"))][:2]
    [('@authority', 'api.example'), ('@path', '/a')]
    """
    lists = [_Kept(islice(changes, MAX_OF_PART)) for changes in _parts(request, body, headers, parts)]
    most = affordable(request, body, headers)
    return islice(chain(islice(_singles(lists, request, body), MAX_SINGLES), _pairs(lists, request, body)), most)


def affordable(request: Request, body: bytes = b"", headers: Iterable[bytes] = ()) -> int:
    """How many guesses about this request are made at most: the longer it is, the fewer.

    >>> affordable(Request("GET", "https", "api.example", "/")), affordable(Request("GET", "https", "h", "/"), bytes(999_999))
    (4096, 256)
    """
    covered = frozenset(headers)
    octets = 2 * len(request.target) + len(body) // 2 + LINE * len(request.headers)
    octets += sum(len(value) for name, value in request.headers if name in covered)
    return min(MAX_GUESSES, max(FEWEST, MAX_OCTETS // max(1, octets)))


def search(
    request: Request,
    body: bytes,
    fits: Callable[[Request, bytes], bool],
    *,
    headers: Collection[bytes] = (),
    parts: Collection[str] = PARTS,
    most: int = MAX_GUESSES,
) -> Guess | None:
    """The first guess whose `fits(guess.request, guess.body)` is true; None if there is none.

    `fits` is called at most `most` times, `MAX_GUESSES` by default: fewer where it takes long, as for public keys.
    """
    for guess in islice(request_guesses(request, body, headers=headers, parts=parts), most):
        if fits(guess.request, guess.body):
            return guess
    return None


def causes(name: str, guess: Guess) -> list[Check]:
    """The guess as failed checks: one, or two where it takes two changes.

    >>> request = Request("GET", "https", "api.example:443", "/")
    >>> causes("signature", next(request_guesses(request, b"", parts=("@authority",))))[0].component
    '@authority'
    """
    found = [guess] if guess.second is None else [guess, guess.second]
    return [Check(name, False, each.component, each.expected, each.received, each.mend) for each in found]


def _parts(
    request: Request, body: bytes, headers: Iterable[bytes], parts: Collection[str]
) -> Iterator[Iterator[Change]]:
    """Each part's changes; parts that are changed more often come first."""
    if "@authority" in parts:
        yield authorities(request)
    if "@scheme" in parts:
        yield schemes(request)
    if "@authority" in parts or "@scheme" in parts:
        yield forwarded(request)
    if "@path" in parts or "@query" in parts:
        yield whole_targets(request)
    if "@path" in parts:
        yield paths(request)
    if "@query" in parts:
        yield queries(request)
    if "@method" in parts:
        yield methods(request)
    if "body" in parts:
        yield bodies(request, body)
    yield from fields(request, body, headers)


class _Kept:
    """Changes, kept once they are made, since pairs use them again."""

    def __init__(self, changes: Iterator[Change]) -> None:
        self._changes = changes
        self.made: list[Change] = []

    def __iter__(self) -> Iterator[Change]:
        for change in self._changes:
            self.made.append(change)
            yield change


def _singles(lists: list[_Kept], request: Request, body: bytes) -> Iterator[Guess]:
    """In turn one of each part, so that a part with many changes does not use up the number."""
    for row in zip_longest(*lists):
        for change in row:
            if change is not None:
                yield _guess(change, request, body)


def _guess(change: Change, request: Request, body: bytes) -> Guess:
    return Guess(*change[:4], *change.undo(request, body))


def _pairs(lists: list[_Kept], request: Request, body: bytes) -> Iterator[Guess]:
    """Two changes of different parts, those first that are likelier together."""
    couples = [(one.made[:PAIRED], two.made[:PAIRED]) for one, two in combinations(lists, 2) if one.made and two.made]
    for total in range(2 * PAIRED - 1):
        for one, two in couples:
            for at in range(max(0, total - len(two) + 1), min(total + 1, len(one))):
                first, second = one[at], two[total - at]
                if first.component != second.component:
                    yield _both(first, second, request, body)


def _both(first: Change, second: Change, request: Request, body: bytes) -> Guess:
    changed, signed = second.undo(*first.undo(request, body))
    other = Guess(*second[:4], changed, signed)
    mend = f"{first.mend}; and {second.component}: {second.mend}"
    return Guess(first.component, first.expected, first.received, mend, changed, signed, other)
