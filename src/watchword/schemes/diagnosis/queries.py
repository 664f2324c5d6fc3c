"""The query, as it may have been before a proxy, a router or a framework re-ordered, encoded, filled or emptied it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, permutations
from typing import Final

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import MAX_TARGET, Change, in_turn, show, with_target
from watchword.schemes.diagnosis.encodings import MAX_PLACES, RECODED, recoded, written

__all__ = ["orders", "queries"]

MAX_PERMUTED: Final = 6
"""Parameters whose every order is tried."""

_TRACKING: Final = re.compile(
    rb"(?:utm_\w+|fbclid|gclid|msclkid|dclid|yclid|mc_[ce]id|_ga|_gl|_|cb|ts|t|cachebuster|ref)(?:=|\Z)"
)
_ORDER: Final = "the query's parameters were re-ordered on the way: sign the query exactly as it is sent"


def queries(request: Request) -> Iterator[Change]:
    """Order, `+` against `%20`, encodings, parameters added or lost, separators, the empty `?`."""
    received = request.query
    if received is not None and len(received) > MAX_TARGET:
        return
    seen: set[bytes | None] = {received}
    for query, mend in _empty(received) if not received else _queries(received):
        if query not in seen:
            seen.add(query)
            expected, shown = show(_asked(query), _asked(received))
            yield Change("@query", expected, shown, mend, partial(_query, query))


def _asked(query: bytes | None) -> bytes:
    return b"none" if query is None else b"?" + query


def _query(query: bytes | None, request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_target(request, query=query), body


def _empty(query: bytes | None) -> Iterator[tuple[bytes | None, str]]:
    yield (
        (b"" if query is None else None),
        "an empty `?` was added or lost on the way: sign the target exactly as it is sent",
    )


def _queries(query: bytes) -> Iterator[tuple[bytes | None, str]]:
    params = query.split(b"&")
    return in_turn(
        _sorted(params),
        _pluses(query),
        _fewer(params),
        ((each, RECODED) for each in chain(recoded(query, keep=b"&="), written(query))),
        ((b"&".join(each), _ORDER) for each in orders(params)),
        _separated(query, params),
        _doubled(params),
        _added_whole(query),
    )


def _sorted(params: list[bytes]) -> Iterator[tuple[bytes | None, str]]:
    yield b"&".join(sorted(params)), _ORDER
    yield b"&".join(_by_name(params)), _ORDER
    yield b"&".join(reversed(params)), _ORDER


def _pluses(query: bytes) -> Iterator[tuple[bytes | None, str]]:
    mend = "`+` and `%20` were exchanged on the way: sign the query exactly as it is sent"
    yield query.replace(b"+", b"%20"), mend
    yield query.replace(b"%20", b"+"), mend


def _added_whole(query: bytes) -> Iterator[tuple[bytes | None, str]]:
    mend = "everything was put into the query on the way: sign the target exactly as it is sent"
    yield None, mend
    yield b"", mend
    yield query.lower(), "the case of the query was changed: sign the query exactly as it is sent"


def _by_name(params: list[bytes]) -> list[bytes]:
    """Sorted by name; those of one name stay in their order."""
    return [params[at] for _, at in sorted((_name(param), at) for at, param in enumerate(params))]


def _name(param: bytes) -> bytes:
    return param.partition(b"=")[0]


def _fewer(params: list[bytes]) -> Iterator[tuple[bytes | None, str]]:
    """Without what was added on the way."""

    def joined(kept: list[bytes]) -> bytes | None:
        return b"&".join(kept) if kept else None

    tracking = [param for param in params if _TRACKING.match(param)]
    if tracking:
        mend = "tracking parameters were added on the way: sign them too, or take them off before the guard sees them"
        yield joined([param for param in params if param not in tracking]), mend
    places = [*range(len(params) - 1, len(params) - 1 - MAX_PLACES, -1), *range(MAX_PLACES)]
    for at in dict.fromkeys(place for place in places if 0 <= place < len(params)):
        name = _name(params[at]).decode("utf-8", "backslashreplace")[:64]
        mend = f"the parameter {name} was added on the way: sign it too, or take it off before the guard sees it"
        yield joined(params[:at] + params[at + 1 :]), mend
    mend = "repeated parameters were added on the way: sign the query exactly as it is sent"
    yield joined(list(dict.fromkeys(params))), mend
    yield joined(list({_name(param): param for param in params}.values())), mend


def orders(params: list[bytes]) -> Iterable[tuple[bytes, ...]]:
    """Every order of a few parameters; of many, those that a single step makes."""
    if len(params) <= MAX_PERMUTED:
        yield from permutations(params)
        return
    for at in range(min(len(params), MAX_PLACES)):
        rest = params[:at] + params[at + 1 :]
        yield (params[at], *rest)
        yield (*rest, params[at])
        yield (*params[:at], *params[at : at + 2][::-1], *params[at + 2 :])
    for at in range(1, min(len(params), MAX_PLACES)):
        yield (*params[at:], *params[:at])


def _separated(query: bytes, params: list[bytes]) -> Iterator[tuple[bytes | None, str]]:
    """Empty values and separators, which parsers drop and builders add."""
    mend = "empty values or separators were dropped or added on the way: sign the query exactly as it is sent"
    forms: tuple[Callable[[bytes], bytes], ...] = (
        lambda param: param if b"=" in param else param + b"=",
        lambda param: param.removesuffix(b"=") if param.count(b"=") == 1 else param,
    )
    for form in forms:
        yield b"&".join(map(form, params)), mend
        for at in range(min(len(params), MAX_PLACES)):
            yield b"&".join((*params[:at], form(params[at]), *params[at + 1 :])), mend
    yield b"&".join(filter(None, params)), mend
    yield b"&".join(param for param in params if param.partition(b"=")[2]), mend
    for at in range(min(len(params) + 1, MAX_PLACES)):
        yield b"&".join((*params[:at], b"", *params[at:])), mend
    yield query.replace(b";", b"&"), mend
    yield query.replace(b"&", b";"), mend
    yield query.replace(b"&amp;", b"&"), mend
    yield query.replace(b"&", b"&amp;"), mend


def _doubled(params: list[bytes]) -> Iterator[tuple[bytes | None, str]]:
    mend = "a parameter was sent twice and once is left: sign the query exactly as it is sent"
    for at in range(min(len(params), MAX_PLACES)):
        yield b"&".join((*params[: at + 1], params[at], *params[at + 1 :])), mend
        yield b"&".join((*params, params[at])), mend
