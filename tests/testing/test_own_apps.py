"""The test clients of Flask, Django, requests and Litestar with credentials, against apps of one's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import flask
import litestar
import pytest
import requests
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from litestar.testing import TestClient

from tests.servers.frameworks import django_project
from watchword import (
    BasicAuth, BasicVerifier, ConfigurationError, CredentialsUnavailable, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier,
    Key, OAuth1Auth, OAuth1Verifier, OAuth2Auth, SealedAuth, SignatureSeal,
)  # fmt: skip
from watchword.clients.httpx import adapt as adapt_httpx
from watchword.clients.requests import adapt
from watchword.servers.django import required
from watchword.servers.flask import Authenticate
from watchword.servers.litestar import Authenticate as LitestarAuthenticate
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore
from watchword.testing import FakeIssuer
from watchword.testing.django import Client as DjangoClient
from watchword.testing.flask import Client as FlaskClient
from watchword.testing.litestar import served
from watchword.testing.requests import WSGIAdapter

SEALING = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")
KEY = Key.from_secret("k" * 32, algorithm="hmac-sha256", key_id="key-1")


def stored() -> MemoryStore:
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="orders")
    store.add_key("alice", KEY)
    store.add_oauth1_client("orders-app", secret="its secret")
    store.add_oauth1_token("alices-token", "its secret", client_key="orders-app", subject="alice")
    return store


def guarded(**options: Any) -> Guard:
    verifiers = [
        DigestVerifier(realm="orders"), HMACVerifier(), OAuth1Verifier(placements=("header", "query", "form")),
        BasicVerifier(realm="orders"),
    ]  # fmt: skip
    return Guard(verifiers, stored(), **options)


def oauth1(placement: Any) -> OAuth1Auth:
    return OAuth1Auth("orders-app", "its secret", token="alices-token", token_secret="its secret", placement=placement)


AUTHS: dict[str, Any] = {
    "digest": lambda: DigestAuth("alice", "open sesame"),
    "basic": lambda: BasicAuth("alice", "open sesame"),
    "hmac": lambda: HMACAuth(KEY),
    "oauth1 in the field": lambda: oauth1("header"),
    "oauth1 in the query": lambda: oauth1("query"),
    "oauth1 in the form": lambda: oauth1("form"),
}


# ---- Flask ---------------------------------------------------------------------------------------------------------------


def flask_app(guard: Guard) -> flask.Flask:
    app = flask.Flask("orders")
    app.secret_key = "of a test alone"
    app.test_client_class = FlaskClient
    auth = Authenticate(guard, app)

    @app.route("/orders", methods=["GET", "POST"])
    @auth.required()
    def orders() -> Any:
        flask.session["seen"] = flask.session.get("seen", 0) + 1
        return {"by": auth.identity.subject, "form": dict(flask.request.form), "query": dict(flask.request.args)}

    @app.get("/seen")
    @auth.required()
    def seen() -> str:
        return str(flask.session.get("seen", 0))

    @app.get("/there")
    @auth.required()
    def there() -> Any:
        return flask.redirect("/seen")

    @app.get("/stream")
    @auth.required()
    def stream() -> Any:
        return app.response_class(iter(["one ", "two ", "three"]))

    return app


@pytest.mark.parametrize("name", AUTHS)
def test_flasks_client_sends_credentials_and_the_view_gets_the_callers_request(name: str) -> None:
    client = flask_app(guarded()).test_client(auth=AUTHS[name]())
    answer = client.post("/orders?id=7", data={"a": "b c", "d": "ü"})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert answer.json["by"] == "alice"
    assert {"a": "b c", "d": "ü"}.items() <= answer.json["form"].items()
    assert answer.json["query"]["id"] == "7"


def test_flasks_client_keeps_cookies_follows_redirects_and_streams() -> None:
    client = flask_app(guarded()).test_client(auth=DigestAuth("alice", "open sesame"))
    for _ in range(2):
        assert client.get("/orders").status_code == 200
    assert client.get("/there", follow_redirects=True).text == "2"
    answer = client.get("/stream")
    assert list(answer.iter_encoded()) == [b"one ", b"two ", b"three"]
    answer.close()
    sealed = flask_app(guarded(seal=SignatureSeal(SEALING)))
    assert sealed.test_client(auth=SealedAuth(SEALING, HMACAuth(KEY))).get("/stream").text == "one two three"


def test_flasks_client_without_credentials_is_flasks_own() -> None:
    client = flask_app(guarded()).test_client()
    assert client.get("/orders").status_code == 401
    assert client.get("/orders", auth=("alice", "open sesame")).status_code == 200


def test_a_wrong_secret_ends_with_the_refusal() -> None:
    client = flask_app(guarded()).test_client(auth=DigestAuth("alice", "a guess"))
    assert client.get("/orders").status_code == 401


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as made:
        made.clock.now = time.time()
        made.add_client("robot", "open sesame")
        yield made


def test_a_token_is_asked_of_whoever_answers(issuer: FakeIssuer) -> None:
    app = flask_app(Guard([issuer.verifier()]))
    auth = OAuth2Auth(issuer.token_url, "robot", "open sesame")
    assert app.test_client(auth=auth, elsewhere=issuer.answer).get("/orders").json == {
        "by": "robot",
        "form": {},
        "query": {},
    }
    with pytest.raises(ConfigurationError, match="elsewhere="):
        app.test_client(auth=OAuth2Auth(issuer.token_url, "robot", "open sesame")).get("/orders")
    with pytest.raises(CredentialsUnavailable):
        app.test_client(auth=OAuth2Auth(issuer.token_url, "robot", "a guess"), elsewhere=issuer.answer).get("/orders")


# ---- Django --------------------------------------------------------------------------------------------------------------


@required()
def orders(request: Any) -> HttpResponse:
    count = int(request.COOKIES.get("seen", "0")) + 1
    answer = JsonResponse(
        {"by": request.identity.subject, "form": request.POST.dict(), "id": request.GET["id"], "count": count}
    )
    answer.set_cookie("seen", str(count))
    return answer


@required()
def stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"one ", b"two"]))


FORM = "application/x-www-form-urlencoded"
urlpatterns = [path("orders", orders), path("stream", stream)]
assert django_project.settings.configured


@pytest.mark.parametrize("name", AUTHS)
def test_djangos_client_sends_credentials_and_keeps_cookies(name: str) -> None:
    with override_settings(WATCHWORD={"guard": guarded()}, ROOT_URLCONF=__name__):
        client = DjangoClient(auth=AUTHS[name]())
        for count in (1, 2):
            answer = client.post("/orders?id=7", "a=b+c", content_type=FORM, secure=True)
            assert answer.status_code == 200, answer.content
            said = answer.json()
            assert (said["by"], said["form"]["a"], said["id"], said["count"]) == ("alice", "b c", "7", count)


def test_djangos_client_streams_and_without_credentials_is_djangos_own() -> None:
    with override_settings(WATCHWORD={"guard": guarded()}, ROOT_URLCONF=__name__):
        client = DjangoClient(auth=DigestAuth("alice", "open sesame"))
        assert b"".join(client.get("/stream").streaming_content) == b"one two"
        assert DjangoClient().get("/stream").status_code == 401
        assert DjangoClient(auth=DigestAuth("alice", "a guess")).get("/stream").status_code == 401


# ---- requests ------------------------------------------------------------------------------------------------------------


def echo(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    write = start_response(
        "200 OK",
        [("Set-Cookie", "seen=yes; Path=/"), ("Set-Cookie", "more=1; Path=/"), ("X-Who", identity(environ).subject)],
    )
    write(environ["REQUEST_METHOD"].encode() + b" " + environ["REQUEST_URI"].encode() + b" ")
    return [environ.get("HTTP_COOKIE", "-").encode() + b" ", body]


BODIES: dict[str, Any] = {
    "octets": lambda: b"pay 10", "text": lambda: "pay 10", "chunks": lambda: iter([b"pay ", b"10"]),
    "a file": lambda: BytesIO(b"pay 10"), "none": lambda: None,
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_session_of_requests_calls_the_application(name: str) -> None:
    body = BODIES[name]()
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://api.example", WSGIAdapter(protect(echo, guarded())))
        answer = session.post("https://api.example/a%20b?c=d", data=body, auth=adapt(BasicAuth("alice", "open sesame")))
        expected = "" if name == "none" else "pay 10"
        assert (answer.status_code, answer.text) == (200, f"POST /a%20b?c=d - {expected}")
        assert answer.headers["X-Who"] == "alice"
        again = session.get("https://api.example/", auth=adapt(DigestAuth("alice", "open sesame")))
        assert sorted(again.text.removeprefix("GET / ").strip().split("; ")) == ["more=1", "seen=yes"]
        assert dict(session.cookies) == {"seen": "yes", "more": "1"}
        assert session.head("https://api.example/", auth=adapt(DigestAuth("alice", "open sesame"))).content == b""


def test_what_an_application_raises_is_raised_to_the_caller_and_what_it_opened_is_closed() -> None:
    closed: list[bool] = []

    class Failing:
        def __iter__(self) -> Iterator[bytes]:
            raise ZeroDivisionError

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Failing()

    with requests.Session() as session:
        session.mount("https://api.example", WSGIAdapter(app))
        with pytest.raises(ZeroDivisionError):
            session.get("https://api.example/")
    assert closed == [True]


# ---- Litestar ------------------------------------------------------------------------------------------------------------


def litestar_app() -> litestar.Litestar:
    auth = LitestarAuthenticate(guarded())

    @litestar.get("/orders", guards=[auth.required()])
    async def listed(request: litestar.Request[Any, Any, Any]) -> str:
        return auth.identity(request).subject

    return litestar.Litestar([listed], plugins=[auth], logging_config=None)


def test_litestars_client_signs_the_target_that_the_guard_sees() -> None:
    with TestClient(served(litestar_app()), base_url="https://api.example") as client:
        assert client.get("/orders?id=7", auth=adapt_httpx(HMACAuth(KEY))).text == "alice"
    with TestClient(litestar_app(), base_url="https://api.example") as client:
        answer = client.get("/orders?id=7", auth=adapt_httpx(HMACAuth(KEY)))
    assert answer.status_code == 401, "the test client tells of the target as servers do: served() can go"
