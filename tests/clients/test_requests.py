"""What is the requests adapter's alone: prepared requests, hooks, sessions, files."""

from __future__ import annotations

import gzip
import io
import threading

import pytest
import requests

from tests.clients.fakes import Body, Challenged, Once, Tokens
from tests.clients.origin import ok, origin
from watchword import ConfigurationError, OAuth1Auth
from watchword.clients.requests import adapt
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Load, Send


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def challenging(seen):
    if seen.field("authorization") is None:
        return 401, [("WWW-Authenticate", "n1"), ("Set-Cookie", "session=1; Path=/")], b"who?"
    return 200, [], b"hello"


def test_one_object_serves_a_session_and_cookies_of_a_challenge_stay_in_it(session):
    session.auth = adapt(Challenged())
    with origin(challenging) as server:
        for _ in range(2):
            assert session.get(server.url).content == b"hello"
        assert session.cookies["session"] == "1"
        assert [seen.field("cookie") for seen in server.seen] == [None, "session=1", "session=1", "session=1"]


@pytest.mark.parametrize("auth", [Body, Challenged])
def test_a_file_is_covered_and_sent_from_where_it_stood(session, auth):
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    with origin(challenging) as server:
        session.post(server.url, data=file, auth=adapt(auth()))
        assert {seen.body for seen in server.seen} == {b"sent"}
        assert server.seen[0].field("content-length") == "4"
        assert {seen.field("x-body") for seen in server.seen} == {"4" if auth is Body else None}


def test_a_text_body_is_covered_as_it_is_sent(session):
    with origin(ok) as server:
        session.post(server.url, data="ä", auth=adapt(Body()))
        session.post(server.url, data={"a": "b"}, auth=adapt(Body()))
        session.post(server.url, files={"a": b"b"}, auth=adapt(Body()))
        assert all(int(seen.field("x-body")) == len(seen.body) > 0 for seen in server.seen)


def test_a_generator_can_not_be_covered_and_nothing_is_sent(session):
    with origin(ok) as server:
        with pytest.raises(ConfigurationError, match="covers the body.*pass bytes or a seekable file"):
            session.post(server.url, data=iter([b"a"]), auth=adapt(Body()))
        assert not server.seen


def test_a_generator_is_sent_where_no_retry_is_needed_and_a_clear_error_where_it_is(session):
    with origin(ok) as server:
        assert session.post(server.url, data=iter([b"a", b"b"]), auth=adapt(Once())).content == b"fine"
        server.answer = challenging
        with pytest.raises(ConfigurationError, match="once more.*pass bytes"):
            session.post(server.url, data=iter([b"a", b"b"]), auth=adapt(Challenged()))
        assert [seen.body for seen in server.seen] == [b"ab", b"ab"]


class Parts:
    def __iter__(self):
        return iter([b"a", b"b"])


def test_an_iterable_that_starts_anew_is_covered_and_sent_again(session):
    with origin(challenging) as server:
        assert session.post(server.url, data=Parts(), auth=adapt(Challenged(cover_body=True))).status_code == 200
        assert [seen.body for seen in server.seen] == [b"ab", b"ab"]
        assert server.seen[1].field("authorization") == "Fake n1 ab"


def test_answers_stream_after_a_retry(session):
    with origin(challenging) as server, session.get(server.url, auth=adapt(Challenged()), stream=True) as response:
        assert b"".join(response.iter_content(2)) == b"hello"
        assert response.history[0].content == b"who?"


def test_a_prepared_request_can_be_sent_twice(session):
    with origin(challenging) as server:
        for auth, requests_sent in ((Challenged(), 4), (Once(), 2)):
            server.seen.clear()
            prepared = session.prepare_request(requests.Request("POST", server.url, data=b"x", auth=adapt(auth)))
            assert [session.send(prepared).status_code for _ in range(2)] == [200, 200]
            assert len(server.seen) == requests_sent


def test_a_prepared_request_that_was_led_away_can_be_sent_again(session):
    with origin(ok) as elsewhere:

        def answer(seen):
            if len(server.seen) == 1:
                return 302, [("Location", elsewhere.url)], b""
            return challenging(seen)

        with origin(answer) as server:
            prepared = session.prepare_request(requests.Request("GET", server.url, auth=adapt(Once())))
            assert session.send(prepared).content == b"fine"
            assert session.send(prepared).content == b"hello"


