"""What is the adapter's for aiohttp alone: sessions and single requests, streams, tasks, the session's settings, its own retries."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.clients.fakes import Body, Challenged, Once, Tokens
from tests.clients.origin import guarded, ok, origin
from tests.patience import PATIENCE
from watchword import (
    BasicAuth,
    ConfigurationError,
    DigestAuth,
    Guard,
    HMACAuth,
    HMACVerifier,
    Key,
    SealedAuth,
    SignatureSeal,
)
from watchword.clients.aiohttp import adapt
from watchword.core.io import once
from watchword.core.message import Request
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Send
from watchword.stores import MemoryStore
from watchword.structures.lock import lock_of


def challenging(seen):
    if seen.field("authorization") is None:
        return 401, [("WWW-Authenticate", "n1")], b"who?"
    return 200, [], b"hello"


def with_session(work: Callable[[aiohttp.ClientSession], Any], auth: Any = None, **settings: Any) -> Any:
    async def main() -> Any:
        middlewares = [] if auth is None else [adapt(auth)]
        settings.setdefault("timeout", aiohttp.ClientTimeout(total=PATIENCE))
        settings["cookie_jar"] = settings.get("cookie_jar", partial(aiohttp.CookieJar, unsafe=True))()
        async with aiohttp.ClientSession(middlewares=middlewares, **settings) as session:
            return await work(session)

    return asyncio.run(main())


def posted(server: Any, auth: Any, body: Any, **options: Any) -> int:
    async def work(session):
        async with session.post(server.url, data=body() if callable(body) else body, **options) as response:
            return response.status

    return with_session(work, auth)


def test_one_request_has_middlewares_of_its_own():
    async def work(session):
        async with session.get(server.url, middlewares=[adapt(Challenged())]) as response:
            assert await response.read() == b"hello"
        async with session.get(server.url) as response:
            assert response.status == 401

    with origin(challenging) as server:
        with_session(work)


def test_200_tasks_share_one_adapted_object_and_one_token():
    def answer(seen):
        return 200, [], (seen.field("authorization") + seen.target).encode()

    async def work(session):
        async def get(number):
            async with session.get(f"{server.url}/{number}") as response:
                return await response.read()

        return await asyncio.gather(*(get(number) for number in range(200)))

    with origin(lambda seen: (200, [], b"tok")) as issuer, origin(answer) as server:
        bodies = with_session(work, Tokens(f"127.0.0.1:{issuer.port}"))
        assert bodies == [f"Bearer tok/{number}".encode() for number in range(200)]
        assert len(issuer.seen) == 1


def test_a_cancelled_request_frees_its_lock():
    async def main():
        entered = asyncio.Event()

        async def hang(reader, writer):
            entered.set()
            await reader.read(-1)
            writer.close()

        issuer = await asyncio.start_server(hang, "127.0.0.1", 0)
        auth = Tokens(f"127.0.0.1:{issuer.sockets[0].getsockname()[1]}")
        async with issuer, aiohttp.ClientSession(middlewares=[adapt(auth)]) as session:
            tasks = [asyncio.create_task(session._request("GET", "http://127.0.0.1:9/")) for _ in range(3)]
            await entered.wait()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 3
        assert lock_of(auth, "token").acquire(1).granted is None

    asyncio.run(main())


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_file_is_covered_and_sent_from_where_it_stood(auth):
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    with origin(challenging) as server:
        posted(server, auth(), file)
        assert {seen.body for seen in server.seen} == {b"sent"}
        assert {seen.field("x-body") for seen in server.seen} == {"4" if auth is Body else None}


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_real_file_is_covered_and_sent_again(auth, tmp_path):
    (tmp_path / "f").write_bytes(bytes(300_000))
    with origin(challenging) as server, (tmp_path / "f").open("rb") as file:
        posted(server, auth(), file)
        assert {len(seen.body) for seen in server.seen} == {300_000}
        assert {seen.field("x-body") for seen in server.seen} == {"300000" if auth is Body else None}


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_form_with_files_is_covered_and_sent_again(auth):
    def form():
        data = aiohttp.FormData({"a": "b"})
        data.add_field("f", io.BytesIO(b"content"), filename="f")
        return data

    with origin(challenging) as server:
        posted(server, auth(), form)
        assert all(b"content" in seen.body for seen in server.seen)
        assert len(server.seen) == (1 if auth is Body else 2)
        if auth is Body:
            assert server.seen[0].field("x-body") == str(len(server.seen[0].body))


@pytest.mark.parametrize(
    "body", ["ä", {"a": "b"}, io.StringIO("ä"), b"octets"], ids=["text", "form", "text file", "octets"]
)
def test_other_bodies_are_covered_as_they_are_sent(body):
    with origin(ok) as server:
        posted(server, Body(), body)
        (seen,) = server.seen
        assert int(seen.field("x-body")) == len(seen.body) > 0


def test_json_is_covered():
    with origin(ok) as server:
        posted(server, Body(), None, json={"a": 1})
        assert json.loads(server.seen[0].body) == {"a": 1}
        assert server.seen[0].field("x-body") == str(len(server.seen[0].body))


async def parts() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


def test_an_async_generator_is_sent_where_no_retry_is_needed_and_a_clear_error_where_it_is():
    with origin(ok) as server:
        assert posted(server, Once(), parts) == 200
        server.answer = challenging
        with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
            posted(server, Challenged(), parts)
        assert [seen.body for seen in server.seen] == [b"ab", b"ab"]


def pipe() -> io.BufferedReader:
    reading, writing = socket.socketpair()
    writing.sendall(b"octets")
    writing.close()
    with reading:
        return reading.makefile("rb")


def mixed() -> aiohttp.MultipartWriter:
    form = aiohttp.MultipartWriter("form-data")
    form.append_payload(aiohttp.payload.AsyncIterablePayload(parts())).set_content_disposition("form-data", name="f")
    return form


@pytest.mark.parametrize("body", [parts, pipe, mixed])
def test_what_is_read_only_once_can_not_be_covered_and_nothing_is_sent(body):
    with origin(ok) as server:
        with pytest.raises(ConfigurationError, match="covers the body.*pass bytes or a seekable file"):
            posted(server, Body(), body)
        with pytest.raises(ConfigurationError, match="once more"):
            posted(server, DigestAuth("alice", "open sesame"), body)
        assert not server.seen


def test_a_body_that_is_packed_on_its_way_can_not_be_covered():
    with origin(ok) as server, pytest.raises(ConfigurationError, match="compress="):
        posted(server, Body(), b"octets", compress="gzip")


def test_answers_stream_after_a_retry():
    async def work(session):
        async with session.get(server.url) as response:
            return [chunk async for chunk in response.content.iter_chunked(2)]

    with origin(challenging) as server:
        assert b"".join(with_session(work, Challenged())) == b"hello"


def test_what_a_flow_has_read_of_an_answer_is_still_the_callers_to_stream_or_read():
    key = Key.generate("ed25519", key_id="seal-1")
    guard = Guard([HMACVerifier()], MemoryStore(), seal=SignatureSeal(key))

    def sealed(seen):
        request = Request(
            seen.method, "http", seen.field("host"), seen.target, [(n, v) for n, [v] in seen.fields.items()]
        )
        from watchword import Response

        admission = guard.admit(request, once(seen.body), optional=True)
        response = Response(200, ())
        added = admission.answer_headers(guard.plan, response, b"content")
        return 200, [(name.decode(), value.decode()) for name, value in added], b"content"

    async def work(session):
        async with session.get(server.url) as response:
            assert [chunk async for chunk in response.content.iter_chunked(3)] == [b"con", b"ten", b"t"]
        async with session.get(server.url) as response:
            assert await response.text() == "content"

    with origin(sealed) as server:
        with_session(work, SealedAuth(key))


def test_a_challenge_leaves_no_connection_behind():
    """The session may have one connection: it would wait for ever for another one."""

    async def work(session):
        for _ in range(3):
            async with session.get(server.url) as response:
                assert await response.read() == b"hello"

    async def main():
        async with aiohttp.ClientSession(
            middlewares=[adapt(Challenged())], connector=aiohttp.TCPConnector(limit=1)
        ) as session:
            await work(session)

    with origin(challenging) as server:
        asyncio.run(main())
        server.answer = lambda seen: (
            (*challenging(seen)[:2], bytes(3_000_000)) if challenging(seen)[0] == 401 else ok(seen)
        )
        asyncio.run(fetch_with_one_connection(server))


async def fetch_with_one_connection(server):
    async with aiohttp.ClientSession(
        middlewares=[adapt(Challenged())], connector=aiohttp.TCPConnector(limit=1)
    ) as session:
        for _ in range(2):
            async with session.get(server.url) as response:
                assert await response.read() == b"fine"


def test_an_expectation_is_made_anew_for_a_retry():
    with origin(challenging) as server:
        assert posted(server, Challenged(), b"octets", expect100=True) == 200
        assert [seen.field("expect") for seen in server.seen] == ["100-continue"] * 2
        assert server.seen[-1].body == b"octets"


def test_what_the_session_sends_once_more_over_a_new_connection_is_signed_anew():
    """aiohttp repeats a GET whose kept connection the server has closed, and no POST."""
    key = Key.from_secret("k" * 32, algorithm="hmac-sha256", key_id="key-1")
    store = MemoryStore()
    store.add_key("alice", key)
    answer = guarded(Guard([HMACVerifier()], store))
    arrived: list[str] = []

    async def main():
        from tests.clients.origin import Seen

        async def serve(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            method, target, _ = lines[0].split(" ")
            fields = {name.lower(): [value] for name, _, value in (line.partition(": ") for line in lines[1:-2])}
            body = await reader.readexactly(int(fields.get("content-length", ["0"])[0]))
            status, _, content = answer(Seen(method, target, fields, body))
            arrived.append(f"{method} {status}")
            if len(arrived) != 1:  # the first answer is lost
                writer.write(
                    b"HTTP/1.1 %d x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                    % (status, len(content), content)
                )
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
        async with server, aiohttp.ClientSession(middlewares=[adapt(HMACAuth(key))]) as session:
            async with session.get(url) as response:
                assert (response.status, await response.text()) == (200, "alice by hmac")
            assert arrived == ["GET 200", "GET 200"]
            arrived.clear()
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.post(url, data=b"x")
            assert arrived == ["POST 200"]

    asyncio.run(main())


class Hanging:
    """A token endpoint that never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]


