"""The WSGI adapter: environs of one's own."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from tests.core.fakes import FakeVerifier
from tests.servers import apps
from tests.servers.test_asgi import Watching
from watchword import AsyncGuard, ConfigurationError, Guard, HMACAuth, HMACVerifier, Key
from watchword.core.scheme import WHOLE
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers.problem import problem_body
from watchword.servers.wsgi import identity, protect, requires
from watchword.servers.wsgi.request import _FIELDS, MAX_KNOWN, MAX_NAME
from watchword.stores import MemoryStore
from watchword.testing import signed


def environ_(body=b"", **parts):
    environ = {
        "HTTP_AUTHORIZATION": "fake alice", "HTTP_HOST": "api.example", "REMOTE_ADDR": "::1", "PATH_INFO": "/a b",
        "QUERY_STRING": "x=%2F", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "a/b",
    }  # fmt: skip
    setup_testing_defaults(environ)
    return {**environ, **parts}


def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def run(guarded, environ):
    started = []

    def start_response(status, headers, exc_info=None):
        started.append((int(status[:3]), headers))

    chunks = guarded(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return started[-1][0], started[-1][1], body


def seen(**parts):
    verifier = Watching()
    run(protect(app, Guard([verifier])), environ_(**parts))
    return verifier.requests[0]


def test_the_request_is_what_the_environ_says():
    request = seen()
    assert (request.method, request.scheme, request.authority) == ("GET", "http", "api.example")
    assert (request.target, request.exact, request.peer.address) == (b"/a%20b?x=%2F", False, "::1")
    assert (request.values(b"content-type"), request.values(b"content-length")) == ([b"a/b"], [b"0"])


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_the_request_line_is_taken_where_the_server_gives_it(name):
    request = seen(**{name: "//a/../b?x=%2F"})
    assert (request.target, request.exact) == (b"//a/../b?x=%2F", True)


@pytest.mark.parametrize(
    ("script", "path", "target"),
    [
        ("", "/caf\xc3\xa9", b"/caf%C3%A9"),
        ("/app", "/x", b"/app/x"),
        ("", "/a;b=c@", b"/a;b=c@"),
        ("", "/100%", b"/100%25"),
    ],
)
def test_a_rebuilt_path_is_script_name_and_path_info_quoted_again(script, path, target):
    assert seen(SCRIPT_NAME=script, PATH_INFO=path, QUERY_STRING="").target == target


@pytest.mark.parametrize("size", [1, MAX_NAME + 1])
def test_every_field_is_read_whatever_names_came_before_and_few_of_those_are_remembered(size):
    names = [f"HTTP_{number:0{size}}_X" for number in range(3 * MAX_KNOWN)]
    request = seen(**dict.fromkeys(names, "here"))
    assert len(request.headers) == len(request.lines)
    assert all(request.values(name[5:].lower().replace("_", "-").encode()) == [b"here"] for name in names)
    assert request.values(b"host") == [b"api.example"]
    assert request.values(b"addr") == []  # of REMOTE_ADDR
    assert len(_FIELDS) <= MAX_KNOWN
    assert max(map(len, _FIELDS), default=0) <= MAX_NAME


@pytest.mark.parametrize("value", ["fake \u20ac", "fake \udcff", "fake \xff"])
def test_text_that_is_no_latin_1_gives_a_verdict_all_the_same(value):
    assert run(protect(app, Guard([Octets()])), environ_(HTTP_AUTHORIZATION=value))[0] == 200


class Octets(FakeVerifier):
    def read(self, request):
        return super().read(request.with_headers([(b"authorization", b"fake alice")]))


def test_a_body_that_the_guard_read_is_there_again_with_its_length():
    environ = environ_(b"hello")
    assert run(protect(app, Guard([FakeVerifier(body=WHOLE)])), environ)[2] == b"hello"
    assert environ["CONTENT_LENGTH"] == "5"


def test_a_body_shorter_than_announced_is_refused():
    environ = environ_(b"hell", CONTENT_LENGTH="5")
    assert run(protect(app, Guard([FakeVerifier(body=WHOLE)])), environ)[0] == 400


def test_no_more_of_a_body_is_read_than_announced():
    environ = environ_(b"hello, and the next request", CONTENT_LENGTH="5")
    assert run(protect(app, Guard([FakeVerifier(body=WHOLE)])), environ)[2] == b"hello"


@pytest.mark.parametrize("length", ["-1", "x", "1" * 20, "\u0665"])
def test_a_content_length_that_is_no_number_is_refused(length):
    environ = environ_(b"hello", CONTENT_LENGTH=length)
    assert run(protect(app, Guard([FakeVerifier(body=WHOLE)])), environ)[0] == 400


def test_two_hosts_that_the_server_joined_are_refused():
    assert run(protect(app, Guard([FakeVerifier()])), environ_(HTTP_HOST="a,b"))[0] == 400


@pytest.mark.parametrize("token", ["plain", "info", "seal", "sealbody", "stream"])
def test_the_applications_iterable_is_closed(token):
    apps.SEEN.clear()
    environ = environ_(HTTP_AUTHORIZATION=f"{token} alice")
    assert run(apps.wsgi_guarded, environ)[0] == 200
    assert apps.SEEN == ["closed"]


@pytest.mark.parametrize("token", ["plain alice", "info alice", "sealbody alice", "stream alice", "plain wrong"])
def test_the_guarded_application_keeps_the_protocol(token):
    environ = environ_(HTTP_AUTHORIZATION=token, SCRIPT_NAME="", REQUEST_METHOD="POST")
    environ.pop("CONTENT_TYPE")

    def plain(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    def typed(environ, start_response):
        # The validator wants a type on every answer; a refusal has no body that could have one.
        def start(status, headers, exc_info=None):
            named = {name.lower() for name, _ in headers}
            return start_response(status, headers if "content-type" in named else [*headers, ("Content-Type", "x/y")])

        return protect(plain, apps.guard())(environ, start)

    assert run(validator(typed), environ)[0] in (200, 401)


def test_what_an_application_wrote_by_hand_is_sent_first():
    def writing(environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        return [b"b"]

    for token in ("info alice", "sealbody alice", "stream alice"):
        environ = environ_(HTTP_AUTHORIZATION=token)
        assert run(protect(writing, apps.guard()), environ)[2] == b"ab"


def test_an_error_page_replaces_an_answer_that_has_not_begun():
    def failing(environ, start_response):
        start_response("200 OK", [])
        try:
            raise LookupError
        except LookupError as error:
            start_response("500 Oops", [], (LookupError, error, None))
        return [b"oops"]

    assert run(protect(failing, apps.guard()), environ_(HTTP_AUTHORIZATION="info alice"))[0] == 500


def test_an_async_guard_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="not async"):
        protect(app, AsyncGuard([FakeVerifier()]))  # type: ignore[arg-type]


def test_identity_takes_an_environ_or_what_has_one_and_says_what_is_missing_elsewhere():
    environ = environ_()
    run(protect(app, Guard([FakeVerifier()])), environ)
    assert identity(environ).subject == identity(SimpleNamespace(environ=environ)).subject == "alice"
    for unguarded in (environ_(), object()):
        with pytest.raises(ConfigurationError, match="protect"):
            identity(unguarded)
    with pytest.raises(ConfigurationError, match="protect"):
        run(requires("write")(app), environ_())
    with pytest.raises(ConfigurationError, match="requires"):
        requires(app)  # type: ignore[arg-type]


PROBLEM = b'{"type":"about:blank","title":"Unauthorized","status":401}'


def sealed():
    return SignatureSeal(Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="k"))


@pytest.mark.parametrize("seal", [None, sealed()], ids=["bare", "sealed"])
@pytest.mark.parametrize("optional", [False, True])
def test_a_refusal_has_the_content_that_is_asked_for_and_none_under_head(seal, optional):
    guard = Guard([FakeVerifier()], seal=seal)
    guarded = protect(app, guard, optional=optional, refusal_body=problem_body)
    status, headers, body = run(guarded, environ_(HTTP_AUTHORIZATION="fake wrong"))
    assert (status, body) == (401, PROBLEM)
    assert dict(headers)["content-type"] == "application/problem+json"
    assert ("content-digest" in dict(headers)) is (seal is not None)
    status, headers, body = run(guarded, environ_(HTTP_AUTHORIZATION="fake wrong", REQUEST_METHOD="HEAD"))
    assert (status, body) == (401, b"")


def test_a_stranger_whom_an_outer_guard_lets_through_is_refused_with_the_content_of_the_inner_one():
    guard = Guard([FakeVerifier()])
    guarded = protect(protect(app, guard, refusal_body=problem_body), guard, optional=True)
    environ = environ_()
    del environ["HTTP_AUTHORIZATION"]
    assert run(guarded, environ)[::2] == (401, PROBLEM)


def test_a_failing_application_under_a_seal_answers_with_the_content_too():
    def broken(environ, start_response):
        raise RuntimeError("as it happens")

    guarded = protect(broken, Guard([FakeVerifier()], seal=sealed()), refusal_body=problem_body)
    environ = environ_(**{"wsgi.errors": io.StringIO()})
    assert run(guarded, environ)[::2] == (500, problem_body(500)[1])


def test_a_body_that_fails_as_it_passes_is_refused_with_the_content():
    key = Key.generate("HS256", key_id="k1")
    store = MemoryStore()
    store.add_key("robot", key)
    guarded = protect(app, Guard([HMACVerifier(stream=True)], store), refusal_body=problem_body)
    request, _ = signed(HMACAuth(key), "POST", "http://api.example/", body=b"hello")
    fields = {f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in request.headers}
    environ = environ_(b"jello", **fields, REQUEST_METHOD="POST", PATH_INFO="/", QUERY_STRING="", RAW_URI="/")
    assert run(guarded, environ)[::2] == (401, PROBLEM)
