"""JSON as other writers write it: same values, other order, spacing and escapes; numbers exactly as they were written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice, permutations, product
from math import factorial
from typing import Any, Final

__all__ = ["MAX_DEPTH", "members_alone", "reordered", "respelled"]

MAX_DEPTH: Final = 64
MAX_ORDERS: Final = 720
"""Orders of an object's members that are tried: all of them, those of the objects in it included, if they are so few."""
MAX_DROPPED: Final = 16
"""Members of an object that are left out one by one."""
MAX_LEVELS: Final = 3
"""Objects within one another of which a member is looked at alone."""
MAX_PERMUTED: Final = 6
"""Members of an object of which every order is tried, whatever is in them."""

_MARKS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|([\[{])|([\]}])', re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_WHOLE: Final = re.compile(r"(-?\d{1,15})\.0+")
_ORDER = "the order of the JSON object's members was changed: sign the octets that are sent, don't build the JSON anew"
_ADDED = "a member was added to the JSON object: sign the octets that are sent, don't build the JSON anew"
_SPACE = "JSON was written anew with other white space: sign the octets that are sent, and verify them before parsing"
_ESCAPES = "JSON was written anew with other escapes: sign the octets that are sent, and verify them before parsing"
_PRINTED = "the printed value was signed, not the JSON that is sent: sign the octets that are sent"
_NULLS = "members that are null were left out of the JSON: sign the octets that are sent, don't build the JSON anew"
_NUMBERS = "JSON was written anew with other numbers (1.0 or a text for 1): sign the octets that are sent"


_TEXTS: Final = "numbers came as texts, in quotes, where the JSON had numbers: sign the octets that are sent, don't build the JSON anew"
_DIGITS: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,9})?")


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def respelled(data: bytes) -> Iterator[tuple[bytes, str]]:
    r"""Other spellings of the JSON text `data`, each with what happened; none if it isn't JSON or nests too deep.

    >>> [text for text, _ in respelled(b'{"b": 1.0,"a":2}')][:2]
    [b'{"b":1.0,"a":2}', b'{"b": 1.0, "a": 2}']
    """
    value = _parsed(data)
    if value is _NOTHING:
        return
    orders = _usual_orders(value)
    for order, mend in orders:
        for comma, colon, indent in _SPACINGS:
            yield _written(order, comma, colon, indent, _plain), mend if order is not value else _SPACE
    for order, mend in orders:
        for escape in _ESCAPINGS:
            for comma, colon, indent in _SPACINGS[:5]:
                yield _written(order, comma, colon, indent, escape), _ESCAPES if order is value else mend
    for number in (_as_python, _as_whole, _as_float, '"{}"'.format):
        changed = _with_numbers(value, number)
        for order in (changed, _sorted(changed, reverse=False)) if changed != value else ():
            for escape in (_plain, _escape_all, _escape_php, _escape_html):
                for comma, colon, indent in _SPACINGS[:5]:
                    yield _written(order, comma, colon, indent, escape), _NUMBERS
    for other in _with_numbers_read(value):
        yield from ((_written(other, comma, colon, "", _plain), _TEXTS) for comma, colon, _ in _SPACINGS[:2])
    yield from _without_nulls(value)
    for escape in (_plain, _escape_all):
        for comma, colon in ((", ", "=>"), (", ", " => "), (",", "=>")):
            yield _written(value, comma, colon, "", escape), _PRINTED


def _without_nulls(value: Any) -> Iterator[tuple[bytes, str]]:
    bare = _without_null(value)
    for kept in (bare, _with_numbers(bare, _as_python)) if bare != value else ():
        for escape, (comma, colon, indent) in product((_plain, _escape_all), _SPACINGS[:5]):
            yield _written(kept, comma, colon, indent, escape), _NULLS


def members_alone(data: bytes) -> Iterator[tuple[bytes, str]]:
    """What one member of the JSON text `data` is by itself, the outer ones first; a text as JSON and without its quotes."""
    level = [_parsed(data)]
    for _ in range(MAX_LEVELS):
        found = [each for value in level if isinstance(value, _Object) for each in value]
        for name, value in found[:MAX_DROPPED]:
            alone = f"a part of the JSON was signed alone, its member {name[:64]}: sign the octets that are sent, all of them"
            for comma, colon, indent in _SPACINGS[:2]:
                yield _written(value, comma, colon, indent, _plain), alone
            if type(value) is str:
                yield value.encode("utf-8", "surrogatepass"), alone
        level = [value for _, value in found[:MAX_DROPPED]]


