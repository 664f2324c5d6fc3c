"""Flask-HTTPAuth's names: correct programs go on working, with plain functions and coroutine functions alike."""

from __future__ import annotations

import re
from base64 import b64encode
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from flask.views import MethodView

from tests.attacks.flask_httpauth.programs import app_of, basic, digest_of
from tests.dropin.flask_httpauth_differences import DIFFERENCES
from watchword import ConfigurationError
from watchword.dropin import flask_httpauth as dropin
from watchword.dropin.flask_httpauth import HTTPAuth, HTTPBasicAuth, HTTPTokenAuth, MultiAuth
from watchword.dropin.flask_httpauth._callbacks import takes

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "replace-flask-httpauth.md"
BEARER = {"Authorization": "Bearer t0ken"}


def plain(function: Any) -> Any:
    return function


def later(function: Any) -> Any:
    """The same as a coroutine function; functions without an argument stay such."""
    if takes(function, 0):

        async def without() -> Any:
            return function()

        return without
    if takes(function, 1):

        async def with_one(one: Any) -> Any:
            return function(one)

        return with_one

    async def with_two(one: Any, two: Any) -> Any:
        return function(one, two)

    return with_two


@pytest.fixture(params=[plain, later])
def colour(request: pytest.FixtureRequest) -> Any:
    return request.param


# ---- Basic -----------------------------------------------------------------------------------------------------------


def test_the_user_that_verify_password_returns_is_the_current_user(colour: Any) -> None:
    users = {"alice": SimpleNamespace(name="Alice"), "zero": ""}
    auth = HTTPBasicAuth()
    auth.verify_password(colour(lambda username, password: users.get(username) if password == "x" else None))
    app, seen = flask.Flask("orders"), []

    @app.get("/<number>")
    @auth.login_required
    def orders(number: str) -> str:
        seen.append((number, auth.current_user(), auth.username()))
        return "orders"

    client = app.test_client()
    assert client.get("/7", headers=basic("alice", "x")).text == "orders"
    assert client.get("/8", headers=basic("zero", "x")).text == "orders"  # "" is a user as any other
    assert seen == [("7", users["alice"], "alice"), ("8", "", "zero")]
    for fields in ({}, basic("alice", "y"), basic("bob", "x")):
        answer = client.get("/7", headers=fields)
        assert (answer.status_code, answer.text) == (401, "Unauthorized Access")
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication Required"'
    assert len(seen) == 2


@pytest.mark.parametrize("answer", [None, False, 0, 0.0])
def test_what_is_no_user_does_not_pass(answer: object) -> None:
    auth = HTTPBasicAuth()
    auth.verify_password(lambda username, password: answer)
    assert app_of(auth).test_client().get("/", headers=basic("alice", "x")).status_code == 401


def test_true_stands_for_the_username_and_an_application_may_admit_who_has_no_credentials(colour: Any) -> None:
    auth = HTTPBasicAuth()
    auth.verify_password(colour(lambda username, password: password in ("x", "")))
    client = app_of(auth).test_client()
    assert client.get("/", headers=basic("alice", "x")).text == "hello alice"
    assert client.get("/").text == "hello None"


def test_passwords_that_the_application_stores_are_compared(colour: Any) -> None:
    auth = HTTPBasicAuth()
    auth.get_password(colour({"alice": "pässword", "bob": b"octets"}.get))
    client = app_of(auth).test_client()
    assert client.get("/", headers=basic("alice", "pässword")).text == "hello alice"
    assert client.get("/", headers=basic("bob", "octets")).text == "hello bob"
    assert client.get("/", headers=basic("alice", "password")).status_code == 401
    latin = {"Authorization": "Basic " + b64encode("alice:pässword".encode("latin-1")).decode()}
    assert client.get("/", headers=latin).text == "hello alice"


@pytest.mark.parametrize("hashing", [lambda password: password[::-1], lambda username, password: password[::-1]])
def test_passwords_that_the_application_hashes_are_compared(hashing: Any, colour: Any) -> None:
    auth = HTTPBasicAuth()
    auth.get_password({"alice": "olleh"}.get)
    auth.hash_password(colour(hashing))
    client = app_of(auth).test_client()
    assert client.get("/", headers=basic("alice", "hello")).status_code == 200
    assert client.get("/", headers=basic("alice", "olleh")).status_code == 401


