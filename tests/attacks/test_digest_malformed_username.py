"""`username*` (RFC 8187) that is malformed, or that contradicts another name, leads to a refusal and to nobody's record."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, World, changed
from watchword import Reason, Rejected


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize(
    "extended",
    [
        "", "Mufasa", "UTF-8'Mufasa", "''Mufasa", "UTF-16''Mufasa", "ISO-8859-1''Mufasa", "UTF-8''%", "UTF-8''%4", "UTF-8''%zz",
        "UTF-8''%ff", "UTF-8''%c0%80", "UTF-8''%ed%a0%80", "UTF-8''Muf%00asa", "UTF-8''Muf%0aasa", "UTF-8''a b", "UTF-8'e n'Mufasa",
        "UTF-8''Mufasa'", "UTF-8''M\u00fcfasa", "UTF-8''a\x22b",
    ],
)  # fmt: skip
def test_what_is_not_rfc_8187_is_refused(guard: str, extended: str) -> None:
    world = World(guard)
    verdict = world.judge(changed(world.signed(), username=None, **{"username*": extended.replace('"', '\\"')}))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("other", ["UTF-8''Mufasa", "UTF-8''Scar"])
def test_two_names_are_refused_even_if_they_agree(guard: str, other: str) -> None:
    """RFC 7616 §3.4: one look-up by the one and one log line with the other would be two users."""
    world = World(guard)
    verdict = world.judge(changed(world.signed(), **{"username*": other}))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("guard", GUARDS)
def test_a_name_that_no_user_can_have_is_refused(guard: str) -> None:
    world = World(guard)
    for name in ("u" * 257, "\u00fc" * 257, "u" * 12_000):
        verdict = world.judge(changed(world.signed(), username=name.encode().decode("latin-1")))
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS
        extended = "UTF-8''" + "%75" * len(name)
        verdict = world.judge(changed(world.signed(), username=None, **{"username*": extended[:12_000]}))
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS
    assert getattr(world.judge(changed(world.signed(), username="u" * 256)), "reason", None) is Reason.UNKNOWN_SUBJECT


def test_well_formed_names_are_found() -> None:
    world = World()
    world.verify(changed(world.signed(), username=None, **{"username*": "utf-8'en'%4Dufasa"}))
