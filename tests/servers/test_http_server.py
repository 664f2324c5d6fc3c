"""The http.server adapter: what only raw requests can show."""

from __future__ import annotations

import socket
import ssl
from http.server import BaseHTTPRequestHandler

import pytest

from tests.core.fakes import FakeVerifier
from tests.patience import PATIENCE
from tests.servers.apps import UpperCase
from tests.servers.conftest import read_all
from tests.servers.test_every_server import content, head, status
from tests.servers.test_taking_back import serving
from watchword import AsyncGuard, ConfigurationError, Guard, HMACAuth, HMACVerifier
from watchword.core.identity import Identity
from watchword.core.message import Peer
from watchword.core.scheme import STREAM, WHOLE, Decision
from watchword.crypto.keys import Key
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers.http_server import identity, protect, requires
from watchword.servers.problem import problem_body
from watchword.stores import MemoryStore
from watchword.testing import signed

START = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        b"Authorization: plain\r\n alice\r\n",
        b"X-Any: a\r\n\tb\r\nAuthorization: plain alice\r\n",
        b"no field line\r\nAuthorization: plain alice\r\n",
        b"Authorization : plain alice\r\n",
        b": empty\r\nAuthorization: plain alice\r\n",
        b"Host: other\r\nAuthorization: plain alice\r\n",
    ],
)
def test_header_sections_that_could_be_read_in_two_ways_are_a_bad_request(http_server, lines):
    assert status(http_server.send(START + lines + b"\r\n")) == 400


def test_a_first_line_that_the_mail_parser_takes_for_an_envelope_is_a_bad_request(http_server):
    raw = b"GET / HTTP/1.1\r\nFrom me\r\nHost: h\r\nConnection: close\r\nAuthorization: plain alice\r\n\r\n"
    assert status(http_server.send(raw)) == 400


def test_a_multipart_request_is_no_broken_header_section(http_server):
    answer = http_server.ask("/", "plain alice", b"x", "Content-Type: multipart/form-data; boundary=b")
    assert status(answer) == 200


@pytest.mark.parametrize("space", [b"\x1c", b"\x85", b"\xa0", b"\x0b"])
def test_white_space_of_other_alphabets_cannot_move_the_target(http_server, space):
    raw = b"GET" + space + b"/write HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: target HTTP/1.1\r\n\r\n"
    assert b"written" not in http_server.send(raw)
    assert b"200" not in http_server.send(raw).partition(b"\r\n")[0]


def test_octets_beyond_ascii_in_a_field_are_kept(http_server):
    answer = http_server.send(START + "Authorization: plain ali\u00e7e\r\n\r\n".encode())
    assert b'"subject": "ali\\u00e7e"' in content(answer)


def test_the_body_is_invited_only_once_somebody_wants_it(http_server):
    expecting = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\nAuthorization: "
    with http_server.connect() as connection:
        connection.sendall(expecting + b"plain wrong\r\n\r\n")
        refused = read_all(connection)
    assert b"100 Continue" not in refused
    assert status(refused) == 401
    assert b"connection: close" in head(refused)
    for credentials in (b"plain alice", b"whole alice"):
        with http_server.connect() as connection:
            connection.sendall(expecting + credentials + b"\r\nConnection: close\r\n\r\n")
            first = connection.recv(65536)
            assert first.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"12345")
            assert b'"size": 5' in first + read_all(connection)


def streamed(*_):
    return Decision(Identity("alice", "fake"), stream=UpperCase())


