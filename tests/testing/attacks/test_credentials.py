"""`Credentials`: each argument has one form, and another one is an error that says what to write."""

from __future__ import annotations

import inspect

import pytest

from tests.testing.attacks.tried import BEARER, app_that, has_token, outcome
from watchword import BasicAuth, ConfigurationError, Key
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.credentials import FORMS
from watchword.testing.attacks.routes import Route

ORDERS, REPORT = Route("GET", "/orders"), Route("POST", "/report")
HALF = BasicAuth("alice", "open sesame")


def sign(request):
    """Signs nothing."""


RIGHT = {
    "sign": [HALF, BEARER, sign, [HALF, BEARER], {"/orders": HALF, "*": [sign, BEARER]}],
    "forbidden": [HALF, BEARER, sign, {"GET /orders": HALF}, {"POST *": BEARER}],
    "public": [["/health"], ("GET /docs", "*"), {"/static/*"}],
    "untried": [["/health"]],
    "key": ["secret", b"secret", Key.generate("EdDSA")],
    "mint": [lambda claims: ""],
    "public_key": ["PEM", b"PEM"],
    "bodies": [{"POST /orders": {"item": "tea"}}, {}],
    "parameters": [{"order_id": 7}],
    "queries": [{"/search": "q=tea"}],
    "headers": [{"X-Version": "2"}, {"/orders/*": {"X-Version": "2"}}],
    "base_url": ["https://shop.example"],
    "peer": ["198.51.100.10", "2001:db8::1"],
    "single_use": [True, False, None],
    "covers": [["body"], {"method", "path"}, None],
    "same_site": [True],
    "accepted": [lambda answer: True],
}
WRONG = {
    "sign": ["alice", BasicAuth, 7, ["alice"], {"/orders": "Bearer x"}, {"/orders": HALF, "X-API-Key": "x"}, {"X-API-Key": 7}],
    "forbidden": ["bob", [HALF], {"/orders": [HALF]}, {"DELETE": HALF}],
    "public": ["/health", ["health"], 7, [7]],
    "untried": ["/health", ["GET"]],
    "key": [7, {"kty": "oct"}],
    "mint": ["a.b.c"],
    "public_key": [Key.generate("EdDSA")],
    "bodies": [{"item": "tea"}, "item=tea", {"POST /orders": {}, "POST": {}}],
    "parameters": [{"/orders/*": {"order_id": 7}}, ["order_id"]],
    "queries": ["q=tea", {"q": "tea"}],
    "headers": [{"/orders": "2"}, {"X-Version": {"/orders": "2"}}, {"X-Version": "2", "/orders": {"X-Version": "3"}}, [("X-Version", "2")]],
    "base_url": ["shop.example", "ftp://shop.example", 7],
    "peer": ["proxy", 7, {"/orders": "10.0.0.1"}],
    "single_use": ["no", {"/orders": True}],
    "covers": ["body", ["header"], 7, {"/orders": ["body"]}],
    "same_site": ["Lax", {"/orders": True}],
    "accepted": [200],
}  # fmt: skip
CASES = [(name, value) for name, values in WRONG.items() for value in values]


def test_every_argument_has_a_form():
    assert set(FORMS) == set(RIGHT) == set(WRONG) == set(inspect.signature(Credentials).parameters)


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}{number}" for number, (name, _) in enumerate(CASES)])
def test_another_form_is_an_error_that_says_what_to_write(name, value):
    with pytest.raises(ConfigurationError) as caught:
        Credentials(**{name: value})
    assert str(caught.value) == f"{name}= is {FORMS[name][1]}"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values])
def test_each_form_that_is_described_is_taken(name, value):
    Credentials(**{name: value})


def test_fields_may_be_for_all_routes_or_for_some():
    everywhere = Credentials(headers={"X-Version": "2"})
    assert everywhere.fields(ORDERS) == everywhere.fields(REPORT) == {"x-version": "2"}
    some = Credentials(headers={"/orders": {"X-Version": "2"}, "POST *": {"X-Version": "3"}})
    assert some.fields(ORDERS) == {"x-version": "2"}
    assert some.fields(REPORT) == {"x-version": "3"}
    assert some.fields(Route("GET", "/health")) == {}


def test_a_route_gets_its_own_fields():
    app = app_that(lambda request: has_token(request) and request.headers.get("x-version") == "2")
    for headers, told in (
        ({"/orders": {"X-Version": "2"}}, "sign nothing"),
        ({"/report": {"X-Version": "2"}}, "answered 401"),
    ):
        assert told in str(outcome("replay", app, Credentials(BEARER, headers=headers)))
