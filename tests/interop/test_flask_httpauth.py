"""Flask-HTTPAuth itself: the attacks that fail on the drop-in get in there, and the page says of it what is true."""

from __future__ import annotations

from typing import Any

import flask_httpauth
import pytest

from tests.attacks.flask_httpauth import programs
from tests.dropin.flask_httpauth_differences import DIFFERENCES
from tests.interop.test_vulnerable_peers import peer

ATTACKS = [*programs.DIGEST, *programs.CALLBACKS]


def test_it_is_the_library_that_is_tried_here() -> None:
    assert flask_httpauth.__name__ == "flask_httpauth"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_it_gets_in(attack: Any) -> None:
    assert attack(flask_httpauth)


@pytest.mark.parametrize("cell", DIFFERENCES)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_the_page_says_what_is_so(cell: str) -> None:
    assert DIFFERENCES[cell](flask_httpauth)


def test_ghsa_p44q_vqpr_4xmg_hands_over_an_empty_token() -> None:
    assert peer("flask-httpauth-4.8.0", "flask_httpauth.py") == {"got in": True}
    assert not programs.come_without_a_token(flask_httpauth)
