"""The rows of docs/how-to/replace-flask-httpauth.md: each by its first cell, with a program that shows it.

A program takes the library, and says whether what the cell says is true of it. tests/interop/test_flask_httpauth.py asks them of
Flask-HTTPAuth itself.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.attacks.flask_httpauth import programs
from tests.attacks.flask_httpauth.programs import app_of, basic, challenge_of, credentials, digest_of

__all__ = ["DIFFERENCES"]


def needs_a_cookie(lib: Any) -> bool:
    client = app_of(digest_of(lib)).test_client(use_cookies=False)
    return bool(client.get("/", headers=credentials(challenge_of(client.get("/")))).status_code == 401)


def needs_a_secret_key(lib: Any) -> bool:
    app = app_of(digest_of(lib))
    app.secret_key = None
    return app.test_client().get("/").status_code == 500


def lets_nobody_in_by_half_a_pair(lib: Any) -> bool:
    auth = digest_of(lib)
    auth.generate_nonce(lambda: "n1")
    client = app_of(auth).test_client()
    return client.get("/").status_code == 401


def takes_malformed_credentials_for_none(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.verify_password(lambda username, password: username == "")
    return bool(app_of(auth).test_client().get("/", headers={"Authorization": "Basic ?"}).status_code == 200)


def reads_basic_after_any_word(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.get_password({"alice": "x"}.get)
    fields = {"Authorization": basic("alice", "x")["Authorization"].replace("Basic", "Bearer")}
    return bool(app_of(auth).test_client().get("/", headers=fields).status_code == 200)


def hands_over_control_characters(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.verify_password(lambda username, password: username == "alice\0")
    return bool(app_of(auth).test_client().get("/", headers=basic("alice\0", "x")).status_code == 200)


def reads_base64_of_any_spelling(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.get_password({"alice": "xy"}.get)
    value = b64encode(b"alice:xy").decode()
    spelled = f"Basic {value[:4]}!{value[4:]}"
    return bool(app_of(auth).test_client().get("/", headers={"Authorization": spelled}).status_code == 200)


def fails_where_a_password_is_not_ascii(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.get_password({"alice": "pässword"}.get)
    return bool(app_of(auth).test_client().get("/", headers=basic("alice", "pässword")).status_code == 500)


def reads_no_parameters_as_a_token(lib: Any) -> bool:
    auth = lib.HTTPTokenAuth("Token")
    auth.verify_token(lambda token: token == 'token="t0ken"')
    fields = {"Authorization": 'Token token="t0ken"'}
    return bool(app_of(auth).test_client().get("/", headers=fields).status_code == 401)


def hands_over_any_character(lib: Any) -> bool:
    auth = lib.HTTPTokenAuth()
    auth.verify_token(lambda token: token == "t\xe9")
    return bool(app_of(auth).test_client().get("/", headers={"Authorization": "Bearer t\xe9"}).status_code == 200)


def shows_false_as_the_user(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.verify_password(lambda username, password: False)
    return "False" in app_of(auth, optional=True).test_client().get("/", headers=basic("alice", "x")).text


def calls_an_error_handler_twice(lib: Any) -> bool:
    calls = []
    auth = lib.HTTPBasicAuth()
    auth.verify_password(lambda username, password: None)

    @auth.error_handler
    def refuse(status: int = 401) -> str:
        calls.append(status)
        raise TypeError("a mistake in the handler")

    app_of(auth).test_client().get("/")
    return len(calls) == 2


def chooses_by_the_case_of_the_word(lib: Any) -> bool:
    by_token, by_password = lib.HTTPTokenAuth(), lib.HTTPBasicAuth()
    by_token.verify_token(lambda token: None)
    by_password.get_password({"alice": "x"}.get)
    fields = {"Authorization": basic("alice", "x")["Authorization"].replace("Basic", "basic")}
    client = app_of(lib.MultiAuth(by_token, by_password)).test_client()
    return bool(client.get("/", headers=fields).status_code == 401)


def fails_at_a_parameter_that_is_missing(lib: Any) -> bool:
    client = app_of(digest_of(lib, algorithm="MD5-Sess")).test_client()
    told = challenge_of(client.get("/"))
    return client.get("/", headers=credentials(told, cnonce=None)).status_code == 500


def adds_nothing_to_the_answer(lib: Any) -> bool:
    client = app_of(digest_of(lib)).test_client()
    answer = client.get("/", headers=credentials(challenge_of(client.get("/"))))
    return answer.status_code == 200 and "Authentication-Info" not in answer.headers


def writes_a_realm_as_it_is(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth(realm='the "inner" ring')
    auth.verify_password(lambda username, password: None)
    return bool(app_of(auth).test_client().get("/").headers["WWW-Authenticate"] == 'Basic realm="the "inner" ring"')


def tells_nothing_of_a_role_without_its_name(lib: Any) -> bool:
    try:
        lib.HTTPBasicAuth().login_required("admin")(lambda: "orders")
    except ValueError:
        return False
    except RuntimeError:  # of Flask, about a context
        return True
    return True


DIFFERENCES: dict[str, Callable[[Any], bool]] = {
    "Digest: a request can be sent again, with its cookie": programs.send_a_request_again,
    "Digest: credentials for one resource are good for every other": programs.send_it_for_another_resource,
    "Digest: the client says which realm is hashed": programs.use_the_hash_of_another_realm,
    "Digest: a response without `qop` is accepted where one is offered": programs.remove_qop,
    "Digest: `nc` may be anything": programs.count_by_a_word,
    "Digest: with `qop=None` a response can be sent again": programs.send_a_response_of_rfc_2069_again,
    'Digest: `qop="auth-int"` covers no body': programs.change_a_body_that_auth_int_covers,
    "Digest: clients without cookies can't log in": needs_a_cookie,
    "Digest: without a `SECRET_KEY` every challenge is a 500": needs_a_secret_key,
    "Digest: `generate_nonce` without `verify_nonce` (or for `opaque`) lets nobody in": lets_nobody_in_by_half_a_pair,
    "Digest: a parameter that is missing is a 500": fails_at_a_parameter_that_is_missing,
    "Digest: the answer proves nothing": adds_nothing_to_the_answer,
    "Basic: malformed credentials are taken for none": takes_malformed_credentials_for_none,
    "Basic: credentials may come after any word": reads_basic_after_any_word,
    "Basic: control characters reach the callback": hands_over_control_characters,
    "Basic: base64 in any spelling": reads_base64_of_any_spelling,
    '`get_password` gives "": the empty password is right': programs.be_the_user_whose_password_was_never_set,
    "`get_password` with a password outside ASCII is a 500": fails_where_a_password_is_not_ascii,
    'Tokens: what looks like parameters (`Token token="…"`) is none': reads_no_parameters_as_a_token,
    "Tokens: any character, any length": hands_over_any_character,
    "A coroutine that nobody awaits is taken for a user": programs.have_a_coroutine_taken_for_a_user,
    "`optional=True`: who lacks the `role` is shown to the view": programs.be_shown_what_a_role_may_see,
    "`optional=True`: `current_user()` may be `False`": shows_false_as_the_user,
    "A `TypeError` in an error handler calls it again, without the status": calls_an_error_handler_twice,
    "`MultiAuth` chooses by the case of the scheme word": chooses_by_the_case_of_the_word,
    'A realm with `"` breaks the challenge': writes_a_realm_as_it_is,
    "`@auth.login_required` above `@app.route`: the view answers everybody": programs.ask_a_view_whose_decorator_stands_above_its_route,
    '`@auth.login_required("admin")` is an error about contexts': tells_nothing_of_a_role_without_its_name,
}
