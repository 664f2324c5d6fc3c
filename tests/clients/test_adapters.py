"""What every adapter does, over real sockets: order of requests, retries, cookies, redirects, bodies, tokens."""

from __future__ import annotations

import runpy
import socket
import sys
import threading
from importlib.resources import files

import pytest

from tests.clients.fakes import Body, Challenged, Once, Seeing, Tokens
from tests.clients.kinds import KINDS
from tests.clients.origin import ok, origin
from watchword import ConfigurationError
from watchword.core.rejection import CredentialsUnavailable


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def challenging(seen):
    if seen.field("authorization") is None:
        return 401, [("WWW-Authenticate", "n1")], b"who?"
    return 200, [], b"hello"


def test_credentials_go_out_with_the_request(kind):
    with origin(ok) as server:
        got = kind.send("GET", server.url + "/a?b=%20c", kind.adapt(Once()))
        assert (got.status, got.body, got.history) == (200, b"fine", [])
        assert [(seen.target, seen.field("x-hmac")) for seen in server.seen] == [("/a?b=%20c", "sig-of-/a?b=%20c")]


def test_the_flow_sees_the_request_as_it_is_sent(kind):
    auth = Seeing()
    with origin(ok) as server:
        kind.send("PUT", server.url + "/ä/%2e?q=1#frag", kind.adapt(auth), content=b"data", headers={"X-One": "1"})
        kind.send("GET", server.url, kind.adapt(auth), headers={"Host": "api.example:8443"})
        first, second = auth.requests
        arrived = server.seen[0]
        assert (first.method, first.scheme, first.authority) == ("PUT", "http", f"127.0.0.1:{server.port}")
        assert first.target.decode() == arrived.target
        assert first.values(b"x-one") == [b"1"]
        assert first.values(b"content-length") == [b"4"]
        assert second.authority == server.seen[1].field("host") == "api.example:8443"
        assert second.target == b"/"


def test_a_challenge_is_answered_with_the_same_request(kind):
    with origin(challenging) as server:
        got = kind.send("POST", server.url + "/a", kind.adapt(Challenged()), content=b"body")
        assert (got.status, got.body, got.history) == (200, b"hello", kind.challenged(401))
        assert [(seen.method, seen.target, seen.body) for seen in server.seen] == [("POST", "/a", b"body")] * 2
        assert server.seen[1].field("authorization") == "Fake n1 proof"


def test_a_second_refusal_reaches_the_caller(kind):
    with origin(lambda seen: (401, [("WWW-Authenticate", "n1")], b"no")) as server:
        got = kind.send("GET", server.url, kind.adapt(Challenged()))
        assert (got.status, got.body, got.history, len(server.seen)) == (401, b"no", kind.challenged(401), 2)


def test_head_requests_are_retried(kind):
    with origin(challenging) as server:
        assert kind.send("HEAD", server.url, kind.adapt(Challenged())).status == 200
        assert [seen.method for seen in server.seen] == ["HEAD", "HEAD"]


def test_cookies_of_the_challenge_go_into_the_retry(kind):
    def answer(seen):
        status, headers, body = challenging(seen)
        return status, [*headers, ("Set-Cookie", "session=new; Path=/"), ("Set-Cookie", "far=1; Path=/far")], body

    with origin(answer) as server:
        kind.send("GET", server.url + "/a", kind.adapt(Challenged()), headers={"Cookie": "theme=dark; session=old"})
        assert server.seen[0].field("cookie") == "theme=dark; session=old"
        assert server.seen[1].field("cookie") == "theme=dark; session=new"


def redirecting(location, status=302):
    def answer(seen):
        if seen.target == "/start":
            return status, [("Location", location())], b""
        return challenging(seen)

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("auth", [Once, Challenged])
def test_nothing_goes_along_to_another_origin(kind, auth, status):
    with origin(ok) as elsewhere:
        url = f"http://localhost:{elsewhere.port}/there"
        with origin(redirecting(lambda: url, status)) as server:
            got = kind.send("POST", server.url + "/start", kind.adapt(auth()), content=b"data")
            assert got.status == 200
        (seen,) = elsewhere.seen
        assert seen.field("authorization") is None
        assert seen.field("x-hmac") is None


def test_nothing_goes_along_to_another_port_of_the_host_and_a_challenge_there_is_not_answered(kind):
    with origin(lambda seen: (401, [("WWW-Authenticate", "evil")], b"")) as elsewhere:
        with origin(redirecting(lambda: elsewhere.url + "/there")) as server:
            assert kind.send("GET", server.url + "/start", kind.adapt(Once())).status == 401
        (seen,) = elsewhere.seen
        assert (seen.field("authorization"), seen.field("x-hmac")) == (None, None)


