"""Covered header fields, as they may have been before something joined, folded, trimmed, re-ordered or added to them."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterable, Iterator, Sequence
from email.utils import formatdate
from functools import partial
from itertools import permutations
from time import strptime
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import Change, limited, show, with_field

__all__ = ["MAX_FIELDS", "SENSITIVE", "fields"]

MAX_FIELDS: Final = 32
"""Covered fields that are guessed at."""
MAX_CHANGES: Final = 96
"""Changes of one field that are tried."""
MAX_VALUE: Final = 8 * 1024
"""Octets of a field's lines together that are guessed at."""
MAX_MEMBERS: Final = 8
"""Lines, or members of a list, that are tried one by one."""

SENSITIVE: Final = frozenset(
    {b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-api-key", b"x-amz-security-token", b"dpop"}
)
"""Fields whose values are not shown."""

_TYPICAL: Final = {
    b"accept": (b"*/*", b"application/json", b"application/json, text/plain, */*"),
    b"accept-encoding": (
        b"gzip, deflate", b"gzip, deflate, br", b"gzip, deflate, br, zstd", b"gzip", b"identity", b"", b"gzip, deflate, zstd",
    ),
    b"connection": (b"keep-alive", b"close", b"Keep-Alive"),
    b"content-encoding": (b"gzip", b"br", b"identity", b"deflate"),
    b"content-type": (
        b"application/json", b"application/x-www-form-urlencoded", b"application/json; charset=utf-8", b"text/plain",
        b"application/octet-stream", b"text/plain; charset=utf-8", b"application/x-www-form-urlencoded; charset=utf-8", b"",
        b"application/json;charset=utf-8", b"application/json; charset=UTF-8", b"application/json;charset=UTF-8",
        b"application/xml", b"text/xml", b"text/html",
    ),
    b"expect": (b"100-continue",),
    b"te": (b"trailers",),
    b"transfer-encoding": (b"chunked",),
    b"upgrade-insecure-requests": (b"1",),
    b"cache-control": (b"no-cache", b"max-age=0", b"no-store"),
    b"pragma": (b"no-cache",),
}  # fmt: skip
_RENAMED: Final = (
    b"x-original-%b",
    b"x-amzn-remapped-%b",
    b"x-forwarded-%b",
    b"x-orig-%b",
    b"x-%b",
    b"x-amz-%b",
    b"original-%b",
)
_DATED: Final = "a proxy, or the client library, wrote Date anew after signing: don't cover it"
_BLANKS: Final = re.compile(rb"[ \t\r\n]+")
_SEPARATOR: Final = re.compile(rb"[ \t]*([,;])[ \t]*")


def fields(request: Request, body: bytes, names: Iterable[bytes]) -> Iterator[Iterator[Change]]:
    """For each of the first `MAX_FIELDS` covered fields its changes, the likeliest first."""
    for name in list(dict.fromkeys(names))[:MAX_FIELDS]:
        yield limited(_field(request, body, name), MAX_CHANGES)


def _field(request: Request, body: bytes, name: bytes) -> Iterator[Change]:
    received = request.values(name)
    if sum(map(len, received)) > MAX_VALUE:
        return
    seen: set[tuple[bytes, ...]] = {tuple(received)}
    for lines, mend in _lines(request, body, name, received):
        if tuple(lines) not in seen:
            seen.add(tuple(lines))
            yield _change(name, lines, received, mend)


def _change(name: bytes, lines: Sequence[bytes], received: Sequence[bytes], mend: str) -> Change:
    if name in SENSITIVE:
        expected, shown = _hidden(lines), _hidden(received)
    else:
        expected, shown = show(_shown(lines), _shown(received))
    return Change(f"header {name.decode('latin-1')}", expected, shown, mend, partial(_undo, name, tuple(lines)))


def _undo(name: bytes, lines: tuple[bytes, ...], request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_field(request, name, lines), body


def _hidden(lines: Sequence[bytes]) -> str:
    return f"a value of {sum(map(len, lines))} octets in {len(lines)} lines" if lines else "no such field"


def _shown(lines: Sequence[bytes]) -> str:
    if not lines:
        return "no such field"
    return " | ".join(repr(line.decode("utf-8", "backslashreplace"))[1:-1] for line in lines)


def _lines(request: Request, body: bytes, name: bytes, received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    if name == b"content-length":
        yield (b"%d" % len(body),), "the body's length was changed or left out on the way: sign what is sent"
        yield (b"0",), "the body's length was changed on the way: sign what is sent"
    if not received:
        yield from _removed(request, name)
        return
    yield from _several(received)
    yield from _spaced(received)
    yield from _members(received)
    yield from _spelled(received)
    for value in _TYPICAL.get(name, ()):
        yield (
            (value,),
            "the value was replaced on the way, or the client library sets it after signing: sign what is sent",
        )
    mend = "the value was moved to another field on the way: have the proxy pass the field on"
    yield from _renamed(request, name, mend)
    yield (), "the field was added on the way, or by the client library after signing: sign what is sent"
    yield (b"",), "a value was put into an empty field on the way: sign what is sent"


def _removed(request: Request, name: bytes) -> Iterator[tuple[Sequence[bytes], str]]:
    mend = (
        "the field was taken away on the way, and that value was covered: have the proxy pass it on, or don't cover it"
    )
    yield from _renamed(request, name, mend)
    if name == b"host":
        yield (request.authority.encode("utf-8", "surrogateescape"),), mend
    for value in _TYPICAL.get(name, ()):
        yield (value,), mend
    yield (b"",), mend


def _renamed(request: Request, name: bytes, mend: str) -> Iterator[tuple[Sequence[bytes], str]]:
    for form in _RENAMED:
        if values := request.values(form % name):
            yield values[:MAX_MEMBERS], mend
    if name == b"date":
        for value in request.values(b"x-amz-date")[:1]:
            yield (value,), mend
            try:
                moment = strptime(value.decode("latin-1"), "%Y%m%dT%H%M%SZ")
            except ValueError:
                continue
            yield (formatdate(timegm(moment), usegmt=True).encode(),), _DATED


def _several(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """Lines in another order, joined, or added."""
    if len(received) < 2:
        return
    mend = "the order of the field's lines was changed on the way: it has to stay (RFC 9110 §5.3)"
    if len(received) <= 4:
        yield from ((order, mend) for order in permutations(received))
    else:
        yield received[::-1], mend
        yield sorted(received), mend
    mend = "lines of the field were added on the way: append to what isn't covered, or don't cover it"
    for at in range(min(len(received), MAX_MEMBERS) - 1, -1, -1):
        yield received[:at] + received[at + 1 :], mend
    yield list(dict.fromkeys(received)), mend
    mend = "the field's lines were joined or split on the way: sign one line"
    for glue in (b", ", b",", b"; ", b" "):
        yield (glue.join(received),), mend
        yield (glue.join(received[::-1]),), mend


def _spaced(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """White space and folds (RFC 9112 §5.2 has an obsolete fold read as spaces)."""
    mend = "white space in the value was changed on the way: send and sign it without any that isn't needed"
    for change in (
        lambda line: _BLANKS.sub(b" ", line).strip(),
        lambda line: _SEPARATOR.sub(rb"\1 ", line),
        lambda line: _SEPARATOR.sub(rb"\1", line),
        lambda line: line.strip(),
        lambda line: line.replace(b", ", b","),
        lambda line: line.replace(b",", b", "),
        lambda line: line.replace(b" ", b"  "),
        lambda line: line.replace(b"\t", b" "),
        lambda line: line.replace(b" ", b"\t"),
        lambda line: line.replace(b"=", b" = "),
        lambda line: line.replace(b" = ", b"="),
        lambda line: _BLANKS.sub(b"", line),
        lambda line: b" " + line,
        lambda line: line + b" ",
    ):
        yield [change(line) for line in received], mend
    mend = "the value was folded or unfolded on the way: send it on one line (RFC 9112 §5.2)"
    for fold in (b"\r\n ", b"\r\n\t", b"\n "):
        yield [line.replace(b" ", fold, 1) for line in received], mend
        yield [line.replace(b" ", fold) for line in received], mend
        yield [line.replace(fold, b" ") for line in received], mend
        yield [line.replace(fold, b"") for line in received], mend
    line = received[0]
    mend = "white space in the value was changed on the way: send and sign it without any that isn't needed"
    for at in [match.start() for match in re.finditer(rb"[ ]", line)][:MAX_MEMBERS]:
        yield (line[:at] + b"  " + line[at + 1 :], *received[1:]), mend
        yield (line[:at] + line[at + 1 :], *received[1:]), mend


def _members(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """A list's members (RFC 9110 §5.6.1): one appended by a hop, another order, a comma at the end, on several lines."""
    *before, line = received
    members = [member.strip(b" \t") for member in line.split(b",")]
    mend = "a proxy appended a member to the field's list: don't cover what proxies write"
    for most in range(1, min(len(members), MAX_MEMBERS)):
        yield (*before, b", ".join(members[:-most])), mend
        yield (*before, b",".join(members[:-most])), mend
    mend = "a comma or semicolon at the end of the value was added or dropped: send and sign it without"
    for end in (b",", b", ", b";", b"; "):
        yield (*before, line + end), mend
        yield (*before, line.removesuffix(end)), mend
    yield (*before, b", ".join(filter(None, members))), mend
    if len(members) < 2:
        return
    mend = (
        "the members of the field's list were re-ordered or removed on the way: the order has to stay (RFC 9110 §5.3)"
    )
    orders = permutations(members) if len(members) <= 4 else iter((members[::-1], sorted(members)))
    for order in orders:
        yield (*before, b", ".join(order)), mend
    for at in range(min(len(members), MAX_MEMBERS)):
        yield (*before, b", ".join(members[:at] + members[at + 1 :])), mend
    yield (*before, b", ".join(dict.fromkeys(members))), mend
    mend = "the field's lines were joined or split on the way: sign one line"
    yield (*before, *members), mend


def _spelled(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """Case, quotes, character encodings."""
    mend = "the case of the value was changed on the way: send it as it is signed"
    for case in (bytes.lower, bytes.upper, bytes.title, bytes.capitalize):
        yield [case(line) for line in received], mend
    mend = "quotes around the value were added or dropped on the way: send it as it is signed"
    yield [line.replace(b'"', b"") for line in received], mend
    yield [b'"%b"' % line for line in received], mend
    mend = "`; charset=…` was added or dropped on the way, or by the client library after signing: sign what is sent"
    for charset in (b"; charset=utf-8", b";charset=utf-8", b"; charset=UTF-8", b";charset=UTF-8"):
        yield [line + charset for line in received], mend
    yield [line.partition(b";")[0].rstrip(b" \t") for line in received], mend
    mend = "the value's character encoding was changed on the way: keep to ASCII in fields (RFC 9110 §5.5)"
    for one, other in (("latin-1", "utf-8"), ("utf-8", "latin-1")):
        try:
            yield [line.decode(one).encode(other) for line in received], mend
        except UnicodeError:
            continue
    mend = "the value was percent-encoded or decoded on the way: send it as it is signed"
    yield [unquote_to_bytes(line) for line in received], mend
    yield [quote(line, safe=" ,;=:/@\"'()<>?*+!$&%-._~").encode() for line in received], mend
