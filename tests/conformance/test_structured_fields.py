"""The Structured Field Tests of the HTTP working group: parsing, canonical form, serialising."""

from __future__ import annotations

import os
from base64 import b32decode
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from watchword.core.answer import Token
from watchword.fields.structured import (
    Date,
    DisplayString,
    InnerList,
    Item,
    StructuredFieldError,
    parse_dictionary,
    parse_item,
    parse_list,
    serialize_dictionary,
    serialize_item,
    serialize_list,
)

from .conftest import load

PARSE: dict[str, Callable[[str], Any]] = {"item": parse_item, "list": parse_list, "dictionary": parse_dictionary}
SERIALIZE: dict[str, Callable[[Any], str]] = {
    "item": serialize_item,
    "list": serialize_list,
    "dictionary": serialize_dictionary,
}


def cases(*folder: str) -> Iterator[Any]:
    root = os.environ.get("WATCHWORD_VECTORS")
    for path in sorted(Path(root, "structured-fields", *folder).glob("*.json")) if root else ():
        for number, case in enumerate(load("structured-fields", *folder, path.name)):
            yield pytest.param(case, id=f"{path.stem}-{number}-{case['name']}"[:80])


def bare(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if not isinstance(value, dict):
        return value
    kinds: dict[str, Callable[[Any], Any]] = {
        "token": Token,
        "binary": b32decode,
        "date": Date,
        "displaystring": DisplayString,
    }
    return kinds[value["__type"]](value["value"])


def params(pairs: Any) -> dict[str, Any]:
    return {key: bare(value) for key, value in pairs}


def member(value: Any) -> Item | InnerList:
    content, pairs = value
    if isinstance(content, list):
        return InnerList([Item(bare(inner), params(own)) for inner, own in content], params(pairs))
    return Item(bare(content), params(pairs))


def built(kind: str, value: Any) -> Any:
    if kind == "item":
        return member(value)
    if kind == "list":
        return [member(one) for one in value]
    return {key: member(one) for key, one in value}


def typed(value: Any) -> Any:
    """With the types of the bare items, which equality alone does not see (`True == 1`)."""
    if isinstance(value, Item):
        return (type(value.value), value.value, [(key, type(v), v) for key, v in value.params.items()])
    if isinstance(value, InnerList):
        return ([typed(item) for item in value.items], [(key, type(v), v) for key, v in value.params.items()])
    if isinstance(value, dict):
        return [(key, typed(one)) for key, one in value.items()]
    return [typed(one) for one in value]


@pytest.mark.parametrize("case", list(cases()))
def test_parsing(case: dict[str, Any]) -> None:
    kind, raw = case["header_type"], ", ".join(case["raw"])
    if case.get("must_fail"):
        with pytest.raises(StructuredFieldError):
            PARSE[kind](raw)
        return
    try:
        parsed = PARSE[kind](raw)
    except StructuredFieldError:
        assert case.get("can_fail")
        return
    assert typed(parsed) == typed(built(kind, case["expected"]))
    assert SERIALIZE[kind](parsed) == ", ".join(case.get("canonical", case["raw"]))


@pytest.mark.parametrize("case", list(cases("serialisation-tests")))
def test_serialising(case: dict[str, Any]) -> None:
    kind = case["header_type"]
    if case.get("must_fail"):
        with pytest.raises(StructuredFieldError):
            SERIALIZE[kind](built(kind, case["expected"]))
    else:
        assert SERIALIZE[kind](built(kind, case["expected"])) == ", ".join(case["canonical"])


def test_the_whole_suite_was_found() -> None:
    assert len(list(cases())) == 1591
    assert len(list(cases("serialisation-tests"))) == 544
