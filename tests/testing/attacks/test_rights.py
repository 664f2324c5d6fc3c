"""Attacks of a user who may do less, and credentials in another place."""

from __future__ import annotations

from functools import wraps

import flask
import pytest

from tests.testing.attacks.tried import app_that, is_hole, outcome
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.outcome import NotTried, Weakness
from watchword.testing.attacks.trial import OPEN

TOKENS = {"token-of-alice-1": {"admin"}, "token-of-bob-22": set()}
ALICE, BOB = ({"Authorization": f"Bearer {token}"} for token in TOKENS)
BOTH = Credentials(ALICE, forbidden={"DELETE /orders": BOB})


def shop(order):
    """An app with two decorators; `order` says where they stand."""
    app = flask.Flask(__name__)

    def authenticated(function):
        @wraps(function)
        def inner():
            token = flask.request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in TOKENS:
                flask.abort(401)
            flask.g.roles = TOKENS[token]
            return function()

        return inner

    def admin(function):
        @wraps(function)
        def inner():
            if "admin" not in flask.g.get("roles", {"admin"}):
                flask.abort(403)
            return function()

        return inner

    def delete():
        return {"deleted": True}

    app.delete("/orders")({"right": authenticated(admin(delete)), "wrong": admin(authenticated(delete))}[order])
    return app


def test_a_scope_that_is_asked_for_too_early_is_found():
    assert is_hole(outcome("missing_scope", shop("wrong"), BOTH, "DELETE /orders"))
    assert outcome("missing_scope", shop("right"), BOTH, "DELETE /orders") is None


def test_a_field_that_claims_the_right_is_found_to_be_believed():
    def checks(mended):
        def check(request):
            roles = TOKENS.get(request.headers.get("authorization", "").removeprefix("Bearer "))
            if roles is None:
                return False
            return "admin" in roles or (not mended and request.headers.get("x-role") == "admin")

        return app_that(check, method="DELETE")

    found = outcome("missing_scope", checks(mended=False), BOTH, "DELETE /orders")
    assert is_hole(found)
    assert "x-role" in found.sent
    assert outcome("missing_scope", checks(mended=True), BOTH, "DELETE /orders") is None


def test_without_somebody_who_must_be_refused_it_is_not_tried():
    found = outcome("missing_scope", shop("right"), Credentials(ALICE), "DELETE /orders")
    assert isinstance(found, NotTried)
    assert "forbidden=" in str(found)


@pytest.mark.parametrize("place", ["access_token", "token", "api_key"])
def test_a_token_that_is_taken_from_the_query_is_a_weakness(place):
    def check(request):
        token = request.query_params.get(place) or request.headers.get("authorization", "").removeprefix("Bearer ")
        return token in TOKENS

    found = outcome("credentials_in_query", app_that(check), Credentials(ALICE))
    assert isinstance(found, Weakness)
    assert "token-of-alice" not in found.sent + found.came
    strict = app_that(lambda request: request.headers.get("authorization") == ALICE["Authorization"])
    assert outcome("credentials_in_query", strict, Credentials(ALICE)) is None


def test_credentials_whose_place_is_the_query_are_left_there():
    def sign(request):
        request.url += "?key=a-long-api-key-of-alice"

    app = app_that(lambda request: request.query_params.get("key") == "a-long-api-key-of-alice")
    assert isinstance(outcome("credentials_in_query", app, Credentials(sign)), NotTried)
    assert outcome("no_credentials", app, Credentials(sign)) is None


def test_a_token_in_the_query_of_a_route_that_lets_in_anybody_tells_nothing():
    found = outcome("credentials_in_query", app_that(lambda request: True), Credentials(ALICE))
    assert not isinstance(found, Weakness)
    assert str(found) == OPEN


def orders_by_method(*guarded):
    """One view for GET, HEAD and POST, that demands the right for some of them."""
    app = flask.Flask(__name__)

    @app.route("/orders", methods=["GET", "HEAD", "POST"])
    def orders():
        token = flask.request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in TOKENS:
            flask.abort(401)
        if flask.request.method in guarded and "admin" not in TOKENS[token]:
            flask.abort(403)
        return {"orders": []}

    return app


def test_head_is_judged_where_get_is_forbidden_too():
    everything, writing = Credentials(ALICE, forbidden=BOB), Credentials(ALICE, forbidden={"POST /orders": BOB})
    found = outcome("missing_scope", orders_by_method("GET", "POST"), everything, "POST /orders")
    assert is_hole(found)
    assert "'HEAD'" in found.tried
    assert outcome("missing_scope", orders_by_method("GET", "HEAD", "POST"), everything, "POST /orders") is None
    assert outcome("missing_scope", orders_by_method("POST"), writing, "POST /orders") is None
