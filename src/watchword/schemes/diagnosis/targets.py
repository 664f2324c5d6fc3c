"""Path and query, as they may have been before a proxy, a router or a framework normalised, decoded or cut them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations, permutations
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import Change, show, with_parts, with_target

__all__ = ["orders", "paths", "queries", "recoded", "whole_targets", "written"]

MAX_TARGET: Final = 8 * 1024
"""Octets of a path or a query that is guessed at."""
MAX_PLACES: Final = 12
"""Segments, parameters or encoded octets that are tried one by one."""
MAX_PERMUTED: Final = 6
"""Parameters whose every order is tried."""

MAX_PARSED: Final = 256
"""Parameters that are parsed and written again."""
MAX_TOGETHER: Final = 6
"""Characters of which every combination is encoded."""

_PREFIXES: Final = (
    b"/api", b"/v1", b"/api/v1", b"/v2", b"/v3", b"/api/v2", b"/app", b"/prod", b"/dev", b"/stage", b"/staging", b"/test",
    b"/default", b"/public", b"/internal", b"/service", b"/services", b"/rest", b"/web", b"/s3", b"/$default", b"/latest",
)  # fmt: skip
_URL_FIELDS: Final = (
    b"x-original-uri", b"x-original-url", b"x-rewrite-url", b"x-forwarded-uri", b"x-envoy-original-path", b"x-request-uri",
    b"x-forwarded-url", b"x-real-uri",
)  # fmt: skip
_TRIPLE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_RESERVED: Final = b"~!$'()*,;:@=&+/?[]|^\"<>{}`-_."
_TRACKING: Final = re.compile(
    rb"(?:utm_\w+|fbclid|gclid|msclkid|dclid|yclid|mc_[ce]id|_ga|_gl|_|cb|ts|t|cachebuster|ref)(?:=|\Z)"
)
_DOTS: Final = re.compile(rb"/\.(?=/|\Z)")

_RECODED = "percent-encoding was changed on the way: the target is signed exactly as sent, so nothing may normalise it"
_PREFIXED = (
    "the path's beginning was changed on the way: have the proxy pass the path on, or tell the guard (PublicURL)"
)
_ORDER = "the query's parameters were re-ordered on the way: sign the query exactly as it is sent"


def whole_targets(request: Request) -> Iterator[Change]:
    """What a proxy says that the target was before it rewrote it."""
    for name in _URL_FIELDS:
        for value in request.values(name)[:2]:
            target = value if value[:1] == b"/" else b"/" + value.partition(b"://")[2].partition(b"/")[2]
            if len(value) <= MAX_TARGET and target != request.target:
                component = "@path" if target.partition(b"?")[0] != request.path else "@query"
                expected, received = show(target, request.target)
                mend = f"the target was rewritten; {name.decode()} says what it was: verify before it is rewritten"
                yield Change(component, expected, received, mend, partial(_whole, target))


def _whole(target: bytes, request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_parts(request, target=target), body


# ---- the path --------------------------------------------------------------------------------------------------------


def paths(request: Request) -> Iterator[Change]:
    """Prefixes, the last slash, encodings, doubled slashes, dot segments, parameters, index files, case."""
    received = request.path
    if len(received) > MAX_TARGET:
        return
    seen = {received}
    for path, mend in _paths(request, received):
        if path not in seen:
            seen.add(path)
            expected, shown = show(path, received)
            yield Change("@path", expected, shown, mend, partial(_path, path))


def _path(path: bytes, request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_target(request, path=path), body


def _paths(request: Request, path: bytes) -> Iterator[tuple[bytes, str]]:
    for value in request.values(b"x-forwarded-prefix")[:2]:
        for prefix in value.split(b",")[:2]:
            yield prefix.strip().rstrip(b"/") + path, _PREFIXED
    mend = "a slash at the path's end was added or lost (a redirect, a router): sign the path exactly as it is sent"
    ends = (path.rstrip(b"/"), path + b"/")
    for each in ends if path.endswith(b"/") else ends[::-1]:
        yield each, mend
    yield from ((each, _RECODED) for each in recoded(path, keep=b"/"))
    segments = path.split(b"/")
    for cut in range(2, min(len(segments), MAX_PLACES)):
        yield b"/" + b"/".join(segments[cut:]), _PREFIXED
    for usual in _PREFIXES:
        yield usual + path, _PREFIXED
        if path == b"/":
            yield usual, _PREFIXED
    yield from _slashes(path, segments)
    mend = "the part of the path after `;` was cut or added on the way: sign the path exactly as it is sent"
    yield path.partition(b";")[0], mend
    yield re.sub(rb";[^/]*", b"", path), mend
    mend = "the name of an index file or a suffix was added on the way: sign the path exactly as it is sent"
    for suffix in (b"index.html", b"index.php", b"index.htm", b".json", b".html", b".php"):
        yield path.removesuffix(suffix), mend
    mend = "the path's case or Unicode form was changed: sign the path exactly as it is sent"
    yield path.lower(), mend
    for form in ("NFC", "NFD"):
        yield _in_form(path, form), mend
    yield b"/" + path.partition(b"://")[2].partition(b"/")[2] if path[:1] != b"/" else path, "the target was sent whole"
    yield (
        f"{request.scheme}://{request.authority}".encode() + path,
        ("the target was sent in absolute form and shortened on the way: sign the path"),
    )


def _slashes(path: bytes, segments: list[bytes]) -> Iterator[tuple[bytes, str]]:
    """What a proxy that cleans paths (merge_slashes, RFC 3986 §5.2.4) may have taken away."""
    mend = "double slashes were merged, or one was doubled: have the proxy pass the path on (merge_slashes off)"
    yield re.sub(rb"//+", b"/", path), mend
    yield b"/" + path, mend
    places = range(1, min(len(segments), MAX_PLACES))
    for at in places:
        yield b"/".join((*segments[:at], b"", *segments[at:])), mend
    mend = "dot segments were resolved on the way (or weren't): have the proxy pass the path on"
    yield resolved(path), mend
    yield _DOTS.sub(b"", path), mend
    for at in (*places, len(segments)):
        yield b"/".join((*segments[:at], b".", *segments[at:])), mend
    mend = "an encoded slash was decoded on the way: have the proxy pass %2F on, and sign the path as it is sent"
    for at in places:
        for slash in (b"%2F", b"%2f"):
            yield b"/".join(segments[:at]) + slash + b"/".join(segments[at:]), mend


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


def _in_form(path: bytes, form: str) -> bytes:
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return path
    return path if text.isascii() else quote(normalize("NFC" if form == "NFC" else "NFD", text), safe="/~").encode()


# ---- percent-encoding, of either -------------------------------------------------------------------------------------


def recoded(text: bytes, *, keep: bytes) -> Iterator[bytes]:
    """`text` as other encoders write it. `keep` are the separators, which are not encoded.

    >>> b"/%7Ea" in list(recoded(b"/~a", keep=b"/"))
    True
    """
    triples = list(dict.fromkeys(_TRIPLE.findall(text)))[:MAX_PLACES]
    yield _TRIPLE.sub(lambda match: match[0].upper(), text)
    yield _TRIPLE.sub(lambda match: match[0].lower(), text)
    yield _TRIPLE.sub(_if_unreserved, text)
    reserved = [bytes([octet]) for octet in _RESERVED if octet in text and octet not in keep]
    for char in reserved:
        yield text.replace(char, b"%%%02X" % ord(char))
        yield text.replace(char, b"%%%02x" % ord(char))
    for triple in triples:
        yield text.replace(triple, unquote_to_bytes(triple))
    yield unquote_to_bytes(text)
    kept = keep.decode()
    for base in (unquote_to_bytes(text), text):
        for safe in ("", "~", "!'()*~", "!$'()*,;:@~", "!$&'()*+,;=:@~", ",:", "%~"):
            encoded = quote(base, safe=kept + safe).encode()
            yield encoded
            yield _TRIPLE.sub(lambda match: match[0].lower(), encoded)
    yield text.replace(b"%", b"%25")
    yield text.replace(b"%25", b"%")
    yield text.replace(b"+", b"%20")
    yield text.replace(b"%20", b"+")
    yield text.replace(b" ", b"%20")
    yield _BAD_PERCENT.sub(b"%25", text)
    yield from _one_by_one(text, reserved)
    few = reserved[:MAX_TOGETHER]
    for count in range(2, len(few) + 1):
        for chars in combinations(few, count):
            encoded = text
            for char in chars:
                encoded = encoded.replace(char, b"%%%02X" % ord(char))
            yield encoded


def _one_by_one(text: bytes, reserved: list[bytes]) -> Iterator[bytes]:
    """One octet, not all of its kind: an encoder that knows where in a URI it is treats the same octet in two ways."""
    places = [match.start() for match in _TRIPLE.finditer(text)][:MAX_PLACES]
    for at in places:
        yield text[:at] + unquote_to_bytes(text[at : at + 3]) + text[at + 3 :]
        yield text[:at] + text[at : at + 3].swapcase() + text[at + 3 :]
    wanted = b"".join(reserved)
    for at in [index for index, octet in enumerate(text) if octet in wanted][:MAX_PLACES]:
        yield text[:at] + b"%%%02X" % text[at] + text[at + 1 :]


def _if_unreserved(match: re.Match[bytes]) -> bytes:
    octet = unquote_to_bytes(match[0])
    return octet if octet in _UNRESERVED else match[0]


def written(text: bytes) -> Iterator[bytes]:
    """`text`, parameters of a query or a form, as libraries write what they have parsed.

    >>> b"a=x%20y&b=~" in list(written(b"a=x+y&b=%7E"))
    True
    """
    pairs = [
        [unquote_to_bytes(part.replace(b"+", b" ")) for part in param.partition(b"=")[::2]]
        for param in text.split(b"&")[:MAX_PARSED]
    ]
    for safe in ("", "*", "!'()*", "!'()*,:@/;$", "/", "/?:@!$'()*,;"):
        for tilde in (b"~", b"%7E"):
            for space in (b"+", b"%20"):
                yield b"&".join(
                    b"=".join(
                        quote(part, safe=safe + " ").encode().replace(b" ", space).replace(b"~", tilde) for part in pair
                    )
                    for pair in pairs
                )


# ---- the query -------------------------------------------------------------------------------------------------------


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
    yield b"&".join(sorted(params)), _ORDER
    yield b"&".join(_by_name(params)), _ORDER
    yield b"&".join(reversed(params)), _ORDER
    mend = "`+` and `%20` were exchanged on the way: sign the query exactly as it is sent"
    yield query.replace(b"+", b"%20"), mend
    yield query.replace(b"%20", b"+"), mend
    yield from _fewer(params)
    yield from ((each, _RECODED) for each in recoded(query, keep=b"&="))
    yield from ((each, _RECODED) for each in written(query))
    yield from ((b"&".join(each), _ORDER) for each in orders(params))
    yield from _separated(query, params)
    mend = "everything was put into the query on the way: sign the target exactly as it is sent"
    yield None, mend
    yield b"", mend


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
    mend = "a parameter was sent twice and once is left: sign the query exactly as it is sent"
    for at in range(min(len(params), MAX_PLACES)):
        yield b"&".join((*params[: at + 1], params[at], *params[at + 1 :])), mend
        yield b"&".join((*params, params[at])), mend
    mend = "the case of the query was changed: sign the query exactly as it is sent"
    yield query.lower(), mend
