"""What is the adapter's for urllib.request alone: openers, handlers beside it, bodies, the settings of a token request."""

from __future__ import annotations

import http.cookiejar
import io
import socket
import ssl
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

import pytest

from tests.clients.fakes import Body, Challenged, Once, Seeing, Tokens
from tests.clients.origin import guarded, ok, origin
from tests.clients.sealed_origin import sealing
from tests.patience import PATIENCE
from watchword import (
    BasicAuth, BasicVerifier, ConfigurationError, DigestAuth, DigestVerifier, Guard, Key, SealedAuth, SignatureSeal,
)  # fmt: skip
from watchword.clients.urllib_request import adapt
from watchword.core.rejection import CredentialsUnavailable
from watchword.stores import MemoryStore

DIRECT = ProxyHandler({})


def challenging(seen):
    if seen.field("authorization") is None:
        return 401, [("WWW-Authenticate", "n1"), ("Set-Cookie", "session=1; Path=/")], b"who?"
    return 200, [], b"hello"


def opened(auth: Any, request: Any, *handlers: Any, timeout: Any = PATIENCE) -> bytes:
    with build_opener(DIRECT, adapt(auth), *handlers).open(request, timeout=timeout) as response:
        return response.read()


def test_a_url_is_opened_and_what_comes_back_is_the_librarys_own():
    with origin(challenging) as server, build_opener(DIRECT, adapt(Challenged())).open(server.url + "/a") as response:
        assert (response.status, response.reason, response.msg, response.url) == (200, "OK", "OK", server.url + "/a")
        assert response.getheader("Content-Length") == "5"
        assert [response.read(2), response.readline(), response.read()] == [b"he", b"llo", b""]


def test_an_installed_opener_authenticates_what_urlopen_opens(monkeypatch):
    monkeypatch.setattr(urllib.request, "_opener", None)
    urllib.request.install_opener(build_opener(DIRECT, adapt(Once())))
    with origin(ok) as server, urllib.request.urlopen(server.url) as response:
        assert response.read() == b"fine"
        assert server.seen[0].field("x-hmac") == "sig-of-/"


def test_a_handler_serves_one_opener_and_an_auth_any_number():
    handler, auth = adapt(Once()), DigestAuth("alice", "open sesame")
    build_opener(handler)
    with pytest.raises(ConfigurationError, match="for each one"):
        build_opener(handler)
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="r")
    with origin(guarded(Guard([DigestVerifier(realm="r")], store))) as server:
        for _ in range(3):
            assert opened(auth, server.url) == b"alice by digest"
        assert len(server.seen) == 4  # the nonce is known from then on


def test_a_refusal_is_the_librarys_error_with_its_content():
    with origin(lambda seen: (401, [("WWW-Authenticate", "n1")], b"no")) as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            opened(Challenged(), server.url)
        with refused.value as error:
            assert (error.code, error.read(), len(server.seen)) == (401, b"no", 2)


def test_the_request_stays_as_it_is():
    with origin(challenging) as server:
        request = Request(server.url, b"x", {"X-One": "1"})
        opener = build_opener(DIRECT, adapt(Challenged()))
        for _ in range(2):
            opener.open(request).close()
        assert "Authorization" not in dict(request.header_items())
        assert [seen.field("authorization") for seen in server.seen] == [None, "Fake n1 proof"] * 2
        assert {seen.field("x-one") for seen in server.seen} == {"1"}


def test_a_flow_sees_the_fields_as_they_are_sent():
    auth = Seeing()
    with origin(ok) as server:
        for request in (
            server.url + "/a#b",
            Request(server.url, b"ab", {"Accept-Encoding": "br"}),
            Request(server.url, io.BytesIO(b"ab")),
        ):
            opened(auth, request)
        for asked, seen in zip(auth.requests, server.seen, strict=True):
            assert {name.decode(): value.decode() for name, value in asked.headers} == {
                n: v for n, [v] in seen.fields.items()
            }
            assert (asked.method, asked.target.decode(), asked.authority) == (
                seen.method,
                seen.target,
                seen.field("host"),
            )


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_file_is_covered_and_sent_from_where_it_stood(auth):
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    with origin(challenging) as server:
        if auth is Body:
            server.answer = ok
        opened(auth(), Request(server.url, file))
        assert {seen.body for seen in server.seen} == {b"sent"}
        assert {seen.field("x-body") for seen in server.seen} == {"4" if auth is Body else None}


