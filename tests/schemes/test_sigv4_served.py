"""SigV4 where it is used: behind servers and proxies, with every store, beside other schemes."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from tests.schemes.sigv4_world import KEY_ID, NOW, ORIGIN, SECRET, TOKEN, ask, auth, changed, presigned, verdict
from watchword import (
    AllOf,
    APIKeyAuth,
    APIKeyVerifier,
    AsyncGuard,
    Guard,
    Identity,
    JWTVerifier,
    Key,
    Policy,
    PublicURL,
)
from watchword import Reason, Request, SigV4Verifier
from watchword.schemes.sigv4 import Payload
from watchword.schemes.sigv4.access_key import AccessKey
from watchword.servers import asgi, wsgi
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore

DATA = b"0123456789" * 10
UPLOAD = auth(payload=Payload("chunked", "crc32", 32))


def guard(store: Any = None, **policy: Any) -> Guard:
    if store is None:
        store = MemoryStore(clock=lambda: NOW)
        store.add_access_key("alice", KEY_ID, SECRET)
    verifier = SigV4Verifier(region="eu-central-1", service="orders")
    return Guard([verifier], store, policy=Policy(clock=lambda: NOW, **policy))


def tampered(body: bytes) -> bytes:
    return body.replace(DATA[64:96], DATA[64:95] + b"x")


# ---- servers ---------------------------------------------------------------------------------------------------------


def call_wsgi(request: Request, body: bytes, amount: int | None) -> tuple[str, bytes]:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        data = environ["wsgi.input"].read() if amount is None else environ["wsgi.input"].read(amount)
        start_response("200 OK", [])
        return [data]

    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method, "SCRIPT_NAME": "", "PATH_INFO": request.path.decode(), "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "api.example", "SERVER_PORT": "443", "HTTP_HOST": "api.example",
        "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)), "RAW_URI": request.target.decode(),
    }  # fmt: skip
    for name, value in request.headers:
        if name not in (b"content-length", b"host"):
            environ["HTTP_" + name.decode().upper().replace("-", "_")] = value.decode()
    seen: list[str] = []
    chunks = wsgi.protect(app, guard())(environ, lambda status, headers, exc_info=None: seen.append(status))
    answer = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return seen[0], answer


@pytest.mark.parametrize("amount", [None, 4096])
def test_a_wsgi_application_reads_the_decoded_body_or_gets_a_refusal(amount: int | None) -> None:
    request, body = UPLOAD.chunked(ask("/key", "PUT"), DATA, now=NOW)
    assert call_wsgi(request, body, amount) == ("200 OK", DATA)
    assert call_wsgi(request, tampered(body), amount) == ("401 Unauthorized", b"")
    assert call_wsgi(request, body[:-4], amount) == ("401 Unauthorized", b"")


def call_asgi(request: Request, pieces: list[bytes]) -> tuple[int, bytes]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        data, more = b"", True
        while more:
            message = await receive()
            data += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": data})

    scope = {
        "type": "http", "http_version": "1.1", "method": request.method, "scheme": "https", "path": request.path.decode(),
        "raw_path": request.path, "query_string": b"", "headers": [(b"host", b"api.example"), *request.headers], "client": ("127.0.0.1", 1),
        "server": ("api.example", 443),
    }  # fmt: skip
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi.protect(app, guard())(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_an_asgi_application_reads_the_decoded_body_or_gets_a_refusal() -> None:
    request, body = UPLOAD.chunked(ask("/key", "PUT"), DATA, now=NOW)
    for step in (7, 1000):
        pieces = [body[at : at + step] for at in range(0, len(body), step)]
        assert call_asgi(request, pieces) == (200, DATA)
        forged = tampered(body)
        assert call_asgi(request, [forged[at : at + step] for at in range(0, len(forged), step)]) == (401, b"")


# ---- proxies ---------------------------------------------------------------------------------------------------------


def test_behind_a_proxy_that_rewrites_host_and_prefix_the_public_url_is_what_was_signed() -> None:
    signed = auth().sign(ask("/api/orders?id=7"), now=NOW)
    seen = changed(signed, target=b"/orders?id=7", authority="10.0.0.7:8000")
    public = PublicURL("https://api.example", prefix="/api")
    assert isinstance(verdict(guard(public_url=public), seen), Identity)
    assert verdict(guard(), seen) is Reason.WRONG_SIGNATURE
    url = presigned(auth().presign("GET", ORIGIN + "/api/orders", now=NOW))
    behind = changed(url, target=url.target.removeprefix(b"/api"), authority="10.0.0.7:8000")
    assert isinstance(verdict(guard(public_url=public), behind), Identity)


@pytest.mark.parametrize("path", ["/a//b", "/a;b", "/a/../b"])
def test_such_paths_are_legal_unless_the_policy_rewrites_them(path: str) -> None:
    assert isinstance(verdict(guard(), auth().sign(ask(path), now=NOW)), Identity)
    signed = auth().sign(ask("/api" + path), now=NOW)
    public = PublicURL("https://api.example", prefix="/api")
    assert verdict(guard(public_url=public), changed(signed, target=path.encode())) is Reason.TARGET_REFUSED


# ---- stores ----------------------------------------------------------------------------------------------------------


def test_access_keys_are_kept_in_sqlite_and_not_in_the_clear(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    with SQLStore(f"sqlite:///{path}") as store:
        store.add_access_key("alice", KEY_ID, SECRET, scopes=["orders:read"], session_token=TOKEN, expires=NOW + 60.0)
        judge = guard(store)
        signed = auth(session_token=TOKEN).sign(ask(), now=NOW)
        who = judge.verify(signed)
        assert (who.subject, who.scopes) == ("alice", {"orders:read"})
        store.remove_access_key(KEY_ID)
        assert verdict(judge, signed) is Reason.UNKNOWN_KEY
        store.add_access_key("alice", KEY_ID, SECRET, session_token=TOKEN)
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()
        assert TOKEN.encode() not in file.read_bytes()


def test_access_keys_are_added_on_an_event_loop(tmp_path: Path) -> None:
    async def judge() -> tuple[str, Reason | None]:
        async with AsyncSQLStore(f"sqlite+aiosqlite:///{tmp_path / 'keys.db'}") as store:
            await store.add_access_key("alice", KEY_ID, SECRET)
            verifier = SigV4Verifier(single_use=True)
            checked = AsyncGuard([verifier], store, policy=Policy(clock=lambda: NOW))
            who = await checked.verify(auth().sign(ask(), now=NOW))
            await store.remove_access_key(KEY_ID)
            from watchword import Rejected

            with pytest.raises(Rejected) as caught:
                await checked.verify(auth().sign(ask("/other"), now=NOW))
            return who.subject, caught.value.reason

    assert asyncio.run(judge()) == ("alice", Reason.UNKNOWN_KEY)


def test_a_record_shows_no_secret() -> None:
    record = AccessKey(SECRET, "alice", session_token=TOKEN)
    assert SECRET not in repr(record)
    assert TOKEN not in repr(record)


# ---- beside others ---------------------------------------------------------------------------------------------------


def test_a_presigned_url_and_an_api_key_may_be_demanded_together() -> None:
    store = MemoryStore(clock=lambda: NOW)
    store.add_access_key("alice", KEY_ID, SECRET)
    key = store.add_api_key("alice")
    both = Guard([AllOf(SigV4Verifier(), APIKeyVerifier())], store, policy=Policy(clock=lambda: NOW))
    url = presigned(auth().presign("GET", ORIGIN, now=NOW))
    assert verdict(both, url) is Reason.BINDING_MISSING
    assert isinstance(verdict(both, changed(url, x_api_key=key)), Identity)
    assert repr(APIKeyAuth(key)) != key


def test_requests_of_two_schemes_are_told_apart() -> None:
    store = MemoryStore(clock=lambda: NOW)
    store.add_access_key("alice", KEY_ID, SECRET)
    two = Guard([SigV4Verifier(), JWTVerifier(Key.generate("HS256"))], store, policy=Policy(clock=lambda: NOW))
    assert isinstance(verdict(two, auth().sign(ask(), now=NOW)), Identity)
    assert isinstance(verdict(two, presigned(auth().presign("GET", ORIGIN, now=NOW))), Identity)
    assert verdict(two, ask(Authorization="AWS4-HMAC-SHA512 a")) is Reason.UNSUPPORTED_SCHEME
    assert verdict(two, ask()) is Reason.NO_CREDENTIALS
