"""What is the adapter's for urllib3 alone: managers and pools, `Retry`, bodies, answers that are read as they come."""

from __future__ import annotations

import io
import runpy
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
import urllib3
from urllib3 import HTTPHeaderDict, PoolManager, ProxyManager, Retry, Timeout
from urllib3.exceptions import (
    HostChangedError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError,
)  # fmt: skip

from tests.clients.fakes import Body, Challenged, Once, Seeing, Tokens
from tests.clients.origin import Seen, guarded, ok, origin
from tests.patience import PATIENCE
from watchword import BasicAuth, ConfigurationError, Guard, HMACAuth, HMACVerifier, Key
from watchword.clients import _urllib3_route
from watchword.clients.urllib3 import adapt
from watchword.core.rejection import CredentialsUnavailable
from watchword.stores import MemoryStore

KEY = Key.from_secret("k" * 32, algorithm="hmac-sha256", key_id="key-1")
AGAIN = {"status_forcelist": [503], "backoff_factor": 0}


def challenging(seen):
    if seen.field("authorization") is None:
        return 401, [("WWW-Authenticate", "n1")], b"who?"
    return 200, [], b"hello"


def request(server: Any, auth: Any, method: str = "GET", target: str = "/", **settings: Any) -> Any:
    with adapt(auth)(PoolManager(timeout=PATIENCE)) as http:
        return http.request(method, server.url + target, **settings)


def test_a_pool_of_one_host_takes_paths():
    with origin(challenging) as server, adapt(Challenged())(urllib3.connection_from_url(server.url)) as http:
        assert http.request("GET", "/a?b=%20c").data == b"hello"
        assert http.urlopen("POST", server.url + "/d", body=b"x").data == b"hello"
        assert [(seen.method, seen.target) for seen in server.seen] == [("GET", "/a?b=%20c")] * 2 + [("POST", "/d")] * 2


def test_one_request_carries_credentials_and_the_pool_itself_none():
    alice = adapt(Once())
    with origin(ok) as server, PoolManager() as pool:
        alice(pool).request("GET", server.url)
        pool.request("GET", server.url)
        alice(pool).pool.request("GET", server.url)
        assert ["x-hmac" in seen.fields for seen in server.seen] == [True, False, False]


def test_headers_of_the_pool_go_along_as_they_do_without_credentials():
    with origin(ok) as server, adapt(Once())(PoolManager(headers={"X-One": "1"})) as http:
        http.request("GET", server.url)
        http.request("GET", server.url, headers={"X-Two": "2"})
        assert [(seen.field("x-one"), seen.field("x-two")) for seen in server.seen] == [("1", None), (None, "2")]


@pytest.mark.parametrize(
    "settings", [{}, {"headers": {"User-Agent": urllib3.util.SKIP_HEADER}}, {"chunked": True}], ids=str
)
@pytest.mark.parametrize("body", [None, b"ab", "ä", io.BytesIO(b"ab")], ids=["none", "octets", "text", "file"])
def test_a_flow_sees_the_fields_as_they_are_sent(settings, body):
    auth = Seeing()
    with origin(ok) as server:
        request(server, auth, "POST", body=body, **settings)
        asked = {name.decode(): value.decode() for name, value in auth.requests[0].headers}
        sent = {name: value for name, [value] in server.seen[0].fields.items()}
        assert sent.pop("host") == auth.requests[0].authority
        assert {name: value for name, value in sent.items() if name != "transfer-encoding"} == asked


def test_fields_are_encoded_before_they_are_covered():
    with origin(ok) as server:
        request(server, Body(), "POST", fields={"a": "b"})
        request(server, Body(), "POST", fields={"a": "b"}, encode_multipart=False)
        request(server, Body(), "POST", json={"a": "b"})
        assert all(int(seen.field("x-body")) == len(seen.body) > 0 for seen in server.seen)


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_file_is_covered_and_sent_from_where_it_stood(auth):
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    with origin(challenging) as server:
        request(server, auth(), "POST", body=file)
        assert {seen.body for seen in server.seen} == {b"sent"}
        assert {seen.field("x-body") for seen in server.seen} == {"4" if auth is Body else None}


