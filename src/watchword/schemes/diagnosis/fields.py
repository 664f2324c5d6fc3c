"""Covered header fields, as they may have been before something joined, folded, trimmed, re-ordered or added to them."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from itertools import islice, permutations, product
from time import strptime
from typing import Final
from urllib.parse import unquote_to_bytes

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import Change, show, varied, with_field
from watchword.schemes.diagnosis.text_axes import percent

__all__ = ["MAX_FIELDS", "SENSITIVE", "fields"]

MAX_FIELDS: Final = 32
"""Covered fields that are guessed at."""
MAX_CHANGES: Final = 96
"""Changes of one field that are tried."""
MAX_VALUE: Final = 8 * 1024
"""Octets of a field's lines together that are guessed at."""
MAX_LATE: Final = 31
"""Seconds by which a Date is taken to have been written later than it was signed."""
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
    b"x-original-%b", b"x-amzn-remapped-%b", b"x-forwarded-%b", b"x-orig-%b", b"x-%b", b"x-amz-%b", b"original-%b",
)  # fmt: skip
_DATED: Final = "a proxy, or the client library, wrote Date anew after signing: don't cover it"
_BLANKS: Final = re.compile(rb"[ \t\r\n]+")
_SEPARATOR: Final = re.compile(rb"[ \t]*([,;])[ \t]*")


def fields(request: Request, body: bytes, names: Iterable[bytes]) -> Iterator[Iterator[Change]]:
    """For each of the first `MAX_FIELDS` covered fields its changes, the likeliest first."""
    for name in list(dict.fromkeys(names))[:MAX_FIELDS]:
        yield islice(_field(request, body, name), MAX_CHANGES)


def _field(request: Request, body: bytes, name: bytes) -> Iterator[Change]:
    received = tuple(request.values(name))
    if sum(map(len, received)) > MAX_VALUE:
        return iter(())
    found = ((tuple(lines), mend) for lines, mend in _lines(request, body, name, list(received)))
    shown = _both_hidden if name in SENSITIVE else _both_shown
    return varied(f"header {name.decode('latin-1')}", received, found, partial(_undo, name), shown)


