"""The rules that every adapter keeps, in the frameworks that WSGI servers run."""

from __future__ import annotations

import json
import logging

import httpx2
import pytest

from tests.servers.frameworks.wsgi_rows import RECEIVES_FIRST, ROWS
from tests.servers.streamed_worlds import BODY, SCHEMES, TAMPERINGS
from tests.servers.test_taking_back import webhook
from tests.servers.test_wsgi import environ_, run
from watchword import (
    BasicAuth, BasicVerifier, BearerAuth, ConfigurationError, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier,
    JWTVerifier, Key, Policy, Request, SealedAuth, SignatureSeal, StoreUnavailable,
)  # fmt: skip
from watchword.clients.httpx2 import adapt
from watchword.core.limits import Limits
from watchword.core.scheme import Send
from watchword.crypto import jose
from watchword.stores import MemoryStore
from watchword.stores.callables import from_callables
from watchword.transport.flow import ClientContext, Drive

KEY = Key.from_secret(b"a secret that signs the tokens..", algorithm="HS256", key_id="id-1")
SIGNING = Key.from_secret(b"a secret that signs the bodies..", algorithm="HS256", key_id="robot-1")
SEALING = Key.from_secret(b"a secret that seals the answers.", algorithm="HS256", key_id="seal-1")
PROBLEM = "application/problem+json"


@pytest.fixture(params=sorted(ROWS))
def make(request):
    return ROWS[request.param]


