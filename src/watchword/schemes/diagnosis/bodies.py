"""The body, as it may have been before something parsed it and wrote it anew, packed it, or lost its last line break."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import partial
from itertools import islice, product
from json import dumps, loads
from typing import Any, Final
from unicodedata import normalize
from urllib.parse import parse_qsl, quote, quote_plus, unquote_to_bytes, urlencode

from watchword.core.message import Request
from watchword.schemes.diagnosis.change import Change, first_difference, with_field
from watchword.schemes.diagnosis.encodings import recoded, written
from watchword.schemes.diagnosis.json_text import members_alone, reordered, respelled
from watchword.schemes.diagnosis.targets import orders

__all__ = ["MAX_BODY", "bodies"]

MAX_BODY: Final = 128 * 1024
"""Octets of a body that is parsed, re-serialised, packed or unpacked; of a longer one only the ends are guessed at."""
MAX_WRITTEN: Final = 1024 * 1024
"""Octets of JSON that are written in all: the longer the body, the fewer of its spellings are tried."""
MAX_FORM: Final = 8 * 1024
"""Octets of a form that is encoded in other ways."""
MAX_PARAMS: Final = 12
"""Parameters of a form that are tried one by one."""

_NOTHING: Final = (b"null", b"{}", b"undefined", b"[object Object]", b"None", b'""', b"[]", b"nil", b"b''", b"false")
_BOM: Final = b"\xef\xbb\xbf"
_ANEW = "sign exactly the octets that are sent, and verify them before anything parses them"


def bodies(request: Request, body: bytes) -> Iterator[Change]:
    """Ends, line ends, JSON, forms, character sets, content codings, wrappers, no body at all."""
    seen = {body}
    for signed, happened in _bodies(request, body):
        if signed not in seen:
            seen.add(signed)
            expected, received = _shown(signed, body)
            yield Change("body", expected, received, happened, partial(_undo, signed))


def _undo(signed: bytes, request: Request, body: bytes) -> tuple[Request, bytes]:
    """With the body its length, where the request says one."""
    if request.values(b"content-length"):
        request = with_field(request, b"content-length", (b"%d" % len(signed),))
    return request, signed


def _shown(signed: bytes, received: bytes) -> tuple[str, str]:
    """Lengths and the one octet at which they part: a body may hold what nobody wants in a log."""
    at = first_difference(signed, received)

    def octet(data: bytes) -> str:
        return f"{len(data)} octets, octet {at} is 0x{data[at]:02x}" if at < len(data) else f"{len(data)} octets"

    return octet(signed), octet(received)


def _bodies(request: Request, body: bytes) -> Iterator[tuple[bytes, str]]:
    yield b"", f"it was signed as an empty body: {_ANEW}"
    added = f"a line break was added at its end: {_ANEW}"
    lost = f"a line break was lost at its end: {_ANEW}"
    yield body.rstrip(b"\r\n"), added
    yield body + b"\n", lost
    yield body + b"\r\n", lost
    yield body.removesuffix(b"\n"), added
    yield body.removesuffix(b"\r\n"), added
    yield body.rstrip(b"\0"), f"NUL was added at its end (the buffer, instead of what was read into it): {_ANEW}"
    yield body.strip(), f"white space was added around it: {_ANEW}"
    yield body.removeprefix(_BOM), f"a byte order mark was added: {_ANEW}"
    yield _BOM + body, f"a byte order mark was lost: {_ANEW}"
    for placeholder in _NOTHING:
        yield placeholder, f"something was signed that stands for no body ({placeholder.decode()}): {_ANEW}"
    ends = f"its line ends were changed between LF and CRLF: {_ANEW}"
    lines = body.replace(b"\r\n", b"\n")
    yield lines, ends
    yield lines.replace(b"\n", b"\r\n"), ends
    yield body.replace(b"\r", b"\n"), ends
    if len(body) > MAX_BODY:
        return
    yield from _came(body)
    yield from _json(body)
    yield from _raw(body)
    yield from _packed(request, body)
    if b"=" in body and body.lstrip()[:1] not in (b"{", b"[", b"<"):
        yield from _form(body)
    yield from _in_charsets(body)
    yield from _wrapped(body)
    text = body.removeprefix(_BOM)
    yield from islice(reordered(text), MAX_WRITTEN // max(1, len(text)))


def _came(body: bytes) -> Iterator[tuple[bytes, str]]:
    """What was done to it on the way, where that can be seen and taken back: doubled, framed, put into a form, printed."""
    half = len(body) // 2
    if body[:half] == body[-half:]:
        yield body[:half], f"it came twice, the one behind the other: {_ANEW}"
    if body.endswith(b"0\r\n\r\n"):
        yield (
            _unframed(body),
            f"it came with the frames of its chunks (Transfer-Encoding), which are no part of it: {_ANEW}",
        )
    member = re.fullmatch(rb"[A-Za-z_]{1,32}=([^&]*)", body)
    if member is not None:
        yield (
            unquote_to_bytes(member[1].replace(b"+", b" ")),
            f"it came as a member of a form, percent-encoded: {_ANEW}",
        )
    if body[:2] in (b"{'", b"['"):
        printed = f"the value came as Python prints it, with ' for \" (single quotes), not as JSON: {_ANEW}"
        text = re.sub(rb"\b(None|True|False)\b", lambda word: _WORDS[word[1]], body.replace(b"'", b'"'))
        yield text, printed
        yield from ((other, printed) for other, _ in islice(respelled(text), 4))


_WORDS: Final = {b"None": b"null", b"True": b"true", b"False": b"false"}


def _unframed(body: bytes) -> bytes:
    """The data of its chunks (RFC 9112 §7.1), as far as it has any."""
    data, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16) if re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size) else 0
        if not length:
            break
        data, rest = data + rest[:length], rest[length + 2 :]
    return data


def _json(body: bytes) -> Iterator[tuple[bytes, str]]:
    """As long as there is a budget left, the likeliest first; the first few with a line break at their end as well."""
    text = body.removeprefix(_BOM)
    ended: list[tuple[bytes, str]] = []
    for other, happened in islice(respelled(text), max(4, MAX_WRITTEN // max(1, len(text)))):
        yield other, happened
        if len(ended) < 36:
            ended.append((other + b"\n", f"{happened}; it had a line break at its end"))
    yield from ended
    yield from islice(members_alone(text), MAX_WRITTEN // max(1, len(text)))


def _raw(body: bytes) -> Iterator[tuple[bytes, str]]:
    """Text in which characters were escaped, or parts lost, and nothing else was touched."""
    escapes = f"JSON was written anew with other escapes, or none: {_ANEW}"
    text = body.decode("utf-8", "replace")
    yield (
        "".join(char if char.isascii() else dumps(char)[1:-1] for char in text).encode(),
        f"non-ASCII characters were escaped in the JSON: {_ANEW}",
    )
    for one, other in ((b"<", b"\\u003c"), (b"/", b"\\/"), (b"\\/", b"/")):
        changed = body.replace(one, other)
        yield changed, escapes
        yield changed.replace(b">", b"\\u003e").replace(b"&", b"\\u0026"), escapes
    yield body.replace(b'"', b"'"), f"it was signed with ' for \" (single quotes): {_ANEW}"
    for away in range(1, min(64, len(body))):
        yield body[:-away], f"{away} octets at its end were left out where it was signed, as if it were cut: {_ANEW}"
    for size in (64, 128, 256, 512, 1000, 1024, 4096, 8192, 65536):
        yield body[:size], f"it was cut at {size} octets where it was signed: {_ANEW}"
        if len(body) < size <= 8192:
            yield body.ljust(size, b"\0"), f"a buffer filled with NUL to {size} octets was signed: {_ANEW}"


def _packed(request: Request, body: bytes) -> Iterator[tuple[bytes, str]]:
    unpacked = f"its content coding (gzip, deflate) was taken off or put on after signing: {_ANEW}"
    for window in (31, 15, -15):
        data = _inflated(body, window)
        if data is not None:
            yield data, unpacked
    for window in (31, 15, -15):
        for level in (-1, 9, 1):
            packer = zlib.compressobj(level, zlib.DEFLATED, window)
            data = packer.compress(body) + packer.flush()
            yield data, unpacked
            if window == 31:
                for system in (b"\xff", b"\x00"):
                    yield data[:9] + system + data[10:], unpacked


def _inflated(body: bytes, window: int) -> bytes | None:
    """What `body` unpacks to; None if it isn't packed so, or to more than MAX_BODY octets."""
    unpacker = zlib.decompressobj(window)
    try:
        data = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error:
        return None
    return data if unpacker.eof and len(data) <= MAX_BODY else None


