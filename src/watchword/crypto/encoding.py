"""base64url (RFC 4648 §5, without padding) and JSON objects, read strictly: one value has one spelling.

Two spellings of one token would pass a cache or a replay check that goes by the text; two members of one name mean one
thing to us and another to the next reader (RFC 7515 §4, RFC 8725 §2.4).
"""

from __future__ import annotations

import json
import math
import re
from binascii import b2a_base64
from typing import Any, Final, NoReturn

from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder, Encoder

__all__ = [
    "MAX_DEPTH", "b64url_decode", "b64url_encode", "has_lone_surrogate", "parse_again", "parse_leniently", "parse_object",
]  # fmt: skip

MAX_DEPTH: Final = 32
"""How deep JSON may nest; real claims need three or four."""

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_URL_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# To the standard alphabet; whatever isn't base64url becomes "!", which no base64 decoder takes and JSON need not escape.
_FROM_URL: Final = bytes(
    ord("+") if octet == ord("-") else ord("/") if octet == ord("_") else octet if octet in _URL_ALPHABET else ord("!")
    for octet in range(256)
)
# By length modulo 4: what closes the quoted text, and which last characters leave no stray bits (RFC 4648 §3.5).
_CLOSE: Final = (b'"', b'!"', b'=="', b'="')
_LAST: Final = (_URL_ALPHABET, b"", _URL_ALPHABET[::16], _URL_ALPHABET[::4])

_decode_base64 = Decoder(bytes).decode
_decode_json = Decoder().decode
_encode_json = Encoder().encode


def _nesting(depth: int) -> Any:
    """The type of the JSON values that nest at most `depth` deep."""
    scalar: Any = str | int | float | bool | None
    return scalar | list[_nesting(depth - 1)] | dict[str, _nesting(depth - 1)] if depth else scalar  # type: ignore[misc]


# Few claims nest deeper. Decoding to this type is as fast as decoding to any, and the depth need not be counted.
_decode_shallow = Decoder(dict[str, _nesting(5)]).decode  # type: ignore[misc]


def b64url_encode(data: bytes) -> bytes:
    r"""`data` in base64url without padding.

    >>> b64url_encode(b"\xff\xfe")
    b'__4'
    """
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL)


def b64url_decode(text: bytes) -> bytes:
    r"""What `text` encodes.

    Raises:
        ValueError: padding, a character outside the alphabet, or bits after the last octet that are not zero.

    >>> b64url_decode(b"__4")
    b'\xff\xfe'
    """
    rest = len(text) & 3
    if rest and text[-1] not in _LAST[rest]:
        raise ValueError("not canonical base64url")
    try:
        # msgspec's decoder of base64 inside a JSON string is the fastest strict one at hand.
        return _decode_base64(b'"' + text.translate(_FROM_URL) + _CLOSE[rest])
    except DecodeError:
        raise ValueError("not base64url") from None


def parse_object(data: bytes) -> dict[str, Any]:
    r"""The JSON object that `data` spells (RFC 8259), every member name once.

    Raises:
        ValueError: anything else: no JSON, no object, not UTF-8, a byte order mark, trailing bytes, a name twice,
            nested more than `MAX_DEPTH` deep, a number out of range. The message holds nothing of the data.

    >>> parse_object(b'{"a": {"b": 1}}')
    {'a': {'b': 1}}
    >>> parse_object(b'{"a": 1, "\\u0061": 2}')
    Traceback (most recent call last):
    ...
    ValueError: a member name occurs twice
    """
    try:
        value: dict[str, Any] = _decode_shallow(data)
    except ValidationError:
        value = _parse_deep(data)
    except ValueError:  # msgspec's DecodeError is one; so is a wrong UTF-8 sequence
        raise ValueError("not JSON") from None
    if _repeats_a_name(data, value):
        raise ValueError("a member name occurs twice")
    return value


def parse_leniently(data: bytes) -> dict[str, Any]:
    r"""The JSON object that `data` spells, as `parse_object` reads it, but with lone surrogates taken.

    JSON can spell half of a surrogate pair (RFC 8259 §8.2), and issuers that cut a text in the middle of a pair do.
    Nothing else is taken that `parse_object` refuses.

    Raises:
        ValueError: as `parse_object`.

    >>> parse_leniently(b'{"name": "\\ud83d"}')
    {'name': '\ud83d'}
    """
    try:
        return parse_object(data)
    except ValueError:
        if _escaped_surrogate(data) is None:
            raise
    return _parse_surrogates(data)


def has_lone_surrogate(value: object) -> bool:
    r"""Whether a text in `value`, which JSON can say, holds half of a surrogate pair; the names of members are texts too.

    >>> has_lone_surrogate({"a": ["\ud83d"]}), has_lone_surrogate("\U0001f600")
    (True, False)
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def parse_again(data: bytes) -> dict[str, Any]:
    """What `parse_leniently` gave of `data` before, anew; its checks are not made once more."""
    try:
        value: dict[str, Any] = _decode_shallow(data)
    except ValidationError:
        value = _decode_json(data)
    except ValueError:
        value = _parse_surrogates(data)
    return value


_escaped_surrogate = re.compile(rb"\\u[dD][89a-fA-F]").search


def _parse_surrogates(data: bytes) -> dict[str, Any]:
    """What Python's parser, which takes lone surrogates, reads; it is held to the rules of `parse_object`."""
    if _depth(data) > MAX_DEPTH:  # first: the parser calls itself for each level
        raise ValueError("nested too deep")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_members_once, parse_constant=_no_number, parse_float=_finite
        )
    except _TwiceError:
        raise ValueError("a member name occurs twice") from None
    except ValueError:
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- what data says, not a caller's mistake
    return value


class _TwiceError(ValueError):
    """A member name occurs twice."""


def _members_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise _TwiceError
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError("no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _parse_deep(data: bytes) -> dict[str, Any]:
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise ValueError("nested too deep")
    try:
        value = _decode_json(data)
    except ValueError:
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- what data says, not a caller's mistake
    return value


_BACKSLASH: Final = ord("\\")  # an octet is looked for in a tenth of the time that a text of one takes
_escaped_colon = re.compile(rb"\\u003[aA]").search  # or an escaped backslash, and then the text "u003a"
_escapes = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}|.)").findall
_ESCAPED_COLONS: Final = frozenset((b"\\u003a", b"\\u003A"))


def _repeats_a_name(data: bytes, value: dict[str, Any]) -> bool:
    """Whether an object in `data`, which decodes to `value`, has two members of one name.

    The decoder keeps one of the two, so `value` has fewer members than `data`. Each member has one colon, and those
    inside its texts. Written again, `value` therefore has fewer colons than `data` if a member was dropped, and equally
    many if none was, whatever the white space and the escapes.
    """
    again = _encode_json(value)
    if again == data:
        return False
    colons = data.count(b":")
    if _BACKSLASH in data and _escaped_colon(data):
        colons += sum(map(_ESCAPED_COLONS.__contains__, _escapes(data)))
    return colons != again.count(b":")


# A JSON string, or a bracket outside of one (RFC 8259 §2, §7); a string that never ends is taken to the end.
_STRING_OR_BRACKET: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def _depth(data: bytes) -> int:
    """How deep `data` nests, whether or not it is JSON."""
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(data):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
            deepest = max(depth, deepest)
        elif token in (b"}", b"]"):
            depth -= 1
    return deepest
