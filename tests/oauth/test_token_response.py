"""What token endpoints answer: tolerant of what they get wrong without harm, and plain about their errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oauth_world import CALLBACK, SECRET, World
from watchword import CredentialsUnavailable, Response
from watchword.effects import Received
from watchword.oauth.token_response import AccessToken, TokenRefused, read_token_response
from watchword.testing import Misbehaviour

TOKEN = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}


def read(members: dict[str, object], status: int = 200, kind: str = "application/json", **options: Any) -> AccessToken:
    received = Received(Response(status, {"Content-Type": kind}), json.dumps(members).encode())
    usual: dict[str, Any] = {"secrets": (), "lenient": False, "chance": 0.0}
    return read_token_response(received, 1000.0, ("read",), **{**usual, **options})[0]


def test_201_is_as_good_as_200() -> None:
    assert read(TOKEN, 201).value == "t0ken"
    world = World()
    with world.issuer.misbehaving(Misbehaviour.CREATED, "token"):
        world.log_in(world.auth())


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_is_one_under_200_too(status: int) -> None:
    with pytest.raises(TokenRefused) as caught:
        read({"error": "invalid_grant", "error_description": "it has expired"}, status)
    assert (caught.value.error, caught.value.description, caught.value.status) == (
        "invalid_grant",
        "it has expired",
        status,
    )
    assert "is used up, has expired" in str(caught.value)


def test_a_token_without_its_type_needs_lenient() -> None:
    untyped = {"access_token": "t0ken"}
    with pytest.raises(CredentialsUnavailable, match="lenient=True"):
        read(untyped)
    assert read(untyped, lenient=True).value == "t0ken"
    with pytest.raises(CredentialsUnavailable, match="no bearer token"):
        read(untyped | {"token_type": "mac"}, lenient=True)
    world = World(answer={"token_type": None})
    assert world.log_in(world.auth(lenient=True))


def test_expires_in_as_text_is_read() -> None:
    assert read(TOKEN | {"expires_in": "300"}).expires == 1300
    assert read(TOKEN | {"expires_in": "soon"}).expires is None


def test_scopes_are_those_of_the_answer_or_those_asked_for() -> None:
    assert read(TOKEN).scopes == ("read",)
    assert read(TOKEN | {"scope": "a b"}).scopes == ("a", "b")


def test_a_page_is_named_as_one() -> None:
    with pytest.raises(CredentialsUnavailable, match="with a page, not with JSON: is its URL right"):
        read(TOKEN, kind="Text/HTML; charset=utf-8")


def test_what_the_endpoint_says_reaches_the_operator_and_what_was_secret_does_not() -> None:
    received = {"error": "invalid_client", "error_description": f"wrong secret {SECRET} of shop"}
    with pytest.raises(TokenRefused) as caught:
        read(received, 401, secrets=(SECRET,))
    assert caught.value.description == "wrong secret … of shop"
    assert SECRET not in str(caught.value)
    world = World()
    auth = world.auth()
    login = world.perform(auth.begin_login())
    world.issuer.add_client("shop", "another secret", redirect_uris=[CALLBACK])
    with pytest.raises(TokenRefused, match="wrong secret …") as caught:  # the fake repeats what it got, as some do
        world.perform(auth.finish_login(login, world.visit(login.url)))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["line\nbreak", 'quo"te', "back\\slash", "esc\x1b[31m", "ünicode", 7, None, "x" * 1001]
)
def test_a_description_outside_the_grammar_is_not_repeated(text: object) -> None:
    with pytest.raises(TokenRefused) as caught:
        read({"error": "invalid_grant", "error_description": text}, 400)
    assert caught.value.description == ""


@pytest.mark.parametrize("code", ["", "x" * 65, "a\nb", 7, None, ["invalid_grant"]])
def test_a_code_outside_the_grammar_is_none(code: object) -> None:
    with pytest.raises(TokenRefused, match="400: no error code"):
        read({"error": code}, 400)


def test_the_chance_makes_it_renewed_earlier_by_half_of_the_time_at_most() -> None:
    assert [read(TOKEN, chance=chance).renew for chance in (0.0, 0.5, 1.0)] == [1270.0, 1262.5, 1255.0]
    assert read(TOKEN | {"expires_in": 8}, chance=1.0).renew == 1005.0


def test_a_clock_that_went_back_says_nothing_of_a_tokens_age() -> None:
    token = read(TOKEN)
    assert [token.is_fresh(now) for now in (969, 970, 1000, 1269, 1270)] == [False, True, True, True, False]
