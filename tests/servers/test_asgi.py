"""The ASGI adapter: WebSockets over real sockets, and what only a scope of one's own can show."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.core.fakes import AwaitedStore, FakeStore, FakeVerifier, Note
from tests.patience import PATIENCE
from tests.servers.apps import UpperCase
from watchword import AsyncGuard, ConfigurationError, Guard
from watchword.core.identity import Identity
from watchword.core.message import Peer
from watchword.core.records import Ref
from watchword.core.scheme import STREAM, UNUSED, WHOLE, Decision, Digests
from watchword.crypto.digests import new
from watchword.fields.auth_params import parse_challenges
from watchword.servers.asgi import identity, protect, requires

# ---- WebSockets ------------------------------------------------------------------------------------------------------


def dial(server, authorization=None):
    headers = {"Authorization": authorization} if authorization else {}
    return connect(f"ws://127.0.0.1:{server.port}/", additional_headers=headers, proxy=None)


@pytest.mark.parametrize("credentials", ["plain alice", "whole alice", "info alice", "sealbody alice"])
def test_a_websocket_with_genuine_credentials_is_accepted_and_knows_its_identity(asgi_server, credentials):
    with dial(asgi_server, credentials) as socket:
        assert socket.recv(timeout=PATIENCE) == "alice"


def test_the_decisions_fields_are_on_the_handshake_where_the_server_sends_any(uvicorn):
    with dial(uvicorn, "info alice") as socket:
        assert socket.response.headers["Authentication-Info"] == "x"


@pytest.mark.parametrize("credentials", [None, "plain wrong", "other x"])
def test_a_websocket_without_good_credentials_is_refused_before_it_is_accepted(asgi_server, credentials):
    with pytest.raises(InvalidStatus) as caught:
        dial(asgi_server, credentials)
    response = caught.value.response
    assert response.status_code == 401
    assert len(parse_challenges([response.headers["WWW-Authenticate"].encode()])) == 10
    with dial(asgi_server, "plain alice") as socket:  # the server lives on
        assert socket.recv(timeout=PATIENCE) == "alice"


def test_a_websocket_while_the_store_is_down_is_503(asgi_server):
    with pytest.raises(InvalidStatus) as caught:
        dial(asgi_server, "down alice")
    assert caught.value.response.status_code == 503


# ---- scopes of one's own ---------------------------------------------------------------------------------------------


def http_scope(**parts):
    return {
        "type": "http", "method": "GET", "scheme": "https", "path": "/a b", "raw_path": b"/a%20b", "query_string": b"",
        "headers": [(b"host", b"api.example"), (b"authorization", b"fake alice")], "client": ("::1", 1), **parts,
    }  # fmt: skip


def run(app, scope, *messages):
    """What the application sent."""
    incoming, sent = iter(messages), []

    async def receive():
        return next(incoming)

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


class Watching(FakeVerifier):
    def __init__(self, **options):
        super().__init__(**options)
        self.requests = []

    def read(self, request):
        self.requests.append(request)
        return super().read(request)


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def seen(**parts):
    verifier = Watching()
    run(protect(app, Guard([verifier])), http_scope(**parts))
    return verifier.requests[0]


def test_the_request_is_what_the_scope_says():
    request = seen(query_string=b"x=%2F")
    assert (request.method, request.scheme, request.authority) == ("GET", "https", "api.example")
    assert (request.target, request.exact, request.peer) == (b"/a%20b?x=%2F", True, Peer("::1"))


def test_a_server_that_gives_no_raw_path_gives_no_exact_target():
    scope = http_scope()
    del scope["raw_path"]
    verifier = Watching()
    run(protect(app, Guard([verifier])), scope)
    assert (verifier.requests[0].target, verifier.requests[0].exact) == (b"/a%20b", False)


def test_a_server_that_gives_no_peer_and_no_host_gives_none():
    request = seen(client=None, headers=[(b"authorization", b"fake alice")])
    assert (request.peer.address, request.authority) == ("", "")


def test_a_client_certificate_is_taken_from_the_tls_extension_only_if_it_verified():
    pem = "-----BEGIN CERTIFICATE-----\n" + base64.b64encode(b"der" * 40).decode() + "\n-----END CERTIFICATE-----\n"
    good = {"tls": {"client_cert_chain": [pem], "client_cert_error": None}}
    bad = {"tls": {"client_cert_chain": [pem], "client_cert_error": "expired"}}
    none = {"tls": {"client_cert_chain": []}}
    found = [seen(extensions=extensions).peer.client_certificate for extensions in (good, bad, none, {}, None)]
    assert found == [b"der" * 40, None, None, None, None]


def test_scope_types_that_are_not_known_are_refused():
    with pytest.raises(ConfigurationError, match="'ftp'"):
        run(protect(app, Guard([FakeVerifier()])), {"type": "ftp"})


def test_the_scope_of_the_server_is_left_as_it_was():
    scope = http_scope()
    before = dict(scope)
    run(protect(app, Guard([FakeVerifier()])), scope)
    assert scope == before


def test_without_use_for_body_or_answer_receive_and_send_are_the_servers_own():
    given = []

    async def inner(scope, receive, send):
        given.extend((receive, send))

    async def receive(): ...
    async def send(message): ...

    asyncio.run(protect(inner, Guard([FakeVerifier()]))(http_scope(), receive, send))
    assert given == [receive, send]


def test_after_a_replayed_body_come_the_servers_own_messages():
    async def inner(scope, receive, send):
        first, second = await receive(), await receive()
        await send({"first": first["body"], "more": first["more_body"], "second": second["type"]})

    guard = Guard([FakeVerifier(body=WHOLE)])
    messages = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.request", "body": b"b"},
        {"type": "http.disconnect"},
    ]
    sent = run(protect(inner, guard), http_scope(), *messages)
    assert sent == [{"first": b"ab", "more": False, "second": "http.disconnect"}]


def test_a_client_that_leaves_before_its_body_is_read_gets_no_answer():
    assert run(protect(app, Guard([FakeVerifier(body=WHOLE)])), http_scope(), {"type": "http.disconnect"}) == []


def test_a_websocket_is_closed_where_the_server_can_send_no_answer():
    scope = {**http_scope(headers=[]), "type": "websocket", "scheme": "wss"}
    sent = run(protect(app, Guard([FakeVerifier()])), scope, {"type": "websocket.connect"})
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("need", [UNUSED, STREAM, WHOLE, Digests(("sha-256",), new)])
def test_an_application_of_a_websocket_gets_its_messages_and_none_of_a_body(need, stream, optional):
    def decide(*_):
        return Decision(Identity("alice", "fake"), stream=UpperCase() if stream else None)

    got = []

    async def chat(scope, receive, send):
        got.extend([(await receive())["type"] for _ in "ab"])

    guarded = protect(chat, Guard([FakeVerifier(body=need, decision=decide)]), optional=optional)
    scope = {**http_scope(), "type": "websocket", "scheme": "wss"}
    messages = ({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "x"})
    run(guarded, scope, *messages)
    assert got == ["websocket.connect", "websocket.receive"]


@pytest.mark.parametrize("make", [Guard, AsyncGuard])
def test_a_guard_of_either_kind_is_taken(make):
    verifier = FakeVerifier(kinds=(Note,), needs=[Ref(Note, ("x",))])
    assert run(protect(app, make([verifier], FakeStore())), http_scope())[0]["status"] == 200


def test_an_awaited_store_is_taken_with_an_async_guard():
    verifier = FakeVerifier(kinds=(Note,), needs=[Ref(Note, ("x",))])
    assert run(protect(app, AsyncGuard([verifier], AwaitedStore())), http_scope())[0]["status"] == 200


def test_what_is_no_guard_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="needs a Guard"):
        protect(app, app)  # type: ignore[arg-type]


def test_two_guards_are_both_asked_and_the_inner_one_names_the_identity():
    async def inner(scope, receive, send):
        await send(identity(scope).scheme)

    outer = Watching()
    guarded = protect(protect(inner, Guard([FakeVerifier("inner", word="fake")])), Guard([outer]))
    assert run(guarded, http_scope()) == ["inner"]
    assert len(outer.requests) == 1


def test_identity_takes_a_scope_or_what_has_one_and_says_what_is_missing_elsewhere():
    found = []

    async def inner(scope, receive, send):
        found.extend((identity(scope), identity(SimpleNamespace(scope=scope)), scope["watchword.identity"]))

    run(protect(inner, Guard([FakeVerifier()])), http_scope())
    assert {who.subject for who in found} == {"alice"}
    for unguarded in (http_scope(), SimpleNamespace(scope=http_scope()), object()):
        with pytest.raises(ConfigurationError, match="protect"):
            identity(unguarded)


def test_requires_outside_a_guard_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="protect"):
        run(requires("write")(app), http_scope())


def test_requires_without_its_scopes_called_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="requires"):
        requires(app)  # type: ignore[arg-type]


def test_an_error_of_the_application_is_its_own():
    async def broken(scope, receive, send):
        raise LookupError

    with pytest.raises(LookupError):
        run(protect(broken, Guard([FakeVerifier()])), http_scope())
