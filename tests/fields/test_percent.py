"""Percent-decoding gives what the standard library gives, in as many steps for a long text as for a short one."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counting import instructions
from watchword.fields.percent import percent_decoded, percent_units


@given(st.one_of(st.binary(), st.text("%%%0129aAfFgG\\xuN{}n\n").map(str.encode)))
def test_it_decodes_as_the_standard_library_does(octets: bytes) -> None:
    assert percent_decoded(octets) == unquote_to_bytes(octets)
    units = [ord(unit) for unit in percent_units(octets)]
    assert bytes(unit % 256 for unit in units) == unquote_to_bytes(octets)
    assert sum(unit > 255 for unit in units) * 2 + len(units) == len(octets)


def test_every_escape_is_its_octet_in_either_case() -> None:
    for octet in range(256):
        assert percent_decoded(b"%%%02x" % octet) == percent_decoded(b"%%%02X" % octet) == bytes([octet])


def test_backslashes_are_octets_like_any_other() -> None:
    assert percent_decoded(rb"\x41\\n\u0041\N{BULLET}%41") == rb"\x41\\n\u0041\N{BULLET}A"


@pytest.mark.parametrize("unit", [b"%", b"%41", b"%c3", b"\\", b"%\\", b"a%2"])
def test_a_long_text_takes_as_many_steps_as_a_short_one(unit: bytes) -> None:
    def taken(octets: bytes) -> int:
        return instructions(lambda: percent_decoded(octets))

    assert 0 < taken(b"%" + unit * 10_000) == taken(b"%" + unit * 10)
