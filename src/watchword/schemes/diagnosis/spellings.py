"""A secret in another spelling: what the other side may have used as the key instead of the octets that were agreed on.

And a proof that was damaged, and a name that is nearly right.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from watchword.crypto.digests import digest, hex_digest

__all__ = ["damaged", "near", "secret_guesses"]

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")

_DECODERS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("decoded from hex", unhexlify),
    ("decoded from base64", lambda text: b64decode(text + b"=" * (-len(text) % 4), validate=True)),
    ("decoded from base64url", lambda text: urlsafe_b64decode(text + b"=" * (-len(text) % 4))),
)


def secret_guesses(secret: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of `secret`, each with words that complete "the client signs with the secret …".

    The octets are for trying out; only the words may be shown.

    >>> [what for what, octets in secret_guesses(b"\x01\x02") if octets == b"0102"]
    ['as hex text instead of its octets']
    """
    seen = {secret}
    for what, other in _spellings(secret):
        if other not in seen:
            seen.add(other)
            yield what, other


def _spellings(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "as hex text instead of its octets", secret.hex().encode()
    yield "as base64 text instead of its octets", b64encode(secret)
    yield "as base64url text instead of its octets", urlsafe_b64encode(secret)
    yield "as base64 text without padding instead of its octets", b64encode(secret).rstrip(b"=")
    yield "as base64url text without padding instead of its octets", urlsafe_b64encode(secret).rstrip(b"=")
    yield "as hex text in capitals instead of its octets", secret.hex().upper().encode()
    yield "with a line break at its end", secret + b"\n"
    yield "with a line break (CRLF) at its end", secret + b"\r\n"
    yield "with a space at its end", secret + b" "
    yield "with a space before it", b" " + secret
    yield "without its last line break", secret.rstrip(b"\r\n")
    yield "without the white space around it", secret.strip()
    yield from _decoded("", secret)
    yield from _decoded("without the white space around it, ", secret.strip())
    yield "in quotes", b'"%b"' % secret
    yield "in single quotes", b"'%b'" % secret
    yield "without the quotes around it", secret.strip(b"\"'")
    yield "with a byte order mark before it", b"\xef\xbb\xbf" + secret
    yield "without the byte order mark before it", secret.removeprefix(b"\xef\xbb\xbf")
    _, mark, rest = secret.partition(b"_")
    if mark:
        yield "without its prefix", rest
        yield from _decoded("without its prefix and ", rest)
    yield "with the prefix whsec_", b"whsec_" + secret
    yield "as base64 text with the prefix whsec_", b"whsec_" + b64encode(secret)
    yield "percent-encoded", quote(secret, safe="-._~").encode()
    yield "percent-decoded", unquote_to_bytes(secret)
    yield "with each + read as a space", secret.replace(b"+", b" ")
    yield "with each space read as +", secret.replace(b" ", b"+")
    yield "in the other alphabet of base64", secret.translate(_TO_URL)
    yield "in the other alphabet of base64", secret.translate(_FROM_URL)
    yield "without its padding", secret.rstrip(b"=")
    yield "with padding", secret + b"=" * (-len(secret) % 4)
    yield "hashed by SHA-256 first", digest("sha-256", secret)
    yield "hashed by SHA-256 first, as hex text", hex_digest("sha-256", secret)
    yield from _in_utf_16(secret)
    yield "in lower case", secret.lower()
    yield "in upper case", secret.upper()
    yield "with its octets written as UTF-8 characters", secret.decode("latin-1").encode()
    yield "with everything replaced that is not UTF-8", secret.decode("utf-8", "replace").encode()
    yield "cut at its first NUL", secret.partition(b"\0")[0]
    yield "with a NUL at its end", secret + b"\0"
    yield "in base64 twice", b64encode(b64encode(secret))
    for what, line in (("with a line break at its end", secret.hex().encode()), ("likewise", b64encode(secret))):
        yield f"as text instead of its octets, {what}", line + b"\n"
    yield "that is empty: it isn't set", b""


def _in_utf_16(secret: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    yield "in UTF-16", text.encode("utf-16-le")
    yield "in UTF-16 with a byte order mark", b"\xff\xfe" + text.encode("utf-16-le")
    yield "in UTF-16 (big-endian)", text.encode("utf-16-be")


def _decoded(before: str, text: bytes) -> Iterator[tuple[str, bytes]]:
    for what, decode in _DECODERS:
        try:
            yield before + what, decode(text)
        except ValueError:
            continue


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
