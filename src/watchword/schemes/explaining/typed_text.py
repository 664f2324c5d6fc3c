"""A text that was typed, pasted or kept in a setting: a password, a key, a token, a name. What else was meant by it.

The table of what happens to texts is `diagnosis.text_axes`; here is what happens to texts that people keep.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from html import escape
from itertools import product
from typing import Final
from unicodedata import normalize
from urllib.parse import quote

from watchword.crypto.usual_hashes import hashed
from watchword.schemes.diagnosis.text_axes import SPELLINGS, decoded, spellings, undone, without_repeats

__all__ = ["hash_form", "is_unset", "near", "placeholder", "retyped", "secret_guesses"]

_UNSET: Final = re.compile(
    r"(?:none|null|nil|undefined|nan|false|true|todo|-+|changeme|change[-_ ]me|example|secret[-_]?here|placeholder"
    r"|\[object [a-z]+\]|\(null\)|<nil>|<null>|\$\{\{?[^}]*\}?\}|\$\([^)]*\)|\$[a-z_]\w*|\{\{[^}]*\}\}"
    r"|\{[a-z_][a-z_.]{0,30}\}|<[a-z][a-z _.-]{0,40}>|%[a-z_]\w*%|%\([a-z_]\w*\)s|%[sd]|#\{[^}]*\}|@[a-z_]+@|__[a-z]\w*__|\$env:\w+|process\.env\.\w+"
    r"|os\.environ.*|(?:your|my|insert|enter)[-_ ].{0,20}(?:key|token|secret|password|jwt|id|here|username|user).{0,10}"
    r"|(?:api[-_]?key|access[-_]?token|token|username)[-_ ]?(?:here|goes[-_ ]here|value)?)",
    re.IGNORECASE,
)
_MASKED: Final = re.compile(r"xxx+|\*+|•+|\.{3}|…|\[?(?:redacted|filtered|masked|hidden)\]?|<redacted>", re.IGNORECASE)
_PATH: Final = re.compile(
    r"(?:file:(?://)?|@)?/(?:run|etc|var|home|mnt|tmp|secrets|app|opt|usr|srv)(?:/[\w.-]{1,40}){1,8}|file:[\w./-]{1,80}"
)
_UNCALLED: Final = re.compile(
    r"(?:async )?(?:\([\w, ]*\)|\w+) ?=>.*|(?:async )?function\b.*|[A-Za-z_][\w.]*\(\)|<(?:bound |built-in )?(?:function|method) .*>"
)
_HASH: Final = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})", re.IGNORECASE)
_STORED: Final = re.compile(
    r"\$(?:2[aby]|argon2id?|5|6|apr1)\$|^(?:pbkdf2_sha|(?:argon2|scrypt|bcrypt_sha256)\$|(?:scrypt|pbkdf2):)"
)
_Y_AND_Z: Final = str.maketrans("yzYZ", "zyZY")
_AZERTY: Final = str.maketrans("aqzwAQZW;m,", "qawzQAWZm,;")
_DVORAK: Final = str.maketrans(
    "',.pyfgcrlaoeuidhtns;qjkxbmwvz\"<>PYFGCRLAOEUIDHTNS:QJKXBMWVZ-_",
    "qwertyuiopasdfghjkl;zxcvbnm,./QWERTYUIOPASDFGHJKL:ZXCVBNM<>?'\"",
)
_RUSSIAN: Final = str.maketrans(
    "йцукенгшщзфывапролдячсмитьЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ", "qwertyuiopasdfghjklzxcvbnmQWERTYUIOPASDFGHJKLZXCVBNM"
)
_ALIKE: Final = str.maketrans("асеорхуіАВСЕНКМОРТХ", "aceopxyiABCEHKMOPTX")
MAX_SWAPS: Final = 4
"""Neighbours that are exchanged: each costs a password's hash."""


def is_unset(text: str) -> bool:
    """Whether the text is what an unset variable, an unfilled template or an example leaves in a value's place.

    >>> [is_unset(text) for text in ("${TOKEN}", "undefined", "<token>", "YOUR_API_KEY", "open sesame")]
    [True, True, True, True, False]
    """
    bare = _bare(text)
    return not bare or any(form.fullmatch(bare) is not None for form in (_UNSET, _MASKED, _PATH))


def _bare(text: str) -> str:
    return text.strip().strip("\"'").strip()[:200]


