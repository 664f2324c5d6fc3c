"""What happens to a text between who made it and who reads it: one table, for all who explain.

A row does one thing to octets (`put`) and undoes it (`take`), each with words. The words of `put` complete "it came …" and "the
client signs it …"; so do those of `take`, for whoever undid what belonged there. `spellings` gives both directions: what a client
may have signed, or used as the key, in place of the octets that were agreed on. `undone` takes back what came.
"""

from __future__ import annotations

import json
import re
from base64 import (
    a85decode,
    a85encode,
    b32decode,
    b32encode,
    b64decode,
    b64encode,
    b85decode,
    b85encode,
    urlsafe_b64encode,
)
from binascii import unhexlify
from codecs import encode as transformed
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape, unescape
from typing import Final, NamedTuple
from unicodedata import normalize
from urllib.parse import quote, quote_plus, unquote_to_bytes

__all__ = [
    "MAX_TEXT", "SPELLINGS", "base64_octets", "decoded", "javascript_escaped", "percent", "spellings", "undone", "without_repeats",
]  # fmt: skip

MAX_TEXT: Final = 16 * 1024
"""Octets of a text that is looked at."""

Change = Callable[[bytes], bytes]
"""Raises ValueError for octets that it can't be done to."""
Changes = Callable[[bytes], bytes | list[bytes]]
"""One that may have undone one of several things."""

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_SHELL: Final = re.compile(rb"[$\"\\`!&;|<>*?(){}' ]")
_BOM: Final = b"\xef\xbb\xbf"
_TRIPLE: Final = re.compile(rb"%[0-9A-F]{2}")
_QUOTES: Final = (
    ('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("‘", "’"), ("«", "»"), ("„", "“"), ('\\"', '\\"'), ("&quot;", "&quot;"), ("%22", "%22"),
)  # fmt: skip
_BRACKETS: Final = (("<", ">"), ("[", "]"), ("{", "}"), ("(", ")"))
_CURLY: Final = str.maketrans("“”„‘’–—‐−", '"""\'\'----')
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_PREFIX: Final = re.compile(rb"^[A-Za-z0-9]{1,12}[_:-]")
_ODD_SPACES: Final = re.compile("[\u00a0\u2000-\u200a\u202f\u3000\t]")
_ESCAPED_END: Final = re.compile(rb"(?:\\r|\\n|%0[aAdD]|\\t)+$")
_NAMED: Final = re.compile(r"[\w .-]{0,30}?[A-Za-z]\"?'? ?(?:=>|[=:]) ?(?=[^\s=])")


class Axis(NamedTuple):
    """One thing that happens to a text.

    Args:
        words: of having done it; "" if nobody does.
        put: does it; None where it can't be done in one way.
        taken: the words of having undone it; "" if nobody does.
        take: undoes it; None where that can't be told from what it was before.
    """

    words: str
    put: Change | None = None
    taken: str = ""
    take: Changes | None = None


def _text(change: Callable[[str], str | Sequence[str | bytes]]) -> Changes:
    def changed(octets: bytes) -> list[bytes]:
        found = change(octets.decode())
        listed = [found] if isinstance(found, str) else found
        return [each if isinstance(each, bytes) else each.encode("utf-8", "surrogatepass") for each in listed]

    return changed


def _in(charset: str, errors: str = "strict") -> Change:
    return lambda octets: octets.decode().encode(charset, errors)


def _after(more: bytes) -> Change:
    return lambda octets: octets + more


def _lines(end: bytes) -> Change:
    return lambda octets: octets.replace(b"\r\n", b"\n").replace(b"\n", end)


def _replaced(one: bytes, other: bytes) -> Change:
    return lambda octets: octets.replace(one, other)


def percent(octets: bytes, safe: str = "-._~") -> bytes:
    """Percent-encoded, but for letters, digits and `safe`."""
    return quote(octets, safe=safe).encode()


def _json(octets: bytes) -> bytes:
    return json.dumps(octets.decode()).encode()


def base64_octets(text: bytes) -> bytes | None:
    """The octets of base64 in either alphabet, with padding or without; None for what is none."""
    bare = text.rstrip(b"=").translate(_TO_STANDARD)
    try:
        return b64decode(bare + b"=" * (-len(bare) % 4), validate=True) if bare else None
    except ValueError:
        return None


def _padded(text: bytes, block: int = 4) -> bytes:
    return text + b"=" * (-len(text) % block)


def _loosely(text: bytes) -> bytes:
    bare = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    return b64decode(_padded(bare[: -1 if len(bare) % 4 == 1 else None]))


def _of_base64(text: bytes) -> bytes:
    return b64decode(_padded(text), validate=True)


def _of_base64url(text: bytes) -> bytes:
    return b64decode(_padded(text).translate(_TO_STANDARD), validate=True)


def _of_decimals(text: bytes) -> bytes:
    numbers = [int(each) for each in text.strip(b"[]{}() ").split(b",")]
    if len(numbers) == 1 or not all(-128 <= each < 256 for each in numbers):
        raise ValueError("it is no list of octets")
    return bytes(each % 256 for each in numbers)


def _of_number(text: bytes) -> bytes:
    number = int(text)
    if not text.isdigit() or not 1 << 56 <= number < 1 << 4096:
        raise ValueError("it is no number of so many octets")
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _turned(octets: bytes) -> bytes:
    return transformed(octets.decode("latin-1"), "rot13").encode("latin-1")


def _of_mime(text: str) -> list[str]:
    """An encoded word of UTF-8 in base64 (RFC 2047 §2)."""
    match = re.fullmatch(r"=\?(?:utf-8|us-ascii)\?B\?([A-Za-z0-9+/=]+)\?=", text.strip(), re.IGNORECASE)
    return [b64decode(match[1]).decode()] if match else []


def _called(text: str) -> list[str]:
    match = re.fullmatch(r"[A-Za-z_][\w.]*\((['\"]?)(.+)\1\)", text.strip(), re.DOTALL)
    return [match[2]] if match else []


def _unquoted(text: str, marks: Iterable[tuple[str, str]] = _QUOTES) -> list[str]:
    bare = text.strip()
    found = []
    for start, end in marks:
        if bare.startswith(start) and bare.endswith(end) and len(bare) >= len(start) + len(end):
            found.append(bare[len(start) : len(bare) - len(end)])
        elif bare.startswith(start):
            found.append(bare[len(start) :])
        elif bare.endswith(end):
            found.append(bare[: -len(end)])
    return found


def _literal(text: str) -> list[str | bytes]:
    match = re.fullmatch(r"[bBuUrR]+(['\"])(.*)\1", text.strip(), re.DOTALL)
    if match is None:
        return []
    if re.search(r"\\x[89a-fA-F]", match[2]):  # octets beyond ASCII, as a program prints them
        escaped = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda each: unhexlify(each[1]), match[2].encode())
        return [escaped, match[2]]
    return [match[2]]


