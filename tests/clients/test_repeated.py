"""What goes out a second time, in every adapter: what the transport itself repeats is signed anew, and nothing is repeated by us."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.clients.fakes import Challenged, Once, Tokens
from tests.clients.kinds import HTTPX, KINDS
from tests.clients.origin import guarded, ok, origin
from tests.clients.worlds import SIGNING, WORLDS, optional, request_of
from watchword import ConfigurationError
from watchword.clients.requests import adapt

pytestmark = pytest.mark.sweep

FORCED = {"total": 3, "status_forcelist": [503], "backoff_factor": 0}


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def retrying(session, **settings):
    session.mount("http://", HTTPAdapter(max_retries=Retry(**{**FORCED, **settings})))


def failing(guard, times=1):
    """Executes each request, but answers 503 to the first ones."""
    done = []

    def answer(seen):
        said = guarded(guard)(seen)
        done.append(seen)
        return (503, [], b"down") if said[0] == 200 and len(done) <= times else said

    return answer, done


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_urllib3_repeats_is_accepted_each_time(session, world, times):
    retrying(session)
    answer, _ = failing(world.guard())
    with origin(answer) as server:
        auth = adapt(world.auth())
        assert session.get(server.url + "/", auth=auth).status_code == 200
        server.answer, done = failing(world.guard(), times)
        response = session.put(server.url + "/a?b=c%20d", data=b"data", auth=auth)
        assert (response.status_code, len(done)) == (200, times + 1)
        assert {(seen.method, seen.target, seen.body) for seen in done} == {("PUT", "/a?b=c%20d", b"data")}
        if world.single_use:
            assert len({seen.field("authorization") or seen.field("signature") for seen in done}) == times + 1
        assert response.request.headers.items() >= {"Content-Length": "4"}.items()


def test_what_was_sent_last_is_what_the_caller_sees(session):
    retrying(session)
    answer, done = failing(SIGNING["hmac"].guard())
    with origin(answer) as server:
        response = session.get(server.url + "/", auth=adapt(SIGNING["hmac"].auth()))
        assert response.request.headers["Authorization"] == done[-1].field("authorization")
        assert len(response.raw.retries.history) == 1


def test_a_file_is_signed_and_sent_from_where_it_stood(session):
    retrying(session)
    file = io.BytesIO(b"skipped, data")
    file.seek(9)
    answer, done = failing(SIGNING["hmac"].guard())
    with origin(answer) as server:
        assert session.put(server.url + "/", data=file, auth=adapt(SIGNING["hmac"].auth())).status_code == 200
        assert [seen.body for seen in done] == [b"data"] * 2


def test_a_generator_is_not_repeated_with_nothing_in_it(session):
    retrying(session)
    with origin(lambda seen: (503, [], b"down")) as server:
        with pytest.raises(ConfigurationError, match="read only once"):
            session.put(server.url + "/", data=iter([b"a", b"b"]), auth=adapt(Once()))
        assert [seen.body for seen in server.seen] == [b"ab"]


def test_the_settings_of_the_transport_say_what_is_repeated(session):
    retrying(session)
    answer, done = failing(SIGNING["hmac"].guard())
    with origin(answer) as server:
        assert session.post(server.url + "/", data=b"x", auth=adapt(SIGNING["hmac"].auth())).status_code == 503
        assert len(done) == 1
        retrying(session, allowed_methods=None)
        server.answer, done = failing(SIGNING["hmac"].guard())
        assert session.post(server.url + "/", data=b"x", auth=adapt(SIGNING["hmac"].auth())).status_code == 200
        assert len(done) == 2
        retrying(session, total=1)
        server.answer, done = failing(SIGNING["hmac"].guard(), 5)
        with pytest.raises(requests.exceptions.RetryError):
            session.get(server.url + "/", auth=adapt(SIGNING["hmac"].auth()))
        assert len(done) == 2


def test_the_answer_to_a_challenge_is_repeated_like_any_request(session):
    retrying(session)
    guard = WORLDS["digest"].guard()
    answer, done = failing(guard, 0)

    def first(seen):
        said = answer(seen)
        return (503, [], b"down") if said[0] == 200 and len(server.seen) == 2 else said

    with origin(first) as server:
        response = session.get(server.url + "/", auth=adapt(WORLDS["digest"].auth()))
        assert response.status_code == 200
        assert [seen.field("authorization") is None for seen in done] == [True, False, False]
        assert "nc=00000002" in done[-1].field("authorization")


def test_a_lost_answer_is_repeated_where_the_transport_does(session):
    retrying(session, read=2)

    def answer(seen):
        guard.verify(request_of(seen), seen.body)
        return None if len(server.seen) == 1 else ok(seen)

    guard = SIGNING["signature"].guard()
    with origin(answer) as server:
        assert session.put(server.url + "/", data=b"x", auth=adapt(SIGNING["signature"].auth())).status_code == 200
        assert len(server.seen) == 2
        server.seen.clear()
        with pytest.raises(requests.ConnectionError):
            session.post(server.url + "/", data=b"x", auth=adapt(SIGNING["signature"].auth()))
        assert len(server.seen) == 1


def test_a_redirected_request_is_signed_anew_where_it_is_repeated(session):
    retrying(session)
    guard = SIGNING["hmac"].guard()
    answer, done = failing(guard)
    with origin(lambda seen: (307, [("Location", "/b")], b"") if seen.target == "/a" else answer(seen)) as server:
        response = session.put(server.url + "/a", data=b"x", auth=adapt(SIGNING["hmac"].auth()))
        assert (response.status_code, [seen.target for seen in done]) == (200, ["/b", "/b"])


def test_nothing_is_put_into_what_is_repeated_at_another_origin(session):
    retrying(session)
    with origin(lambda seen: (503, [], b"") if len(elsewhere.seen) < 3 else ok(seen)) as elsewhere:
        with origin(lambda seen: (307, [("Location", elsewhere.url)], b"")) as server:
            assert session.get(server.url + "/", auth=adapt(Once())).status_code == 200
        assert len(elsewhere.seen) == 3
        assert not any({"x-hmac", "authorization"} & set(seen.fields) for seen in elsewhere.seen)


def test_a_prepared_request_that_is_sent_again_is_signed_anew(session):
    world = SIGNING["hmac"]
    with origin(guarded(world.guard())) as server:
        prepared = session.prepare_request(requests.Request("POST", server.url, data=b"x", auth=adapt(world.auth())))
        assert [session.send(prepared).status_code for _ in range(3)] == [200] * 3
        assert len(server.seen) == 3

        def work(_):
            with requests.Session() as own:
                own.trust_env = False
                return own.send(prepared).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(work, range(24))) == {200}
        assert len(server.seen) == 27


def test_reading_the_fields_of_a_request_changes_nothing(session):
    prepared = session.prepare_request(requests.Request("GET", "http://127.0.0.1/", auth=adapt(SIGNING["hmac"].auth())))
    fields = [dict(prepared.headers.items()) for _ in range(3)]
    assert fields[0] == fields[1] == fields[2] == dict(prepared.headers) == dict(prepared.copy().headers)
    assert "Authorization" in fields[0]


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_a_post_is_executed_once_whatever_becomes_of_the_answer(kind, world):
    guard, adapted, executed = world.guard(), kind.adapt(world.auth()), []

    def execute(seen):
        said = guarded(guard)(seen)
        if said[0] != 200:
            return said  # Digest asks first
        executed.append(seen)
        return None

    with origin(execute) as server:
        with pytest.raises(Exception, match=r"(?i)disconnect|aborted|closed") as raised:
            kind.send("POST", server.url + "/", adapted, content=b"pay 10")
        assert not isinstance(raised.value, ConfigurationError)
        assert [seen.body for seen in executed] == [b"pay 10"]


def test_a_request_for_a_token_is_sent_once_whatever_becomes_of_the_answer(kind):
    with origin(lambda seen: None) as issuer, origin(ok) as server:
        with pytest.raises(Exception, match=r"(?i)disconnect|aborted|closed|lost"):
            kind.send("GET", server.url + "/", kind.adapt(Tokens(f"127.0.0.1:{issuer.port}")))
        assert (len(issuer.seen), len(server.seen)) == (1, 0)


def test_an_upload_that_is_read_once_is_covered_by_nothing_and_never_repeated(kind):
    with origin(optional(WORLDS["jwt"].guard())) as server:
        got = kind.send("POST", server.url + "/", kind.adapt(WORLDS["jwt"].auth()), content=kind.chunks([b"a", b"b"]))
        assert (got.body, server.seen[0].body) == (b"POST by alice", b"ab")
    asking = [("WWW-Authenticate", "n1")]
    with origin(lambda seen: (401, asking, b"")) as server:
        with pytest.raises(ConfigurationError, match="once more.*read only once"):
            kind.send("PUT", server.url + "/", kind.adapt(Challenged()), content=kind.chunks([b"a", b"b"]))
        assert [seen.body for seen in server.seen] == [b"ab"]


@pytest.mark.parametrize("name", list(HTTPX))
def test_what_httpx_repeats_was_never_sent(name):
    """Its `retries=` are for connections that can't be made."""
    kind = HTTPX[name]
    transport = kind.library.AsyncHTTPTransport if name.endswith("async") else kind.library.HTTPTransport
    with origin(lambda seen: None) as server:
        with pytest.raises(kind.library.RemoteProtocolError):
            kind.send("GET", server.url + "/", kind.adapt(Once()), transport=transport(retries=3))
        assert len(server.seen) == 1