def reordered(data: bytes) -> Iterator[tuple[bytes, str]]:
    r"""The JSON text `data` with the members of its objects in other orders than the usual ones: of a map that keeps none.

    >>> b'{"c":1,"a":2,"b":3}' in [text for text, _ in reordered(b'{"a":2,"b":3,"c":1}')]
    True
    """
    value = _parsed(data)
    if not isinstance(value, _Object):
        return
    for at in range(min(len(value), MAX_DROPPED)):
        for comma, colon, indent in _SPACINGS[:2]:
            yield _written(_Object(value[:at] + value[at + 1 :]), comma, colon, indent, _plain), _ADDED
    orders = list(_orders(value))
    plain = all(_escape_all(text) == text for text in _STRING.findall(data.decode("utf-8", "replace")))
    for escape in (_plain,) if plain else (_plain, _escape_all):
        for comma, colon, indent in _SPACINGS[:2]:
            yield from ((_written(order, comma, colon, indent, escape), _ORDER) for order in orders)
    for comma, colon, indent in _SPACINGS[2:5]:
        yield from ((_written(order, comma, colon, indent, _plain), _ORDER) for order in orders)


_SPACINGS: Final = (
    (",", ":", ""), (", ", ": ", ""), (",", ": ", "  "), (",", ": ", "    "), (",", ": ", "\r  "), (",", ":", " "), (",", ": ", "\t"),
    (",", " : ", "  "), (", ", ":", ""), (",", ": ", ""), (", ", " : ", ""), (" , ", " : ", ""), (",", ": ", " "),
)  # fmt: skip
"""Comma, colon, indent, after CR where lines end with CR LF: JavaScript's, Python's, both indented by 2, by 4, .NET's, …, Java's, PHP's."""


def _plain(text: str) -> str:
    return text


def _escape_all(text: str) -> str:
    return text if text.isascii() else "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in text)


def _escape_upper(text: str) -> str:
    return _ESCAPE.sub(lambda match: "\\u" + match[1].upper(), _escape_all(text))


def _escape_slashes(text: str) -> str:
    return text.replace("/", "\\/")


def _escape_html(text: str) -> str:
    return "".join(_HTML.get(char, char) for char in text)


def _escape_gson(text: str) -> str:
    return _escape_html(text).replace("=", "\\u003d").replace("'", "\\u0027")


def _escape_php(text: str) -> str:
    return _escape_slashes(_escape_all(text))


_ESCAPINGS: Final[tuple[Callable[[str], str], ...]] = (
    _escape_all, _escape_slashes, _escape_php, _escape_html, _escape_upper, _escape_gson,
)  # fmt: skip
_NOTHING: Final = object()


def _parsed(data: bytes) -> Any:
    depth = 0
    for match in _MARKS.finditer(data):
        depth += (match[1] is not None) - (match[2] is not None)
        if depth > MAX_DEPTH:
            return _NOTHING
    try:
        return json.loads(
            data.decode("utf-8", "surrogatepass"),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_members,
        )
    except (ValueError, RecursionError):
        return _NOTHING


class _Object(list[tuple[str, Any]]):
    """An object's members, in order, doubles kept."""

    __slots__ = ()


def _members(pairs: list[tuple[str, Any]]) -> _Object:
    return _Object(pairs)


def _usual_orders(value: Any) -> list[tuple[Any, str]]:
    orders = [(value, ""), (_sorted(value, reverse=False), _ORDER), (_sorted(value, reverse=True), _ORDER)]
    return [*orders, (_Object(value[::-1]), _ORDER)] if isinstance(value, _Object) else orders


