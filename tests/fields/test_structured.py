"""Structured fields: what is serialised parses back, anything else is one error, and http-sf agrees."""

from __future__ import annotations

from decimal import Decimal

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
    serialize_bare_item,
    serialize_dictionary,
    serialize_item,
    serialize_list,
)

KEYS = st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,8}", fullmatch=True)
INTEGERS = st.integers(-999_999_999_999_999, 999_999_999_999_999)
BARE = st.one_of(
    st.booleans(),
    INTEGERS,
    st.decimals(-(10**11), 10**11, places=3),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12),
    st.from_regex(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]{0,8}", fullmatch=True).map(Token),
    st.binary(max_size=12),
    st.integers(-62_135_596_800, 253_402_300_799).map(Date),  # what http-sf can hold: years 1 to 9999
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(DisplayString),
)
PARAMS = st.dictionaries(KEYS, BARE, max_size=3)
ITEMS = st.builds(Item, BARE, PARAMS)
MEMBERS = st.one_of(ITEMS, st.builds(InnerList, st.lists(ITEMS, max_size=3), PARAMS))


@given(ITEMS)
def test_items_come_back(item: Item) -> None:
    parsed = parse_item(serialize_item(item))
    assert parsed == item
    assert type(parsed.value) is type(item.value)


@given(st.lists(MEMBERS, max_size=4))
def test_lists_come_back(members: list[Item | InnerList]) -> None:
    assert parse_list(serialize_list(members)) == members


@given(st.dictionaries(KEYS, MEMBERS, max_size=4))
def test_dictionaries_come_back_in_order(members: dict[str, Item | InnerList]) -> None:
    parsed = parse_dictionary(serialize_dictionary(members))
    assert list(parsed.items()) == list(members.items())


PIECES = [*'abAB*19.-:;=,"\\()?@%/ \t\x00ü', "%c3%bc", "?1", ":aGk=:", "@1", '"a"', ", ", ";a=1"]
FIELDISH = st.lists(st.sampled_from(PIECES), max_size=16).map("".join)


@given(FIELDISH)
def test_any_text_is_a_value_or_the_one_error(text: str) -> None:
    for parse in (parse_item, parse_list, parse_dictionary):
        try:
            parse(text)
        except StructuredFieldError as error:
            assert text not in str(error) or len(text) < 3


@given(FIELDISH)
@example("a\t")  # optional white space after the last member (§4.2.1), but not after an item
def test_http_sf_agrees_on_what_is_a_value(text: str) -> None:
    octets = text.encode()
    for parse, kind in ((parse_item, "item"), (parse_list, "list"), (parse_dictionary, "dictionary")):
        try:
            theirs: object = http_sf.parse(octets, tltype=kind)
        except ValueError:
            theirs = None
        try:
            ours: object = parse(octets)
        except StructuredFieldError:
            ours = None
        assert (ours is None) is (theirs is None), (kind, text)


@given(MEMBERS)
def test_http_sf_reads_what_we_write(member: Item | InnerList) -> None:
    http_sf.parse(serialize_list([member]).encode(), tltype="list")


@pytest.mark.parametrize(
    "value",
    [
        10**15,
        -(10**15),
        Decimal(10**12),
        Decimal("NaN"),
        "tab\t",
        "ü",
        Token("a b"),
        Token(""),
        DisplayString("\ud800"),
        None,
        1.5,
    ],
)
def test_what_no_field_can_hold_is_refused(value: object) -> None:
    with pytest.raises(StructuredFieldError):
        serialize_bare_item(value)  # type: ignore[arg-type]


def test_a_key_that_no_dictionary_can_have_is_refused() -> None:
    with pytest.raises(StructuredFieldError):
        serialize_dictionary({"A": Item(1)})


def test_decimals_round_half_even() -> None:
    assert serialize_bare_item(Decimal("0.0015")) == "0.002"
    assert serialize_bare_item(Decimal("0.0025")) == "0.002"