class Endless:
    """A body that never comes: whoever reads it fails."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = readlines = readinto = __iter__ = read


def bearer(**claims):
    return {"HTTP_AUTHORIZATION": f"Bearer {jose.sign(json.dumps({'sub': 'alice', **claims}).encode(), KEY)}"}


def tokens(**options):
    return Guard([JWTVerifier(KEY)], **options)


def ask(made, path, body=b"", *, method=None, **parts):
    method = method or ("POST" if body else "GET")
    given = {"HTTP_AUTHORIZATION": "", "CONTENT_TYPE": "application/json", "QUERY_STRING": "", **parts}
    environ = environ_(body, PATH_INFO=path, REQUEST_METHOD=method, **given)
    if not environ["HTTP_AUTHORIZATION"]:
        del environ["HTTP_AUTHORIZATION"]
    status, headers, content = run(made.app, environ)
    return status, {name.lower(): value for name, value in headers}, content


def client(made, auth):
    transport = httpx2.WSGITransport(app=made.app, raise_app_exceptions=True)
    return httpx2.Client(transport=transport, base_url="https://api.example", auth=adapt(auth))


def known(*, realm="r"):
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm=realm, scopes=("orders:read", "orders:write"))
    return store


# ---- what passes ------------------------------------------------------------------------------------------------------


def test_good_wrong_and_insufficient_credentials(make):
    made = make(tokens())
    assert ask(made, "/whoami", **bearer())[::2] == (200, b"alice")
    status, headers, content = ask(made, "/whoami", HTTP_AUTHORIZATION="Bearer x")
    assert (status, headers["content-type"], json.loads(content)["status"]) == (401, PROBLEM, 401)
    assert 'error="invalid_token"' in headers["www-authenticate"]
    status, headers, content = ask(made, "/orders", b"[]", **bearer(scope="orders:read"))
    assert (status, headers["content-type"], json.loads(content)["title"]) == (403, PROBLEM, "Forbidden")
    assert 'error="insufficient_scope", scope="orders:write"' in headers["www-authenticate"]
    assert made.ran == ["whoami"]
    assert ask(made, "/orders", b"[]", **bearer(scope="orders:write"))[0] == 200


def test_a_public_route_is_judged_by_nobody(make):
    seen = []
    made = make(tokens(observe=seen.append))
    status, headers, content = ask(made, "/public", HTTP_AUTHORIZATION="Bearer x")
    assert (status, content, seen, "cache-control" in headers) == (200, b"everybody", [], False)


def test_optional_lets_nobody_through_and_no_wrong_credentials(make):
    made = make(tokens())
    assert ask(made, "/maybe")[::2] == (200, b"nobody")
    assert ask(made, "/maybe", **bearer())[::2] == (200, b"alice")
    assert ask(made, "/maybe", HTTP_AUTHORIZATION="Bearer x")[0] == 401


@pytest.mark.parametrize("scope", ["orders:read", "orders:write", ""])
def test_whoever_asks_again_checks_scopes_only_and_all_of_them_count(make, scope):
    seen = []
    guard = Guard([JWTVerifier(KEY, single_use=True)], MemoryStore(), observe=seen.append)
    made = make(guard)
    fresh = {"jti": "1", "exp": 4_000_000_000}
    assert ask(made, "/nested", **bearer(scope="orders:read orders:write", **fresh))[::2] == (200, b"alice")
    assert len(seen) == 1
    assert ask(made, "/nested", **bearer(scope=scope, **{**fresh, "jti": "2"}))[0] == 403
    assert ask(made, "/nested")[0] == 401
    assert made.ran == ["nested"]


def test_a_handlers_options_are_judged_like_any_request(make):
    made = make(tokens())
    assert ask(made, "/whoami", method="OPTIONS")[0] == 401
    assert ask(made, "/orders", method="OPTIONS", HTTP_ORIGIN="https://evil.example")[0] in (
        200,
        401,
        405,
    )  # the framework says what is allowed
    assert made.ran == []


# ---- what is refused, and how -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/orders", "/form", "/stream"])
@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("row", sorted(ROWS.keys() - RECEIVES_FIRST))
def test_a_refusal_comes_before_any_of_the_body(row, path, kind):
    made = ROWS[row](tokens())
    environ = environ_(
        PATH_INFO=path, REQUEST_METHOD="POST", CONTENT_TYPE=kind, CONTENT_LENGTH=str(50_000_000), HTTP_AUTHORIZATION="Bearer x",
        **{"wsgi.input": Endless()},
    )  # fmt: skip
    assert run(made.app, environ)[0] == 401


def test_malformed_json_is_a_401_first(make):
    made = make(tokens())
    assert ask(made, "/orders", b"{")[0] == 401
    assert ask(made, "/orders", b"{", **bearer(scope="orders:write"))[0] == 400


def test_refusals_of_one_status_are_equal(make):
    made = make(tokens())
    bodies = {
        ask(made, "/whoami", HTTP_AUTHORIZATION=text)[2]
        for text in ("", "Bearer x", bearer()["HTTP_AUTHORIZATION"] + "x")
    }
    assert bodies == {b'{"type":"about:blank","title":"Unauthorized","status":401}'}


def test_all_challenges_reach_the_client_and_nothing_is_kept(make):
    made = make(Guard([DigestVerifier(realm="r"), BasicVerifier(realm="r")], known()))
    environ = environ_(PATH_INFO="/whoami", QUERY_STRING="")
    del environ["HTTP_AUTHORIZATION"]
    _, headers, _ = run(made.app, environ)
    challenges = ", ".join(value for name, value in headers if name.lower() == "www-authenticate")
    assert challenges.startswith("Digest ")
    assert ', Basic realm="r"' in challenges
    assert [value for name, value in headers if name.lower() == "cache-control"] == ["no-store"]


def test_without_the_store_the_answer_is_503(make, caplog):
    def down(_):
        raise StoreUnavailable

    made = make(Guard([BasicVerifier(realm="r")], from_callables(password=down)))
    with caplog.at_level(logging.CRITICAL, "watchword"):
        status, headers, content = ask(made, "/whoami", HTTP_AUTHORIZATION="Basic YWxpY2U6b3BlbiBzZXNhbWU=")
    assert (status, headers["content-type"], json.loads(content)["status"]) == (503, PROBLEM, 503)


def test_proxy_refusals_are_407(make):
    made = make(Guard([BasicVerifier(realm="r")], known(), proxy=True))
    status, headers, content = ask(made, "/whoami")
    assert (status, json.loads(content)["title"]) == (407, "Proxy Authentication Required")
    assert headers["proxy-authenticate"].startswith("Basic")


# ---- the whole admission reaches the wire -------------------------------------------------------------------------------


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_digest_proves_the_server_too(make, qop):
    made = make(Guard([DigestVerifier(realm="r", qop=(qop,))], known()))
    with client(made, DigestAuth("alice", "open sesame", require_mutual=True)) as asking:
        assert asking.get("/whoami").text == "alice"
        assert asking.post("/orders", json=[1, 2]).json() == {"size": 2}
        assert asking.post("/stream", content=b"hello world").text == "hello world"
        assert asking.get("/nested").text == "alice"


def test_every_answer_of_a_guarded_route_is_sealed(make, caplog):
    made = make(Guard([BasicVerifier(realm="r")], known(), seal=SignatureSeal(SEALING)))
    with client(made, SealedAuth(SEALING, BasicAuth("alice", "open sesame"))) as asking:
        assert asking.get("/whoami").text == "alice"
        assert asking.post("/orders", json=[1, 2]).json() == {"size": 2}
        assert asking.post("/stream", content=b"hello world").text == "hello world"
        with caplog.at_level(logging.CRITICAL):
            assert asking.get("/fail").status_code == 500
    with client(made, SealedAuth(SEALING, BasicAuth("alice", "wrong"))) as asking:
        refused = asking.get("/whoami")
        assert (refused.status_code, refused.json()["status"]) == (401, 401)
    made = make(Guard([JWTVerifier(KEY)], seal=SignatureSeal(SEALING)))
    with client(made, SealedAuth(SEALING, BearerAuth(bearer()["HTTP_AUTHORIZATION"][7:]))) as asking:
        assert asking.post("/orders", json=[]).status_code == 403


def signed_stream(path="/stream", body=b"an order of seven"):
    request = Request("POST", "http", "api.example", path)
    send = Drive(HMACAuth(SIGNING), request, ClientContext(lambda: body)).advance()
    assert isinstance(send, Send)
    return send.request.values(b"authorization")[0].decode()


def streaming():
    store = MemoryStore()
    store.add_key("robot", SIGNING)
    return Guard([HMACVerifier(stream=True)], store, policy=Policy(limits=Limits(body=1000)))


@pytest.mark.parametrize("path", ["/stream", "/ignore"])
def test_a_body_that_is_checked_as_it_passes_is_the_one_that_was_signed(make, path, caplog):
    made = make(streaming())
    body = b"an order of seven"
    assert ask(made, path, body, HTTP_AUTHORIZATION=signed_stream(path))[0] == 200
    with caplog.at_level(logging.CRITICAL):
        for other in (body[:-1] + b"x", body[:-1], body + b"x", b""):
            status, headers, _ = ask(made, path, other, method="POST", HTTP_AUTHORIZATION=signed_stream(path))
            assert (status, headers["content-type"]) == (401, PROBLEM), other


def shown(request, body):
    """The environ of a signed request with that body."""
    fields = {f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in request.headers}
    fields = {
        name: value for name, value in fields.items() if name not in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")
    }
    fields |= {name[5:]: fields.pop(name) for name in ("HTTP_CONTENT_TYPE",) if name in fields}
    parts = {"QUERY_STRING": "", "CONTENT_TYPE": "", "wsgi.url_scheme": "https", **fields}
    environ = environ_(body, PATH_INFO="/upload", RAW_URI="/upload", REQUEST_METHOD="POST", **parts)
    if "HTTP_AUTHORIZATION" not in fields:
        del environ["HTTP_AUTHORIZATION"]
    return environ


@pytest.mark.parametrize("tampering", TAMPERINGS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_chunks_and_signatures_of_every_scheme_are_checked_as_they_pass(make, scheme, tampering, caplog):
    made = make(SCHEMES[scheme].guard())
    request, sent = SCHEMES[scheme].sign(BODY)
    with caplog.at_level(logging.CRITICAL):
        status, _, content = run(made.app, shown(request, TAMPERINGS[tampering](sent)))
    if tampering == "intact":
        assert (status, content) == (200, BODY)
    else:
        assert status in (400, 401)


def test_a_body_that_the_guard_reads_is_there_for_the_handler(make):
    store = MemoryStore()
    store.add_key("robot", SIGNING)
    made = make(Guard([HMACVerifier()], store))
    body = b"an order of seven"
    assert ask(made, "/stream", body, HTTP_AUTHORIZATION=signed_stream())[::2] == (200, body)
    assert ask(made, "/stream", body + b"x", HTTP_AUTHORIZATION=signed_stream())[0] == 401


# ---- a handler that fails -----------------------------------------------------------------------------------------------


def test_a_webhooks_mark_is_taken_back_where_the_handler_fails_and_kept_where_it_does_not(make, caplog):
    shown = webhook("a secret of the hook's sender....", "github")
    guard = Guard(
        [shown.verifier], MemoryStore(clock=lambda: 1_700_000_000.0), policy=Policy(clock=lambda: 1_700_000_000.0)
    )
    made = make(guard)
    fields = {
        f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in shown.request.headers
    }

    def deliver(path):
        return ask(made, path, shown.body, **fields)[0]

    with caplog.at_level(logging.CRITICAL):
        assert [deliver("/fail"), deliver("/fail"), deliver("/stream"), deliver("/stream")] == [500, 500, 200, 401]


def test_what_is_no_guard_is_refused_at_once(make):
    with pytest.raises(ConfigurationError, match="Guard"):
        make(object())
