"""What is the adapter's for httpx and httpx2 alone: bound headers, streams, tasks, cancellation."""

from __future__ import annotations

import asyncio
import gzip
import io

import httpx
import httpx2
import pytest

from tests.clients.fakes import Body, Challenged, Once, Tokens
from tests.clients.origin import ok, origin
from tests.patience import PATIENCE
from watchword import ConfigurationError
from watchword.clients import httpx as for_httpx
from watchword.clients import httpx2 as for_httpx2
from watchword.clients._httpx_parts import kit_of
from watchword.structures.lock import lock_of
from watchword.core.rejection import CredentialsUnavailable


@pytest.fixture(params=["httpx", "httpx2"])
def library(request):
    return {"httpx": httpx, "httpx2": httpx2}[request.param]


@pytest.fixture
def adapt(library):
    return {httpx: for_httpx, httpx2: for_httpx2}[library].adapt


def challenging(seen):
    if seen.field("authorization") is None:
        return 401, [("WWW-Authenticate", "n1")], b"who?"
    return 200, [], b"hello"


def asynchronously(library, auth, work):
    async def main():
        async with library.AsyncClient(auth=auth, trust_env=False, timeout=PATIENCE) as client:
            return await work(client)

    return asyncio.run(main())


def test_one_object_works_in_both_clients(library, adapt):
    adapted = adapt(Challenged())
    with origin(challenging) as server:
        with library.Client(auth=adapted, trust_env=False) as client:
            assert client.get(server.url).status_code == 200

        async def work(client):
            return (await client.get(server.url)).status_code

        assert asynchronously(library, adapted, work) == 200


def test_200_tasks_share_one_adapted_object_and_one_token(library, adapt):
    def answer(seen):
        return 200, [], (seen.field("authorization") + seen.target).encode()

    with origin(lambda seen: (200, [], b"tok")) as issuer, origin(answer) as server:

        async def work(client):
            answers = await asyncio.gather(*(client.get(f"{server.url}/{number}") for number in range(200)))
            return [response.content for response in answers]

        bodies = asynchronously(library, adapt(Tokens(f"127.0.0.1:{issuer.port}")), work)
        assert bodies == [f"Bearer tok/{number}".encode() for number in range(200)]
        assert len(issuer.seen) == 1


def test_a_cancelled_request_frees_its_lock(library, adapt):
    async def main():
        entered = asyncio.Event()

        async def hang(reader, writer):
            entered.set()
            await reader.read(-1)
            writer.close()

        issuer = await asyncio.start_server(hang, "127.0.0.1", 0)
        auth = Tokens(f"127.0.0.1:{issuer.sockets[0].getsockname()[1]}")
        async with issuer, library.AsyncClient(auth=adapt(auth), trust_env=False) as client:
            tasks = [asyncio.create_task(client.get("http://127.0.0.1:9/")) for _ in range(3)]
            await entered.wait()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 3
        assert lock_of(auth, "token").acquire(1).granted is None

    asyncio.run(main())


def test_requests_and_answers_stream(library, adapt):
    with origin(challenging) as server:
        client = library.Client(auth=adapt(Challenged()), trust_env=False)
        with client, client.stream("POST", server.url, content=[b"a", b"b"]) as response:
            assert b"".join(response.iter_bytes(2)) == b"hello"
        assert [seen.body for seen in server.seen] == [b"ab", b"ab"]


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_file_is_covered_and_sent_from_where_it_stood(library, adapt, auth):
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    with origin(challenging) as server, library.Client(auth=adapt(auth()), trust_env=False) as client:
        client.post(server.url, content=file, headers={"Content-Length": "4"})  # httpx counts from the start
        assert {seen.body for seen in server.seen} == {b"sent"}
        assert {seen.field("x-body") for seen in server.seen} == {"4" if auth is Body else None}


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_form_with_files_is_covered_and_sent_again(library, adapt, auth):
    with origin(challenging) as server:
        with library.Client(auth=adapt(auth()), trust_env=False) as client:
            client.post(server.url, files={"f": io.BytesIO(b"content")})

        async def work(client):
            await client.post(server.url, files={"f": io.BytesIO(b"content")})

        asynchronously(library, adapt(auth()), work)
        assert all(b"content" in seen.body for seen in server.seen)
        assert len(server.seen) == (2 if auth is Body else 4)