def test_a_mistake_in_a_callback_is_an_error_and_no_second_try() -> None:
    calls = []
    auth = HTTPBasicAuth()
    auth.get_password({"alice": "x"}.get)

    @auth.hash_password
    def hashing(password: str) -> str:
        calls.append(password)
        raise TypeError("a mistake")

    assert app_of(auth).test_client().get("/", headers=basic("alice", "x")).status_code == 500
    assert calls == ["x"]
    auth.hash_password(lambda password: 7)
    assert app_of(auth).test_client().get("/", headers=basic("alice", "x")).status_code == 500


def test_a_function_without_a_signature_is_called_with_all_arguments() -> None:
    assert takes(dict, 1)
    auth = HTTPBasicAuth()
    auth.get_password({"alice": b"x"}.get)
    auth.hash_password(str.encode)
    assert app_of(auth).test_client().get("/", headers=basic("alice", "x")).status_code == 200


def test_a_callback_may_abort() -> None:
    auth = HTTPBasicAuth()
    auth.verify_password(lambda username, password: flask.abort(418))
    assert app_of(auth).test_client().get("/").status_code == 418


@pytest.mark.parametrize("word", ["Basic", "basic", "xBasic", "XBASIC"])
def test_another_word_in_the_challenge_keeps_browsers_from_asking(word: str) -> None:
    auth = HTTPBasicAuth(scheme="xBasic", realm="orders")
    auth.get_password({"alice": "x"}.get)
    client = app_of(auth).test_client()
    assert client.get("/").headers["WWW-Authenticate"] == 'xBasic realm="orders"'
    fields = {"Authorization": basic("alice", "x")["Authorization"].replace("Basic", word)}
    assert client.get("/", headers=fields).text == "hello alice"


def test_a_realm_outside_ascii_is_sent_as_utf_8() -> None:
    client = app_of(HTTPBasicAuth(realm='dépôt "A"')).test_client()
    sent = client.get("/").headers["WWW-Authenticate"].encode("latin-1").decode()
    assert sent == 'Basic realm="dépôt \\"A\\""'


# ---- tokens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({}, BEARER), ({}, {"Authorization": "bearer   t0ken "}), ({"header": "Authorization"}, BEARER),
        ({"scheme": "ApiKey"}, {"Authorization": "apikey t0ken"}), ({"header": "X-API-Key"}, {"X-API-Key": "t0ken"}),
        ({"header": "X-API-Key"}, {"X-API-Key": "t0ken", "Authorization": "Bearer other"}),
    ],
)  # fmt: skip
def test_a_token_is_handed_to_the_application(settings: Any, fields: Any, colour: Any) -> None:
    auth = HTTPTokenAuth(**settings)
    auth.verify_token(colour({"t0ken": "alice"}.get))
    client = app_of(auth).test_client()
    assert client.get("/", headers=fields).text == "hello alice"
    assert (
        client.get("/", headers={name: value.replace("t0ken", "t1") for name, value in fields.items()}).status_code
        == 401
    )


@pytest.mark.parametrize("token", ['a="b", c="d e"', "a b", "!", "x" * 16384, "eyJ.eyJ.sig=="])
def test_a_token_may_be_several_parameters(token: str) -> None:
    auth, seen = HTTPTokenAuth("Custom"), []
    auth.verify_token(lambda text: seen.append(text) or "alice")
    client = app_of(auth).test_client()
    assert client.get("/", headers={"Authorization": f"Custom {token}"}).status_code == 200
    assert seen == [token]


@pytest.mark.parametrize("token", ["x" * 16385, "t\xe9", "a\tb"])
def test_what_is_no_visible_ascii_or_too_long_is_no_token(token: str) -> None:
    auth = HTTPTokenAuth()
    auth.verify_token(lambda text: "alice")
    assert app_of(auth).test_client().get("/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_without_a_callback_no_token_is_good() -> None:
    assert app_of(HTTPTokenAuth()).test_client().get("/", headers=BEARER).status_code == 401


# ---- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has", "role", "status"),
    [
        ("admin", "admin", 200), ("reader", "admin", 403), (None, "admin", 403), ([], "admin", 403), ("adm", "admin", 403),
        (["a", "b"], "b", 200), (("a", "b"), ["b", "c"], 200), ({"a", "b"}, ["c"], 403), ("a", ["a", ["b", "c"]], 200),
        (["b"], ["a", ["b", "c"]], 403), (["b", "c"], ["a", ["b", "c"]], 200), (["b", "c"], [("b", "c")], 200), ("a", [], 403),
    ],
)  # fmt: skip
def test_a_role_is_demanded_or_one_of_several_or_all_of_some(has: Any, role: Any, status: int, colour: Any) -> None:
    auth, asked = HTTPBasicAuth(), []
    auth.verify_password(lambda username, password: username)
    auth.get_user_roles(colour(lambda user: asked.append(user) or has))
    answer = app_of(auth, role=role).test_client().get("/", headers=basic("alice", "x"))
    assert (answer.status_code, asked) == (status, ["alice"])