@pytest.mark.parametrize("where", ["session", "request"])
def test_a_token_request_has_the_timeout_of_the_callers(where):
    waits = aiohttp.ClientTimeout(sock_read=0.05)
    issuer = Hanging()

    async def work(session):
        await session.get("http://127.0.0.1:9/", **({"timeout": waits} if where == "request" else {}))

    with issuer.socket, pytest.raises(aiohttp.SocketTimeoutError):
        settings = {"timeout": waits} if where == "session" else {}
        with_session(work, Tokens(f"127.0.0.1:{issuer.port}"), **settings)


def test_a_token_request_has_an_end_where_the_callers_has_none(monkeypatch):
    from watchword.clients import _aiohttp_exchange

    monkeypatch.setattr(_aiohttp_exchange, "TIMEOUT", 0.05)
    issuer = Hanging()

    async def work(session):
        await session.get("http://127.0.0.1:9/")

    with issuer.socket, pytest.raises(TimeoutError):
        with_session(work, Tokens(f"127.0.0.1:{issuer.port}"), timeout=aiohttp.ClientTimeout(total=None))


class Watching(aiohttp.ClientRequest):
    """Records how each request is made."""

    made: list[dict[str, Any]]

    def __init__(self, method: str, url: Any, **settings: Any) -> None:
        super().__init__(method, url, **settings)
        self.made.append({"host": url.host, **settings})


