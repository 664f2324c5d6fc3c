"""Structured field values (RFC 9651): parsed by the algorithms of §4.2, serialised by those of §4.1.

| type | in Python |
|---|---|
| Integer | `int` |
| Decimal | `decimal.Decimal` |
| String | `str` |
| Token | `Token` |
| Byte Sequence | `bytes` |
| Boolean | `bool` |
| Date | `Date`, seconds since the epoch |
| Display String | `DisplayString` |
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from watchword.core.answer import Token
from watchword.fields.auth_params import unescaped
from watchword.fields.percent import percent_decoded

__all__ = [
    "BareItem", "Date", "DisplayString", "InnerList", "Item", "Member", "Parameters", "StructuredFieldError",
    "parse_dictionary", "parse_item", "parse_list", "serialize_bare_item", "serialize_dictionary", "serialize_item",
    "serialize_list"]  # fmt: skip


class StructuredFieldError(ValueError):
    """The value is not a structured field of the wanted type; the message says where, never what."""


class Date(int):
    """Seconds since the epoch (RFC 9651 §3.3.7)."""

    __slots__ = ()


class DisplayString(str):
    """Text that may hold any Unicode character (RFC 9651 §3.3.8)."""

    __slots__ = ()


BareItem = int | Decimal | str | bytes | bool
Parameters = Mapping[str, BareItem]
NO_PARAMETERS: Final[Parameters] = {}


class Item(NamedTuple):
    """A bare item and its parameters (§3.3)."""

    value: BareItem
    params: Parameters = NO_PARAMETERS


class InnerList(NamedTuple):
    """Items in parentheses, and the parameters of the whole (§3.1.1)."""

    items: Sequence[Item]
    params: Parameters = NO_PARAMETERS


Member = Item | InnerList

_SPACES: Final = re.compile(r" *")
_OWS: Final = re.compile(r"[ \t]*")
_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_STRING: Final = re.compile(r'"([ !#-\[\]-~]*+(?:\\["\\][ !#-\[\]-~]*+)*+)"')
_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_BOOLEAN: Final = re.compile(r"\?([01])")
_DATE: Final = re.compile(r"@(-?[0-9]{1,15})(?![0-9.])")
_DISPLAY: Final = re.compile(r'%"([ !#$&-~]*+(?:%[0-9a-f]{2}[ !#$&-~]*+)*+)"')
_PLAIN: Final = re.compile(r"[ -~]*")

MAX_INTEGER: Final = 999_999_999_999_999
MAX_PARTS: Final = 4096  # names and bare items; RFC 9651 §3.1 asks for lists of 1024 members at least


class _Text:
    """A field value, how far it has been read, and how many names and bare items may still come."""

    __slots__ = ("at", "left", "text")

    def __init__(self, value: str | bytes, most: int) -> None:
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if not value.isascii():
            raise StructuredFieldError("not ASCII")
        self.text = value
        self.at = len(value) - len(value.lstrip(" "))
        self.left = most

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.error(f"{what} is malformed")
        self.at = found.end()
        return found

    def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.error("more names and items than are read")

    def key(self) -> str:
        self.count()
        return self.take(_KEY, "a key")[0]

    def end(self) -> None:
        self.take(_SPACES, "")
        if self.at < len(self.text):
            raise self.error("something follows the value")

    def error(self, what: str) -> StructuredFieldError:
        return StructuredFieldError(f"{what} (character {self.at})")


def parse_item(value: str | bytes, *, most: int = MAX_PARTS) -> Item:
    """An Item (§4.2.3); `most` as for `parse_dictionary`.

    Raises:
        StructuredFieldError: anything else.

    >>> parse_item('"a";b=1;c')
    Item(value='a', params={'b': 1, 'c': True})
    """
    text = _Text(value, most)
    item = _item(text)
    text.end()
    return item


def parse_list(value: str | bytes, *, most: int = MAX_PARTS) -> list[Member]:
    """A List (§4.2.1); several field lines are joined with ", " before; `most` as for `parse_dictionary`.

    Raises:
        StructuredFieldError: anything else.

    >>> parse_list("(a b);q=1, 2")[1]
    Item(value=2, params={})
    """
    text = _Text(value, most)
    members: list[Member] = []
    if not text.peek():
        return members
    while True:
        members.append(_member(text))
        if not _comma(text):
            return members


def parse_dictionary(value: str | bytes, *, unique: bool = False, most: int = MAX_PARTS) -> dict[str, Member]:
    """A Dictionary (§4.2.2); several field lines are joined with ", " before. The last member of a name counts.

    With `unique` a name that occurs twice is an error. `most` names and bare items are read, those of parameters included.

    Raises:
        StructuredFieldError: anything else.

    >>> parse_dictionary("a=1, b;x=?0")
    {'a': Item(value=1, params={}), 'b': Item(value=True, params={'x': False})}
    """
    text = _Text(value, most)
    members: dict[str, Member] = {}
    if not text.peek():
        return members
    while True:
        key = text.key()
        if unique and key in members:
            raise text.error("a name is given twice")
        if text.peek() == "=":
            text.at += 1
            member = _member(text)
        else:
            member = Item(True, _parameters(text))
        # A later member replaces an earlier one in place (§4.2.2).
        members[key] = member
        if not _comma(text):
            return members


def _comma(text: _Text) -> bool:
    """Past the comma to the next member; False at the end of the value."""
    text.take(_OWS, "")
    if not text.peek():
        return False
    if text.peek() != ",":
        raise text.error("a comma is missing")
    text.at += 1
    text.take(_OWS, "")
    if not text.peek():
        raise text.error("a comma at the end")
    return True


def _member(text: _Text) -> Member:
    return _inner_list(text) if text.peek() == "(" else _item(text)


def _inner_list(text: _Text) -> InnerList:
    text.at += 1
    items: list[Item] = []
    while True:
        text.take(_SPACES, "")
        if text.peek() == ")":
            text.at += 1
            return InnerList(items, _parameters(text))
        items.append(_item(text))
        if text.peek() not in (" ", ")"):
            raise text.error("an inner list is malformed")


def _item(text: _Text) -> Item:
    return Item(_bare_item(text), _parameters(text))


def _parameters(text: _Text) -> Parameters:
    if text.peek() != ";":
        return NO_PARAMETERS
    params: dict[str, BareItem] = {}
    while text.peek() == ";":
        text.at += 1
        text.take(_SPACES, "")
        key = text.key()
        value: BareItem = True
        if text.peek() == "=":
            text.at += 1
            value = _bare_item(text)
        params[key] = value
    return params


def _bare_item(text: _Text) -> BareItem:
    text.count()
    first = text.peek()
    if first == '"':
        return unescaped(text.take(_STRING, "a string")[1])
    if first == ":":
        return _byte_sequence(text)
    if first == "?":
        return text.take(_BOOLEAN, "a boolean")[1] == "1"
    if first == "@":
        return Date(text.take(_DATE, "a date")[1])
    if first == "%":
        return _display_string(text)
    if first == "-" or first.isdigit():
        return _number(text)
    return Token(text.take(_TOKEN, "an item")[0])


def _number(text: _Text) -> int | Decimal:
    sign, whole, fraction = text.take(_NUMBER, "a number").groups()
    if fraction is None:
        if text.peek() == "." or len(whole) > 15:
            raise text.error("a number is malformed")
        return int(sign + whole)
    if len(whole) > 12 or len(fraction) > 3:
        raise text.error("a decimal has too many digits")
    return Decimal(f"{sign}{whole}.{fraction}")


def _byte_sequence(text: _Text) -> bytes:
    encoded = text.take(_BYTES, "a byte sequence")[1].rstrip("=")
    try:
        # §4.2.7: missing padding and stray bits are tolerated.
        return a2b_base64(encoded + "=" * (-len(encoded) % 4))
    except Base64Error:
        raise text.error("a byte sequence is malformed") from None


def _display_string(text: _Text) -> DisplayString:
    escaped = text.take(_DISPLAY, "a display string")[1]
    try:
        return DisplayString(percent_decoded(escaped.encode()).decode())
    except UnicodeDecodeError:
        raise text.error("a display string is not UTF-8") from None


def serialize_item(item: Item) -> str:
    """An Item (§4.1.3).

    Raises:
        StructuredFieldError: a value that no field can hold.

    >>> serialize_item(Item(b"hi", {"a": True, "b": Token("c")}))
    ':aGk=:;a;b=c'
    """
    return serialize_bare_item(item.value) + _serialize_parameters(item.params)


def serialize_list(members: Sequence[Member]) -> str:
    """A List (§4.1.1); an empty one is "", and its field is left out.

    >>> serialize_list([InnerList([Item("a"), Item(Token("b"))], {"q": 1}), Item(2)])
    '("a" b);q=1, 2'
    """
    return ", ".join(_serialize_member(member) for member in members)


def serialize_dictionary(members: Mapping[str, Member]) -> str:
    """A Dictionary (§4.1.2); an empty one is "", and its field is left out.

    >>> serialize_dictionary({"a": Item(True, {"x": False}), "b": Item(1)})
    'a;x=?0, b=1'
    """
    parts = []
    for key, member in members.items():
        if isinstance(member, Item) and member.value is True:
            parts.append(_serialize_key(key) + _serialize_parameters(member.params))
        else:
            parts.append(f"{_serialize_key(key)}={_serialize_member(member)}")
    return ", ".join(parts)


def _serialize_member(member: Member) -> str:
    if isinstance(member, InnerList):
        return f"({' '.join(serialize_item(item) for item in member.items)}){_serialize_parameters(member.params)}"
    return serialize_item(member)


def _serialize_parameters(params: Parameters) -> str:
    return "".join(
        f";{_serialize_key(key)}" + ("" if value is True else f"={serialize_bare_item(value)}")
        for key, value in params.items()
    )


def _serialize_key(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise StructuredFieldError("a key has characters that no key may have")
    return key


def serialize_bare_item(value: BareItem) -> str:
    """A bare item by its Python type (§4.1.3.1).

    >>> serialize_bare_item(Date(0)), serialize_bare_item(DisplayString("ü")), serialize_bare_item(Decimal("1.50"))
    ('@0', '%"%c3%bc"', '1.5')
    """
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, Date):
        return f"@{_serialize_integer(value)}"
    if isinstance(value, int):
        return _serialize_integer(value)
    if isinstance(value, Decimal):
        return _serialize_decimal(value)
    if isinstance(value, bytes):
        return f":{b2a_base64(value, newline=False).decode()}:"
    if isinstance(value, Token):
        if _TOKEN.fullmatch(value) is None:
            raise StructuredFieldError("a token has characters that no token may have")
        return str(value)
    if isinstance(value, DisplayString):
        return _serialize_display_string(value)
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) is None:
            raise StructuredFieldError("a string has characters outside printable ASCII: use DisplayString")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    raise StructuredFieldError(f"a {type(value).__name__} is no bare item")


def _serialize_integer(value: int) -> str:
    if abs(value) > MAX_INTEGER:
        raise StructuredFieldError("an integer has more than 15 digits")
    return str(int(value))


def _serialize_decimal(value: Decimal) -> str:
    if not value.is_finite() or abs(value) >= 10**13:
        raise StructuredFieldError("not a decimal that a field can hold")
    rounded = value.quantize(Decimal("0.001"), ROUND_HALF_EVEN)
    if abs(rounded) >= 10**12:
        raise StructuredFieldError("a decimal has more than 12 digits before its point")
    text = format(rounded, "f").rstrip("0")
    return text + "0" if text.endswith(".") else text


def _serialize_display_string(value: str) -> str:
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        raise StructuredFieldError("a display string holds a lone surrogate") from None
    text = "".join(f"%{octet:02x}" if octet in b'%"' or not 0x20 <= octet <= 0x7E else chr(octet) for octet in octets)
    return f'%"{text}"'