def _orders(value: _Object) -> Iterator[Any]:
    """Every order if they are few, every order of the outermost object if those are, else those that one step makes."""
    if len(value) <= MAX_PERMUTED:
        yield from map(_Object, islice(permutations(value), MAX_ORDERS))
    if _count(value) <= MAX_ORDERS:
        yield from _permuted(value)
    if len(value) <= MAX_PERMUTED:
        return
    for at in range(min(len(value), 8)):
        rest = value[:at] + value[at + 1 :]
        yield _Object([value[at], *rest])
        yield _Object([*rest, value[at]])


def _count(value: Any) -> int:
    """How many orders there are; more than MAX_ORDERS if that is exceeded."""
    if not isinstance(value, list):
        return 1
    count = factorial(min(len(value), 7)) if isinstance(value, _Object) else 1
    for each in value:
        count *= _count(each[1] if isinstance(value, _Object) else each)
        if count > MAX_ORDERS:
            break
    return count


def _permuted(value: Any) -> Iterator[Any]:
    """Every order of the members of every object; `_count` says how many they are."""
    if isinstance(value, _Object):
        for order in permutations(value):
            names = [name for name, _ in order]
            for values in product(*(list(_permuted(each)) for _, each in order)):
                yield _Object(zip(names, values, strict=True))
    elif isinstance(value, list):
        yield from (list(values) for values in product(*(list(_permuted(each)) for each in value)))
    else:
        yield value


def _sorted(value: Any, *, reverse: bool) -> Any:
    if isinstance(value, _Object):
        members = sorted(value, key=lambda member: member[0], reverse=reverse)
        return _Object((name, _sorted(each, reverse=reverse)) for name, each in members)
    if isinstance(value, list):
        return [_sorted(each, reverse=reverse) for each in value]
    return value


def _without_null(value: Any) -> Any:
    if isinstance(value, _Object):
        return _Object((name, _without_null(each)) for name, each in value if each is not None)
    return [_without_null(each) for each in value] if isinstance(value, list) else value


def _with_numbers(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, _Number):
        return _Number(change(value))
    if isinstance(value, _Object):
        return _Object((name, _with_numbers(each, change)) for name, each in value)
    return [_with_numbers(each, change) for each in value] if isinstance(value, list) else value


def _with_numbers_read(value: Any) -> Iterator[Any]:
    """With the texts that are digits as numbers: all of them, and those of the outermost object one by one."""
    yield _read(value)
    if isinstance(value, _Object):
        for at, (name, each) in enumerate(value[:MAX_DROPPED]):
            if isinstance(each, str) and type(_read(each)) is not type(each):
                yield _Object([*value[:at], (name, _read(each)), *value[at + 1 :]])


def _read(value: Any) -> Any:
    if type(value) is str:
        return _Number(value) if _DIGITS.fullmatch(value) else value
    if isinstance(value, _Object):
        return _Object((name, _read(each)) for name, each in value)
    return [_read(each) for each in value] if isinstance(value, list) else value


def _as_whole(number: str) -> str:
    match = _WHOLE.fullmatch(number)
    return match[1] if match else number


def _as_float(number: str) -> str:
    return number + ".0" if number.lstrip("-").isdigit() else number


def _as_python(number: str) -> str:
    return number if number.lstrip("-").isdigit() else repr(float(number))


def _written(value: Any, comma: str, colon: str, indent: str, escape: Callable[[str], str]) -> bytes:
    parts: list[str] = []
    _write(value, (comma, colon, indent.removeprefix("\r"), escape), "\r\n" if indent[:1] == "\r" else "\n", parts)
    return "".join(parts).encode("utf-8", "surrogatepass")


_Style = tuple[str, str, str, Callable[[str], str]]


def _write(value: Any, style: _Style, line: str, parts: list[str]) -> None:
    comma, colon, indent, escape = style
    if isinstance(value, _Number):
        parts.append(value)
    elif isinstance(value, list):
        is_object = isinstance(value, _Object)
        inner = line + indent if indent else ""
        parts.append("{" if is_object else "[")
        for number, each in enumerate(value):
            parts.append((comma if number else "") + inner)
            if is_object:
                parts += (escape(json.dumps(each[0], ensure_ascii=False)), colon)
            _write(each[1] if is_object else each, style, inner, parts)
        parts.append((line if indent and value else "") + ("}" if is_object else "]"))
    else:
        parts.append(escape(json.dumps(value, ensure_ascii=False)))