def settings_of_token_request(url: str = "https://api.example/", **options: Any) -> dict[str, Any]:
    class Here(Watching):
        made: list[dict[str, Any]] = []  # noqa: RUF012 -- of this class alone

    async def nowhere(request, handler):
        raise aiohttp.ClientConnectionError

    async def main():
        middlewares = [adapt(Tokens("id.example")), nowhere]
        async with aiohttp.ClientSession(
            middlewares=middlewares, request_class=Here, trust_env=options.pop("trust_env", False)
        ) as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(url, **options)

    asyncio.run(main())
    (own,) = [settings for settings in Here.made if settings["host"] == "id.example"]
    return own


def test_a_token_request_has_the_callers_tls_and_proxy(monkeypatch):
    context = ssl.create_default_context()
    own = settings_of_token_request(ssl=context, proxy="http://proxy.example:3128", proxy_headers={"X-Proxy": "1"})
    assert own["ssl"] is context
    assert str(own["proxy"]) == "http://proxy.example:3128"
    assert own["proxy_headers"]["X-Proxy"] == "1"
    assert settings_of_token_request(ssl=aiohttp.Fingerprint(bytes(32)))["ssl"] is True
    monkeypatch.setenv("http_proxy", "http://env.example:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert settings_of_token_request()["proxy"] is None
    assert str(settings_of_token_request(trust_env=True)["proxy"]) == "http://env.example:1"
    monkeypatch.setenv("no_proxy", "id.example")
    assert settings_of_token_request(trust_env=True)["proxy"] is None


def test_a_token_request_takes_no_fields_and_cookies_of_the_session_along():
    async def work(session):
        session.cookie_jar.update_cookies({"session": "1"}, aiohttp.client.URL(issuer.url))
        async with session.get(server.url):
            pass

    with origin(lambda seen: (200, [], b"tok")) as issuer, origin(ok) as server:
        auth = Tokens(f"127.0.0.1:{issuer.port}")
        with_session(work, auth, headers={"X-Mine": "1"}, cookies={"a": "b"})
        assert ("x-mine" in issuer.seen[0].fields, "cookie" in issuer.seen[0].fields) == (False, False)
        assert server.seen[0].field("x-mine") == "1"


def test_a_packed_answer_to_a_token_request_is_refused():
    import gzip

    bomb = gzip.compress(bytes(8 * 1024 * 1024))
    with origin(lambda seen: (200, [("Content-Encoding", "gzip")], bomb)) as issuer, origin(ok) as server:
        with pytest.raises(CredentialsUnavailable, match="encoding"):
            posted(server, Tokens(f"127.0.0.1:{issuer.port}"), b"")
        assert not server.seen


@pytest.mark.parametrize(
    "cookie", ["a=\u00e9", "a=b; Domain=evil.example", "a=b\x0bc", "a", "=;", 'a="x\\"y"', "a=\x1b[2J"]
)
def test_cookies_of_a_challenge_end_no_request(cookie):
    def answer(seen):
        status, headers, body = challenging(seen)
        return status, [*headers, ("Set-Cookie", cookie)], body

    async def work(session):
        async with session.get(server.url) as response:
            assert response.status == 200

    with origin(answer) as server:
        with_session(work, Challenged())
        assert "evil" not in (server.seen[-1].field("cookie") or "")


def test_cookies_of_a_challenge_stay_in_the_session_if_it_keeps_any():
    def answer(seen):
        status, headers, body = challenging(seen)
        return status, [*headers, ("Set-Cookie", "session=1; Path=/")], body

    async def work(session):
        for _ in range(2):
            async with session.get(server.url):
                pass

    with origin(answer) as server:
        with_session(work, Challenged())
        assert [seen.field("cookie") for seen in server.seen] == [None, "session=1", "session=1", "session=1"]
        server.seen.clear()
        with_session(work, Challenged(), cookie_jar=aiohttp.DummyCookieJar)
        assert {seen.field("cookie") for seen in server.seen} == {None}


def test_a_websocket_is_opened_with_credentials():
    from aiohttp import web

    async def main():
        seen: list[Any] = []

        async def handle(request):
            seen.append(request.headers.get("Authorization"))
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str("hello")
            return socket

        app = web.Application()
        app.router.add_get("/", handle)
        async with serving(app) as port, aiohttp.ClientSession(middlewares=[adapt(BasicAuth("a", "b"))]) as session:
            async with session.ws_connect(f"ws://127.0.0.1:{port}/") as opened:
                assert await opened.receive_str() == "hello"
            with pytest.raises(ConfigurationError, match="in the clear"):
                await session.ws_connect("ws://192.0.2.1/")
        assert seen == ["Basic YTpi"]

    asyncio.run(main())


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    from aiohttp import web

    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def test_a_middleware_with_tasks_of_its_own_goes_inside():
    async def apart(request, handler):
        return await asyncio.create_task(handler(request))

    async def main(middlewares):
        async with aiohttp.ClientSession(middlewares=middlewares) as session, session.get(server.url) as response:
            return response.status

    with origin(challenging) as server:
        assert asyncio.run(main([adapt(Challenged()), apart])) == 200
        with pytest.raises(ConfigurationError, match="first among the middlewares"):
            asyncio.run(main([apart, adapt(Challenged())]))


def test_octets_that_aiohttp_can_not_send_are_a_configuration_error():
    class Latin:
        def flow(self, request, context):
            yield Send(request.with_headers(((b"x-a", b"\xff"),)))

    with origin(ok) as server, pytest.raises(ConfigurationError, match="UTF-8"):
        posted(server, Latin(), b"")


def test_a_field_that_is_not_ascii_is_seen_as_it_is_sent():
    class Copying:
        def flow(self, request, context):
            yield Send(request.with_headers(((b"x-b", request.values(b"x-a")[0]),)))

    async def work(session):
        async with session.get(server.url, headers={"X-A": "ä"}):
            pass

    with origin(ok) as server:
        with_session(work, Copying())
        assert server.seen[0].field("x-b") == server.seen[0].field("x-a") == "ä".encode().decode("latin-1")