def test_one_prepared_request_in_many_threads_at_once(session):
    with origin(challenging) as server:
        prepared = session.prepare_request(requests.Request("GET", server.url, auth=adapt(Challenged())))
        statuses = []

        def work():
            with requests.Session() as own:
                own.trust_env = False
                statuses.append(own.send(prepared).status_code)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 16


def test_what_was_sent_stays_to_be_seen_after_a_redirect(session):
    with origin(lambda seen: (302, [("Location", "/b")], b"") if seen.target == "/a" else ok(seen)) as server:
        response = session.get(server.url + "/a", auth=adapt(Once()))
        assert response.history[0].request.headers["X-Hmac"] == "sig-of-/a"
        assert response.request.headers["X-Hmac"] == "sig-of-/b"


def test_the_callers_hooks_see_the_final_answer(session):
    seen = []
    with origin(challenging) as server:
        session.get(
            server.url, auth=adapt(Challenged()), hooks={"response": lambda r, **kw: seen.append(r.status_code)}
        )
    assert seen == [200]


def test_netrc_does_not_replace_the_credentials_of_a_token_request(session, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with origin(lambda seen: (200, [], b"tok")) as issuer, origin(ok) as server:
        session.get(server.url, auth=adapt(Tokens(f"127.0.0.1:{issuer.port}")))
        assert issuer.seen[0].field("authorization") == "Basic aWQ6c2VjcmV0"


def test_a_compressed_answer_to_a_token_request_is_limited_by_what_it_holds(session):
    bomb = gzip.compress(b"x" * (8 * 1024 * 1024))
    with origin(lambda seen: (200, [("Content-Encoding", "gzip")], bomb)) as issuer:
        auth = adapt(Tokens(f"127.0.0.1:{issuer.port}"))
        with pytest.raises(CredentialsUnavailable, match="more than 1048576"):
            session.get("http://127.0.0.1:9/", auth=auth)


def test_a_broken_body_of_a_challenge_does_not_stop_the_retry(session):
    def answer(seen):
        status, headers, body = challenging(seen)
        return status, [*headers, ("Content-Encoding", "gzip")] if status == 401 else headers, body

    with origin(answer) as server:
        assert session.get(server.url, auth=adapt(Challenged())).content == b"hello"


def test_a_missing_store_is_a_configuration_error_before_anything_is_sent(session):
    class Stored:
        def flow(self, request, context):
            yield Load(())
            yield Send(request)

    with origin(ok) as server:
        with pytest.raises(ConfigurationError, match="store"):
            session.get(server.url, auth=adapt(Stored()))
        assert not server.seen


@pytest.mark.parametrize("status", [302, 307])
def test_credentials_in_a_form_that_was_empty_stay_behind_when_a_redirect_leaves_the_origin(session, status):
    auth = adapt(OAuth1Auth("printer", "s3cret", placement="form"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with origin(ok) as elsewhere, origin(lambda seen: (status, [("Location", elsewhere.url)], b"")) as server:
        assert session.post(server.url, headers=form, auth=auth).content == b"fine"
        assert b"oauth_signature" in server.seen[0].body
        assert elsewhere.seen[0].body == b""


def test_an_answer_that_a_test_has_made_up_may_show_a_request_of_its_own(session):
    """As those of requests-mock do."""

    class Shown:
        def __init__(self, request):
            self._request = request

        def __getattr__(self, name):
            return getattr(self._request, name)

    class MadeUp(requests.adapters.HTTPAdapter):
        def send(self, request, **_):
            sent.append(request.headers.get("Authorization"))
            answer = requests.Response()
            answer.status_code, answer.raw, answer.connection = (200 if sent[1:] else 401), io.BytesIO(), self
            answer.headers["WWW-Authenticate"] = "n1"
            answer.request = Shown(request)
            return answer

    sent = []
    session.mount("https://", MadeUp())
    assert session.get("https://api.example/", auth=adapt(Challenged())).status_code == 200
    assert len(sent) == 2
    assert sent[0] is None
    assert sent[1] is not None
