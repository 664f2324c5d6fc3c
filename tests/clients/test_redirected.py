"""Redirects that the client follows by itself, in every adapter: credentials go along at once, made anew, within the origin alone."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest
import requests

from tests.clients.fakes import Body, Challenged, Once
from tests.clients.kinds import HTTPX, KINDS
from tests.clients.origin import guarded, ok, origin
from tests.clients.worlds import SIGNING, WORLDS, optional
from watchword import ConfigurationError
from watchword.clients.requests import adapt as for_requests
from watchword.effects import Send

pytestmark = pytest.mark.sweep

STATUSES = [301, 302, 303, 307, 308]


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def led(status=302, way=("/start", "/there")):
    """Redirects from each target of `way` to the next; answers nothing to the last."""

    def answer(seen):
        target = seen.target.partition("?")[0]
        if target in way[:-1]:
            return status, [("Location", way[way.index(target) + 1])], b"this way"
        return None

    return answer


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_a_route_for_everybody_knows_who_was_redirected_to_it(kind, world):
    guard, adapted = world.guard(), kind.adapt(world.auth())
    with origin(guarded(guard)) as server:
        assert kind.send("GET", server.url + "/", adapted).status == 200  # Digest has its nonce from here on
        server.answer = optional(guard, led())
        got = kind.send("GET", server.url + "/start", adapted)
        assert (got.status, got.body, got.history) == (200, b"GET by alice", [302])


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("world", SIGNING.values(), ids=SIGNING)
def test_the_new_request_is_signed_with_its_own_method_target_and_body(kind, world, status):
    guard, adapted = world.guard(), kind.adapt(world.auth())
    kept = status in kind.keeping
    with origin(optional(guard, led(status, ("/start", "/there?a=b%20c")))) as server:
        got = kind.send("POST", server.url + "/start?x=1", adapted, content=b"data")
        assert (got.status, got.body) == (200, b"POST by alice" if kept else b"GET by alice")
        first, second = server.seen
        assert (first.target, first.body) == ("/start?x=1", b"data")
        assert (second.target, second.body) == ("/there?a=b%20c", b"data" if kept else b"")


def test_each_of_many_redirects_is_signed(kind):
    with origin(optional(SIGNING["hmac"].guard(), led(307, ("/a", "/b", "/c", "/d")))) as server:
        got = kind.send("POST", server.url + "/a", kind.adapt(SIGNING["hmac"].auth()), content=b"data")
        assert (got.body, got.history) == (b"POST by alice", [307, 307, 307])
        lines = [seen.field("authorization") for seen in server.seen]
        assert None not in lines
        assert len(set(lines)) == 4


def test_what_asks_at_the_end_of_redirects_is_answered_there(kind):
    def answer(seen):
        first = led(302, ("/a", "/b", "/c"))(seen)
        if first is not None or seen.field("authorization"):
            return first or (200, [], b"in")
        return 401, [("WWW-Authenticate", "n1")], b"who?"

    with origin(answer) as server:
        assert kind.send("GET", server.url + "/a", kind.adapt(Challenged())).body == b"in"
        assert [seen.target for seen in server.seen] == ["/a", "/b", "/c", "/c"]


def test_who_asks_and_then_redirects_is_given_credentials_twice(kind):
    def answer(seen):
        if seen.field("authorization") is None:
            return 401, [("WWW-Authenticate", "n1")], b"who?"
        return led(302)(seen) or (200, [], b"in")

    with origin(answer) as server:
        assert kind.send("GET", server.url + "/start", kind.adapt(Challenged())).body == b"in"
        assert [seen.target for seen in server.seen] == ["/start", "/start", "/there", "/there"]


@pytest.mark.parametrize("status", STATUSES)
def test_nothing_goes_along_once_a_redirect_has_left_the_origin_and_came_back(kind, status):
    with origin(ok) as server:
        with origin(lambda seen: (status, [("Location", server.url + "/back")], b"")) as elsewhere:
            server.answer = lambda seen: (
                led(status, ("/start", "/mine", elsewhere.url + "/its"))(seen)
                or led(status, ("/back", "/end"))(seen)
                or ok(seen)
            )
            assert kind.send("GET", server.url + "/start", kind.adapt(Once())).status == 200
            bare = [*elsewhere.seen, *server.seen[2:]]
        assert [seen.field("x-hmac") for seen in server.seen[:2]] == ["sig-of-/start", "sig-of-/mine"]
        assert [seen.target for seen in bare] == ["/its", "/back", "/end"]
        assert not any({"x-hmac", "authorization"} & set(seen.fields) for seen in bare)


def test_another_name_of_the_host_is_another_origin(kind):
    with origin(ok) as server:
        other = f"http://localhost:{server.port}/there"
        server.answer = lambda seen: led(302, ("/start", other))(seen) or ok(seen)
        kind.send("GET", server.url + "/start", kind.adapt(Once()))
        assert [seen.field("x-hmac") for seen in server.seen] == ["sig-of-/start", None]


def test_a_body_that_is_gone_is_not_sent_short(kind):
    with origin(lambda seen: led(307)(seen) or ok(seen)) as server:
        with pytest.raises((ConfigurationError, aiohttp.ClientPayloadError), match=r"body.*seekable file"):
            kind.send("POST", server.url + "/start", kind.adapt(Once()), content=kind.chunks([b"da", b"ta"]))
        assert [(seen.target, seen.body) for seen in server.seen] == [("/start", b"data")]


@pytest.mark.parametrize("name", ["requests", "httpx", "httpx2"])
@pytest.mark.parametrize("auth", [Once, Body])
def test_a_file_is_sent_again_from_where_it_stood(name, auth):
    kind, file = KINDS[name], io.BytesIO(b"data" if name == "httpx" else b"skipped, data")
    file.seek(0 if name == "httpx" else 9)  # httpx announces the whole file, wherever it stands
    with origin(lambda seen: led(307)(seen) or ok(seen)) as server:
        assert kind.send("POST", server.url + "/start", kind.adapt(auth()), content=file).status == 200
        assert [seen.body for seen in server.seen] == [b"data"] * 2
        assert {seen.field("x-body") for seen in server.seen} == {"4" if auth is Body else None}


def test_one_object_is_redirected_in_many_threads_at_once(kind):
    with origin(optional(SIGNING["hmac"].guard(), led(307))) as server:
        adapted = kind.adapt(SIGNING["hmac"].auth())

        def work(number):
            return kind.send("POST", f"{server.url}/start", adapted, content=b"%d" % number).body

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(work, range(48))) == {b"POST by alice"}


class Fetching:
    """Needs a token of its own for each target."""

    def __init__(self, authority):
        self.authority = authority

    def flow(self, request, context):
        from watchword import Request

        own = Request("POST", "http", self.authority, b"/token" + request.target)
        answer = yield Send(own, b"", want=True)
        yield Send(request.with_headers(((b"authorization", b"Bearer " + answer.body),)))


def test_a_redirected_request_that_needs_another_one_first_is_authenticated_at_the_latest_when_it_is_refused(kind):
    def answer(seen):
        first = led()(seen)
        if first is not None:
            return first
        return (200, [], b"in") if seen.field("authorization") == "Bearer /token/there" else (401, [], b"who?")

    with origin(lambda seen: (200, [], seen.target.encode())) as issuer, origin(answer) as server:
        got = kind.send("GET", server.url + "/start", kind.adapt(Fetching(f"127.0.0.1:{issuer.port}")))
        assert (got.status, got.body) == (200, b"in")
        assert [seen.target for seen in issuer.seen] == ["/token/start", "/token/there"]


def test_requests_next_request_goes_out_with_credentials_within_the_origin_alone():
    with origin(ok) as elsewhere, origin(ok) as server, requests.Session() as session:
        session.trust_env = False
        for url, expected in ((server.url, "sig-of-/there"), (elsewhere.url, None)):
            server.answer = lambda seen, url=url: led(302, ("/start", url + "/there"))(seen) or ok(seen)
            response = session.get(server.url + "/start", auth=for_requests(Once()), allow_redirects=False)
            assert session.send(response.next).status_code == 200
            seen = [*elsewhere.seen, *server.seen][-1] if url == server.url else elsewhere.seen[-1]
            assert (seen.target, seen.field("x-hmac")) == ("/there", expected)


def test_netrc_does_not_replace_the_credentials_of_a_redirected_request(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with origin(lambda seen: led()(seen) or ok(seen)) as server, requests.Session() as session:
        session.get(server.url + "/start", auth=for_requests(Once()))
        assert [seen.field("authorization") for seen in server.seen] == ["Fake sig", "Fake sig"]


class Subclassed(requests.Session):
    """As many programs have one: it does something around what it inherits."""

    def send(self, request, **kwargs):
        return super().send(request, **kwargs)

    def rebuild_auth(self, prepared_request, response):
        return super().rebuild_auth(prepared_request, response)


def test_a_session_of_ones_own_is_redirected_alike():
    with origin(lambda seen: led()(seen) or ok(seen)) as server, Subclassed() as session:
        session.trust_env = False
        session.auth = for_requests(Once())
        session.get(server.url + "/start")
        assert [seen.field("x-hmac") for seen in server.seen] == ["sig-of-/start", "sig-of-/there"]


@pytest.mark.parametrize("name", list(HTTPX))
def test_the_hooks_of_the_caller_stay_and_ours_is_there_once(name):
    import asyncio

    kind, seen = HTTPX[name], []
    library = kind.library
    aio = name.endswith("async")

    def hook(request):
        seen.append(request.url.path)

    async def async_hook(request):
        hook(request)

    async def main(client):
        async with client:
            for _ in range(3):
                await client.get(server.url + "/start")
            assert len(client.event_hooks["request"]) == 2
            client.event_hooks = {"request": []}
            return await client.get(server.url + "/start")

    with origin(lambda seen: led()(seen) or ok(seen)) as server:
        settings = {"auth": kind.adapt(Once()), "trust_env": False, "follow_redirects": True}
        if aio:
            answer = asyncio.run(main(library.AsyncClient(event_hooks={"request": [async_hook]}, **settings)))
        else:
            with library.Client(event_hooks={"request": [hook]}, **settings) as client:
                for _ in range(3):
                    client.get(server.url + "/start")
                assert len(client.event_hooks["request"]) == 2
                client.event_hooks = {"request": []}
                answer = client.get(server.url + "/start")
        assert seen == ["/start", "/there"] * 3
        assert [one.field("x-hmac") for one in server.seen] == ["sig-of-/start", "sig-of-/there"] * 4
        assert set(answer.request.extensions) == {"timeout"}


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_a_next_request_that_is_sent_without_the_auth_has_no_credentials(name):
    kind = HTTPX[name]
    adapted = kind.adapt(Once())
    with origin(lambda seen: led()(seen) or ok(seen)) as server, kind.library.Client(trust_env=False) as client:
        client.get(server.url + "/start", auth=adapted, follow_redirects=True)  # the client has the hook now
        first = client.get(server.url + "/start", auth=adapted)
        client.send(first.next_request)
        assert server.seen[-1].field("x-hmac") is None
        client.send(first.next_request, auth=adapted)
        assert server.seen[-1].field("x-hmac") == "sig-of-/there"