def _unescaped(text: str) -> list[str]:
    """Without backslashes, and with what they stand for in JSON and most languages."""
    found = [re.sub(r"\\(.)", r"\1", text)]
    try:
        value: object = json.loads(f'"{text}"' if text[:1] != '"' else text)
    except ValueError:
        return found
    return [value, *found] if isinstance(value, str) else found


def _members(text: str) -> list[str]:
    """The texts of a JSON object or list, or of what `str` makes of a dict."""
    bare = text.strip()
    if bare[:1] not in ("{", "["):
        return []
    try:
        value = json.loads(bare)
    except ValueError:
        value = json.loads(re.sub(r"\b(None|True|False)\b", "null", bare).replace("'", '"'))
    values = list(value.values()) if isinstance(value, dict) else value
    inner = [each for one in values if isinstance(one, dict) for each in one.values()]
    return [each for each in (*values, *inner) if isinstance(each, str)]


def _after_its_name(text: str) -> list[str]:
    match = _NAMED.match(text)
    return [text[match.end() :]] if match else []


def _half(text: str) -> list[str]:
    """What stands there twice, with nothing, one or two characters between."""
    size = len(text)
    return [
        text[: (size - gap) // 2]
        for gap in (0, 1, 2)
        if (size - gap) % 2 == 0 and size > 2 * gap and text[: (size - gap) // 2] == text[(size + gap) // 2 :]
    ]


def javascript_escaped(octets: bytes) -> bytes:
    """As the function `escape` of browsers has it."""
    text = octets.decode()
    return (
        quote(
            "".join(char if ord(char) < 256 else f"\0{ord(char):04X}" for char in text),
            safe="@*_+-./",
            encoding="latin-1",
        )
        .replace("%00", "%u")
        .encode()
    )


def _of_utf_16(octets: bytes) -> list[bytes]:
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return [octets.decode("utf-16").encode()]
    if b"\0" not in octets:
        return []
    return [octets.decode(name).encode() for name in ("utf-16-le", "utf-16-be") if len(octets) % 2 == 0]


def _of_latin_1(octets: bytes) -> list[bytes]:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return [octets.decode("cp1252").encode()]
    return []


_ENCODED: Final = (
    Axis("in hex", lambda octets: octets.hex().encode(), "decoded from hex", unhexlify),
    Axis("in base64", b64encode, "decoded from base64", _of_base64),
    Axis("in base64url", urlsafe_b64encode, "decoded from base64url", _of_base64url),
    Axis("in base64 without padding", lambda octets: b64encode(octets).rstrip(b"="), "without its padding", lambda octets: octets.rstrip(b"=")),
    Axis("in base64url without padding", lambda octets: urlsafe_b64encode(octets).rstrip(b"="), "with padding", _padded),
    Axis("in hex, without the zeros before single digits", lambda octets: "".join(f"{octet:x}" for octet in octets).encode()),
    Axis("in hex, in capitals", lambda octets: octets.hex().upper().encode()),
    Axis("", None, "decoded from base64, what is none passed over", _loosely),
    Axis("", None, "decoded from base64, its incomplete end left out", lambda text: b64decode(text[: -(len(text) % 4) or None], validate=True)),
    Axis("", None, "decoded from base64 of either alphabet, what is none passed over", lambda text: _loosely(text.translate(_TO_STANDARD))),
    Axis("as decimal numbers with commas", lambda octets: b",".join(b"%d" % octet for octet in octets), "decoded from decimal numbers with commas", _of_decimals),
    Axis("in base32", b32encode, "decoded from base32", lambda text: b32decode(_padded(text, 8), casefold=True)),
)  # fmt: skip
_TYPED: Final = (
    Axis("with a line break at its end", _after(b"\n"), "without its last line break", lambda octets: octets.rstrip(b"\r\n")),
    Axis("with a line break (CRLF) at its end", _after(b"\r\n")),
    Axis("with blanks or a line end around it", None, "without the white space around it", bytes.strip),
    Axis("with a space at its end", _after(b" ")),
    Axis("with a space before it", lambda octets: b" " + octets),
    Axis("with a tab at its end", _after(b"\t")),
    Axis("with two line breaks at its end", _after(b"\n\n")),
    Axis("that is empty: it isn't set", lambda _: b""),
    Axis("with a line break before it, an empty first line", lambda octets: b"\n" + octets),
    Axis("without its prefix, up to the first _, : or -", lambda octets: _PREFIX.sub(b"", octets)),
    Axis("in lower case", bytes.lower),
    Axis("in upper case", bytes.upper),
    Axis("with capitals at its words' beginnings", bytes.title),
    Axis("in quotes", lambda octets: b'"%b"' % octets, "without the quotes around it", _text(_unquoted)),
    Axis("in single quotes", lambda octets: b"'%b'" % octets),
    Axis("without any quotes", lambda octets: octets.replace(b'"', b"").replace(b"'", b"")),
    Axis("in quotes with a comma behind them, as a line of JSON", lambda octets: b'"%b",' % octets, "", _text(lambda text: _unquoted(text.strip().rstrip(",;")) if text.strip()[-1:] in (",", ";") else [])),
    Axis("in angle brackets", lambda octets: b"<%b>" % octets),
    Axis("in brackets or braces", None, "", _text(lambda text: _unquoted(text, _BRACKETS))),
    Axis("with a comma behind it", _after(b",")),
    Axis("with a semicolon behind it", _after(b";")),
    Axis("with a no-break space at its end", _after("\u00a0".encode())),
    Axis("with a zero-width space at its end", _after("\u200b".encode())),
    Axis("with a zero-width space before it", lambda octets: "\u200b".encode() + octets),
    Axis("with its last character missing: it was cut", lambda octets: octets[:-1]),
    Axis("with its first character missing: it was cut", lambda octets: octets[1:]),
    Axis("with a line end at its end of two characters, \\n", _after(b"\\n")),
    Axis("with a shell's backslashes, an escape before each character that it knows", lambda octets: _SHELL.sub(rb"\\\g<0>", octets)),
    Axis("filled with blanks to 64 octets", lambda octets: octets.ljust(64)),
    Axis("with & before it", lambda octets: b"&" + octets),
    Axis("percent-encoded", percent, "percent-decoded", unquote_to_bytes),
    Axis("percent-encoded, / left as it is", lambda octets: percent(octets, "/-._~")),
    Axis("percent-encoded with lower-case digits", lambda octets: _TRIPLE.sub(lambda match: match[0].lower(), percent(octets))),
    Axis("percent-encoded, with + for a space", lambda octets: quote_plus(octets, safe="-._~").encode()),
    Axis("percent-encoded twice", lambda octets: percent(percent(octets)), "percent-decoded twice", lambda octets: unquote_to_bytes(unquote_to_bytes(octets))),
    Axis("with + for spaces", _replaced(b" ", b"+"), "with each + read as a space", _replaced(b"+", b" ")),
    Axis("with spaces for +", None, "", _replaced(b" ", b"+")),
    Axis("with HTML escapes", lambda octets: escape(octets.decode()).encode(), "with HTML escapes read", _text(unescape)),
    Axis("with a line end written as an escape", None, "", lambda octets: _ESCAPED_END.sub(b"", octets)),
    Axis("as a bytes literal, b'…'", lambda octets: repr(octets).encode(), "", _text(_literal)),
    Axis("with punctuation around it", None, "", lambda octets: octets.strip(b" ,;.:")),
    Axis("as a JSON string", _json),
    Axis("with backslash escapes", lambda octets: _json(octets)[1:-1], "with its backslash escapes read", _text(_unescaped)),
    Axis("as a JSON string with its quotes, / escaped", lambda octets: _json(octets).replace(b"/", b"\\/")),
    Axis("with each / as \\/", _replaced(b"/", b"\\/")),
    Axis("with each \\ doubled", _replaced(b"\\", b"\\\\")),
    Axis("in typographic quotes", lambda octets: b"\xe2\x80\x9c%b\xe2\x80\x9d" % octets),
    Axis("with its name before it", None, "", _text(_after_its_name)),
    Axis("as the whole answer, in JSON", None, "", _text(_members)),
    Axis("as one parameter of several", None, "", _text(lambda text: re.findall(r'=\s*"([^"]+)"', text)[:8])),
    Axis("several times, joined by a comma", None, "", lambda octets: [part.strip() for part in octets.split(b",")][:8]),
    Axis("twice, with a separator or nothing between the two", lambda octets: octets + octets, "", _text(_half)),
    Axis("in the other alphabet of base64, - and _", lambda octets: octets.translate(_TO_URL)),
    Axis("in the other alphabet of base64, + and /", lambda octets: octets.translate(_TO_STANDARD)),
    Axis("with its line ends as CRLF", _lines(b"\r\n"), "with its line ends as LF", _lines(b"\n")),
    Axis("with \\n as two characters for each line end", _lines(b"\\n"), "with each \\n of two characters as a line end", _replaced(b"\\n", b"\n")),
    Axis("without its line ends", _lines(b"")),
    Axis("without its spaces", _replaced(b" ", b"")),
    Axis("with a byte order mark before it", lambda octets: _BOM + octets, "without the byte order mark before it", lambda octets: octets.removeprefix(_BOM)),
    Axis("with a NUL at its end", _after(b"\0"), "cut at its first NUL", lambda octets: octets.partition(b"\0")[0]),
    Axis("with invisible characters", None, "", _text(lambda text: _INVISIBLE.sub("", text))),
    Axis("with a space of another kind", None, "", _text(lambda text: _ODD_SPACES.sub(" ", text))),
    Axis("with typographic quotes or dashes", None, "", _text(lambda text: text.translate(_CURLY))),
    Axis("with white space within it", None, "", lambda octets: b"".join(octets.split())),
)  # fmt: skip
_CHARACTERS: Final = (
    Axis("in UTF-16", _in("utf-16-le"), "", _of_utf_16),
    Axis("in UTF-16 with a byte order mark", lambda octets: b"\xff\xfe" + octets.decode().encode("utf-16-le")),
    Axis("in UTF-16 (big-endian)", _in("utf-16-be")),
    Axis("with its octets written as UTF-8 characters", lambda octets: octets.decode("latin-1").encode()),
    Axis("with everything replaced that is not UTF-8", lambda octets: octets.decode("utf-8", "replace").encode()),
    Axis("in NFC", lambda octets: normalize("NFC", octets.decode()).encode()),
    Axis("in NFD", lambda octets: normalize("NFD", octets.decode()).encode()),
    Axis("in Latin-1", _in("latin-1", "replace"), "", _of_latin_1),
    Axis("in Windows-1252", _in("cp1252", "replace")),
    Axis("encoded as UTF-8 twice", lambda octets: octets.decode("cp1252", "replace").encode(), "with its UTF-8 undone once", lambda octets: octets.decode().encode("cp1252")),
    Axis("with ? for what is not ASCII", _in("ascii", "replace")),
    Axis("in base64 twice", lambda octets: b64encode(b64encode(octets))),
    Axis("in base64 of its hex digits", lambda octets: b64encode(octets.hex().encode())),
    Axis("in base64, with a line break at its end", lambda octets: b64encode(octets) + b"\n"),
    Axis("in hex, with a line break at its end", lambda octets: octets.hex().encode() + b"\n"),
    Axis("with non-ASCII characters as %uXXXX, of JavaScript's escape()", javascript_escaped),
    Axis("backwards, its characters in the opposite order", lambda octets: octets[::-1], "", lambda octets: octets[::-1]),
    Axis("cut short, with dots in place of its end", None, "", lambda octets: octets.rstrip(b".").removesuffix("…".encode())),
    Axis("with more after it", None, "", lambda octets: octets.split()[0] if octets.split() else octets),
)  # fmt: skip
_RARE: Final = (
    Axis("as one decimal number", lambda octets: b"%d" % int.from_bytes(octets, "big"), "decoded from one decimal number", _of_number),
    Axis("in hex with dashes or colons", lambda octets: octets.hex("-").upper().encode(), "decoded from hex with dashes or colons", lambda text: unhexlify(re.sub(rb"[:-]", b"", text))),
    Axis("in Ascii85", a85encode, "decoded from Ascii85", lambda text: a85decode(text.removeprefix(b"<~").removesuffix(b"~>"))),
    Axis("in base85", b85encode, "decoded from base85", b85decode),
    Axis("with each letter turned by thirteen places of the alphabet (ROT13)", _turned, "", _turned),
    Axis("as an encoded word of MIME", lambda octets: b"=?utf-8?B?%b?=" % b64encode(octets), "", _text(_of_mime)),
    Axis("as a program prints what is around it, Some(…)", lambda octets: b'Some("%b")' % octets, "", _text(_called)),
    Axis("in quotes with an escape before each", lambda octets: b'\\"%b\\"' % octets),
    Axis("with capitals and small letters exchanged, as with caps lock", bytes.swapcase),
)  # fmt: skip


def _one(take: Changes) -> Change:
    def taken(octets: bytes) -> bytes:
        found = take(octets)
        if isinstance(found, bytes):
            return found
        if not found:
            raise ValueError("there is nothing of the kind")
        return found[0]

    return taken


def _both(axes: Iterable[Axis]) -> Iterator[tuple[str, Change]]:
    for axis in axes:
        if axis.words and axis.put is not None:
            yield axis.words, axis.put
        if axis.taken and axis.take is not None:
            yield axis.taken, _one(axis.take)


SPELLINGS: Final = tuple(_both((*_ENCODED, *_TYPED, *_CHARACTERS, *_RARE)))
"""Both directions by their words, likeliest first; a ValueError says that octets have no such spelling."""
_DECODERS: Final = tuple(
    (axis.taken, _one(axis.take)) for axis in (*_ENCODED, *_RARE) if axis.take and axis.taken.startswith("decoded")
)
_LOOSE: Final = Axis("in base64", None, "", lambda octets: [base64_octets(octets.strip()) or b""])
_UNDO: Final = tuple(
    (axis.words, axis.take)
    for axis in (*_TYPED, _LOOSE, *_ENCODED, *_CHARACTERS, *_RARE)
    if axis.take is not None and axis.words and axis not in _ENCODED[1:7]  # base64 is one thing here
)


def without_repeats(octets: bytes, found: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Each of `found` that is not there already, nor `octets` itself."""
    seen = {octets}
    for what, other in found:
        if other not in seen:
            seen.add(other)
            yield what, other


def _made(octets: bytes, changes: Iterable[tuple[str, Changes]]) -> Iterator[tuple[str, bytes]]:
    for what, change in changes:
        try:
            found = change(octets)
        except (ValueError, RecursionError):  # it is no such text
            continue
        yield from ((what, each) for each in ([found] if isinstance(found, bytes) else found))


def spellings(octets: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of a part of what is signed, or of a key, each with words that complete "the client signs the part …".

    >>> [what for what, other in spellings(b"\x01\x02") if other == b"0102"]
    ['in hex']
    """
    return without_repeats(octets, _made(octets, SPELLINGS))


def undone(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """What `octets` may have been before something was done to them, likeliest first, each with what was done.

    >>> [what for what, text in undone(b'"a-token"') if text == b"a-token"]
    ['in quotes']
    """
    if octets and len(octets) <= MAX_TEXT:
        yield from ((what, each) for what, each in without_repeats(octets, _made(octets, _UNDO)) if each)


def decoded(text: bytes) -> Iterator[tuple[str, bytes]]:
    r"""What `text` may encode, in each alphabet that it fits.

    >>> next(decoded(b"0102"))
    ('decoded from hex', b'\x01\x02')
    """
    return _made(text, _DECODERS)