def _form(body: bytes) -> Iterator[tuple[bytes, str]]:
    anew = f"the form was written anew (order, encoding): {_ANEW}"
    for other in recoded(body, keep=b"&=") if len(body) <= MAX_FORM else ():
        yield other, anew
    yield from ((other, f"the form was made JSON: {_ANEW}") for other in _as_json(body))
    params = body.split(b"&")
    yield b"&".join(sorted(params)), anew
    yield b"&".join(reversed(params)), anew
    for other in written(body) if len(body) <= MAX_FORM else ():
        yield other, anew
    for at in range(min(len(params), MAX_PARAMS)):
        for place in (at, len(params) - 1 - at):
            rest = params[:place] + params[place + 1 :]
            name = params[place].partition(b"=")[0].decode("utf-8", "backslashreplace")[:64]
            added = f"the parameter {name} was added to the form on the way, or left out of what is signed: {_ANEW}"
            yield b"&".join(rest), added
    for order in orders(params):
        yield b"&".join(order), anew


def _as_json(body: bytes) -> Iterator[bytes]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FORM // 8)
    except ValueError:
        return
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    for ascii_only in (True, False):
        for separators in ((",", ":"), (", ", ": ")):
            yield dumps(dict(pairs), ensure_ascii=ascii_only, separators=separators).encode("utf-8", "replace")
            yield dumps(lists, ensure_ascii=ascii_only, separators=separators).encode("utf-8", "replace")