def test_the_redirect_that_a_retry_gets_takes_nothing_along_either(kind):
    with origin(ok) as elsewhere:

        def answer(seen):
            if seen.field("authorization") is None:
                return 401, [("WWW-Authenticate", "n1")], b""
            return 307, [("Location", elsewhere.url + "/there")], b""

        with origin(answer) as server:
            got = kind.send("POST", server.url + "/start", kind.adapt(Challenged()), content=b"data")
            assert got.status == 200
        assert [seen.field("authorization") for seen in server.seen] == [None, "Fake n1 proof"]
        assert [(seen.field("authorization"), seen.body) for seen in elsewhere.seen] == [(None, b"data")]


@pytest.mark.parametrize("auth", [Once, Challenged])
def test_a_redirect_within_the_origin_is_authenticated_anew_and_at_once(kind, auth):
    with origin(redirecting(lambda: "/there?q=1")) as server:
        got = kind.send("GET", server.url + "/start", kind.adapt(auth()))
        assert got.status == 200
        assert server.seen[-1].target == "/there?q=1"
        assert server.seen[-1].field("authorization") is not None
        # What was made for the first target is never sent with the second.
        assert {seen.field("x-hmac") for seen in server.seen if seen.target != "/start"} <= {None, "sig-of-/there?q=1"}
        refused = ["/there?q=1"] if auth is Challenged else []  # it sends nothing before it is asked
        assert [seen.target for seen in server.seen] == ["/start", *refused, "/there?q=1"]
        assert 302 in got.history  # requests forgets the 401: it sets the history of what it redirects


def test_a_resource_that_hides_from_strangers_is_found_after_a_redirect(kind):
    def answer(seen):
        if seen.target == "/start":
            return 301, [("Location", "/there")], b""
        return (404, [], b"") if seen.field("x-hmac") is None else (200, [], b"found")

    with origin(answer) as server:
        assert kind.send("GET", server.url + "/start", kind.adapt(Once())).body == b"found"


def test_a_redirected_request_that_needs_no_credentials_is_sent_once(kind):
    with origin(lambda seen: (301, [("Location", "/there")], b"") if seen.target == "/start" else ok(seen)) as server:
        assert kind.send("GET", server.url + "/start", kind.adapt(Once())).status == 200
        assert [seen.target for seen in server.seen] == ["/start", "/there"]


def test_a_body_goes_along_a_redirect_within_the_origin_and_into_its_retry(kind):
    with origin(redirecting(lambda: "/there", 307)) as server:
        assert kind.send("POST", server.url + "/start", kind.adapt(Once()), content=b"data").status == 200
        assert [seen.body for seen in server.seen] == [b"data"] * 2


def test_a_way_back_from_another_origin_brings_no_credentials(kind):
    with origin(challenging) as server:
        back = server.url + "/chosen-by-somebody-else"
        with origin(lambda seen: (302, [("Location", back)], b"")) as elsewhere:
            server.answer = redirecting(lambda: elsewhere.url)
            assert kind.send("GET", server.url + "/start", kind.adapt(Once())).status == 401
        assert server.seen[-1].target == "/chosen-by-somebody-else"
        assert server.seen[-1].field("authorization") is None


def test_a_redirect_that_is_not_followed_reaches_the_caller(kind):
    with origin(redirecting(lambda: "/there")) as server:
        got = kind.send("GET", server.url + "/start", kind.adapt(Once()), follow=False)
        assert (got.status, len(server.seen)) == (302, 1)


def test_endless_redirects_end_with_the_librarys_error(kind):
    def answer(seen):
        if seen.field("authorization") is None:
            return 401, [("WWW-Authenticate", "n1")], b""
        return 302, [("Location", f"/{len(server.seen)}")], b""

    with origin(answer) as server, pytest.raises(kind.redirect_error):
        kind.send("GET", server.url, kind.adapt(Once()))


def test_bytes_are_covered_and_sent(kind):
    with origin(ok) as server:
        kind.send("POST", server.url, kind.adapt(Body()), content=b"12345")
        kind.send("GET", server.url, kind.adapt(Body()))
        assert [(seen.field("x-body"), seen.body) for seen in server.seen] == [("5", b"12345"), ("0", b"")]


def test_tokens_are_fetched_first_and_kept(kind):
    with origin(lambda seen: (200, [], b"tok")) as issuer, origin(ok) as server:
        auth = Tokens(f"127.0.0.1:{issuer.port}")
        adapted = kind.adapt(auth)
        got = kind.send("POST", server.url, adapted, content=b"data", headers={"X-Mine": "1", "Cookie": "a=1"})
        kind.send("GET", server.url, adapted)
        assert (got.body, got.history) == (b"fine", [])
        (asked,) = issuer.seen
        assert (asked.method, asked.target, asked.body) == ("POST", "/token?a=1", b"grant_type=client_credentials")
        assert asked.field("authorization") == "Basic aWQ6c2VjcmV0"
        assert asked.field("accept-encoding") == "identity"
        assert (asked.field("x-mine"), asked.field("cookie")) == (None, None)
        assert [seen.field("authorization") for seen in server.seen] == ["Bearer tok"] * 2
        assert server.seen[0].body == b"data"