def test_roles_are_asked_of_the_credentials_where_there_is_no_user_object() -> None:
    auth, asked = HTTPTokenAuth(), []
    auth.verify_token(lambda token: True)
    auth.get_user_roles(lambda user: asked.append((user.type, user.token)) or "admin")
    assert app_of(auth, role="admin").test_client().get("/", headers=BEARER).text == "hello None"
    assert asked == [("Bearer", "t0ken")]


def test_a_role_without_anybody_who_knows_of_roles_is_an_error() -> None:
    auth = HTTPBasicAuth()
    auth.verify_password(lambda username, password: username)
    with flask.Flask("orders").test_request_context(), pytest.raises(ConfigurationError, match="get_user_roles"):
        auth.authorize("admin", "alice", None)


# ---- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worded", "status"),
    [("no", 401), (("no", 403), 403), (("no", 200), 200), ({"error": "no"}, 401), (lambda: flask.Response("no"), 200),
     (lambda: flask.Response("no", 400), 400)],
)  # fmt: skip
def test_the_application_words_the_refusal(worded: Any, status: int, colour: Any) -> None:
    auth = HTTPBasicAuth()
    auth.error_handler(colour(lambda: worded() if callable(worded) else worded))
    answer = app_of(auth).test_client().get("/")
    assert (answer.status_code, "no" in answer.text) == (status, True)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication Required"'


def test_an_error_handler_may_take_the_status_and_has_the_last_word_on_the_challenge(colour: Any) -> None:
    auth = HTTPBasicAuth()
    auth.verify_password(lambda username, password: username or None)
    auth.get_user_roles(lambda user: None)
    auth.error_handler(colour(lambda status: (f"no: {status}", status, {"WWW-Authenticate": "Other"})))
    client = app_of(auth, role="admin").test_client()
    for fields, status in (({}, 401), (basic("alice", "x"), 403)):
        answer = client.get("/", headers=fields)
        assert (answer.status_code, answer.text) == (status, f"no: {status}")
        assert answer.headers.getlist("WWW-Authenticate") == ["Other"]


# ---- views -----------------------------------------------------------------------------------------------------------


def test_an_optional_view_is_called_for_everybody(colour: Any) -> None:
    auth = HTTPTokenAuth()
    auth.verify_token(colour({"t0ken": "alice"}.get))
    client = app_of(auth, optional=True).test_client()
    assert client.get("/", headers=BEARER).text == "hello alice"
    assert client.get("/").text == client.get("/", headers={"Authorization": "Bearer x"}).text == "hello None"


def test_async_views_view_classes_and_hooks_are_guarded() -> None:
    auth, app = HTTPBasicAuth(), flask.Flask("orders")
    auth.get_password({"alice": "x"}.get)

    @app.get("/async")
    @auth.login_required
    async def view() -> str:
        return f"async {auth.current_user()}"

    class Orders(MethodView):
        decorators = (auth.login_required(optional=False),)

        def get(self) -> str:
            return f"class {auth.current_user()}"

    app.add_url_rule("/class", view_func=Orders.as_view("orders"))
    hooked = flask.Blueprint("hooked", __name__)
    hooked.before_request(auth.login_required(lambda: None))
    hooked.add_url_rule("/hook", view_func=lambda: "hook", endpoint="hook")
    app.register_blueprint(hooked)
    client = app.test_client()
    for path in ("/async", "/class", "/hook"):
        assert client.get(path).status_code == 401
        assert path[1:] in client.get(path, headers=basic("alice", "x")).text
    assert view.__name__ == "view"


def test_options_reach_a_view_that_takes_them_without_a_user() -> None:
    """Browsers ask so before they send credentials (CORS)."""
    auth, app = HTTPBasicAuth(), flask.Flask("orders")
    auth.get_password({"alice": "x"}.get)

    @app.route("/own", methods=["GET", "OPTIONS"])
    @auth.login_required
    def own() -> str:
        return f"{flask.request.method} {auth.current_user()}"

    client = app.test_client()
    assert client.options("/own", headers=basic("alice", "x")).text == "OPTIONS None"
    assert client.get("/own").status_code == 401
    answer = app_of(auth).test_client().options("/")
    assert (answer.status_code, answer.text, "WWW-Authenticate" in answer.headers) == (200, "", False)