def test_a_generator_is_sent_where_no_retry_is_needed_and_a_clear_error_where_it_is():
    with origin(ok) as server:
        assert request(server, Once(), "POST", body=iter([b"a", b"b"])).data == b"fine"
        with pytest.raises(ConfigurationError, match="covers the body.*pass bytes or a seekable file"):
            request(server, Body(), "POST", body=iter([b"a"]))
        server.answer = challenging
        with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
            request(server, Challenged(), "POST", body=iter([b"a", b"b"]))
        server.answer = lambda seen: (307, [("Location", "/b")], b"")
        with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
            request(server, Once(), "POST", body=iter([b"a", b"b"]))
        assert [seen.body for seen in server.seen] == [b"ab"] * 3


def test_answers_stream_after_a_retry_and_a_challenge_leaves_no_connection_behind():
    """The pool has one connection, and waits for ever for another one."""
    with origin(challenging) as server, PoolManager(maxsize=1, block=True) as pool:
        http = adapt(Challenged())(pool)
        for content in (b"who?", bytes(3_000_000)):
            server.answer = lambda seen, c=content: (
                (401, [("WWW-Authenticate", "n")], c) if "authorization" not in seen.fields else ok(seen)
            )
            for _ in range(2):
                response = http.request("GET", server.url, preload_content=False)
                assert b"".join(response.stream(2)) == b"fine"


def test_a_flow_that_fails_leaves_no_connection_behind():
    class Failing:
        def flow(self, request, context):
            yield from Once().flow(request, context)
            raise CredentialsUnavailable("on purpose")

    with origin(ok) as server, PoolManager(maxsize=1, block=True) as pool:
        for _ in range(2):
            with pytest.raises(CredentialsUnavailable):
                adapt(Failing())(pool).request("GET", server.url, preload_content=False)


# ---- what Retry repeats ----------------------------------------------------------------------------------------------


def store() -> MemoryStore:
    store = MemoryStore()
    store.add_key("alice", KEY)
    return store


def failing_first(times: int, status: int = 503, fields: Any = ()):
    """A guard whose answers are replaced by failures, after it has judged the request."""
    judge = guarded(Guard([HMACVerifier()], store()))
    left = [times]

    def answer(seen):
        judged = judge(seen)
        if judged[0] != 200 or not left[0]:
            return judged
        left[0] -= 1
        return status, list(fields), b"busy"

    return answer


@pytest.mark.parametrize("body", [None, b"octets"])
def test_each_retry_is_signed_anew(body):
    with origin(failing_first(2)) as server:
        got = request(server, HMACAuth(KEY), "PUT", body=body, retries=Retry(3, **AGAIN))
        assert (got.status, got.data) == (200, b"alice by hmac")
        assert [hop.status for hop in got.retries.history] == [503, 503]
        assert len({seen.field("authorization") for seen in server.seen}) == 3
        assert {seen.body for seen in server.seen} == {body or b""}


def test_the_retries_of_a_manager_and_of_a_pool_are_obeyed():
    for make in (
        lambda server: PoolManager(retries=Retry(3, **AGAIN)),
        lambda server: urllib3.connection_from_url(server.url, retries=Retry(3, **AGAIN)),
    ):
        with origin(failing_first(2)) as server, adapt(HMACAuth(KEY))(make(server)) as http:
            assert http.request("GET", server.url + "/").status == 200


def test_an_answer_that_says_when_is_waited_for():
    with origin(failing_first(1, 429, [("Retry-After", "0")])) as server:
        assert request(server, HMACAuth(KEY)).status == 200


def test_a_method_that_may_not_be_repeated_is_sent_once():
    with origin(failing_first(9)) as server:
        assert request(server, HMACAuth(KEY), "POST", body=b"x", retries=Retry(3, **AGAIN)).status == 503
        assert len(server.seen) == 1
        assert (
            request(
                server, HMACAuth(KEY), "POST", retries=Retry(2, allowed_methods=None, **AGAIN, raise_on_status=False)
            ).status
            == 503
        )
        assert len(server.seen) == 4


def test_a_body_that_is_gone_is_not_repeated():
    with origin(lambda seen: (503, [], b"")) as server:
        assert request(server, Once(), "PUT", body=iter([b"a"]), retries=Retry(3, **AGAIN)).status == 503
        assert len(server.seen) == 1


def test_retries_that_are_used_up_end_as_without_credentials():
    with origin(lambda seen: (503, [], b"busy")) as server:
        with pytest.raises(MaxRetryError):
            request(server, Once(), retries=Retry(1, **AGAIN))
        lax = Retry(1, **AGAIN, raise_on_status=False)
        assert (request(server, Once(), retries=lax).data, len(server.seen)) == (b"busy", 4)


