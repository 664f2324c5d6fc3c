"""Attacks on programs that use Flask-HTTPAuth's names: each takes the library, and says whether it got in.

tests/interop/test_flask_httpauth.py tries them on the library itself, where each of them gets in.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

import flask
from werkzeug.http import parse_dict_header

USER, PASSWORD = "alice", "open sesame"
REALM = "Authentication Required"


def app_of(auth: Any, **options: Any) -> flask.Flask:
    """An application whose paths say who asks, but for /public, which nobody guards."""
    app = flask.Flask("orders")
    app.secret_key = "for these tests only"

    def everywhere(path: str = "") -> str:
        return f"hello {auth.current_user()} {flask.request.get_data(as_text=True)}".strip()

    view = auth.login_required(**options)(everywhere)
    app.add_url_rule("/", view_func=view, endpoint="root", methods=["GET", "POST"])
    app.add_url_rule("/<path:path>", view_func=view, endpoint="deeper", methods=["GET", "POST"])
    return app


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


# ---- Digest ----------------------------------------------------------------------------------------------------------


def digest_of(lib: Any, **settings: Any) -> Any:
    auth = lib.HTTPDigestAuth(**settings)
    auth.get_password(lambda username: PASSWORD if username == USER else None)
    return auth


def hashed(text: str, algorithm: str = "md5") -> str:
    return hashlib.new(algorithm, text.encode()).hexdigest()


def challenge_of(answer: Any) -> dict[str, str]:
    """The parameters of the challenge; `REALM` and the like as they were sent."""
    assert answer.status_code == 401
    return {name: value or "" for name, value in parse_dict_header(answer.headers["WWW-Authenticate"][7:]).items()}


def credentials(
    told: dict[str, str], method: str = "GET", uri: str = "/", *, user: str = USER, password: str = PASSWORD,
    ha1: str | None = None, hash_name: str = "md5", body: str | None = None, **changed: str | None,
) -> dict[str, str]:  # fmt: skip
    """The field that answers a challenge; what is `changed` is sent and computed with, None leaves it out."""
    sent: dict[str, str | None] = {
        "username": user, "realm": told["realm"], "nonce": told["nonce"], "uri": uri, "qop": "auth", "nc": "00000001",
        "cnonce": "c0ffee", "opaque": told.get("opaque"),
    } | changed  # fmt: skip
    ha1 = ha1 or hashed(f"{user}:{sent['realm']}:{password}", hash_name)
    a2 = f"{method}:{uri}" if body is None else f"{method}:{uri}:{hashed(body, hash_name)}"
    count = f":{sent['nc']}:{sent['cnonce']}:{sent['qop']}" if sent["qop"] else ""
    sent.setdefault("response", hashed(f"{ha1}:{sent['nonce']}{count}:{hashed(a2, hash_name)}", hash_name))
    bare = ("nc", "algorithm", "qop")
    parts = [f"{k}={v}" if k in bare else f'{k}="{v}"' for k, v in sent.items() if v is not None]
    return {"Authorization": "Digest " + ", ".join(parts)}


def captured(lib: Any, path: str, **settings: Any) -> tuple[flask.Flask, dict[str, str]]:
    """An application, and the fields of a genuine request for `path`, as somebody saw them pass who has no password."""
    app = app_of(digest_of(lib, **settings))
    client = app.test_client()
    fields = credentials(challenge_of(client.get(path)), uri=path)
    assert client.get(path, headers=fields).status_code == 200
    cookie = client.get_cookie("session")
    return app, fields if cookie is None else fields | {"Cookie": f"session={cookie.value}"}


def send_a_request_again(lib: Any) -> bool:
    app, fields = captured(lib, "/orders")
    return app.test_client(use_cookies=False).get("/orders", headers=fields).status_code == 200


def send_it_for_another_resource(lib: Any) -> bool:
    app, fields = captured(lib, "/public")
    return app.test_client(use_cookies=False).get("/admin", headers=fields).status_code == 200


def send_it_for_another_query(lib: Any) -> bool:
    app, fields = captured(lib, "/orders?id=1")
    return app.test_client(use_cookies=False).get("/orders?id=2", headers=fields).status_code == 200


def use_the_hash_of_another_realm(lib: Any) -> bool:
    """The same user has the same password in a shop, whose table of hashes has been stolen."""
    client = app_of(digest_of(lib)).test_client()
    stolen = hashed(f"{USER}:shop:{PASSWORD}")
    fields = credentials(challenge_of(client.get("/")), realm="shop", password="", ha1=stolen)
    return client.get("/", headers=fields).status_code == 200


def remove_qop(lib: Any) -> bool:
    """Somebody has taken it out of the challenge, so that the response covers neither count nor client nonce."""
    client = app_of(digest_of(lib)).test_client()
    fields = credentials(challenge_of(client.get("/")), qop=None, nc=None, cnonce=None)
    return client.get("/", headers=fields).status_code == 200


def count_by_a_word(lib: Any) -> bool:
    client = app_of(digest_of(lib)).test_client()
    return client.get("/", headers=credentials(challenge_of(client.get("/")), nc="first")).status_code == 200


def send_a_response_of_rfc_2069_again(lib: Any) -> bool:
    client = app_of(digest_of(lib, qop=None)).test_client()
    fields = credentials(challenge_of(client.get("/")), qop=None, nc=None, cnonce=None)
    assert client.get("/", headers=fields).status_code == 200
    return client.get("/", headers=fields).status_code == 200


def change_a_body_that_auth_int_covers(lib: Any) -> bool:
    """The response is of before 1999, says qop=auth-int, and covers no body at all."""
    client = app_of(digest_of(lib, qop="auth-int")).test_client()
    told = challenge_of(client.get("/"))
    old = hashed(f"{hashed(f'{USER}:{REALM}:{PASSWORD}')}:{told['nonce']}:{hashed('POST:/')}")
    fields = credentials(told, "POST", qop="auth-int", response=old)
    return client.post("/", headers=fields, data="pay mallory").status_code == 200


DIGEST = [
    send_a_request_again, send_it_for_another_resource, send_it_for_another_query, use_the_hash_of_another_realm, remove_qop,
    count_by_a_word, send_a_response_of_rfc_2069_again, change_a_body_that_auth_int_covers,
]  # fmt: skip


# ---- callbacks -------------------------------------------------------------------------------------------------------


class Nobody:
    """A callback that is a coroutine function only when it is called."""

    async def __call__(self, *credentials: str) -> None:
        return None


async def nobody(*credentials: str) -> None:
    return None


def logged(*credentials: str) -> Any:
    """As a decorator makes it that does not know of coroutine functions."""
    return nobody(*credentials)


def have_a_coroutine_taken_for_a_user(lib: Any) -> bool:
    answers = []
    for verify in (Nobody(), logged):
        by_password, by_token = lib.HTTPBasicAuth(), lib.HTTPTokenAuth()
        by_password.verify_password(verify)
        by_token.verify_token(verify)
        answers.append(app_of(by_password).test_client().get("/", headers=basic("mallory", "x")).status_code)
        answers.append(app_of(by_token).test_client().get("/", headers={"Authorization": "Bearer x"}).status_code)
    return 200 in answers


def be_the_user_whose_password_was_never_set(lib: Any) -> bool:
    auth = lib.HTTPBasicAuth()
    auth.get_password({"bob": ""}.get)
    return bool(app_of(auth).test_client().get("/", headers=basic("bob", "")).status_code == 200)


def be_shown_what_a_role_may_see(lib: Any) -> bool:
    """The route is for admins, and optional: bob is none."""
    auth = lib.HTTPBasicAuth()
    auth.verify_password(lambda username, password: username)
    auth.get_user_roles(lambda user: "reader")
    app = app_of(auth, role="admin", optional=True)
    return "bob" in app.test_client().get("/", headers=basic("bob", "x")).text


def ask_a_view_whose_decorator_stands_above_its_route(lib: Any) -> bool:
    auth, app = lib.HTTPBasicAuth(), flask.Flask("orders")
    auth.verify_password(lambda username, password: None)

    @auth.login_required
    @app.get("/")
    def orders() -> str:
        return "orders"

    return app.test_client().get("/").status_code == 200


CALLBACKS = [
    have_a_coroutine_taken_for_a_user, be_the_user_whose_password_was_never_set, be_shown_what_a_role_may_see,
    ask_a_view_whose_decorator_stands_above_its_route,
]  # fmt: skip


# ---- tokens ----------------------------------------------------------------------------------------------------------

WITHOUT_A_TOKEN: list[dict[str, str]] = [
    {}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}, {"Authorization": "bearer    "},
    {"Authorization": "Bearer \t"}, {"Authorization": "Basic Og=="}, {"Authorization": "Other x"},
    {"X-API-Key": ""}, {"X-API-Key": " "}, {"Authorization": "Bearer", "X-API-Key": ""},
]  # fmt: skip


def come_without_a_token(lib: Any) -> bool:
    """GHSA-p44q-vqpr-4xmg: a user of the table has an empty token."""
    answers = []
    for header in (None, "X-API-Key"):
        auth = lib.HTTPTokenAuth(header=header)
        auth.verify_token({"": "bob", "t0ken": "alice"}.get)
        client = app_of(auth).test_client()
        answers += [client.get("/", headers=fields).status_code for fields in WITHOUT_A_TOKEN]
    return 200 in answers