def test_a_refused_token_is_fetched_anew_and_stays_out_of_the_history(kind):
    def issue(seen):
        return 200, [], f"tok{len(issuer.seen)}".encode()

    def answer(seen):
        return (200, [], b"in") if seen.field("authorization") == "Bearer tok2" else (401, [], b"old")

    with origin(issue) as issuer, origin(answer) as server:
        got = kind.send("POST", server.url, kind.adapt(Tokens(f"127.0.0.1:{issuer.port}")), content=b"data")
        assert (got.status, got.history) == (200, kind.challenged(401))
        assert [seen.body for seen in server.seen] == [b"data", b"data"]


def test_an_endpoint_that_refuses_is_the_flows_error_and_frees_its_lock(kind):
    with origin(lambda seen: (500, [], b"")) as issuer, origin(ok) as server:
        adapted = kind.adapt(Tokens(f"127.0.0.1:{issuer.port}"))
        for _ in range(2):
            with pytest.raises(CredentialsUnavailable, match="500"):
                kind.send("GET", server.url, adapted)
        assert not server.seen


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_request_follows_no_redirect(kind, status):
    with origin(ok) as elsewhere:
        with origin(lambda seen: (status, [("Location", elsewhere.url)], b"")) as issuer, origin(ok) as server:
            with pytest.raises(CredentialsUnavailable):
                kind.send("GET", server.url, kind.adapt(Tokens(f"127.0.0.1:{issuer.port}")))
            assert not server.seen
        for seen in elsewhere.seen:
            assert (seen.field("authorization"), seen.body) == (None, b"")


def test_an_oversized_answer_to_a_token_request_is_not_read(kind):
    with origin(lambda seen: (200, [], b"x" * (1024 * 1024 + 1))) as issuer, origin(ok) as server:
        with pytest.raises(CredentialsUnavailable, match="more than 1048576"):
            kind.send("GET", server.url, kind.adapt(Tokens(f"127.0.0.1:{issuer.port}")))
        issuer.answer = lambda seen: (200, [], b"x" * 1000)
        kind.send("GET", server.url, kind.adapt(Tokens(f"127.0.0.1:{issuer.port}")))
        assert len(server.seen) == 1


def closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_the_librarys_errors_pass_through_unchanged_and_free_the_locks(kind):
    port = closed_port()
    adapted = kind.adapt(Tokens(f"127.0.0.1:{port}"))
    for _ in range(2):
        with pytest.raises(kind.connect_error):
            kind.send("GET", "http://127.0.0.1:9/", adapted)
    with pytest.raises(kind.connect_error):
        kind.send("GET", f"http://127.0.0.1:{port}/", kind.adapt(Once()))


def test_64_threads_share_one_adapted_object(kind):
    issued = []

    def issue(seen):
        issued.append(seen)
        return 200, [], b"tok"

    def answer(seen):
        return 200, [], (seen.field("authorization") + seen.target).encode()

    with origin(issue) as issuer, origin(answer) as server:
        adapted = kind.adapt(Tokens(f"127.0.0.1:{issuer.port}"))
        bodies = [None] * 64

        def work(number):
            bodies[number] = kind.send("GET", f"{server.url}/{number}", adapted).body

        threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bodies == [f"Bearer tok/{number}".encode() for number in range(64)]
        assert len(issued) == 1


def test_a_flow_that_covers_the_body_only_when_challenged_reads_it_then(kind):
    with origin(challenging) as server:
        assert kind.send("POST", server.url, kind.adapt(Challenged(cover_body=True)), content=b"abc").status == 200
        assert server.seen[1].field("authorization") == "Fake n1 abc"


def test_a_configuration_error_of_the_flow_comes_before_anything_is_sent(kind):
    class Refusing:
        def flow(self, request, context):
            raise ConfigurationError("use https")
            yield

    with origin(ok) as server:
        with pytest.raises(ConfigurationError, match="use https"):
            kind.send("GET", server.url, kind.adapt(Refusing()))
        assert not server.seen


@pytest.mark.parametrize("name", ["requests", "httpx", "httpx2", "aiohttp", "urllib3"])
def test_a_library_that_is_not_installed_is_named_with_its_extra(name, monkeypatch):
    path = files("watchword.clients").joinpath(f"{name}.py")
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'watchword\[{name}\]'"):
        runpy.run_path(str(path), run_name="probe")
