"""No regular expression of ours can be made to backtrack in more than linear steps, which no counter of Python's sees.

Judged by structure, not by inputs: a repeat that may give back what it took must neither hold another such repeat (then a
failure tries all ways to share the text out between them) nor be followed at once by one that takes the same characters.
Repeats that are possessive give nothing back.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import watchword
from watchword import InCookie, InSubprotocol
from watchword.schemes.token_places import InAuthorization

MANY = 64
"""A repeat of fewer can't give much back."""
ROOMS = (
    "structures",
    "core",
    "fields",
    "crypto",
    "schemes",
    "issuers",
    "authorization_server",
    "oauth",
    "servers",
    "stores",
)
EVERY = frozenset(range(256))


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every compiled pattern that a module holds, in a table or as a bound method too."""
    for room in ROOMS:
        package = importlib.import_module(f"watchword.{room}")
        for info in pkgutil.walk_packages(package.__path__, f"watchword.{room}."):
            for name, value in vars(importlib.import_module(info.name)).items():
                held = (
                    value.values()
                    if isinstance(value, dict)
                    else value
                    if isinstance(value, (tuple, list))
                    else [value]
                )
                for one in held:
                    pattern = getattr(one, "__self__", one)
                    if isinstance(pattern, re.Pattern):
                        yield f"{info.name.removeprefix('watchword.')} {name}", pattern


def parsed(pattern: re.Pattern[Any]) -> Any:
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    return parser.parse(pattern.pattern, flags)


def faults(sequence: Any, inside: bool = False) -> Iterator[str]:
    """What may backtrack in more than linear steps, in a parsed pattern; `inside` a repeat that gives back."""
    items = list(sequence)
    for index, (code, argument) in enumerate(items):
        gives_back = code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and argument[1] >= MANY
        if gives_back:
            if inside:
                yield "a repeat within a repeat"
            if any(characters(argument[2]) & other for other in following(items[index + 1 :])):
                yield "two repeats of the same characters"
        atomic = code in (codes.POSSESSIVE_REPEAT, codes.ATOMIC_GROUP)
        for part in parts(argument):
            yield from faults(part, (inside and not atomic) or gives_back)


def parts(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for each in argument:
            yield from parts(each)


def following(items: list[Any]) -> Iterator[frozenset[int]]:
    """The characters of each repeat that gives back and can begin where the one before these items ends."""
    for code, argument in items:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and argument[1] >= MANY:
            yield characters(argument[2])
        if code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            yield from following(list(argument[-1] if code is codes.SUBPATTERN else argument))
        elif code is codes.BRANCH:
            for branch in argument[1]:
                yield from following(list(branch))
        if not can_be_empty(code, argument):
            return


def can_be_empty(code: Any, argument: Any) -> bool:
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return bool(argument[0] == 0) or argument[2].getwidth()[0] == 0
    if code is codes.SUBPATTERN:
        return bool(argument[-1].getwidth()[0] == 0)
    if code is codes.BRANCH:
        return any(branch.getwidth()[0] == 0 for branch in argument[1])
    return code in (codes.AT, codes.ASSERT, codes.ASSERT_NOT)


def characters(body: Any) -> frozenset[int]:
    """The octets that a repeat of single characters takes; of anything else, every one."""
    if len(body) != 1:
        return EVERY
    code, argument = body[0]
    if code is codes.LITERAL:
        return frozenset({argument})
    if code is codes.NOT_LITERAL:
        return EVERY - {argument}
    if code is not codes.IN:
        return EVERY
    found: set[int] = set()
    for kind, value in argument:
        if kind is codes.LITERAL:
            found.add(value)
        elif kind is codes.RANGE:
            found.update(range(value[0], min(value[1], 255) + 1))
        elif kind is not codes.NEGATE:
            return EVERY
    return EVERY - found if argument[0][0] is codes.NEGATE else frozenset(found)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("(?:a+)+b", "within"), ("(?:a|b*)*c", "within"), (r"\s*,\s*", None), (r"a*a*b", "same"), (r"[a-c]*(?=[a-d])[b-d]*e", "same"),
        ("a*b*c", None), ("(?:a++)+b", None), ("(?:a+)++b", None), ("(?:(?:a+)+b)++", "within"), ("a*(?:b|a*c)", "same"),
        ("a*+a*b", None), ("a*(?:,a*)*", "within"), ("a{1,9}a*b", None), ("[^,]*[^;]*x", "same"),
    ],
)  # fmt: skip
def test_the_judge_knows_what_backtracks(text: str, fault: str | None) -> None:
    found = list(faults(parsed(re.compile(text))))
    assert bool(found) is (fault is not None)
    assert fault is None or any(fault in each for each in found)


def test_no_pattern_backtracks() -> None:
    judged = {(pattern.pattern, pattern.flags): (place, pattern) for place, pattern in patterns()}
    assert len(judged) > 80
    found = {place: faulty for place, pattern in judged.values() if (faulty := list(faults(parsed(pattern))))}
    assert found == {}


@pytest.mark.parametrize("place", [InCookie("a"), InSubprotocol("a."), InAuthorization("A")], ids=repr)
def test_no_pattern_that_is_made_for_a_place_of_tokens_backtracks(place: object) -> None:
    held = [getattr(place, name) for kind in type(place).__mro__ for name in getattr(kind, "__slots__", ())]
    found = [one for each in held if isinstance(one := getattr(each, "__self__", each), re.Pattern)]
    assert found
    assert [fault for pattern in found for fault in faults(parsed(pattern))] == []


def test_every_room_with_patterns_is_looked_at() -> None:
    looked_at = {f"watchword.{room}" for room in ROOMS}
    rooms = {info.name for info in pkgutil.iter_modules(watchword.__path__, "watchword.") if info.ispkg}
    # What these read is our own user's, or a server's answer that its reader bounds.
    exempt = {"cli", "clients", "dropin", "testing", "transport"}
    assert rooms - looked_at == {f"watchword.{room}" for room in exempt}
