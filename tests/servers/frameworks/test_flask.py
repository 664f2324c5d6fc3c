"""What is Flask's own: where a decorator stands, error handlers, blueprints, view classes, async views, several guards."""

from __future__ import annotations

import json

import flask
import pytest
from flask.views import MethodView
from werkzeug.exceptions import HTTPException, Unauthorized
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.orders import DECORATORS
from watchword import BasicVerifier, ConfigurationError, Guard, Password
from watchword.servers.flask import Authenticate, Problem
from watchword.servers.wsgi import identity
from watchword.stores.callables import from_callables

GOOD, WRITER = {"Authorization": "fake alice"}, {"Authorization": "writer alice"}


def fakes(**options):
    return Guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))], **options)


@pytest.fixture
def app():
    return flask.Flask("orders")


@pytest.fixture
def auth(app):
    return Authenticate(fakes(), app)


def statuses(app, path="/x", **options):
    """Of no credentials, of too few rights, and of enough."""
    asking = app.test_client()
    return [asking.open(path, headers=headers, **options).status_code for headers in ({}, GOOD, WRITER)]


@pytest.mark.parametrize("order", DECORATORS)
def test_in_an_app_that_nobody_guards_what_asks_answers_nobody(app, order):
    auth = Authenticate(fakes())
    app.testing = True
    DECORATORS[order](app.route("/x"), auth, lambda: "done")
    with pytest.raises(ConfigurationError, match="auth.init_app"):
        app.test_client().get("/x", headers=WRITER)


def by_a_class(app, auth):
    class Whole(MethodView):
        decorators = [auth.required()]  # noqa: RUF012 -- Flask's own attribute

        def get(self): ...

    app.add_url_rule("/x", view_func=Whole.as_view("x"))


def by_methods(app, auth):
    class Part(MethodView):
        @auth.required()
        def post(self): ...

    app.add_url_rule("/x", view_func=Part.as_view("x"))


def by_a_blueprint(app, auth):
    orders = flask.Blueprint("orders", "orders")
    orders.get("/x")(auth.required()(lambda: "done"))
    app.register_blueprint(orders)


ASKING = {
    **{order: lambda app, auth, how=how: how(app.route("/x"), auth, lambda: "done") for order, how in DECORATORS.items()},
    "a view class": by_a_class, "methods": by_methods, "a blueprint": by_a_blueprint,
    "before_request": lambda app, auth: app.before_request(auth.required()(lambda: None)),
}  # fmt: skip


@pytest.mark.parametrize("asking", ASKING)
def test_in_an_app_that_nobody_guards_the_first_request_fails_whatever_it_is_for(app, asking):
    auth = Authenticate(fakes())
    app.testing = True
    app.get("/public", endpoint="public")(lambda: "everybody")
    ASKING[asking](app, auth)
    for path in ("/public", "/nowhere"):
        with pytest.raises(ConfigurationError, match="auth.init_app"):
            app.test_client().get(path)


def test_an_app_that_asks_nothing_needs_no_guard(app):
    auth = Authenticate(fakes())
    ASKING["a blueprint"](flask.Flask("another"), auth)
    app.get("/public")(lambda: "everybody")
    assert app.test_client().get("/public").text == "everybody"


@pytest.mark.parametrize("first", ["app", "blueprint"])
def test_a_blueprint_is_guarded_as_a_whole_or_by_its_routes(first):
    auth, app, orders = Authenticate(fakes()), flask.Flask("orders"), flask.Blueprint("orders", "orders")
    if first == "app":
        auth.init_app(app)

    @orders.before_request
    @auth.required()
    def everybody():
        return None

    @orders.get("/x")
    @auth.required("write")
    def write():
        return "written"

    @orders.get("/y")
    def read():
        return auth.identity.subject

    app.register_blueprint(orders)
    app.get("/z")(lambda: "public")
    if first == "blueprint":
        auth.init_app(app)
    assert (statuses(app), statuses(app, "/y"), statuses(app, "/z")) == (
        [401, 403, 200],
        [401, 200, 200],
        [200, 200, 200],
    )


def test_a_view_class_is_guarded_by_its_decorators_or_by_its_methods(app, auth):
    class Whole(MethodView):
        decorators = [auth.required("write")]  # noqa: RUF012 -- Flask's own attribute

        def get(self):
            return "got"

    class Part(MethodView):
        def get(self):
            return "got"

        @auth.required("write")
        async def post(self):
            return "posted"

    app.add_url_rule("/x", view_func=Whole.as_view("whole"))
    app.add_url_rule("/y", view_func=Part.as_view("part"))
    assert (statuses(app), statuses(app, "/y")) == ([401, 403, 200], [200, 200, 200])
    assert statuses(app, "/y", method="POST") == [401, 403, 200]