def placeholder(text: str) -> str:
    """What stands in a value's place, and what to do; "" if the text may be the value.

    >>> placeholder("********"), placeholder("/run/secrets/key").partition(":")[0], placeholder("open sesame")
    ('it was masked where it was copied from, a log or a page: send the value itself', 'it is the path of a file', '')
    """
    bare = _bare(text)
    if not bare or _UNSET.fullmatch(bare):
        return "a variable is not set, or a template not filled in: set it where the client is configured"
    if _MASKED.fullmatch(bare):
        return "it was masked where it was copied from, a log or a page: send the value itself"
    if _PATH.fullmatch(bare):
        return "it is the path of a file: send what is in the file"
    if _UNCALLED.fullmatch(bare):
        return "it is a placeholder, a function that was printed and not called: send what it gives"
    return ""


def hash_form(text: str) -> str:
    """What a text is that may be a hash; "" if it has the form of none.

    >>> hash_form("0f" * 32)
    'the form of a hash, 64 hex digits, as SHA-256 gives'
    """
    if _HASH.fullmatch(text):
        names = {32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}
        return f"the form of a hash, {len(text)} hex digits, as {names[len(text)]} gives"
    return "the form of a stored hash" if _STORED.search(text[:256]) else ""


def near(name: str, known: Iterable[str]) -> str:
    """The known name that `name` may have been meant to be; "" if none is near.

    >>> near("robot_1", ["robot-1", "billing"])
    'robot-1'
    """
    names = {each.strip().lower(): each for each in known}
    found = get_close_matches(name.strip().lower()[:256], list(names)[:1000], n=1, cutoff=0.75)
    return names[found[0]] if found else ""


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


_LATE: Final = (
    "with + for spaces", "with spaces for +", "with more after it", "several times, joined by a comma", "in Latin-1", "without its padding",
)  # fmt: skip


def _retyped(text: str) -> Iterator[tuple[str, str | bytes]]:
    octets = _octets(text)
    spelled = [(what, other.decode()) for what, other in undone(octets) if _is_utf_8(other)]
    yield from (pair for pair in spelled if pair[0] not in _LATE)
    yield "with caps lock on", text.swapcase()
    yield "with its first letter in the other case", text[:1].swapcase() + text[1:]
    yield "without the line end that the stored one has", octets + b"\n"
    yield "in lower case", text.upper()
    yield "in upper case", text.lower()
    yield "not percent-encoded, as the stored one is", quote(text, safe="")
    yield "not HTML-escaped, as the stored one is", escape(text)
    yield "in another Unicode form (NFC) than the stored one (NFD)", _octets(normalize("NFD", text))
    yield "in another Unicode form than the stored one (NFKC)", normalize("NFKC", text)
    if not text.isascii():
        for charset in ("latin-1", "cp1252", "utf-16-le"):
            try:
                yield f"in UTF-8, while the stored one was hashed in {charset}", octets.decode().encode(charset)
                yield "in UTF-8, while the stored one was encoded twice", octets.decode("latin-1")
            except UnicodeError:
                continue
    yield from (pair for pair in spelled if pair[0] in _LATE)
    yield "from a keyboard on which Y and Z have changed places", text.translate(_Y_AND_Z)
    yield "with one character too many at its end", text[:-1]
    yield "with one character too many before it", text[1:]
    yield "without the space at its end that the stored one has", text + " "
    yield "without the quotes that the stored one has", f'"{text}"'
    for layout, there in (("AZERTY, QWERTY", _AZERTY), ("Dvorak", _DVORAK), ("Russian", _RUSSIAN)):
        yield f"from another keyboard layout ({layout})", text.translate(there)
    yield "with a letter of another alphabet that looks like it (Cyrillic)", text.translate(_ALIKE)
    yield "with a colon too many before it", text.lstrip(":")
    yield "with the URL's @host behind it", text.rpartition("@")[0]
    yield from (
        ("with two neighbouring characters exchanged", text[:at] + text[at + 1] + text[at] + text[at + 2 :])
        for at in range(min(len(text) - 1, MAX_SWAPS))
    )
    yield "not in base64, as the stored one is", b64encode(octets).decode()
    for length in (8, 72):  # what DES and bcrypt read of it
        yield f"longer than the {length} characters that were stored", text[:length]


def _is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---- keys ---------------------------------------------------------------------------------------------------------------

