"""Octets in another spelling: what a client may have taken as a part, or as the key, instead of the octets that were agreed on.

And a proof that was damaged, and a name that is nearly right.
"""

from __future__ import annotations

import json
from base64 import b32decode, b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from html import escape, unescape
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from watchword.crypto.usual_hashes import hashed

__all__ = ["damaged", "decoded", "near", "respelled", "secret_guesses"]

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_BOM: Final = b"\xef\xbb\xbf"
_PREFIXES: Final = (b"whsec_", b"sk_", b"Bearer ", b"AWS4", b"sha256=", b"hex:", b"base64:")

_DECODERS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("decoded from hex", unhexlify),
    ("decoded from base64", lambda text: b64decode(text + b"=" * (-len(text) % 4), validate=True)),
    ("decoded from base64url", lambda text: urlsafe_b64decode(text + b"=" * (-len(text) % 4))),
    ("decoded from base64, what is none passed over", lambda text: b64decode(text + b"=" * (-len(text) % 4))),
    ("decoded from base32", lambda text: b32decode(text + b"=" * (-len(text) % 8), casefold=True)),
)


def respelled(octets: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of a part of what is signed, or of a key, each with words that complete "the client signs the part …".

    >>> [what for what, other in respelled(b"\x01\x02") if other == b"0102"]
    ['as hex text instead of its octets']
    """
    return _new(octets, _spellings(octets))


def secret_guesses(secret: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of `secret`, each with words that complete "the client signs with the secret …".

    The octets are for trying out; only the words may be shown.

    >>> [what for what, octets in secret_guesses(b"whsec_Ag==") if octets == b"\x02"]
    ['without its prefix and decoded from base64']
    """
    return _new(secret, _of_secret(secret))


def _new(octets: bytes, spellings: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    seen = {octets}
    for what, other in spellings:
        if other not in seen:
            seen.add(other)
            yield what, other


def decoded(text: bytes) -> Iterator[tuple[str, bytes]]:
    r"""What `text` may encode, in each alphabet that it fits.

    >>> next(decoded(b"0102"))
    ('decoded from hex', b'\\x01\\x02')
    """
    for what, decode in _DECODERS:
        try:
            yield what, decode(text)
        except ValueError:
            continue


def _of_secret(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _spellings(secret)
    stripped = secret.strip()
    yield from ((f"without the white space around it, {what}", octets) for what, octets in decoded(stripped))
    _, mark, rest = secret.partition(b"_")
    if mark:
        yield "without its prefix", rest
        yield from ((f"without its prefix and {what}", octets) for what, octets in decoded(rest))
    for prefix in _PREFIXES:
        if secret.startswith(prefix):
            yield "without its prefix", secret[len(prefix) :]
            yield from ((f"without its prefix and {what}", octets) for what, octets in decoded(secret[len(prefix) :]))
        yield f"with the prefix {prefix.decode()}", prefix + secret
        yield f"as base64 text with the prefix {prefix.decode()}", prefix + b64encode(secret)
    yield "with & behind it", secret + b"&"
    for name in ("sha256", "sha1", "md5", "sha512"):
        try:
            digest = hashed(name, secret)
        except ValueError:
            continue
        yield f"hashed by {name} first", digest
        yield f"hashed by {name} first, as hex text", digest.hex().encode()
        yield f"hashed by {name} first, as base64 text", b64encode(digest)
    yield "twice", secret + secret
    yield "cut to its first 32 octets", secret[:32]
    yield "cut to its first 16 octets", secret[:16]


def _spellings(octets: bytes) -> Iterator[tuple[str, bytes]]:
    yield "as hex text instead of its octets", octets.hex().encode()
    yield "as base64 text instead of its octets", b64encode(octets)
    yield "as base64url text instead of its octets", urlsafe_b64encode(octets)
    yield "as base64 text without padding instead of its octets", b64encode(octets).rstrip(b"=")
    yield "as base64url text without padding instead of its octets", urlsafe_b64encode(octets).rstrip(b"=")
    yield "as hex text in capitals instead of its octets", octets.hex().upper().encode()
    yield from _blanks(octets)
    yield from decoded(octets)
    yield "in lower case", octets.lower()
    yield "in upper case", octets.upper()
    yield from _quoted(octets)
    yield "percent-encoded", quote(octets, safe="-._~").encode()
    yield "percent-encoded, / left as it is", quote(octets, safe="/-._~").encode()
    yield "percent-encoded with lower-case digits", _lower(quote(octets, safe="-._~").encode())
    yield "percent-encoded twice", quote(quote(octets, safe="-._~"), safe="-._~").encode()
    yield "percent-decoded", unquote_to_bytes(octets)
    yield "with each + read as a space", octets.replace(b"+", b" ")
    yield "with each space read as +", octets.replace(b" ", b"+")
    yield "in the other alphabet of base64", octets.translate(_TO_URL)
    yield "in the other alphabet of base64", octets.translate(_FROM_URL)
    yield "without its padding", octets.rstrip(b"=")
    yield "with padding", octets + b"=" * (-len(octets) % 4)
    yield from _in_charsets(octets)
    yield "in base64 twice", b64encode(b64encode(octets))
    yield "in base64 of its hex text", b64encode(octets.hex().encode())
    yield "as base64 text, with a line break at its end", b64encode(octets) + b"\n"
    yield "as hex text, with a line break at its end", octets.hex().encode() + b"\n"
    yield "backwards", octets[::-1]
    yield "that is empty: it isn't set", b""


def _lower(text: bytes) -> bytes:
    first, *rest = text.split(b"%")
    return b"%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _blanks(octets: bytes) -> Iterator[tuple[str, bytes]]:
    yield "with a line break at its end", octets + b"\n"
    yield "with a line break (CRLF) at its end", octets + b"\r\n"
    yield "with a space at its end", octets + b" "
    yield "with a space before it", b" " + octets
    yield "without its last line break", octets.rstrip(b"\r\n")
    yield "without the white space around it", octets.strip()
    lines = octets.replace(b"\r\n", b"\n")
    yield "with its line ends as CRLF", lines.replace(b"\n", b"\r\n")
    yield "with its line ends as LF", lines
    yield "with \\n as two characters for each line end", lines.replace(b"\n", b"\\n")
    yield "without its line ends", lines.replace(b"\n", b"")
    yield "without its spaces", octets.replace(b" ", b"")
    yield "with a byte order mark before it", _BOM + octets
    yield "without the byte order mark before it", octets.removeprefix(_BOM)
    yield "cut at its first NUL", octets.partition(b"\0")[0]
    yield "with a NUL at its end", octets + b"\0"


def _quoted(octets: bytes) -> Iterator[tuple[str, bytes]]:
    yield "in quotes", b'"%b"' % octets
    yield "in single quotes", b"'%b'" % octets
    yield "without the quotes around it", octets.strip(b"\"'`")
    yield "in typographic quotes", "\u201c".encode() + octets + "\u201d".encode()
    yield "as Python prints octets, b'…'", repr(octets).encode()
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return
    yield "with HTML escapes", escape(text).encode()
    yield "with HTML escapes read", unescape(text).encode("utf-8", "replace")
    yield "as a JSON string", json.dumps(text).encode()
    yield "with JSON escapes", json.dumps(text)[1:-1].encode()
    yield "as a JSON string with its quotes, / escaped", json.dumps(text).replace("/", "\\/").encode()


def _in_charsets(octets: bytes) -> Iterator[tuple[str, bytes]]:
    yield "with its octets written as UTF-8 characters", octets.decode("latin-1").encode()
    yield "with everything replaced that is not UTF-8", octets.decode("utf-8", "replace").encode()
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return
    yield "in UTF-16", text.encode("utf-16-le")
    yield "in UTF-16 with a byte order mark", b"\xff\xfe" + text.encode("utf-16-le")
    yield "in UTF-16 (big-endian)", text.encode("utf-16-be")
    if text.isascii():
        return
    for what, form in (("in NFC", "NFC"), ("in NFD", "NFD")):
        yield what, normalize("NFC" if form == "NFC" else "NFD", text).encode()
    for name in ("latin-1", "cp1252"):
        yield f"in {name} instead of UTF-8", text.encode(name, "replace")
        yield f"read as {name} and written as UTF-8", octets.decode(name, "replace").encode()
        try:
            yield f"in UTF-8 that was read as {name} before, put right", text.encode(name)
        except UnicodeEncodeError:
            continue
    yield "with ? for what is not ASCII", text.encode("ascii", "replace")


def damaged(genuine: str, received: str) -> str:
    """What happened to a proof (a MAC, a signature, a digest) that is nearly the genuine one; "" if it is another.

    It says how much and where, never what belongs there.

    >>> damaged("c2lnbmF0dXJlIG9mIGEgcmVxdWVzdA", "c2lnbmF0dXJlIG9mIGEgcmVxdWVzdX")
    'it was changed at 1 of its 30 characters, the first of them at 29'
    """
    if genuine == received or not genuine:
        return ""
    if genuine.lower() == received.lower():
        return "its case was changed"
    if len(received) >= 8 and genuine.startswith(received):
        return f"it was cut to {len(received)} of its {len(genuine)} characters"
    if received.startswith(genuine):
        return f"{len(received) - len(genuine)} characters were added to it"
    if len(genuine) != len(received):
        return ""
    at = [place for place, (one, other) in enumerate(zip(genuine, received, strict=True)) if one != other]
    if len(at) > len(genuine) // 3:  # of two that have nothing to do with each other, more than nine tenths differ
        return ""
    return f"it was changed at {len(at)} of its {len(genuine)} characters, the first of them at {at[0]}"


def near(name: str, known: Iterable[str]) -> str:
    """The known name that `name` may have been meant to be; "" if none is near.

    >>> near("robot_1", ["robot-1", "billing"])
    'robot-1'
    """
    names = {each.strip().lower(): each for each in known}
    found = get_close_matches(name.strip().lower()[:256], list(names)[:1000], n=1, cutoff=0.75)
    return names[found[0]] if found else ""