def _undo(name: bytes, lines: tuple[bytes, ...], request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_field(request, name, lines), body


def _both_hidden(one: Sequence[bytes], other: Sequence[bytes]) -> tuple[str, str]:
    return _hidden(one), _hidden(other)


def _both_shown(one: Sequence[bytes], other: Sequence[bytes]) -> tuple[str, str]:
    return show(_shown(one), _shown(other))


def _exchanged(one: bytes, other: bytes, line: bytes) -> bytes:
    return line.replace(one, other)


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
    if name == b"date":
        yield from _dates(received)
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


def _dates(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """Seconds before, which is when it was signed, and a few after."""
    try:
        moment = timegm(parsedate_to_datetime(received[0].decode("latin-1")).utctimetuple())
    except (ValueError, OverflowError):
        return
    for away in (*range(1, MAX_LATE), *range(-1, -4, -1)):
        yield (formatdate(moment - away, usegmt=True).encode(),), _DATED


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


_SPACINGS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda line: _BLANKS.sub(b" ", line).strip(), lambda line: _SEPARATOR.sub(rb"\1 ", line), lambda line: _SEPARATOR.sub(rb"\1", line),
    bytes.strip, *(partial(_exchanged, one, other) for one, other in (
        (b", ", b","), (b",", b", "), (b" ", b"  "), (b"\t", b" "), (b" ", b"\t"), (b"=", b" = "), (b" = ", b"="),
    )), lambda line: _BLANKS.sub(b"", line), lambda line: b" " + line, lambda line: line + b" ",
)  # fmt: skip
_SPACED: Final = "white space in the value was changed on the way: send and sign it without any that isn't needed"
_FOLDED: Final = "the value was folded or unfolded on the way: send it on one line (RFC 9112 §5.2)"


def _spaced(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """White space and folds (RFC 9112 §5.2 has an obsolete fold read as spaces)."""
    for change in _SPACINGS:
        yield [change(line) for line in received], _SPACED
    for fold in (b"\r\n ", b"\r\n\t", b"\n "):
        yield [line.replace(b" ", fold, 1) for line in received], _FOLDED
        for one, other in ((b" ", fold), (fold, b" "), (fold, b"")):
            yield [line.replace(one, other) for line in received], _FOLDED
    line = received[0]
    for at in [match.start() for match in re.finditer(rb"[ ]", line)][:MAX_MEMBERS]:
        for space in (b"  ", b""):
            yield (line[:at] + space + line[at + 1 :], *received[1:]), _SPACED


def _members(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """A list's members (RFC 9110 §5.6.1): one appended by a hop, another order, a comma at the end, on several lines."""
    *before, line = received
    mark = b";" if b"," not in line and all(b"=" in pair for pair in line.split(b";")) else b","
    members = [member.strip(b" \t") for member in line.split(mark)]
    mend = "a proxy appended a member to the field's list: don't cover what proxies write"
    for most in range(1, min(len(members), MAX_MEMBERS)):
        for some in (members[:-most], members[most:]):
            yield (*before, (mark + b" ").join(some)), mend
            yield (*before, mark.join(some)), mend
    mend = "a comma or semicolon at the end of the value was added or dropped: send and sign it without"
    for end in (b",", b", ", b";", b"; "):
        yield (*before, line + end), mend
        yield (*before, line.removesuffix(end)), mend
    yield (*before, (mark + b" ").join(filter(None, members))), mend
    if len(members) < 2:
        return
    mend = (
        "the members of the field's list were re-ordered or removed on the way: the order has to stay (RFC 9110 §5.3)"
    )
    orders = permutations(members) if len(members) <= 4 else iter((members[::-1], sorted(members)))
    for order in orders:
        yield (*before, (mark + b" ").join(order)), mend
    for at in range(min(len(members), MAX_MEMBERS)):
        yield (*before, (mark + b" ").join(members[:at] + members[at + 1 :])), mend
    yield (*before, (mark + b" ").join(dict.fromkeys(members))), mend
    mend = "the field's lines were joined or split on the way: sign one line"
    yield (*before, *members), mend


_CASE: Final = "the case of the value was changed on the way: send it as it is signed"
_QUOTED: Final = "quotes around the value were added or dropped on the way: send it as it is signed"
_CHARSET: Final = (
    "`; charset=…` was added or dropped on the way, or by the client library after signing: sign what is sent"
)
_RECODED: Final = "the value's character encoding was changed on the way: keep to ASCII in fields (RFC 9110 §5.5)"
_PERCENT: Final = "the value was percent-encoded or decoded on the way: send it as it is signed"
_SPELLINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    *((_CASE, case) for case in (bytes.lower, bytes.upper, bytes.title, bytes.capitalize)),
    (_QUOTED, lambda line: line.replace(b'"', b"")), (_QUOTED, lambda line: b'"%b"' % line),
    (_CHARSET, lambda line: line + b"; charset=utf-8"),
    (_CHARSET, lambda line: line + b";charset=utf-8"), (_CHARSET, lambda line: line + b"; charset=UTF-8"),
    (_CHARSET, lambda line: line + b";charset=UTF-8"), (_CHARSET, lambda line: line.partition(b";")[0].rstrip(b" \t")),
    (_RECODED, lambda line: line.decode("latin-1").encode()), (_RECODED, lambda line: line.decode().encode("latin-1")),
    (_PERCENT, unquote_to_bytes), (_PERCENT, lambda line: percent(line, " ,;=:/@\"'()<>?*+!$&%-._~")),
)  # fmt: skip


def _spelled(received: list[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """Case, quotes, character encodings."""
    for mend, change in _SPELLINGS:
        with suppress(UnicodeError):
            yield [change(line) for line in received], mend
    first, slash, rest = received[0].partition(b"/")
    for one, other in product((bytes.lower, bytes.title, bytes.upper), repeat=2) if slash else ():
        yield (one(first) + slash + other(rest), *received[1:]), _CASE