_BY_WORDS: Final = dict(SPELLINGS)
_PREFIXES: Final = (b"whsec_", b"sk_", b"v1,whsec_", b"Bearer ", b"AWS4", b"sha256=", b"hex:", b"base64:")
_SETTINGS: Final = (
    "SECRET", "KEY", "TOKEN", "PASSWORD", "API_KEY", "API_SECRET", "SECRET_KEY", "WEBHOOK_SECRET", "secret", "key",
)  # fmt: skip
_PLACEHOLDERS: Final = (
    "undefined",
    "None",
    "null",
    "nil",
    "[object Object]",
    "NaN",
    "false",
    "true",
    "changeme",
    "secret",
    "${SECRET}",
)
_PASTED: Final = (
    "with a line break at its end", "with a line break (CRLF) at its end", "with a space at its end", "in quotes", "in single quotes",
    "without the white space around it", "without its last line break", "without the quotes around it", "with a byte order mark before it",
)  # fmt: skip
_READ: Final = (
    "in hex", "in base64", "in base64url", "in base64 without padding", "in upper case", "in lower case", "percent-encoded", "in UTF-16",
    *(what for what in _BY_WORDS if what.startswith("decoded")),
)  # fmt: skip


def secret_guesses(secret: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of `secret`, each with words that complete "the client signs with the secret …".

    The octets are for trying out; only the words may be shown.

    >>> [what for what, octets in secret_guesses(b"whsec_Ag==") if octets == b"\x02"]
    ['without its prefix and decoded from base64']
    """
    return without_repeats(secret, _of_secret(secret))


def _of_secret(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield from spellings(secret)
    _, mark, rest = secret.partition(b"_")
    for prefix in _PREFIXES:
        if secret.startswith(prefix):
            mark, rest = prefix, secret[len(prefix) :]
        yield f"with the prefix {prefix.decode()}", prefix + secret
        yield f"in base64 with the prefix {prefix.decode()}", prefix + b64encode(secret)
    for prefix in _PREFIXES:
        whole = prefix + (rest if secret.startswith(_PREFIXES) else secret)
        yield from ((f"with the prefix {prefix.decode()}, {what}", octets) for what, octets in decoded(whole))
    if mark:
        yield "without its prefix", rest
        yield from ((f"without its prefix and {what}", octets) for what, octets in decoded(rest))
    for text in _PLACEHOLDERS:
        unset = f"that is the text {text}: the variable is not set, or a placeholder"
        yield unset, text.encode()
        yield from ((f"{unset}, {what}", octets) for what, octets in decoded(text.encode()))
    yield "with & behind it", secret + b"&"
    for name in ("sha256", "sha1", "md5", "sha512"):
        try:
            digest = hashed(name, secret)
        except ValueError:
            continue
        yield f"hashed by {name} first", digest
        yield f"hashed by {name} first, in hex", digest.hex().encode()
        yield f"hashed by {name} first, in base64", b64encode(digest)
    yield from (
        (f"cut to its first {size} octets", secret[:size]) for size in (32, 16, 64, 24, *range(8, min(len(secret), 64)))
    )
    yield from ((f"as the line {name}=… of its settings", b"%b=%b" % (name.encode(), secret)) for name in _SETTINGS)
    for mark in (b"#", b"$", b"&", b"%", b"`", b"\\", b"!", b";", b",", b" ", b"=", b'"', b"'"):
        start, found, rest = secret.partition(mark)
        if found:
            name = "#, where a comment begins: characters of it are left out" if mark == b"#" else mark.decode()
            yield f"cut at its first {name}", start.rstrip()
            yield f"without all {mark.decode()} in it", secret.replace(mark, b"")
            yield f"without what stands before its first {mark.decode()}", rest
    for what, other in _expanded(secret):
        yield f"in which {what} was expanded as a variable that is not set", other
    yield "without the name that is before its =", secret.partition(b"=")[2] or secret
    yield from _twice(secret)


def _expanded(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """As a shell, a template or Compose reads its dollar."""
    yield "$ and the name behind it", re.sub(rb"\$(?:\{\w*\}?|[A-Za-z_]\w*|[0-9$@*#?!-]|)", b"", secret)
    yield "$ and the letter behind it", re.sub(rb"\$[A-Za-z_0-9]", b"", secret)
    yield "$$", secret.replace(b"$$", b"$")
    yield "%…%", re.sub(rb"%\w*%", b"", secret)


def _twice(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """As it was pasted, and then read wrongly."""
    pasted = {what: other for what, other in spellings(secret) if what in _PASTED}
    for (one, text), two in product(pasted.items(), (*_PASTED, *_READ)):
        try:
            yield f"{one}, {two}", _BY_WORDS[two](text)
        except ValueError:
            continue
    for one, text in pasted.items():
        yield f"{one}, hashed by sha256, in hex", hashed("sha256", text).hex().encode()
        yield f"{one}, hashed by sha256", hashed("sha256", text)