class Again(HTTPRedirectHandler):
    """Goes on with the body, as urllib doesn't."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return Request(newurl, req.data, req.headers, method=req.get_method(), unverifiable=True)


def test_a_file_goes_along_a_redirect_from_where_it_stood_and_what_is_gone_is_an_error():
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    with origin(lambda seen: (307, [("Location", "/b")], b"") if seen.target == "/a" else ok(seen)) as server:
        assert opened(Body(), Request(server.url + "/a", file), Again()) == b"fine"
        assert [(seen.body, seen.field("x-body")) for seen in server.seen] == [(b"sent", "4")] * 2
        with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
            opened(Once(), Request(server.url + "/a", iter([b"ab"])), Again())


def test_a_generator_is_sent_where_no_retry_is_needed_and_a_clear_error_where_it_is():
    with origin(ok) as server:
        assert opened(Once(), Request(server.url, iter([b"a", b"b"]))) == b"fine"
        with pytest.raises(ConfigurationError, match="covers the body.*pass bytes or a seekable file"):
            opened(Body(), Request(server.url, iter([b"a"])))
        server.answer = challenging
        with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
            opened(Challenged(), Request(server.url, iter([b"a", b"b"])))
        assert [seen.body for seen in server.seen] == [b"ab", b"ab"]


class Elsewhere(HTTPRedirectHandler):
    """Follows redirects in a way of its own."""

    def http_error_302(self, req, fp, code, msg, headers):
        fp.close()
        return self.parent.open(Request(urllib.request.urljoin(req.full_url, headers["Location"]), unverifiable=True))


def test_a_redirect_that_somebody_else_follows_in_a_way_of_his_own_takes_nothing_along():
    with origin(lambda seen: (302, [("Location", "/b")], b"") if seen.target == "/a" else ok(seen)) as server:
        assert opened(Once(), server.url + "/a", Elsewhere()) == b"fine"
        assert [seen.field("x-hmac") for seen in server.seen] == ["sig-of-/a", None]


def test_cookies_of_a_challenge_go_into_the_jar_and_into_the_next_try():
    jar = http.cookiejar.CookieJar()
    with origin(challenging) as server:
        opener = build_opener(DIRECT, adapt(Challenged()), HTTPCookieProcessor(jar))
        for _ in range(2):
            opener.open(Request(server.url, headers={"X-One": "1"})).close()
        assert [cookie.value for cookie in jar] == ["1"]
        assert [seen.field("cookie") for seen in server.seen] == [None, "session=1", "session=1", "session=1"]


def test_what_a_flow_has_read_of_an_answer_is_still_the_callers():
    key, store = Key.generate("ed25519", key_id="seal-1"), MemoryStore()
    store.add_user("alice", "open sesame", realm="r")
    guard = Guard([BasicVerifier(realm="r")], store, seal=SignatureSeal(key))
    with origin(sealing(guard, lambda seen: (200, [], b"content"))) as server:
        opener = build_opener(DIRECT, adapt(SealedAuth(key, BasicAuth("alice", "open sesame"))))
        with opener.open(server.url) as response:
            assert [response.read(3), response.read(), response.read(), response.status] == [b"con", b"tent", b"", 200]


def test_a_request_whose_answer_was_lost_is_sent_once():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        heads = []

        def serve():
            for _ in range(2):
                connection, _ = listening.accept()
                with connection:
                    heads.append(connection.recv(65536).split(b" ")[0])

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        for body in (b"x", None):
            with pytest.raises((ConnectionError, urllib.error.URLError)):
                opened(Once(), Request(url, body))
        thread.join()
        assert heads == [b"POST", b"GET"]


# ---- the flow's own requests -----------------------------------------------------------------------------------------


class Watching(HTTPSHandler):
    """Keeps what would be opened, and answers."""

    def __init__(self) -> None:
        super().__init__(context=ssl.create_default_context())
        self.opened: list[Any] = []

    def https_open(self, req: Any) -> Any:
        self.opened.append(req)
        headers = http.client.HTTPMessage()
        response: Any = urllib.response.addinfourl(io.BytesIO(b"tok"), headers, req.full_url, 200)
        response.msg = "OK"
        return response


@pytest.mark.parametrize(("given", "expected"), [(3, 3), (None, 30), (socket._GLOBAL_DEFAULT_TIMEOUT, 30)])
def test_a_token_request_goes_through_the_openers_handlers_with_the_callers_timeout_or_an_end(given, expected):
    watching = Watching()
    opener = build_opener(DIRECT, adapt(Tokens("id.example", "https")), watching)
    opener.addheaders += [("X-Mine", "1"), ("Cookie", "a=1")]
    opener.open("https://api.example/", timeout=given).close()
    own, callers = watching.opened
    assert (own.full_url, own.get_method(), own.data) == (
        "https://id.example/token?a=1",
        "POST",
        b"grant_type=client_credentials",
    )
    assert own.timeout == expected
    fields = {name.lower(): value for name, value in own.header_items()}
    assert fields.pop("user-agent").startswith("Python-urllib/")
    assert fields == {
        "host": "id.example", "accept-encoding": "identity", "authorization": "Basic aWQ6c2VjcmV0", "content-length": "29",
        "content-type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    assert {"x-mine", "cookie"} <= {name.lower() for name, _ in callers.header_items()}


def test_the_default_of_sockets_is_the_callers_timeout_too(monkeypatch):
    monkeypatch.setattr(socket, "getdefaulttimeout", lambda: 4)
    watching = Watching()
    build_opener(DIRECT, adapt(Tokens("id.example", "https")), watching).open("https://api.example/").close()
    assert watching.opened[0].timeout == 4


def test_a_packed_answer_to_a_token_request_is_refused():
    with origin(lambda seen: (200, [("Content-Encoding", "gzip")], b"x")) as issuer, origin(ok) as server:
        with pytest.raises(CredentialsUnavailable, match="encoding"):
            opened(Tokens(f"127.0.0.1:{issuer.port}"), server.url)
        assert not server.seen


# ---- proxies ---------------------------------------------------------------------------------------------------------


def test_a_proxy_is_sent_the_whole_url():
    with origin(ok) as proxy:
        led = ProxyHandler({"http": proxy.url})
        with build_opener(led, adapt(Once())).open("http://api.example/a?b") as response:
            assert response.read() == b"fine"
        (seen,) = proxy.seen
        assert (seen.target, seen.field("host"), seen.field("x-hmac")) == (
            "http://api.example/a?b",
            "api.example",
            "sig-of-/a?b",
        )


def test_a_proxy_that_asks_is_answered():
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="r")
    guard = Guard([DigestVerifier(realm="r")], store)

    def answer(seen):
        if seen.field("proxy-authorization") is not None:
            return ok(seen)
        _, fields, body = guarded(guard)(seen)
        return 407, [("Proxy-Authenticate", value) for name, value in fields if name == "www-authenticate"], body

    with origin(answer) as proxy:
        auth = DigestAuth("alice", "open sesame", proxy=True)
        with build_opener(ProxyHandler({"http": proxy.url}), adapt(auth)).open("http://api.example/a") as response:
            assert response.read() == b"fine"
        assert 'uri="http://api.example/a"' in proxy.seen[-1].field("proxy-authorization")
        assert "authorization" not in proxy.seen[-1].fields


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://api.example", "/"), ("http://api.example?x=1", "/?x=1"), ("http://api.example/a?b#c", "/a?b"),
        ("http://api.example/a?", "/a?"), ("http://api.example/a//b/../c", "/a//b/../c"),
    ],
)  # fmt: skip
def test_the_target_is_what_is_sent(url, target):
    auth = Seeing()
    with origin(ok) as proxy:
        build_opener(ProxyHandler({"http": proxy.url}), adapt(auth)).open(url).close()
    assert auth.requests[0].target.decode() == target
    with origin(ok) as server:
        opened(auth, url.replace("http://api.example", server.url))
        assert auth.requests[1].target.decode() == server.seen[0].target
