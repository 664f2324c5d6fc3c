"""The rules that every adapter keeps, in the frameworks that ASGI servers run."""

from __future__ import annotations

import asyncio
import json
import logging

import httpx2
import pytest

from tests.core.fakes import FakeVerifier
from tests.schemes.test_mark_owners import NOW, webhook
from tests.servers.frameworks.asgi_rows import ROWS, VERSION
from watchword import (
    BasicAuth, BasicVerifier, BearerAuth, ConfigurationError, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier,
    JWTVerifier, Key, Policy, Request, SealedAuth, SignatureSeal, SigV4Auth, SigV4Verifier, StoreUnavailable,
)  # fmt: skip
from watchword.clients.httpx2 import adapt
from watchword.core.attempts import AttemptPolicy, Window
from watchword.core.limits import Limits
from watchword.core.scheme import WHOLE, Send
from watchword.crypto import jose
from watchword.schemes.sigv4.client import Payload
from watchword.servers import asgi
from watchword.stores import MemoryStore
from watchword.stores.callables import from_callables
from watchword.transport.flow import ClientContext, Drive

KEY = Key.from_secret(b"a secret that signs the tokens..", algorithm="HS256", key_id="id-1")
SIGNING = Key.from_secret(b"a secret that signs the bodies..", algorithm="HS256", key_id="robot-1")
SEALING = Key.from_secret(b"a secret that seals the answers.", algorithm="HS256", key_id="seal-1")
PROBLEM = "application/problem+json"
WRONG = {"authorization": "Bearer x"}
BODY = b"an order of seven"


CASES = [(row, prefix) for row in ROWS for prefix in ("", "/below") if "middleware" not in row or prefix]


@pytest.fixture(params=CASES, ids="".join)
def case(request):
    return request.param


@pytest.fixture
def make(case):
    return ROWS[case[0]]


@pytest.fixture
def prefix(case):
    return case[1]


def bearer(**claims):
    return {"authorization": f"Bearer {jose.sign(json.dumps({'sub': 'alice', **claims}).encode(), KEY)}"}


def tokens(**options):
    return Guard([JWTVerifier(KEY)], **options)


def known(**more):
    store = MemoryStore(**more)
    store.add_user("alice", "open sesame", realm="r", scopes=("orders:read", "orders:write"))
    return store


def through(made, auth, *requests):
    """The answers that a client with `auth` gets; a request is a method, a path, and the client's arguments."""

    async def app(scope, receive, send):
        await made.app({**scope, "asgi": VERSION}, receive, send)

    async def ask():
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://api.example", auth=adapt(auth)) as client:
            return [await client.request(method, path, **parts) for method, path, parts in requests]

    return asyncio.run(ask())


# ---- what passes ------------------------------------------------------------------------------------------------------


