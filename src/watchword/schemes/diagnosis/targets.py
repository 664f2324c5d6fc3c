"""Path and query, as they may have been before a proxy, a router or a framework normalised, decoded, re-ordered, filled or cut them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, permutations
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import MAX_TARGET, Change, in_turn, show, varied, with_parts, with_target
from watchword.schemes.diagnosis.encodings import MAX_PLACES, RECODED, recoded, written

__all__ = ["orders", "paths", "queries", "whole_targets"]

MAX_PERMUTED: Final = 6
"""Parameters whose every order is tried."""

_PREFIXES: Final = (
    b"/api", b"/v1", b"/api/v1", b"/v2", b"/v3", b"/api/v2", b"/app", b"/prod", b"/dev", b"/stage", b"/staging", b"/test",
    b"/gateway", b"/backend", b"/svc", b"/server", b"/default", b"/public", b"/internal", b"/service", b"/services", b"/rest", b"/web",
    b"/s3", b"/$default", b"/latest",
)  # fmt: skip
_URL_FIELDS: Final = (
    b"x-original-uri", b"x-original-url", b"x-rewrite-url", b"x-forwarded-uri", b"x-envoy-original-path", b"x-request-uri",
    b"x-forwarded-url", b"x-real-uri",
)  # fmt: skip
_FILES: Final = (
    b"index.html", b"/index.html", b"index.php", b"/index.php", b"index.htm", b"/index.htm", b".json", b".html", b".php",
)  # fmt: skip
_TRACKING: Final = re.compile(
    rb"(?:utm_\w+|fbclid|gclid|msclkid|dclid|yclid|mc_[ce]id|_ga|_gl|_|cb|ts|t|cachebuster|ref)(?:=|\Z)"
)
_DOTS: Final = re.compile(rb"/\.(?=/|\Z)")
_HIGH: Final = re.compile(rb"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_EXACTLY: Final = "sign the path exactly as it is sent"
_PREFIXED: Final = (
    "a prefix in front of the path (a mount point, a gateway's stage) was added or taken off on the way, or left out by the client: "
    "have the proxy pass the path on, or tell the guard (PublicURL)"
)
_ENDED: Final = f"a slash at the path's end was added or lost (a redirect, a router): {_EXACTLY}"
_MERGED: Final = "double slashes were merged, or one was doubled: have the proxy pass the path on (merge_slashes off)"
_RESOLVED: Final = "dot segments were resolved on the way (or weren't): have the proxy pass the path on"
_SLASH: Final = "an encoded slash was decoded on the way: have the proxy pass %2F on, and sign the path as it is sent"
_CUT: Final = f"the part of the path after `;` was cut or added on the way: {_EXACTLY}"
_FILE: Final = f"the name of an index file or a suffix was added on the way: {_EXACTLY}"
_CASE: Final = f"the path's case or Unicode form was changed: {_EXACTLY}"
_CHARSET: Final = "the path's character encoding was changed: encode it as UTF-8 everywhere"
_ABSOLUTE: Final = "the target was sent in absolute form and shortened on the way: sign the path"
_AS_SENT: Final = "sign the query exactly as it is sent"
_ORDER: Final = f"the query's parameters were re-ordered on the way: {_AS_SENT}"
_PLUS: Final = f"a space is `+` on one side and `%20` on the other: {_AS_SENT}"
_INTO: Final = "everything was put into the query on the way: sign the target exactly as it is sent"
_BLANK: Final = f"empty values or separators were dropped or added on the way: {_AS_SENT}"
_TWICE: Final = f"a parameter was sent twice and once is left: {_AS_SENT}"
_REPEATED: Final = f"repeated parameters were added on the way: {_AS_SENT}"
_TRACKED: Final = (
    "tracking parameters were added on the way: sign them too, or take them off before the guard sees them"
)


def whole_targets(request: Request) -> Iterator[Change]:
    """What a proxy says that the target was before it rewrote it."""
    for name in _URL_FIELDS:
        for value in request.values(name)[:2]:
            target = value if value[:1] == b"/" else b"/" + value.partition(b"://")[2].partition(b"/")[2]
            if len(value) <= MAX_TARGET:
                component = "@path" if target.partition(b"?")[0] != request.path else "@query"
                mend = f"the target was rewritten; {name.decode()} says what it was: verify before it is rewritten"
                yield from varied(component, request.target, [(target, mend)], _with_target)


def _with_target(target: bytes, request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_parts(request, target=target), body


# ---- the path --------------------------------------------------------------------------------------------------------


def paths(request: Request) -> Iterator[Change]:
    """Prefixes, the last slash, encodings, doubled slashes, dot segments, parameters, index files, case."""
    path = request.path
    found = _paths(request, path) if len(path) <= MAX_TARGET else ()
    return varied("@path", path, found, lambda other, seen, body: (with_target(seen, path=other), body))


def _paths(request: Request, path: bytes) -> Iterator[tuple[bytes, str]]:
    segments = path.split(b"/")
    places = range(1, min(len(segments), MAX_PLACES))
    ends = (path.rstrip(b"/"), path + b"/")
    before = [
        prefix.strip().rstrip(b"/")
        for value in request.values(b"x-forwarded-prefix")[:2]
        for prefix in value.split(b",")[:2]
    ]
    return in_turn(
        ((each, _ENDED) for each in (ends if path.endswith(b"/") else ends[::-1])),
        ((prefix + path, _PREFIXED) for prefix in before),
        ((each, RECODED) for each in recoded(path, keep=b"/")),
        ((b"/" + b"/".join(segments[cut:]), _PREFIXED) for cut in places[1:]),
        ((usual + end, _PREFIXED) for usual in _PREFIXES for end in ((path, b"") if path == b"/" else (path,))),
        ((each, _MERGED) for each in (re.sub(rb"//+", b"/", path), b"/" + path, *_inserted(segments, places, b""))),
        ((each, _RESOLVED) for each in (resolved(path), _DOTS.sub(b"", path), *_inserted(segments, (*places, len(segments)), b"."))),
        ((b"/".join(segments[:at]) + slash + b"/".join(segments[at:]), _SLASH) for at in places[1:] for slash in (b"%2F", b"%2f")),
        chain(((path.partition(b";")[0], _CUT), (re.sub(rb";[^/]*", b"", path), _CUT)), ((path.removesuffix(end), _FILE) for end in _FILES)),
        _spelled(request, path),
    )  # fmt: skip


def _inserted(segments: list[bytes], places: Iterable[int], more: bytes) -> Iterator[bytes]:
    return (b"/".join((*segments[:at], more, *segments[at:])) for at in places)


def _spelled(request: Request, path: bytes) -> Iterator[tuple[bytes, str]]:
    yield path.lower(), _CASE
    for form in ("NFC", "NFD"):
        yield _in_form(path, form), _CASE
    for one, other in (("latin-1", "utf-8"), ("utf-8", "latin-1")):
        yield _in_charset(path, one, other), _CHARSET
    yield b"/" + path.partition(b"://")[2].partition(b"/")[2] if path[:1] != b"/" else path, "the target was sent whole"
    yield f"{request.scheme}://{request.authority}".encode() + path, _ABSOLUTE


def resolved(path: bytes) -> bytes:
    """Dot segments removed (RFC 3986 §5.2.4).

    >>> resolved(b"/a/./b/../c")
    b'/a/c'
    """
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments and segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _in_charset(path: bytes, one: str, other: str) -> bytes:
    """With what was encoded in one character set encoded in another; nothing else is touched."""
    try:
        return _HIGH.sub(lambda run: quote(unquote_to_bytes(run[0]).decode(one).encode(other)).encode(), path)
    except UnicodeError:
        return path


def _in_form(path: bytes, form: str) -> bytes:
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return path
    return path if text.isascii() else quote(normalize("NFC" if form == "NFC" else "NFD", text), safe="/~").encode()


# ---- the query -------------------------------------------------------------------------------------------------------


def queries(request: Request) -> Iterator[Change]:
    """Order, `+` against `%20`, encodings, parameters added or lost, separators, the empty `?`."""
    query = request.query
    if not query:
        mend = "an empty `?` was added or lost on the way: sign the target exactly as it is sent"
        found: Iterable[tuple[bytes | None, str]] = [(b"" if query is None else None, mend)]
    else:
        found = _queries(query) if len(query) <= MAX_TARGET else ()
    return varied("@query", query, found, lambda other, seen, body: (with_target(seen, query=other), body), _asked)


def _asked(one: bytes | None, other: bytes | None) -> tuple[str, str]:
    return show(*(b"none" if query is None else b"?" + query for query in (one, other)))


def _queries(query: bytes) -> Iterator[tuple[bytes | None, str]]:
    params = query.split(b"&")
    by_name = [params[at] for _, at in sorted((_name(param), at) for at, param in enumerate(params))]
    whole: list[tuple[bytes | None, str]] = [
        (None, _INTO),
        (b"", _INTO),
        (query.lower(), f"the case of the query was changed: {_AS_SENT}"),
    ]
    return in_turn(
        ((b"&".join(each), _ORDER) for each in (sorted(params), by_name, params[::-1])),
        ((query.replace(b"+", b"%20"), _PLUS), (query.replace(b"%20", b"+"), _PLUS)),
        _fewer(params),
        ((each, RECODED) for each in chain(recoded(query, keep=b"&="), written(query))),
        ((b"&".join(each), _ORDER) for each in orders(params)),
        ((each, _BLANK) for each in _separated(query, params)),
        ((each, _TWICE) for each in _doubled(params)),
        whole,
    )


def _name(param: bytes) -> bytes:
    return param.partition(b"=")[0]


def _fewer(params: list[bytes]) -> Iterator[tuple[bytes | None, str]]:
    """Without what was added on the way."""

    def joined(kept: list[bytes]) -> bytes | None:
        return b"&".join(kept) if kept else None

    tracking = [param for param in params if _TRACKING.match(param)]
    if tracking:
        yield joined([param for param in params if param not in tracking]), _TRACKED
    places = [*range(len(params) - 1, len(params) - 1 - MAX_PLACES, -1), *range(MAX_PLACES)]
    for at in dict.fromkeys(place for place in places if 0 <= place < len(params)):
        name = _name(params[at]).decode("utf-8", "backslashreplace")[:64]
        mend = f"the parameter {name} was added on the way, or left out of what is signed: sign it too, or take it off before the guard sees it"
        yield joined(params[:at] + params[at + 1 :]), mend
    yield joined(list(dict.fromkeys(params))), _REPEATED
    yield joined(list({_name(param): param for param in params}.values())), _REPEATED


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


_SEPARATED: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda param: param if b"=" in param else param + b"=",
    lambda param: param.removesuffix(b"=") if param.count(b"=") == 1 else param,
)


def _separated(query: bytes, params: list[bytes]) -> Iterator[bytes]:
    """Empty values and separators, which parsers drop and builders add."""
    for form in _SEPARATED:
        yield b"&".join(map(form, params))
        for at in range(min(len(params), MAX_PLACES)):
            yield b"&".join((*params[:at], form(params[at]), *params[at + 1 :]))
    yield b"&".join(filter(None, params))
    yield b"&".join(param for param in params if param.partition(b"=")[2])
    for at in range(min(len(params) + 1, MAX_PLACES)):
        yield b"&".join((*params[:at], b"", *params[at:]))
    for one, other in ((b";", b"&"), (b"&", b";"), (b"&amp;", b"&"), (b"&", b"&amp;")):
        yield query.replace(one, other)


def _doubled(params: list[bytes]) -> Iterator[bytes]:
    for at in range(min(len(params), MAX_PLACES)):
        yield b"&".join((*params[: at + 1], params[at], *params[at + 1 :]))
        yield b"&".join((*params, params[at]))