def test_an_async_view_knows_who_asks(app, auth):
    @app.get("/x")
    @auth.required("write")
    async def view():
        return [auth.identity.subject, flask.g.identity.subject, identity(flask.request).subject]

    assert statuses(app) == [401, 403, 200]
    assert app.test_client().get("/x", headers=WRITER).json == ["alice"] * 3


@pytest.mark.parametrize("kind", [401, Unauthorized, HTTPException, Problem])
def test_the_apps_error_handlers_word_the_refusal_and_its_fields_go_out_all_the_same(app, auth, kind):
    @app.errorhandler(kind)
    def refused(error):
        assert error.code == 401
        return {"sorry": error.name}, 401

    app.get("/x")(auth.required()(lambda: "done"))
    answer = app.test_client().get("/x")
    assert (answer.status_code, answer.json) == (401, {"sorry": "Unauthorized"})
    assert answer.headers.getlist("WWW-Authenticate") == ['Fake realm="protected"', 'Writer realm="protected"']
    assert answer.headers["Cache-Control"] == "no-store"


def test_look_ups_run_inside_the_application_context(app):
    app.config["TABLE"] = {"alice": Password.hash("open sesame", scopes=("read",))}

    def looked_up(name):
        return flask.current_app.config["TABLE"].get(name)

    guard = Guard(
        [BasicVerifier(realm="r", cache=None)],
        from_callables(password=looked_up),
    )
    auth = Authenticate(guard, app)
    app.get("/x")(auth.required("read")(lambda: "done"))
    assert app.test_client().get("/x", auth=("alice", "open sesame")).status_code == 200
    assert app.test_client().get("/x", auth=("bob", "open sesame")).status_code == 401


def test_several_guards_of_one_app_judge_a_request_each_for_itself(app):
    seen = []
    people = Authenticate(Guard([FakeVerifier(field=b"x-person")], observe=seen.append), app)
    machines = Authenticate(Guard([FakeVerifier(field=b"x-machine")], observe=seen.append), app)
    app.get("/x")(people.required()(machines.required()(lambda: people.identity.subject + machines.identity.subject)))
    app.get("/y", endpoint="y")(machines.required()(lambda: "done"))
    asking = app.test_client()
    assert asking.get("/x", headers={"X-Person": "fake alice", "X-Machine": "fake robot"}).text == "alicerobot"
    assert asking.get("/x", headers={"X-Person": "fake alice"}).status_code == 401
    assert asking.get("/y", headers={"X-Machine": "fake robot"}).status_code == 200
    assert len(seen) == 5


def test_an_app_that_is_mounted_in_another_asks_the_same_judgement(app):
    seen = []
    auth = Authenticate(fakes(observe=seen.append), app)
    inner = flask.Flask("inner")
    auth.init_app(inner)
    inner.get("/x")(auth.required("write")(lambda: "inside"))
    app.before_request(auth.required()(lambda: None))
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/inner": inner})
    auth.init_app(app)
    assert Client(app).get("/inner/x", headers=WRITER).text == "inside"
    assert len(seen) == 1


def test_what_asks_after_the_answer_has_begun_is_told_so(app, auth):
    def chunks():
        yield "a"
        auth.demand()

    app.testing = True
    app.get("/x")(lambda: flask.stream_with_context(chunks()))
    with pytest.raises(ConfigurationError, match="has begun"):
        _ = app.test_client().get("/x", headers=GOOD).data


def test_who_asks_is_unknown_where_nobody_asked(app, auth):
    app.testing = True
    app.get("/x")(lambda: auth.identity.subject)
    with pytest.raises(ConfigurationError, match="@auth.required"):
        app.test_client().get("/x", headers=GOOD)


def test_a_scope_that_is_found_out_late_is_demanded_by_a_call(app, auth):
    @app.get("/x")
    def view():
        auth.demand("write")
        return "done"

    @app.get("/y")
    def other():
        try:
            auth.demand("write")
        except Problem:
            return "read only"
        return "read and write"

    assert statuses(app) == [401, 403, 200]
    assert json.loads(app.test_client().get("/x").text)["status"] == 401
    answer = app.test_client().get("/y")
    assert (answer.text, "WWW-Authenticate" in answer.headers) == ("read only", False)
