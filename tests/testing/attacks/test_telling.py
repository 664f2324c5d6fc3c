"""What refusals tell."""

from __future__ import annotations

import base64

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from tests.testing.attacks.tried import BEARER, TOKEN, app_that, has_token, is_hole, outcome
from watchword import BasicAuth
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.outcome import NotTried


def refusing(words):
    async def orders(request):
        if has_token(request):
            return JSONResponse({"orders": []})
        return PlainTextResponse(words(request), 401)

    return Starlette(routes=[Route("/orders", orders)])


@pytest.mark.parametrize(
    "words",
    [
        lambda request: f"expected {TOKEN}" if "authorization" in request.headers else "no",
        lambda request: "Traceback (most recent call last):",
    ],
)
def test_a_secret_or_a_traceback_in_a_refusal_is_found(words):
    found = outcome("secrets_told", refusing(words), Credentials(BEARER))
    assert is_hole(found)
    assert TOKEN not in found.sent + found.came
    assert outcome("secrets_told", refusing(lambda request: "no"), Credentials(BEARER)) is None


def test_what_everybody_is_told_or_has_sent_is_no_secret():
    assert (
        outcome("secrets_told", refusing(lambda request: request.headers.get("authorization", "")), Credentials(BEARER))
        is None
    )


def passwords(unknown, wrong):
    async def orders(request):
        name, _, password = (
            base64.b64decode(request.headers.get("authorization", "")[6:]).decode("utf-8", "replace").partition(":")
        )
        if name != "alice":
            return PlainTextResponse(unknown, 401)
        return JSONResponse({"orders": []}) if password == "open sesame" else PlainTextResponse(wrong, 401)

    return Starlette(routes=[Route("/orders", orders)])


def test_words_that_tell_whether_a_user_exists_are_found():
    alice = Credentials(BasicAuth("alice", "open sesame"))
    assert is_hole(outcome("names_of_users", passwords("no such user", "wrong password"), alice))
    assert outcome("names_of_users", passwords("request 0a1b2c3d refused", "request 9f8e7d6c refused"), alice) is None
    assert isinstance(outcome("names_of_users", app_that(has_token), Credentials(BEARER)), NotTried)
