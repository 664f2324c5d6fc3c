"""A decorator above what registers a function wraps in vain: the function is called bare. In Flask it guards all the same."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import flask
import pytest

from tests.core.fakes import FakeVerifier
from watchword import Guard
from watchword.servers.flask import Authenticate


def made(register: Callable[[flask.Flask, Any], None], *, installed: bool = True) -> flask.Flask:
    """An application as a factory makes it, which holds nothing but what the application holds."""
    app = flask.Flask("orders")
    guard = Guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))])
    register(app, Authenticate(guard, app if installed else None))
    gc.collect()
    return app


def above_a_route(app: flask.Flask, auth: Authenticate) -> None:
    @auth.required("write")
    @app.get("/x")
    def view() -> str:
        return "done"


def above_before_request(app: flask.Flask, auth: Authenticate) -> None:
    @auth.required("write")
    @app.before_request
    def check() -> None: ...

    app.add_url_rule("/x", "x", lambda: "done")


def above_before_request_of_a_blueprint(app: flask.Flask, auth: Authenticate) -> None:
    outer, inner = flask.Blueprint("outer", __name__), flask.Blueprint("inner", __name__)

    @auth.required("write")
    @outer.before_request
    def check() -> None: ...

    inner.add_url_rule("/x", "x", lambda: "done")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def above_before_app_request(app: flask.Flask, auth: Authenticate) -> None:
    blueprint = flask.Blueprint("b", __name__)

    @auth.required("write")
    @blueprint.before_app_request
    def check() -> None: ...

    app.register_blueprint(blueprint)
    app.add_url_rule("/x", "x", lambda: "done")


@pytest.mark.parametrize(
    "register", [above_a_route, above_before_request, above_before_request_of_a_blueprint, above_before_app_request]
)
def test_nobody_passes_without_the_scope(register: Callable[[flask.Flask, Any], None]) -> None:
    client = made(register).test_client()
    headers: list[dict[str, str]] = [{}, {"Authorization": "fake alice"}, {"Authorization": "writer alice"}]
    assert [client.get("/x", headers=each).status_code for each in headers] == [401, 403, 200]


@pytest.mark.parametrize("register", [above_a_route, above_before_request])
def test_an_application_that_no_guard_sees_answers_nobody(register: Callable[[flask.Flask, Any], None]) -> None:
    assert made(register, installed=False).test_client().get("/x").status_code == 500