def test_a_generator_is_covered_by_reading_it_first(library, adapt):
    with origin(ok) as server, library.Client(auth=adapt(Body()), trust_env=False) as client:
        client.post(server.url, content=(part for part in [b"a", b"b"]))
        assert [(seen.field("x-body"), seen.body) for seen in server.seen] == [("2", b"ab")]


def test_a_generator_that_would_have_to_be_sent_again_is_a_clear_error(library, adapt):
    with origin(challenging) as server, library.Client(auth=adapt(Challenged()), trust_env=False) as client:
        for body in ((part for part in [b"a"]), iter([b"a"])):
            with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
                client.post(server.url, content=body)
        assert len(server.seen) == 2


def test_an_async_generator_can_not_be_covered_unless_it_is_read_before(library, adapt):
    async def parts():
        yield b"ab"

    with origin(ok) as server:

        async def work(client):
            with pytest.raises(ConfigurationError, match="aread"):
                await client.post(server.url, content=parts())
            request = client.build_request("POST", server.url, content=parts())
            await request.aread()
            await client.send(request)

        asynchronously(library, adapt(Body()), work)
        assert [seen.body for seen in server.seen] == [b"ab"]


def test_an_async_generator_that_would_have_to_be_sent_again_is_a_clear_error(library, adapt):
    async def parts():
        yield b"ab"

    with origin(challenging) as server:

        async def work(client):
            with pytest.raises(ConfigurationError, match="once more"):
                await client.post(server.url, content=parts())

        asynchronously(library, adapt(Challenged()), work)


def test_a_request_object_can_be_sent_twice(library, adapt):
    with origin(ok) as server, library.Client(auth=adapt(Once()), trust_env=False) as client:
        request = client.build_request("POST", server.url + "/a", content=b"x")
        for _ in range(2):
            client.send(request)
        assert [seen.fields["x-hmac"] for seen in server.seen] == [["sig-of-/a"]] * 2


def test_a_compressed_answer_to_a_token_request_is_refused(library, adapt):
    bomb = gzip.compress(b"x" * (8 * 1024 * 1024))
    with origin(lambda seen: (200, [("Content-Encoding", "gzip")], bomb)) as issuer, origin(ok) as server:
        auth = adapt(Tokens(f"127.0.0.1:{issuer.port}"))
        with library.Client(auth=auth, trust_env=False) as client, pytest.raises(CredentialsUnavailable):
            client.get(server.url)


def test_a_token_request_always_has_an_end_in_time(library, adapt):
    waits = []

    def answer(request):
        waits.append(request.extensions["timeout"])
        return library.Response(200, content=b"tok")

    transport = library.MockTransport(answer)
    with library.Client(auth=adapt(Tokens("id.example")), transport=transport, timeout=None) as client:
        client.get("https://api.example/")
    with library.Client(auth=adapt(Tokens("id.example")), transport=transport, timeout=3) as client:
        client.get("https://api.example/")
    assert set(waits[0].values()) == {30.0}
    assert set(waits[1].values()) == {None}
    assert set(waits[2].values()) == {3}


def test_the_target_extension_is_what_is_covered(library, adapt):
    with origin(ok) as server, library.Client(auth=adapt(Once()), trust_env=False) as client:
        client.get(server.url + "/a", extensions={"target": b"/raw%zz"})
        assert [(seen.target, seen.field("x-hmac")) for seen in server.seen] == [("/raw%zz", "sig-of-/raw%zz")]


