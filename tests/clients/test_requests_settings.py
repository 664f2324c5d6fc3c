"""The settings of the caller's session and call hold for the requests of a flow's own: whoever asked for 1 s waits for 1 s."""

from __future__ import annotations

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
from urllib3.util import Timeout

from tests.clients.fakes import Tokens
from tests.clients.origin import ok, origin
from watchword.clients.requests import adapt


class Recording(HTTPAdapter):
    """Knows with which settings each target was asked for."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.asked = {}

    def send(self, request, **settings):
        self.asked[request.path_url] = {**settings, "fields": dict(request.headers)}
        return super().send(request, **{**settings, "verify": True, "cert": None})  # there is no such file


@pytest.fixture
def recording():
    return Recording()


@pytest.fixture
def session(recording):
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", recording)
        yield session


@pytest.fixture
def issuer():
    with origin(lambda seen: (200, [], b"tok")) as issuer:
        yield issuer


@pytest.fixture
def server():
    with origin(ok) as server:
        yield server


def tokens(issuer):
    return adapt(Tokens(f"127.0.0.1:{issuer.port}"))


TIMEOUT = Timeout(connect=1, read=2)


@pytest.mark.parametrize(
    ("given", "held"),
    [(1, 1), ((1, 2), (1, 2)), ((1, None), (1, 30.0)), (None, 30.0), (TIMEOUT, TIMEOUT)],
)
def test_a_token_is_waited_for_as_long_as_the_caller_waits_and_never_for_ever(
    session, recording, issuer, server, given, held
):
    session.get(server.url + "/", auth=tokens(issuer), timeout=given)
    assert recording.asked["/token?a=1"]["timeout"] == held
    assert recording.asked["/"]["timeout"] == given


def test_the_caller_s_second_is_over_although_the_issuer_never_answers(issuer, server):
    import threading

    over = threading.Event()

    def hang(seen):
        over.wait()

    issuer.answer = hang
    try:
        with requests.Session() as session, pytest.raises(requests.ReadTimeout, match=r"read timeout=0\.05"):
            session.trust_env = False
            session.get(server.url + "/", auth=tokens(issuer), timeout=0.05)
        assert not server.seen
    finally:
        over.set()


@pytest.mark.parametrize("verify", [True, False, "/etc/ca.pem"])
@pytest.mark.parametrize("where", ["call", "session"])
def test_verify_and_cert_hold(session, recording, issuer, server, verify, where):
    if where == "session":
        session.verify, session.cert, settings = verify, ("cert.pem", "key.pem"), {}
    else:
        settings = {"verify": verify, "cert": ("cert.pem", "key.pem")}
    session.get(server.url + "/", auth=tokens(issuer), **settings)
    asked = recording.asked["/token?a=1"]
    assert (asked["verify"], asked["cert"]) == (verify, ("cert.pem", "key.pem"))


@pytest.mark.parametrize("where", ["call", "session"])
def test_a_proxy_of_the_caller_s_is_taken(session, issuer, server, where):
    proxies = {"http": issuer.url}  # the issuer plays the proxy
    session.proxies = proxies if where == "session" else {}
    session.get(server.url + "/", auth=adapt(Tokens("id.example")), proxies=proxies if where == "call" else None)
    assert [seen.target for seen in issuer.seen] == ["http://id.example/token?a=1", server.url + "/"]


def test_a_proxy_of_the_environment_is_taken_where_the_session_takes_it(issuer, server, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", issuer.url)
    for trusts, expected in ((True, ["http://127.0.0.1"]), (False, ["/token?a=1"])):
        issuer.seen.clear()
        with requests.Session() as session:
            session.trust_env = trusts
            session.get(server.url + "/", auth=tokens(issuer))
        assert issuer.seen[0].target.startswith(expected[0])


def test_an_adapter_of_the_caller_s_is_taken_with_its_retries(session, issuer, server):
    session.mount(
        "http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[503], backoff_factor=0, allowed_methods=None))
    )
    issuer.answer = lambda seen: (503, [], b"") if len(issuer.seen) < 3 else (200, [], b"tok")
    assert session.get(server.url + "/", auth=tokens(issuer)).status_code == 200
    assert [seen.target for seen in issuer.seen] == ["/token?a=1"] * 3


def test_nothing_else_of_the_session_has_a_part_in_it(session, issuer, server):
    session.headers["X-Mine"] = "1"
    session.cookies.set("mine", "1")
    answered = []
    session.hooks["response"] = [lambda r, **kw: answered.append(r.request.path_url)]
    issuer.answer = lambda seen: (200, [("Set-Cookie", "its=1")], b"tok")
    session.get(server.url + "/", auth=tokens(issuer))
    assert not {"x-mine", "cookie"} & set(issuer.seen[0].fields)
    assert (session.cookies.get("its"), answered) == (None, ["/"])


def test_a_request_that_was_prepared_before_is_fetched_for_with_the_settings_of_its_sending(
    session, recording, issuer, server
):
    issuer.answer = lambda seen: (200, [], f"tok{len(issuer.seen)}".encode())
    server.answer = lambda seen: ok(seen) if seen.field("authorization") == "Bearer tok2" else (401, [], b"")
    for prepare in (session.prepare_request, requests.Request.prepare):
        issuer.seen.clear()
        prepared = prepare(requests.Request("GET", server.url + "/", auth=tokens(issuer)))
        assert session.send(prepared, timeout=7, verify="/etc/ca.pem").status_code == 200
        asked = recording.asked["/token?a=1"]
        assert (asked["timeout"], asked["verify"]) == (7, "/etc/ca.pem")


def test_a_redirected_request_is_fetched_for_with_the_settings_of_the_call(session, recording, issuer, server):
    issuer.answer = lambda seen: (200, [], f"tok{len(issuer.seen)}".encode())

    def answer(seen):
        if seen.target == "/":
            return 302, [("Location", "/there")], b""
        return ok(seen) if seen.field("authorization") == "Bearer tok2" else (401, [], b"")

    server.answer = answer
    assert session.get(server.url + "/", auth=tokens(issuer), timeout=7).status_code == 200
    assert recording.asked["/token?a=1"]["timeout"] == 7