def test_good_wrong_and_insufficient_credentials(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/whoami", headers=bearer())[::2] == (200, b"alice")
    refused = made.ask(prefix + "/whoami", headers=WRONG)
    assert (refused.status, refused.values("content-type"), json.loads(refused.content)["status"]) == (
        401,
        [PROBLEM],
        401,
    )
    assert 'error="invalid_token"' in refused.values("www-authenticate")[0]
    assert refused.values("cache-control") == ["no-store"]
    refused = made.ask(prefix + "/orders", b"[1]", bearer(scope="orders:read"))
    assert (refused.status, refused.values("content-type"), json.loads(refused.content)["title"]) == (
        403,
        [PROBLEM],
        "Forbidden",
    )
    assert 'error="insufficient_scope", scope="orders:write"' in refused.values("www-authenticate")[0]
    assert made.ran == ["whoami"]
    assert made.ask(prefix + "/orders", b"[1]", bearer(scope="orders:write"))[::2] == (200, b'{"size":1}')


def test_a_public_route_is_judged_by_nobody(make, prefix):
    seen = []
    made = make(tokens(observe=seen.append))
    for body in (b"", b"[1]"):
        got = made.ask(prefix + "/public", body, WRONG)
        assert (got.status, got.content, seen, got.values("cache-control")) == (200, b"everybody", [], [])
    assert made.ask(prefix + "/nowhere", headers=WRONG).status == 404
    assert seen == []


def test_optional_lets_nobody_through_and_no_wrong_credentials(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/maybe")[::2] == (200, b"nobody")
    assert made.ask(prefix + "/maybe", headers=bearer())[::2] == (200, b"alice")
    assert made.ask(prefix + "/maybe", headers=WRONG).status == 401
    assert made.ran == ["maybe"] * 2


@pytest.mark.parametrize("scope", ["orders:read", "orders:write", ""])
def test_whoever_asks_again_checks_scopes_only_and_all_of_them_count(make, prefix, scope):
    seen = []
    guard = Guard([JWTVerifier(KEY, single_use=True)], MemoryStore(), observe=seen.append)
    made = make(guard)
    fresh = {"jti": "1", "exp": 4_000_000_000}
    assert made.ask(prefix + "/nested", headers=bearer(scope="orders:read orders:write", **fresh))[::2] == (
        200,
        b"alice",
    )
    assert len(seen) == 1
    assert made.ask(prefix + "/nested", headers=bearer(scope=scope, **fresh | {"jti": "2"})).status == 403
    assert made.ask(prefix + "/nested").status == 401
    assert len(seen) == 3
    assert made.ran == ["nested"]


def test_a_guard_that_is_round_the_whole_app_too_judges_once(make, prefix):
    seen = []
    guard = Guard([JWTVerifier(KEY, single_use=True)], MemoryStore(), observe=seen.append)
    made = make(guard)
    made = made._replace(app=asgi.protect(made.app, guard, optional=True))
    fresh = {"jti": "1", "exp": 4_000_000_000}
    assert made.ask(prefix + "/orders", b"[1]", bearer(scope="orders:write", **fresh))[::2] == (200, b'{"size":1}')
    assert made.ask(prefix + "/orders", b"[1]", bearer(**fresh | {"jti": "2"})).status == 403
    assert len(seen) == 2
    assert made.ask(prefix + "/orders", b"[1]").status == 401
    assert made.ask(prefix + "/maybe")[::2] == (200, b"nobody")


def test_a_handlers_options_are_judged_like_any_request(make, prefix):
    made = make(tokens())
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert made.ask(prefix + "/whoami", method="OPTIONS", headers=preflight).status == 401
    assert made.ask(prefix + "/orders", method="OPTIONS", headers=preflight).status in (204, 405)
    assert made.ran == []
    assert made.ask(prefix + "/whoami", method="OPTIONS", headers=preflight | bearer()).status == 200


# ---- what is refused, and how -------------------------------------------------------------------------------------------


def test_a_refusal_comes_before_any_of_the_body(make, prefix):
    made = make(tokens())
    for path in ("/orders", "/upload", "/stream"):
        for kind in ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
            refused = made.ask(prefix + path, None, {"content-type": kind, **WRONG}, "POST")
            assert (refused.status, made.ran) == (401, []), (path, kind)


def test_malformed_json_is_a_401_first(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/orders", b"{", WRONG).status == 401
    assert made.ask(prefix + "/orders", b"{", bearer(scope="orders:write")).status in (400, 422)


def test_refusals_of_one_status_are_equal(make, prefix):
    made = make(tokens())
    forged = {"authorization": bearer()["authorization"] + "x"}
    contents = {made.ask(prefix + "/whoami", headers=headers).content for headers in ({}, WRONG, forged)}
    assert contents == {b'{"type":"about:blank","title":"Unauthorized","status":401}'}


def test_each_challenge_has_a_line_of_its_own(make, prefix):
    made = make(Guard([DigestVerifier(realm="r"), BasicVerifier(realm="r")], known()))
    challenges = made.ask(prefix + "/whoami").values("www-authenticate")
    assert [challenge.partition(" ")[0] for challenge in challenges] == ["Digest", "Digest", "Basic"][
        -len(challenges) :
    ]


def test_without_the_store_the_answer_is_503(make, prefix, caplog):
    def down(_):
        raise StoreUnavailable

    made = make(Guard([BasicVerifier(realm="r")], from_callables(password=down)))
    with caplog.at_level(logging.CRITICAL, "watchword"):
        refused = made.ask(prefix + "/whoami", headers={"authorization": "Basic YWxpY2U6b3BlbiBzZXNhbWU="})
    assert (refused.status, refused.values("content-type"), json.loads(refused.content)["status"]) == (
        503,
        [PROBLEM],
        503,
    )


def test_too_many_attempts_are_answered_with_the_time_to_wait(make, prefix):
    policy = Policy(attempts=AttemptPolicy(pair=[Window(1, 60)]))
    made = make(Guard([BasicVerifier(realm="r")], known(), policy=policy))
    wrong = {"authorization": "Basic YWxpY2U6d3Jvbmc="}
    assert made.ask(prefix + "/whoami", headers=wrong).status == 401
    late = made.ask(prefix + "/whoami", headers=wrong)
    assert late.status == 429
    assert int(late.values("retry-after")[0]) > 0


def test_proxy_refusals_are_407(make, prefix):
    made = make(Guard([BasicVerifier(realm="r")], known(), proxy=True))
    refused = made.ask(prefix + "/whoami")
    assert (refused.status, json.loads(refused.content)["title"]) == (407, "Proxy Authentication Required")
    assert refused.values("proxy-authenticate")[0].startswith("Basic")


# ---- the whole admission reaches the wire -------------------------------------------------------------------------------


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_digest_proves_the_server_too(make, prefix, qop):
    made = make(Guard([DigestVerifier(realm="r", qop=(qop,))], known()))
    answers = through(
        made, DigestAuth("alice", "open sesame", require_mutual=True), ("GET", prefix + "/whoami", {}),
        ("POST", prefix + "/orders", {"json": [1, 2]}), ("POST", prefix + "/stream", {"content": BODY}),
        ("GET", prefix + "/nested", {}),
    )  # fmt: skip
    assert [(answer.status_code, answer.content) for answer in answers] == [
        (200, b"alice"), (200, b'{"size":2}'), (200, BODY), (200, b"alice"),
    ]  # fmt: skip


def test_every_answer_of_a_guarded_route_is_sealed(make, prefix, caplog):
    made = make(Guard([BasicVerifier(realm="r")], known(), seal=SignatureSeal(SEALING)))
    with caplog.at_level(logging.CRITICAL):
        answers = through(
            made, SealedAuth(SEALING, BasicAuth("alice", "open sesame")), ("GET", prefix + "/whoami", {}),
            ("POST", prefix + "/orders", {"json": [1, 2]}), ("POST", prefix + "/stream", {"content": BODY}),
            ("POST", prefix + "/orders", {"content": b"{", "headers": {"content-type": "application/json"}}),
            ("GET", prefix + "/fail", {}),
        )  # fmt: skip
    assert [answer.status_code for answer in answers][:3] == [200, 200, 200]
    assert answers[3].status_code in (400, 422, 500)
    assert answers[4].status_code == 500
    (refused,) = through(made, SealedAuth(SEALING, BasicAuth("alice", "wrong")), ("GET", prefix + "/whoami", {}))
    assert (refused.status_code, refused.json()["status"]) == (401, 401)
    made = make(Guard([JWTVerifier(KEY)], seal=SignatureSeal(SEALING)))
    token = bearer()["authorization"].partition(" ")[2]
    (refused,) = through(made, SealedAuth(SEALING, BearerAuth(token)), ("POST", prefix + "/orders", {"json": [1]}))
    assert refused.status_code == 403


def signed(path, body=BODY):
    send = Drive(HMACAuth(SIGNING), Request("POST", "http", "api.example", path), ClientContext(lambda: body)).advance()
    assert isinstance(send, Send)
    return {"authorization": send.request.values(b"authorization")[0].decode()}


def streaming(*, stream=True):
    store = MemoryStore()
    store.add_key("robot", SIGNING, scopes=("orders:write",))
    return Guard([HMACVerifier(stream=stream)], store, policy=Policy(limits=Limits(body=1000)))


@pytest.mark.parametrize("path", ["/stream", "/ignore"])
def test_a_body_that_is_checked_as_it_passes_is_the_one_that_was_signed(make, prefix, path, caplog):
    made, path = make(streaming()), prefix + path
    assert made.ask(path, BODY, signed(path)).status == 200
    with caplog.at_level(logging.CRITICAL):
        for other in (BODY[:-1] + b"x", BODY[:-1], BODY + b"x", b""):
            refused = made.ask(path, other, signed(path), "POST")
            assert (refused.status, refused.values("content-type")) == (401, [PROBLEM]), other


def test_a_body_that_the_guard_reads_is_there_for_the_handler(make, prefix):
    made, path = make(streaming(stream=False)), prefix + "/stream"
    assert made.ask(path, BODY, signed(path))[::2] == (200, BODY)
    assert made.ask(path, BODY + b"x", signed(path)).status == 401
    path = prefix + "/orders"
    assert made.ask(path, b"[1,2]", signed(path, b"[1,2]"))[::2] == (200, b'{"size":2}')
    assert made.ask(path, b"[1,3]", signed(path, b"[1,2]")).status == 401


def test_the_chunks_of_an_upload_that_is_signed_as_it_goes_are_proven(make, prefix):
    store = MemoryStore()
    store.add_access_key("uploader", "AKIDEXAMPLE", "a secret of forty characters")
    made = make(Guard([SigV4Verifier(region="eu-west-1", service="s3")], store))
    auth = SigV4Auth(
        "AKIDEXAMPLE", "a secret of forty characters", region="eu-west-1", service="s3", payload=Payload("chunked"),
    )  # fmt: skip
    (answer,) = through(made, auth, ("POST", prefix + "/stream", {"content": BODY}))
    assert (answer.status_code, answer.content) == (200, BODY)


# ---- a handler that fails -----------------------------------------------------------------------------------------------


def test_a_webhooks_mark_is_taken_back_where_the_handler_fails_and_kept_where_it_does_not(make, prefix, caplog):
    shown = webhook("a secret of the hook's sender....", "github")
    guard = Guard([shown.verifier], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    made = make(guard)
    fields = {name.decode(): value.decode() for name, value in shown.request.headers}

    def deliver(path):
        return made.ask(prefix + path, shown.body, fields).status

    with caplog.at_level(logging.CRITICAL):
        assert [deliver("/fail"), deliver("/fail"), deliver("/stream"), deliver("/stream")] == [500, 500, 200, 401]


def test_what_is_no_guard_is_refused_at_once(make):
    with pytest.raises(ConfigurationError, match="Guard"):
        make("guard")


# ---- WebSockets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False])
def test_a_handshake_is_judged_before_it_is_accepted(make, prefix, answers):
    made = make(tokens())
    got = asyncio.run(shake(made.app, prefix + "/socket", bearer(), answers=answers))
    assert [message["type"] for message in got] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert got[1]["text"] == "alice"
    refused = asyncio.run(shake(made.app, prefix + "/socket", WRONG, answers=answers))
    assert made.ran == ["socket"]
    if answers:
        assert [message["type"] for message in refused] == [
            "websocket.http.response.start",
            "websocket.http.response.body",
        ]
        assert refused[0]["status"] == 401
        assert json.loads(refused[1]["body"])["status"] == 401
    else:
        assert [(message["type"], message["code"]) for message in refused] == [("websocket.close", 1008)]


async def shake(app, path, headers, *, answers):
    scope = {
        "type": "websocket", "asgi": VERSION, "http_version": "1.1", "scheme": "ws", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "client": ("192.0.2.1", 1), "server": ("api.example", 80), "subprotocols": [],
        "headers": [(name.encode(), value.encode()) for name, value in {"host": "api.example", **headers}.items()],
        "extensions": {"websocket.http.response": {}} if answers else {},
    }  # fmt: skip
    sent, waiting = [], [{"type": "websocket.connect"}]

    async def receive():
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


# ---- who leaves, and who waits --------------------------------------------------------------------------------------------


def test_a_client_that_leaves_while_the_guard_reads_reaches_no_handler(make, prefix):
    made = make(Guard([FakeVerifier(body=WHOLE)]))
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    async def leave():
        scope = {
            "type": "http", "method": "POST", "scheme": "http", "path": prefix + "/orders", "raw_path": (prefix + "/orders").encode(),
            "query_string": b"", "root_path": "", "client": None, "server": None, "http_version": "1.1", "asgi": VERSION,
            "headers": [(b"authorization", b"fake alice"), (b"content-type", b"application/json"), (b"content-length", b"9")],
        }  # fmt: skip
        await made.app(scope, receive, send)

    asyncio.run(leave())
    assert made.ran == []
    assert sent == [] or sent[0]["status"] in (400, 500)  # as without the guard: nobody reads it