class Lossy:
    """Answers nothing to the first `lost` requests, or half an answer, and closes the connection."""

    def __init__(self, lost: int, half: bytes = b"") -> None:
        self.lost, self.half = lost, half
        self.seen: list[str] = []
        self._judge = guarded(Guard([HMACVerifier()], store()))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                method, target, _ = lines.readline().decode().split(" ")
                fields: dict[str, list[str]] = {}
                while (line := lines.readline().strip()) != b"":
                    name, _, value = line.decode().partition(": ")
                    fields.setdefault(name.lower(), []).append(value)
                body = lines.read(int(fields.get("content-length", ["0"])[0]))
                status, _, content = self._judge(Seen(method, target, fields, body))
                self.seen.append(f"{method} {status}")
                head = b"HTTP/1.1 %d x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (status, len(content))
                connection.sendall(head + content if len(self.seen) > self.lost else self.half)

    def __enter__(self) -> Lossy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


HALVES = [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"]


@pytest.mark.parametrize("half", HALVES, ids=["nothing", "half"])
def test_a_post_whose_answer_was_lost_is_not_sent_again(half):
    with Lossy(9, half) as server, pytest.raises(ProtocolError):
        request(server, HMACAuth(KEY), "POST", body=b"x")
    assert server.seen == ["POST 200"]


@pytest.mark.parametrize("half", HALVES, ids=["nothing", "half"])
def test_a_get_whose_answer_was_lost_is_signed_anew(half):
    with Lossy(2, half) as server:
        assert request(server, HMACAuth(KEY)).data == b"alice by hmac"
    assert server.seen == ["GET 200"] * 3


def test_without_retries_the_error_is_the_callers():
    with Lossy(9) as server, pytest.raises(ProtocolError):
        request(server, HMACAuth(KEY), retries=False)
    assert server.seen == ["GET 200"]
    with pytest.raises(NewConnectionError):
        adapt(Once())(PoolManager()).request("GET", "http://127.0.0.1:9/", retries=False)


def test_an_error_of_tls_repeats_no_post():
    """It may be one of reading the answer; urllib3 by itself sends the request again."""

    class Broken(PoolManager):
        sent = 0

        def urlopen(self, *_: Any, **__: Any) -> Any:
            Broken.sent += 1
            raise SSLError("decryption failed")

    for method, tries in (("POST", 1), ("GET", 4)):
        Broken.sent = 0
        with pytest.raises(MaxRetryError):
            adapt(Once())(Broken()).request(method, "https://api.example/")
        assert Broken.sent == tries


def test_an_error_of_a_token_request_is_not_one_of_the_callers():
    sent = []

    class Broken(PoolManager):
        def urlopen(self, method: str, url: str, **__: Any) -> Any:
            sent.append(url)
            raise ProtocolError("on purpose")

    with pytest.raises(ProtocolError):
        adapt(Tokens("id.example"))(Broken()).request("GET", "https://api.example/")
    assert sent == ["http://id.example/token?a=1"]


# ---- redirects -------------------------------------------------------------------------------------------------------


def redirecting(location: str, status: int, **fields: str):
    def answer(seen):
        return (status, [("Location", location), *fields.items()], b"go") if seen.target == "/start" else ok(seen)

    return answer


@pytest.mark.parametrize(("status", "method", "body"), [(301, "POST", b"x"), (303, "GET", b""), (307, "POST", b"x")])
def test_a_redirect_is_followed_as_urllib3_follows_it(status, method, body):
    with origin(redirecting("/there?q=1", status)) as server, PoolManager() as pool:
        for http in (adapt(Once())(pool), pool):
            got = http.request(
                "POST", server.url + "/start", body=b"x", headers={"Content-Type": "text/x", "X-One": "1"}
            )
            assert (got.data, [hop.redirect_location for hop in got.retries.history]) == (b"fine", ["/there?q=1"])
            assert got.url.endswith("/there?q=1")
        ours, theirs = server.seen[1], server.seen[3]
        assert (
            (ours.method, ours.target, ours.body)
            == (theirs.method, theirs.target, theirs.body)
            == (method, "/there?q=1", body)
        )
        assert ours.field("x-hmac") == "sig-of-/there?q=1"
        for name in ("x-hmac", "authorization"):
            del ours.fields[name]
        assert ours.fields == theirs.fields


def test_a_foreign_redirect_takes_along_what_urllib3_takes_along():
    with origin(ok) as elsewhere, origin(redirecting(elsewhere.url + "/there", 307)) as server, PoolManager() as pool:
        for http in (adapt(Once())(pool), pool):
            headers = {"Cookie": "a=1", "Authorization": "Basic x", "X-One": "1"}
            assert http.request("POST", server.url + "/start", body=b"x", headers=headers).data == b"fine"
        ours, theirs = elsewhere.seen
        assert (ours.fields, ours.body) == (theirs.fields, theirs.body)
        assert not {"cookie", "authorization", "x-hmac"} & set(ours.fields)


def test_a_pool_of_one_host_goes_nowhere_else():
    with origin(redirecting("http://localhost:9/", 302)) as server, urllib3.connection_from_url(server.url) as pool:
        with pytest.raises(HostChangedError):
            adapt(Once())(pool).request("GET", "/start")
        server.answer = redirecting("/there", 302)
        assert adapt(Once())(pool).request("GET", "/start").data == b"fine"
        assert server.seen[-1].field("x-hmac") == "sig-of-/there"


def test_redirects_end_where_the_caller_says():
    with origin(lambda seen: (302, [("Location", "/again")], b"go")) as server:
        assert request(server, Once(), redirect=False).status == 302
        assert request(server, Once(), retries=Retry(2, raise_on_redirect=False)).status == 302
        with pytest.raises(MaxRetryError, match="redirects"):
            request(server, Once(), retries=Retry(redirect=1))
        assert len(server.seen) == 1 + 3 + 2


# ---- the flow's own requests -----------------------------------------------------------------------------------------


@contextmanager
def hanging() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


@pytest.mark.parametrize("where", ["manager", "pool", "request"])
def test_a_token_request_has_the_timeout_of_the_callers(where):
    with hanging() as port:
        settings = {} if where == "request" else {"timeout": 0.05}
        pool = urllib3.HTTPConnectionPool("127.0.0.1", 9, **settings) if where == "pool" else PoolManager(**settings)
        with pytest.raises(ReadTimeoutError):
            adapt(Tokens(f"127.0.0.1:{port}"))(pool).request(
                "GET", "http://127.0.0.1:9/", **({"timeout": 0.05} if where == "request" else {})
            )


class Watching(PoolManager):
    """Answers every request itself, and keeps what it was called with."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.asked: list[dict[str, Any]] = []

    def urlopen(self, method: str, url: str, **settings: Any) -> Any:
        self.asked.append({"url": url, **settings})
        return urllib3.HTTPResponse(io.BytesIO(b"tok"), status=200, preload_content=False)


@pytest.mark.parametrize(
    ("given", "connect", "read"),
    [
        (None, 30, 30), (Timeout(connect=2), 2, 30), (Timeout(read=3), 30, 3), (5, 5, 5), (Timeout(connect=None, read=None), 30, 30),
    ],
    ids=str,
)  # fmt: skip
def test_a_token_request_always_has_an_end_in_time(given, connect, read):
    for settings, pool in (({"timeout": given}, Watching()), ({}, Watching(timeout=given))):
        adapt(Tokens("id.example"))(pool).request("GET", "https://api.example/", **settings)
        waits = pool.asked[0]["timeout"]
        assert (waits.connect_timeout, waits.read_timeout) == (connect, read)


def test_a_limit_of_the_whole_is_the_callers_own():
    pool = Watching()
    adapt(Tokens("id.example"))(pool).request("GET", "https://api.example/", timeout=Timeout(total=7))
    assert pool.asked[0]["timeout"].total == 7


def test_a_token_request_takes_no_fields_of_the_callers_along_and_has_its_retries():
    pool = Watching(headers={"X-Mine": "1", "Cookie": "a=1"})
    retries = Retry(7)
    adapt(Tokens("id.example"))(pool).request("GET", "https://api.example/", retries=retries)
    assert "X-Mine" not in pool.asked[0]["headers"]
    assert "Cookie" not in pool.asked[0]["headers"]
    assert pool.asked[0]["retries"].total == 7
    assert pool.asked[1]["headers"]["X-Mine"] == "1"


def test_a_pool_of_one_host_fetches_tokens_elsewhere_with_its_own_settings():
    context = ssl.create_default_context()
    pool = urllib3.HTTPSConnectionPool("api.example", cert_file="c.pem", ssl_context=context)
    manager = _urllib3_route._manager_like(pool)
    assert (manager.connection_pool_kw["cert_file"], manager.connection_pool_kw["ssl_context"]) == ("c.pem", context)
    proxied = ProxyManager("http://proxy.example:3128", proxy_headers={"X-P": "1"}).connection_from_host(
        "a.example", 443, "https"
    )
    manager = _urllib3_route._manager_like(proxied)
    assert isinstance(manager, ProxyManager)
    assert (manager.proxy.url, manager.proxy_headers) == ("http://proxy.example:3128", {"X-P": "1"})
    with origin(lambda seen: (200, [], b"tok")) as issuer, origin(ok) as server:
        with adapt(Tokens(f"127.0.0.1:{issuer.port}"))(urllib3.connection_from_url(server.url)) as http:
            assert http.request("GET", "/").data == b"fine"
        with adapt(Tokens(f"127.0.0.1:{server.port}"))(urllib3.connection_from_url(server.url)) as http:
            assert http.request("GET", "/").data == b"fine"
        assert [seen.target for seen in server.seen] == ["/", "/token?a=1", "/"]


def test_a_packed_answer_to_a_token_request_is_refused():
    with origin(lambda seen: (200, [("Content-Encoding", "gzip")], b"x")) as issuer, origin(ok) as server:
        with pytest.raises(CredentialsUnavailable, match="encoding"):
            request(server, Tokens(f"127.0.0.1:{issuer.port}"))
        assert not server.seen


def test_another_library_of_the_name_is_refused(monkeypatch):
    monkeypatch.setattr(urllib3, "AsyncPoolManager", object, raising=False)
    with pytest.raises(ConfigurationError, match="pip uninstall urllib3-future"):
        runpy.run_path(str(files("watchword.clients").joinpath("urllib3.py")), run_name="probe")


# ---- what else there is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie", ["a=\u00e9", "a=b; Domain=evil.example", "a=b\x0bc", "a", "=;", 'a="x\\"y"', "a=\x1b[2J"]
)
def test_cookies_of_a_challenge_end_no_request(cookie):
    class Hostile(PoolManager):
        def urlopen(self, method: str, url: str, *, headers: Any, **_: Any) -> Any:
            seen.append(headers)
            status = 200 if "Authorization" in headers else 401
            lines = HTTPHeaderDict({"Set-Cookie": cookie, "WWW-Authenticate": "n1"})
            return urllib3.HTTPResponse(io.BytesIO(b""), lines, status, preload_content=False)

    seen: list[Any] = []
    assert adapt(Challenged())(Hostile()).request("GET", "https://api.example/").status == 200
    sent = seen[1].get("Cookie", "")
    assert "evil" not in sent
    assert not set("\r\n\0") & set(sent)


def test_a_proxy_is_sent_the_whole_url_and_no_secret_in_the_clear():
    with origin(ok) as proxy, ProxyManager(proxy.url) as pool:
        http = adapt(Once())(pool)
        assert http.request("GET", "http://api.example/a?b").data == b"fine"
        one_host = adapt(Once())(pool.connection_from_host("api.example", 80))
        assert one_host.request("GET", "http://api.example/c", assert_same_host=False).data == b"fine"
        assert [(seen.target, seen.field("x-hmac")) for seen in proxy.seen] == [
            ("http://api.example/a?b", "sig-of-/a?b"), ("http://api.example/c", "sig-of-/c"),
        ]  # fmt: skip
        with pytest.raises(ConfigurationError, match="to a proxy"):
            adapt(BasicAuth("a", "b"))(pool).request("GET", "http://127.0.0.1:9/")


def test_an_address_in_brackets_is_an_authority():
    auth = Seeing()

    class Nowhere(PoolManager):
        def urlopen(self, *_: Any, **__: Any) -> Any:
            raise NewConnectionError(None, "on purpose")  # type: ignore[arg-type]

    for pool, url in ((Nowhere(), "http://[::1]:8000/a"), (urllib3.HTTPConnectionPool("::1", 8000), "/a")):
        with pytest.raises((NewConnectionError, MaxRetryError)):
            adapt(auth)(pool).request("GET", url, retries=False)
    assert [(one.authority, one.peer.address) for one in auth.requests] == [("[::1]:8000", "::1")] * 2