def test_history_holds_redirects_and_challenges_but_no_token_request(library, adapt):
    def answer(seen):
        if seen.target == "/start":
            return 302, [("Location", "/there")], b""
        return (200, [], b"hello") if seen.field("authorization") == "Bearer tok2" else (401, [], b"old")

    with origin(lambda seen: (200, [], f"tok{len(issuer.seen)}".encode())) as issuer, origin(answer) as server:
        auth = adapt(Tokens(f"127.0.0.1:{issuer.port}"))
        with library.Client(auth=auth, trust_env=False, follow_redirects=True) as client:
            response = client.get(server.url + "/start")
        assert [(hop.status_code, hop.url.path) for hop in response.history] == [(302, "/start"), (401, "/there")]
        assert response.content == b"hello"


def bound(library):
    plain = library.Headers([(b"Host", b"a"), (b"X-One", b"1"), (b"x-hmac", b"the caller's")])
    return kit_of(library).headers(plain, {b"x-hmac": [b"s3cret", b"more"]})


def test_bound_headers_read_like_headers(library):
    headers = bound(library)
    assert headers["x-hmac"] == headers.get("X-HMAC") == "s3cret, more"
    assert headers.get_list("x-hmac") == ["s3cret", "more"]
    assert list(headers) == list(headers.keys()) == ["host", "x-one", "x-hmac"]
    assert list(headers.values()) == ["a", "1", "s3cret, more"]
    assert dict(headers.items()) == dict(headers) == {"host": "a", "x-one": "1", "x-hmac": "s3cret, more"}
    assert headers.multi_items()[-1] == ("x-hmac", "more")
    assert "X-Hmac" in headers
    assert len(headers) == 4
    assert headers.raw[-2:] == [(b"X-Hmac", b"s3cret"), (b"X-Hmac", b"more")]
    assert headers == library.Headers(headers.raw)
    assert headers != {"host": "a"}
    assert "s3cret" not in repr(headers)


def test_bound_headers_can_be_written(library):
    headers = bound(library)
    headers["X-Hmac"] = "mine"
    headers["X-Two"] = "2"
    assert headers.get_list("x-hmac") == ["mine"]
    del headers["x-one"]
    headers = bound(library)
    del headers["x-hmac"]
    assert "x-hmac" not in headers
    with pytest.raises(KeyError):
        del headers["x-hmac"]
    headers.update({"host": "b"})
    assert headers["host"] == headers.copy()["host"] == "b"


def test_a_copy_of_bound_headers_is_without_what_is_bound(library):
    for copy in (library.Headers(bound(library)), bound(library).copy()):
        assert dict(copy) == {"host": "a", "x-one": "1"}


def test_a_copy_of_bound_headers_has_the_length_of_the_plain_body(library):
    plain = library.Headers([(b"Host", b"a"), (b"Content-Length", b"1")])
    headers = kit_of(library).headers(plain, {b"content-length": [b"7"], b"transfer-encoding": []})
    assert (headers["content-length"], headers.copy()["content-length"]) == ("7", "1")


def test_a_library_whose_headers_are_unknown_is_refused(library, adapt, monkeypatch):
    class Headers(library.Headers):
        __slots__ = ()
        _list = property()

    module = {httpx: for_httpx, httpx2: for_httpx2}[library]

    class Changed:
        Client, AsyncClient = library.Client, library.AsyncClient
        SyncByteStream, AsyncByteStream = library.SyncByteStream, library.AsyncByteStream
        __name__ = "httpx3"

    Changed.Headers = Headers
    monkeypatch.setattr(module._Adapted, "kit", kit_of(Changed()))
    with pytest.raises(ConfigurationError, match="httpx3 is unknown"):
        adapt(Once())


def test_a_library_that_would_copy_them_is_refused(library, adapt, monkeypatch):
    class Copying(library.Headers):
        def __init__(self, headers=None, encoding=None):
            super().__init__(getattr(headers, "raw", headers), encoding)

    module = {httpx: for_httpx, httpx2: for_httpx2}[library]

    class Changed:
        Headers = Copying
        Client, AsyncClient = library.Client, library.AsyncClient
        SyncByteStream, AsyncByteStream = library.SyncByteStream, library.AsyncByteStream
        __name__ = "httpx3"

    monkeypatch.setattr(module._Adapted, "kit", kit_of(Changed()))
    with pytest.raises(ConfigurationError, match="httpx3 is unknown"):
        adapt(Once())
