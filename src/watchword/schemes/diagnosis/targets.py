"""The path, and the target as a whole, as they may have been before a proxy or a framework normalised, decoded or cut them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import MAX_TARGET, Change, in_turn, show, with_parts, with_target
from watchword.schemes.diagnosis.encodings import MAX_PLACES, RECODED, recoded

__all__ = ["paths", "whole_targets"]

_PREFIXES: Final = (
    b"/api", b"/v1", b"/api/v1", b"/v2", b"/v3", b"/api/v2", b"/app", b"/prod", b"/dev", b"/stage", b"/staging", b"/test",
    b"/gateway", b"/backend", b"/svc", b"/server", b"/default", b"/public", b"/internal", b"/service", b"/services", b"/rest", b"/web", b"/s3", b"/$default", b"/latest",
)  # fmt: skip
_URL_FIELDS: Final = (
    b"x-original-uri", b"x-original-url", b"x-rewrite-url", b"x-forwarded-uri", b"x-envoy-original-path", b"x-request-uri",
    b"x-forwarded-url", b"x-real-uri",
)  # fmt: skip
_DOTS: Final = re.compile(rb"/\.(?=/|\Z)")
_HIGH: Final = re.compile(rb"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_PREFIXED: Final = (
    "the path's beginning was changed on the way: have the proxy pass the path on, or tell the guard (PublicURL)"
)


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
    segments = path.split(b"/")
    return in_turn(
        _ends(path),
        _announced(request, path),
        ((each, RECODED) for each in recoded(path, keep=b"/")),
        ((b"/" + b"/".join(segments[cut:]), _PREFIXED) for cut in range(2, min(len(segments), MAX_PLACES))),
        _prefixed(path),
        _slashes(path, segments),
        _dots(path, segments),
        _encoded_slashes(segments),
        _cut(path),
        _spelled(request, path),
    )


def _announced(request: Request, path: bytes) -> Iterator[tuple[bytes, str]]:
    for value in request.values(b"x-forwarded-prefix")[:2]:
        for prefix in value.split(b",")[:2]:
            yield prefix.strip().rstrip(b"/") + path, _PREFIXED


def _ends(path: bytes) -> Iterator[tuple[bytes, str]]:
    mend = "a slash at the path's end was added or lost (a redirect, a router): sign the path exactly as it is sent"
    ends = (path.rstrip(b"/"), path + b"/")
    for each in ends if path.endswith(b"/") else ends[::-1]:
        yield each, mend


def _prefixed(path: bytes) -> Iterator[tuple[bytes, str]]:
    for usual in _PREFIXES:
        yield usual + path, _PREFIXED
        if path == b"/":
            yield usual, _PREFIXED


def _cut(path: bytes) -> Iterator[tuple[bytes, str]]:
    mend = "the part of the path after `;` was cut or added on the way: sign the path exactly as it is sent"
    yield path.partition(b";")[0], mend
    yield re.sub(rb";[^/]*", b"", path), mend
    mend = "the name of an index file or a suffix was added on the way: sign the path exactly as it is sent"
    for suffix in (
        b"index.html", b"/index.html", b"index.php", b"/index.php", b"index.htm", b"/index.htm", b".json", b".html", b".php",
    ):  # fmt: skip
        yield path.removesuffix(suffix), mend


def _spelled(request: Request, path: bytes) -> Iterator[tuple[bytes, str]]:
    mend = "the path's case or Unicode form was changed: sign the path exactly as it is sent"
    yield path.lower(), mend
    for form in ("NFC", "NFD"):
        yield _in_form(path, form), mend
    for one, other in (("latin-1", "utf-8"), ("utf-8", "latin-1")):
        yield _in_charset(path, one, other), "the path's character encoding was changed: encode it as UTF-8 everywhere"
    yield b"/" + path.partition(b"://")[2].partition(b"/")[2] if path[:1] != b"/" else path, "the target was sent whole"
    yield (
        f"{request.scheme}://{request.authority}".encode() + path,
        ("the target was sent in absolute form and shortened on the way: sign the path"),
    )


def _slashes(path: bytes, segments: list[bytes]) -> Iterator[tuple[bytes, str]]:
    """What a proxy that cleans paths (merge_slashes) may have taken away."""
    mend = "double slashes were merged, or one was doubled: have the proxy pass the path on (merge_slashes off)"
    yield re.sub(rb"//+", b"/", path), mend
    yield b"/" + path, mend
    for at in range(1, min(len(segments), MAX_PLACES)):
        yield b"/".join((*segments[:at], b"", *segments[at:])), mend


def _dots(path: bytes, segments: list[bytes]) -> Iterator[tuple[bytes, str]]:
    mend = "dot segments were resolved on the way (or weren't): have the proxy pass the path on"
    yield resolved(path), mend
    yield _DOTS.sub(b"", path), mend
    for at in (*range(1, min(len(segments), MAX_PLACES)), len(segments)):
        yield b"/".join((*segments[:at], b".", *segments[at:])), mend


def _encoded_slashes(segments: list[bytes]) -> Iterator[tuple[bytes, str]]:
    mend = "an encoded slash was decoded on the way: have the proxy pass %2F on, and sign the path as it is sent"
    for at in range(2, min(len(segments), MAX_PLACES)):
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
