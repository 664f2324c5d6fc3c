"""How a text that was typed, pasted or kept in a setting comes out wrong: a password, a key, a token, a name.

Two directions. `undone` takes off what was put on the way to the wire: blanks, quotes, escapes, an encoding, a name before it.
`retyped` gives what else was meant by who typed it. Both say the kind of change in words that complete "it came …".
"""

from __future__ import annotations

import json
import re
from base64 import b32decode, b64decode, b64encode
from binascii import unhexlify
from collections.abc import Callable, Iterator
from html import escape, unescape
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

__all__ = ["base64_octets", "is_unset", "retyped", "undone"]

MAX_TEXT: Final = 16 * 1024
"""Octets of a text that is looked at."""

_UNSET: Final = re.compile(
    r"(?:none|null|nil|undefined|nan|false|true|todo|xxx+|\*+|\.{3}|…|-+|changeme|change[-_ ]me|example|secret[-_]?here|placeholder"
    r"|\[object [a-z]+\]|\[redacted\]|\[filtered\]|redacted|\(null\)|<nil>|<null>|\$\{\{?[^}]*\}?\}|\$\([^)]*\)|\$[a-z_]\w*|\{\{[^}]*\}\}"
    r"|\{[a-z_][\w.]*\}|<[^<>]+>|%[a-z_]\w*%|%\([a-z_]\w*\)s|%[sd]|#\{[^}]*\}|@[a-z_]+@|__[a-z]\w*__|\$env:\w+|process\.env\.\w+"
    r"|os\.environ.*|(?:your|my|insert|enter)[-_ ].{0,20}(?:key|token|secret|password|jwt|id|here|username|user).{0,10}"
    r"|(?:api[-_]?key|access[-_]?token|token|username)[-_ ]?(?:here|goes[-_ ]here|value)?)",
    re.IGNORECASE,
)
_QUOTES: Final = (
    ('"', '"'), ("'", "'"), ("`", "`"), ("<", ">"), ("[", "]"), ("{", "}"), ("(", ")"), ("“", "”"), ("‘", "’"), ("«", "»"),
    ("„", "“"), ('\\"', '\\"'), ("&quot;", "&quot;"), ("%22", "%22"),
)  # fmt: skip
_CURLY: Final = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "‐": "-", "−": "-"}
)
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_ODD_SPACES: Final = re.compile("[\u00a0\u2000-\u200a\u202f\u3000\t]")
_ESCAPED_END: Final = re.compile(r"(?:\\r|\\n|%0[aAdD]|\\t)+$")
_NAMED: Final = re.compile(r"[\w .-]{0,30}?[A-Za-z]\"?'? ?(?:=>|[=:]) ?(?=[^\s=])")
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_Y_AND_Z: Final = str.maketrans("yzYZ", "zyZY")
_AZERTY: Final = str.maketrans("aqzwAQZW;m,", "qawzQAWZm,;")


def is_unset(text: str) -> bool:
    """Whether the text is what an unset variable, an unfilled template or an example leaves in a value's place.

    >>> [is_unset(text) for text in ("${TOKEN}", "undefined", "<token>", "YOUR_API_KEY", "open sesame")]
    [True, True, True, True, False]
    """
    bare = text.strip().strip("\"'").strip()
    return not bare or _UNSET.fullmatch(bare[:200]) is not None


def base64_octets(text: bytes) -> bytes | None:
    """The octets of base64 in either alphabet, with padding or without; None for what is none."""
    bare = text.rstrip(b"=").translate(_TO_STANDARD)
    try:
        return b64decode(bare + b"=" * (-len(bare) % 4), validate=True) if bare else None
    except ValueError:
        return None