@pytest.mark.parametrize("auth", [HTTPBasicAuth(), MultiAuth(HTTPTokenAuth())], ids=["one", "many"])
def test_a_view_and_arguments_at_once_are_a_mistake(auth: Any) -> None:
    with pytest.raises(ConfigurationError, match="role="):
        auth.login_required(lambda: "orders", role="admin")
    with pytest.raises(ValueError, match="have names"):
        auth.login_required("admin")


# ---- several ---------------------------------------------------------------------------------------------------------


def several(colour: Any) -> tuple[MultiAuth, HTTPBasicAuth]:
    by_password, by_token, in_a_field = HTTPBasicAuth(), HTTPTokenAuth(), HTTPTokenAuth("Key", header="X-API-Key")
    by_password.verify_password(colour(lambda username, password: username if password == "x" else None))
    by_token.verify_token(colour({"t0ken": "token's"}.get))
    in_a_field.verify_token(colour({"k": "key's"}.get))
    in_a_field.get_user_roles(colour(lambda user: "admin"))
    by_password.get_user_roles(colour(lambda user: "reader"))
    return MultiAuth(by_password, digest_of(dropin), by_token, in_a_field), by_password


def test_the_credentials_choose_who_judges_them(colour: Any) -> None:
    auth, _ = several(colour)
    client = app_of(auth).test_client()
    assert client.get("/", headers=basic("alice", "x")).text == "hello alice"
    assert client.get("/", headers=BEARER).text == "hello token's"
    assert client.get("/", headers={"X-API-Key": "k"}).text == "hello key's"
    challenges = {
        "Basic": [{}, basic("alice", "y"), {"Authorization": "Other x"}, {"Authorization": "nothing"}],
        "Bearer": [{"Authorization": "Bearer x"}, {"Authorization": "BEARER"}],
        "Digest": [{"Authorization": "Digest x"}],
        "Key": [{"X-API-Key": "x"}, {"X-API-Key": ""}],
    }
    for word, requests in challenges.items():
        for fields in requests:
            answer = client.get("/", headers=fields)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith(f"{word} realm=")


def test_roles_and_optional_hold_for_whoever_judges(colour: Any) -> None:
    auth, _ = several(colour)
    admins = app_of(auth, role="admin").test_client()
    assert admins.get("/", headers={"X-API-Key": "k"}).status_code == 200
    assert admins.get("/", headers=basic("alice", "x")).status_code == 403
    anybody = app_of(auth, optional=True).test_client()
    assert [anybody.get("/", headers=fields).text for fields in ({}, BEARER)] == ["hello None", "hello token's"]


def test_a_class_of_ones_own_has_what_flask_reads() -> None:
    class Shouting(HTTPAuth):
        def authenticate(self, auth: Any, stored_password: Any) -> Any:
            return None if auth is None else auth.token or auth.username

    assert app_of(Shouting("Loud")).test_client().get("/", headers={"Authorization": "loud A"}).text == "hello A"
    assert app_of(Shouting("Loud")).test_client().get("/", headers=BEARER).status_code == 401
    in_a_field = app_of(Shouting("Loud", header="X-Loud")).test_client()
    assert in_a_field.get("/", headers={"X-Loud": "B"}).text == "hello B"
    assert in_a_field.get("/", headers={"X-Loud": ""}).status_code == 401
    with flask.Flask("orders").test_request_context(headers=BEARER):
        assert HTTPTokenAuth().get_auth().token == "t0ken"
        assert HTTPBasicAuth().username() == ""
        assert HTTPTokenAuth().ensure_sync(len)("ab") == 2


def test_the_program_of_tests_typing_runs() -> None:
    program = import_module("tests.typing.flask_httpauth_app")
    client = program.app.test_client()
    assert client.get("/orders/7", headers=basic("alice", "open sesame")).text == "order 7 of alice"
    assert client.get("/admin", headers=basic("alice", "open sesame")).text == "all orders"
    assert client.get("/admin", headers=basic("bob", "open sesame")).text == "no"
    assert client.get("/admin", headers={"Authorization": "Token t0ken"}).status_code == 403
    assert client.get("/orders/7").status_code == 401
    assert client.get("/").json == {"known": False}


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_page_names_every_difference() -> None:
    section = PAGE.read_text("utf-8").partition("## What differs on purpose\n")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")]
    assert rows[0] == ["Flask-HTTPAuth", "here", "what to do"]
    assert all(len(row) == 3 and all(row) for row in rows)
    assert [row[0] for row in rows[1:]] == list(DIFFERENCES)


@pytest.mark.parametrize("cell", DIFFERENCES)
def test_what_the_page_says_of_flask_httpauth_is_not_so_here(cell: str) -> None:
    assert not DIFFERENCES[cell](dropin)
