"""The text for a person: one headline, then each check, and below one that failed both values with a caret under the difference."""

from __future__ import annotations

import json

import pytest

from watchword import Reason
from watchword.core.identity import Identity
from watchword.core.scheme import Check
from watchword.schemes.explaining.report import SHOWN, Explanation

PATH = Check("signature", False, "@path", "/v1/orders", "/v2/orders", "a proxy rewrote it: use PublicURL")


def refused(*checks: Check) -> Explanation:
    return Explanation(False, Reason.WRONG_SIGNATURE, "the MAC differs", "mac", "hmac", checks=checks)


def test_the_headline_says_what_is_wrong_where_and_what_to_do() -> None:
    told = refused(Check("key id", True), PATH)
    assert told.headline == (
        "refused by hmac: wrong_signature: @path: expected /v1/orders, received /v2/orders: a proxy rewrote it: use PublicURL"
    )
    assert str(told).splitlines()[0] == told.headline
    assert json.loads(told.to_json())["headline"] == told.headline


def test_the_caret_stands_under_the_first_octet_that_differs() -> None:
    lines = str(refused(PATH)).splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == "^")
    column = lines[at].index("^")
    assert (lines[at - 2][column], lines[at - 1][column]) == ("1", "2")
    assert lines[at - 2][:column][-2:] == lines[at - 1][:column][-2:] == "/v"


@pytest.mark.parametrize("start", [0, 1, 47, 48, 49, 500])
def test_the_difference_is_shown_wherever_it_is_and_no_line_is_endless(start: int) -> None:
    expected, received = "a" * start + "x" + "b" * 1000, "a" * start + "y" + "b" * 1000
    lines = str(refused(PATH._replace(expected=expected, received=received))).splitlines()
    shown = [line for line in lines if line.startswith(("         expected: ", "         received: "))]
    assert all(len(line) < SHOWN + 40 for line in shown)
    carets = [line.index("^") for line in lines if line.strip() == "^"]
    assert len(carets) == 1
    for column in carets:
        assert [line[column] for line in shown] == ["x", "y"]


@pytest.mark.parametrize(
    ("expected", "received", "pointed_at"),
    [
        ("AKROBOT", "AKNOBODY", True),
        ("POST", "GET", True),
        ("1699999700 to 1700000030", "1699996400", True),
        ("the stored one", "the stored one, with caps lock on", True),
        ("a text", "absent", False),
        ("at+jwt", "absent", False),
        ("an enabled user", "a disabled one", False),
        ("made by that key", "43 characters", False),
        ("", "x", False),
    ],
)
def test_a_caret_points_at_values_and_not_at_words_about_them(expected: str, received: str, pointed_at: bool) -> None:
    lines = str(refused(PATH._replace(expected=expected, received=received))).splitlines()
    assert any(line.strip() == "^" for line in lines) is pointed_at


def test_what_stands_in_a_request_can_forge_no_line() -> None:
    told = refused(PATH._replace(received="x\n  ok   everything\x1b[2J\u202e"))
    assert all(line.isprintable() for line in str(told).splitlines())
    assert not any(line.startswith("  ok   everything") for line in str(told).splitlines())


def test_an_acceptance_names_who_it_is() -> None:
    told = Explanation(True, scheme="hmac", identity=Identity("alice", "hmac"), checks=(Check("mac", True),))
    assert str(told) == "accepted by hmac: alice\n  ok   mac"