def undone(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """What `octets` may have been before something was done to them, likeliest first, each with what was done.

    >>> [what for what, text in undone(b'"a-token"') if text == b"a-token"]
    ['in quotes']
    """
    if not octets or len(octets) > MAX_TEXT:
        return
    seen = {octets}
    for what, undo in _UNDO:
        try:
            found = undo(octets)
        except (ValueError, RecursionError):  # it is no such text
            continue
        for each in found if isinstance(found, list) else [found]:
            if each and each not in seen:
                seen.add(each)
                yield what, each


def _text(change: Callable[[str], str | list[str]]) -> Callable[[bytes], list[bytes]]:
    def undo(octets: bytes) -> list[bytes]:
        changed = change(octets.decode())
        return [each.encode() for each in ([changed] if isinstance(changed, str) else changed)]

    return undo


def _unquoted(text: str) -> list[str]:
    bare = text.strip()
    found = []
    for start, end in _QUOTES:
        if bare.startswith(start) and bare.endswith(end) and len(bare) >= len(start) + len(end):
            found.append(bare[len(start) : len(bare) - len(end)])
        elif bare.startswith(start):
            found.append(bare[len(start) :])
        elif bare.endswith(end):
            found.append(bare[: -len(end)])
    return found


def _literal(text: str) -> str:
    match = re.fullmatch(r"[bBuUrR]+(['\"])(.*)\1", text.strip(), re.DOTALL)
    return match[2] if match else text


def _unescaped(text: str) -> list[str]:
    """Without backslashes, and with what they stand for in JSON and most languages."""
    found = [re.sub(r"\\(.)", r"\1", text)]
    try:
        value: object = json.loads(f'"{text}"' if text[:1] != '"' else text)
    except ValueError:
        return found
    return [value, *found] if isinstance(value, str) else found


def _parameters(text: str) -> list[str]:
    return re.findall(r'=\s*"([^"]+)"', text)[:8]


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
    size = len(text)
    return [
        text[: (size - gap) // 2]
        for gap in (0, 1, 2)
        if (size - gap) % 2 == 0 and size > 2 * gap and text[: (size - gap) // 2] == text[(size + gap) // 2 :]
    ]


def _decoded(octets: bytes) -> list[bytes]:
    decoded = base64_octets(octets.strip())
    return [] if decoded is None else [decoded]


def _of_utf_16(octets: bytes) -> list[bytes]:
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return [octets.decode("utf-16").encode()]
    if b"\0" not in octets:
        return []
    return [octets.decode(name).encode() for name in ("utf-16-le", "utf-16-be") if len(octets) % 2 == 0]


_UNDO: Final[tuple[tuple[str, Callable[[bytes], bytes | list[bytes]]], ...]] = (
    ("with blanks or a line end around it", bytes.strip),
    ("with a line end written as an escape", _text(lambda text: _ESCAPED_END.sub("", text))),
    ("in quotes", _text(_unquoted)),
    ("as a bytes literal, b'…'", _text(_literal)),
    ("with punctuation around it", lambda octets: octets.strip(b" ,;.:")),
    ("in percent-encoding", unquote_to_bytes),
    ("with + for spaces", lambda octets: octets.replace(b"+", b" ")),
    ("with spaces for +", lambda octets: octets.replace(b" ", b"+")),
    ("with HTML escapes", _text(unescape)),
    ("in percent-encoding, twice", lambda octets: unquote_to_bytes(unquote_to_bytes(octets))),
    ("with backslash escapes", _text(_unescaped)),
    ("with its name before it", _text(_after_its_name)),
    ("as the whole answer, in JSON", _text(_members)),
    ("as one parameter of several", _text(_parameters)),
    ("several times, joined by a comma", lambda octets: [part.strip() for part in octets.split(b",")][:8]),
    ("twice", _text(_half)),
    ("with invisible characters", _text(lambda text: _INVISIBLE.sub("", text))),
    ("with a space of another kind", _text(lambda text: _ODD_SPACES.sub(" ", text))),
    ("with typographic quotes or dashes", _text(lambda text: text.translate(_CURLY))),
    ("with white space within it", lambda octets: b"".join(octets.split())),
    ("in base64", _decoded),
    ("in hex", unhexlify),
    ("in base32", lambda octets: b32decode(octets + b"=" * (-len(octets) % 8))),
    ("in UTF-16", _of_utf_16),
    ("in Latin-1", lambda octets: [] if _is_utf_8(octets) else octets.decode("cp1252").encode()),
    ("encoded as UTF-8 twice", _text(lambda text: text.encode("cp1252").decode())),
    ("cut short, with dots in place of its end", lambda octets: octets.rstrip(b".").removesuffix("…".encode())),
    ("with more after it", lambda octets: octets.split()[0] if octets.split() else octets),
)


def _is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def retyped(text: str) -> Iterator[tuple[str, str | bytes]]:
    """What may have been meant by who typed, pasted or stored `text`, likeliest first. Octets are for hashes of another charset.

    >>> [what for what, other in retyped("oPEN SESAME") if other == "Open sesame"]
    ['with caps lock on']
    """
    seen = {_octets(text)}
    for what, other in _retyped(text):
        if other and _octets(other) not in seen:
            seen.add(_octets(other))
            yield what, other


def _octets(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def _retyped(text: str) -> Iterator[tuple[str, str | bytes]]:
    octets = _octets(text)
    late = (
        "with + for spaces",
        "with spaces for +",
        "with more after it",
        "several times, joined by a comma",
        "in Latin-1",
    )
    spelled = [(what, other.decode()) for what, other in undone(octets) if _is_utf_8(other)]
    yield from (pair for pair in spelled if pair[0] not in late)
    yield "with caps lock on", text.swapcase()
    yield "with its first letter in the other case", text[:1].swapcase() + text[1:]
    yield "without the line end that the stored one has", octets + b"\n"
    yield "in lower case", text.upper()
    yield "in upper case", text.lower()
    yield "not percent-encoded, as the stored one is", quote(text, safe="")
    yield "not HTML-escaped, as the stored one is", escape(text)
    yield (
        "in another Unicode form (NFC) than the stored one (NFD)",
        _octets(normalize("NFD", text)),
    )
    yield "in another Unicode form than the stored one (NFKC)", normalize("NFKC", text)
    if not text.isascii():
        for charset in ("latin-1", "cp1252", "utf-16-le"):
            try:
                yield f"in UTF-8, while the stored one was hashed in {charset}", octets.decode().encode(charset)
                yield "in UTF-8, while the stored one was encoded twice", octets.decode("latin-1")
            except UnicodeError:
                continue
    yield from (pair for pair in spelled if pair[0] in late)
    yield "from a keyboard on which Y and Z have changed places", text.translate(_Y_AND_Z)
    yield "with one character too many at its end", text[:-1]
    yield "with one character too many before it", text[1:]
    yield "without the space at its end that the stored one has", text + " "
    yield "without the quotes that the stored one has", f'"{text}"'
    yield "from another keyboard layout (AZERTY, QWERTY)", text.translate(_AZERTY)
    yield "not in base64, as the stored one is", b64encode(octets).decode()
    for length in (8, 72):  # what DES and bcrypt read of it
        yield f"longer than the {length} characters that were stored", text[:length]