def _in_charsets(body: bytes) -> Iterator[tuple[bytes, str]]:
    charset = f"its character encoding was changed: {_ANEW}"
    for one, other in (
        ("utf-8", "latin-1"), ("latin-1", "utf-8"), ("utf-8", "cp1252"), ("cp1252", "utf-8"), ("utf-8", "utf-16-le"),
        ("utf-8", "utf-16-be"), ("utf-8", "utf-16"), ("utf-16", "utf-8"),
    ):  # fmt: skip
        try:
            yield body.decode(one).encode(other), charset
        except UnicodeError:
            continue
    for form in ("NFC", "NFD"):
        try:
            yield normalize("NFC" if form == "NFC" else "NFD", body.decode()).encode(), charset
        except UnicodeError:
            break
    for replacement in ("replace", "ignore"):
        yield body.decode("utf-8", replacement).encode(), charset
        yield body.decode("utf-8", replacement).encode("ascii", replacement), charset
    try:
        yield body.decode().encode("ascii", "xmlcharrefreplace"), charset
    except UnicodeError:
        return


def _of_parsed(value: Any) -> Iterator[tuple[bytes, str]]:
    """What was signed in place of JSON, or sent as a form and made JSON on the way."""
    if not isinstance(value, dict) or len(value) > MAX_FORM // 8:
        return
    yield (
        repr(value).encode("utf-8", "surrogatepass"),
        f"the printed value was signed, not the JSON that is sent: {_ANEW}",
    )
    said = [
        (name, each if isinstance(each, str) else dumps(each, separators=(",", ":"))) for name, each in value.items()
    ]
    for some, (equals, mark) in product(
        (said, sorted(said)), (("=", "&"), ("=", ""), ("", ""), (":", ","), ("=", "\n"))
    ):
        row, alone = mark.join([name + equals + each for name, each in some]), mark.join([each for _, each in some])
        yield (
            row.encode("utf-8", "surrogatepass"),
            f"the JSON's members were signed as names and values in a row: {_ANEW}",
        )
        yield alone.encode("utf-8", "surrogatepass"), f"the JSON's values were signed without their names: {_ANEW}"
    yield urlencode(value).encode(), f"the JSON's members were signed as a form: {_ANEW}"
    yield urlencode(value, doseq=True).encode(), f"the JSON's members were signed as a form: {_ANEW}"
    if not all(isinstance(each, str) for each in value.values()):
        return
    text = f"a form was written anew as JSON: {_ANEW}"
    pairs = {
        name.encode("utf-8", "surrogatepass"): each.encode("utf-8", "surrogatepass") for name, each in value.items()
    }
    for way in (quote_plus, quote):
        for safe in ("", "~", "*"):
            encoded = "&".join(f"{way(name, safe=safe)}={way(each, safe=safe)}" for name, each in pairs.items())
            yield encoded.encode(), text
            yield encoded.replace("~", "%7E").encode(), text


def _wrapped(body: bytes) -> Iterator[tuple[bytes, str]]:
    wrapped = f"it was wrapped or unwrapped (quotes, an envelope, base64): {_ANEW}"

    if body[:1] == body[-1:] and body[:1] in (b'"', b"'") and len(body) > 1:
        yield body[1:-1], wrapped
    try:
        inner = loads(body)
        if isinstance(inner, str):
            yield inner.encode("utf-8", "surrogatepass"), wrapped
        else:
            yield from _of_parsed(inner)
    except (ValueError, RecursionError):
        pass
    try:
        yield dumps(body.decode()).encode(), wrapped
    except UnicodeDecodeError:
        pass
    yield b"[" + body + b"]", wrapped
    if body[:1] == b"[" and body[-1:] == b"]":
        yield body[1:-1], wrapped
    if body[:1] == b"{":
        for name in (b"data", b"body", b"payload", b"message", b"event"):
            yield b'{"%b":%b}' % (name, body), wrapped
            yield b'{"%b": %b}' % (name, body), wrapped
            start, end = b'{"%b":' % name, b"}"
            if body.startswith(start) and body.endswith(end):
                yield body[len(start) : -1].strip(), wrapped
    try:
        yield b64decode(body, validate=True), wrapped
    except ValueError:
        pass
    yield b64encode(body), wrapped
    yield b"payload=" + quote_plus(body).encode(), wrapped