class Early(BaseHTTPRequestHandler):
    """Begins its answer, as far as the path says, before it reads the body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        steps = int(self.path[1:])
        body = b""
        for number, step in enumerate((
            lambda: self.send_response(200),
            lambda: self.send_header("Content-Length", "7"),
            self.end_headers,
            lambda: self.wfile.write(b"ok"),
        )):  # fmt: skip
            if number == steps:
                body = self.rfile.read(5)
            step()
        self.wfile.write(body or self.rfile.read(5))

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("seal", [None, SignatureSeal(Key.generate("ed25519"))])
@pytest.mark.parametrize("options", [{}, {"body": WHOLE}, {"body": STREAM, "decision": streamed}])
def test_a_client_is_asked_for_its_body_however_far_the_answer_has_come(options, seal):
    with serving(protect(Early, Guard([FakeVerifier(**options)], seal=seal))) as port:
        for steps in range(5):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
                connection.sendall(
                    b"POST /%d HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n"
                    b"Connection: close\r\nAuthorization: fake alice\r\n\r\n" % steps
                )
                got = b""
                while b"100 Continue\r\n\r\n" not in got:
                    got += connection.recv(65536)
                connection.sendall(b"12345")
                before, _, answer = (got + read_all(connection)).partition(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert before == b"", "an interim answer comes first, or never"
            assert (status(answer), content(answer), answer.count(b"HTTP/1.1")) == (200, b"ok12345", 1), steps
            assert (b"signature" in head(answer).lower()) is (seal is not None)


class Scoped(BaseHTTPRequestHandler):
    """Answers whoever has a scope that nobody has; it reads a body first, if there is one."""

    protocol_version = "HTTP/1.1"

    @requires("of-nobody")
    def do_GET(self):
        raise AssertionError("nobody has it")

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(5)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("seal", [None, SignatureSeal(Key.generate("ed25519"))], ids=["bare", "sealed"])
def test_refusals_have_the_content_that_is_asked_for_and_none_under_head(seal):
    guarded = protect(Scoped, Guard([FakeVerifier()], seal=seal), refusal_body=problem_body)
    with serving(guarded) as port:
        for method, credentials, code in (
            (b"GET", b"fake wrong", 401),
            (b"GET", b"fake alice", 403),
            (b"HEAD", b"fake wrong", 401),
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
                connection.sendall(
                    method
                    + b" / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: "
                    + credentials
                    + b"\r\n\r\n"
                )
                answer = read_all(connection)
            assert status(answer) == code
            assert content(answer) == (b"" if method == b"HEAD" else problem_body(code)[1])
            assert b"application/problem+json" in head(answer)
            assert (b"content-digest" in head(answer).lower()) is (seal is not None and method != b"HEAD")


def test_a_body_that_fails_as_it_is_read_is_refused_with_the_content():
    key = Key.generate("HS256", key_id="k1")
    store = MemoryStore()
    store.add_key("robot", key)
    with serving(protect(Scoped, Guard([HMACVerifier(stream=True)], store), refusal_body=problem_body)) as port:
        request, _ = signed(HMACAuth(key), "POST", f"http://127.0.0.1:{port}/", body=b"hello")
        fields = b"".join(b"%b: %b\r\n" % line for line in request.headers)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\nContent-Length: 5\r\n" % port
                + fields
                + b"\r\njello"
            )
            answer = read_all(connection)
    assert (status(answer), content(answer)) == (401, problem_body(401)[1])


def test_a_large_unread_body_closes_the_connection_after_the_answer(http_server):
    answer = http_server.ask("/", "plain wrong", b"x" * 3_000_000)
    assert status(answer) == 401
    assert b"connection: close" in head(answer)


def test_a_request_of_http_0_9_is_not_let_in(http_server):
    assert b"subject" not in http_server.send(b"GET /\r\n\r\n")


def test_a_method_that_the_handler_lacks_is_refused_before_it_is_missed(http_server):
    assert status(http_server.ask("/", method="BREW")) == 401
    assert status(http_server.ask("/", "plain alice", method="BREW")) == 501


def test_the_class_keeps_its_name_and_kind():
    class Mine(BaseHTTPRequestHandler):
        """Mine."""

    guarded = protect(Mine, Guard([FakeVerifier()]))
    assert (guarded.__name__, guarded.__doc__, issubclass(guarded, Mine)) == ("Mine", "Mine.", True)


def test_an_async_guard_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="not async"):
        protect(BaseHTTPRequestHandler, AsyncGuard([FakeVerifier()]))  # type: ignore[arg-type]


def test_a_handler_that_nobody_guards_has_no_identity():
    handler = object.__new__(BaseHTTPRequestHandler)
    with pytest.raises(ConfigurationError, match="protect"):
        identity(handler)
    with pytest.raises(ConfigurationError, match="protect"):
        requires("write")(lambda self: None)(handler)
    with pytest.raises(ConfigurationError, match="requires"):
        requires(print)  # type: ignore[arg-type]


def test_the_scheme_is_https_on_a_tls_connection_and_its_certificate_counts_only_if_it_was_verified():
    from watchword.servers.http_server.request import request_of

    class Connection:
        def __init__(self, mode):
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.verify_mode = mode

        def getpeercert(self, binary_form):
            assert binary_form
            return b"der"

    for mode, expected in ((ssl.CERT_REQUIRED, b"der"), (ssl.CERT_NONE, None)):
        handler = object.__new__(BaseHTTPRequestHandler)
        handler.command, handler.client_address = "GET", ("::1", 1)
        handler.connection = Connection(mode)
        request = request_of(handler, b"GET / HTTP/1.1\r\n", [b"\r\n"])
        assert (request.scheme, request.peer) == ("https", Peer("::1", expected))
