from __future__ import annotations

import http.client
import io
import itertools
import re
import socket
import time
from array import array
from contextlib import suppress
from functools import cache
from threading import Thread

import pytest

from tests.clients.origin import guarded, ok, origin
from tests.patience import PATIENCE
from watchword import BasicVerifier, ConfigurationError, DigestVerifier, Guard
from watchword.dropin.http_client import HTTPConnection, HTTPSConnection
from watchword.stores import MemoryStore


@cache
def users():
    store = MemoryStore()
    store.add_user("alice", "s3cret", realm="r", digest_algorithms=("SHA-256", "MD5"))
    return store


def guard(*, basic=True, digest=True):
    verifiers = []
    if basic:
        verifiers.append(BasicVerifier(realm="r"))
    if digest:
        verifiers.append(DigestVerifier(realm="r"))
    return Guard(verifiers, users())


@pytest.fixture
def connect():
    connections = []

    def connect(server, user="alice", password="s3cret", **options):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.set_credentials(user, password, **options)
        connections.append(connection)
        return connection

    yield connect
    for connection in connections:
        connection.close()


def ask(connection, *arguments, **more):
    connection.request(*arguments, **more)
    response = connection.getresponse()
    return response.status, response.read()


def words(server):
    return [(seen.field("authorization") or "-").split()[0] for seen in server.seen]


def test_nothing_is_sent_before_the_server_asks_then_digest_goes_before_basic(connect):
    with origin(guarded(guard())) as server:
        connection = connect(server)
        assert ask(connection, "GET", "/a?b=1", headers={"X-One": "1"}) == (200, b"alice by digest")
        assert words(server) == ["-", "Digest"]
        assert [seen.field("x-one") for seen in server.seen] == ["1", "1"]
        assert "algorithm=SHA-256" in server.seen[1].field("authorization")
        assert server.seen[0].field("host") == server.seen[1].field("host") == f"127.0.0.1:{server.port}"
        assert ask(connection, "GET", "/b") == (200, b"alice by digest")
        assert words(server) == ["-", "Digest", "Digest"]


def test_basic_is_answered_where_only_basic_is_offered_and_goes_on_below_its_path(connect):
    with origin(guarded(guard(digest=False))) as server:
        connection = connect(server)
        for target in ("/a/b", "/a/c?d", "/a/../e", "/f"):
            assert ask(connection, "GET", target) == (200, b"alice by basic")
        assert words(server) == ["-", "Basic", "Basic", "-", "Basic", "-", "Basic"]


def test_preemptive_sends_basic_at_once(connect):
    with origin(guarded(guard())) as server:
        assert ask(connect(server, preemptive=True), "GET", "/") == (200, b"alice by basic")
        assert words(server) == ["Basic"]


def test_a_server_that_offered_digest_gets_no_password_later(connect):
    with origin(guarded(guard())) as server:
        connection = connect(server)
        assert ask(connection, "GET", "/")[0] == 200
        server.answer = lambda seen: (401, [("WWW-Authenticate", 'Basic realm="r"')], b"")
        assert ask(connection, "GET", "/x")[0] == 401
        assert "Basic" not in words(server)


def test_an_offer_of_digest_that_can_not_be_used_does_not_become_basic(connect):
    lines = [
        ("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=MD4'),
        ("WWW-Authenticate", 'Basic realm="r"'),
    ]
    with origin(lambda seen: (401, lines, b"")) as server:
        assert ask(connect(server), "GET", "/")[0] == 401
        assert words(server) == ["-"]


@pytest.mark.parametrize("password", ["wrong", ""])
@pytest.mark.parametrize("offer", [{"basic": False}, {"digest": False}])
def test_a_wrong_password_ends_with_the_401(connect, password, offer):
    with origin(guarded(guard(**offer))) as server:
        connection = connect(server, password=password)
        assert ask(connection, "GET", "/") == (401, b"refused")
        assert len(server.seen) == 2
        assert ask(connection, "GET", "/")[0] == 401


def test_an_authorization_of_the_callers_own_goes_out_as_it_is(connect):
    with origin(guarded(guard())) as server:
        assert ask(connect(server), "GET", "/", headers={"Authorization": "Bearer x"})[0] == 401
        assert words(server) == ["Bearer"]


def test_without_credentials_it_is_http_client(connect):
    with origin(guarded(guard())) as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        assert ask(connection, "POST", "/", b"data") == (401, b"refused")
        connection.close()


class Unseekable(io.BytesIO):
    def seekable(self):
        return False


@pytest.mark.parametrize(
    ("body", "arrives"),
    [
        (b"bytes", b"bytes"), ("text", b"text"), (bytearray(b"array"), b"array"), ([b"li", b"st"], b"list"), (b"", b""),
        (memoryview(b"view"), b"view"),
    ],
)  # fmt: skip
def test_a_body_goes_out_again_with_the_answer(connect, body, arrives):
    with origin(guarded(guard())) as server:
        assert ask(connect(server), "POST", "/", body)[0] == 200
        assert [seen.body for seen in server.seen] == [arrives, arrives]


def test_a_file_goes_out_again_from_where_it_stood(connect):
    with origin(guarded(guard())) as server:
        file = io.BytesIO(b"skipped, sent")
        file.seek(9)
        assert ask(connect(server), "PUT", "/", file)[0] == 200
        assert [seen.body for seen in server.seen] == [b"sent", b"sent"]


@pytest.mark.parametrize(
    "body", [lambda: iter([b"a", b"b"]), lambda: (part for part in [b"a"]), lambda: Unseekable(b"a")]
)
def test_a_body_that_can_be_read_once_only_is_a_clear_error_where_it_is_wanted_again(connect, body):
    with origin(guarded(guard())) as server:
        connection = connect(server)
        with pytest.raises(ConfigurationError, match="pass bytes or a seekable file"):
            ask(connection, "POST", "/", body())
        assert words(server) == ["-"]
        # The connection can be used on; and now the nonce is not asked for again.
        assert ask(connection, "GET", "/")[0] == 200
        assert ask(connection, "POST", "/", body())[0] == 200


def test_a_request_put_together_by_hand_is_sent_again_piece_by_piece(connect):
    with origin(guarded(guard())) as server:
        connection = connect(server)
        connection.putrequest("POST", "/x", skip_accept_encoding=True)
        connection.putheader("Content-Length", 6)
        connection.putheader("X-Many", "a", b"b")
        connection.putheader("X-Twice", "1")
        connection.putheader("X-Twice", "2")
        connection.endheaders(b"ab")
        connection.send(bytearray(b"cd"))
        connection.send(b"ef")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"alice by digest")
        first, second = server.seen
        assert first.body == second.body == b"abcdef"
        assert second.fields["x-twice"] == ["1", "2"]
        assert second.field("accept-encoding") is None
        assert {name: value for name, value in second.fields.items() if name != "authorization"} == first.fields


def test_a_long_body_sent_piece_by_piece_is_not_kept(connect):
    with origin(guarded(guard())) as server:
        connection = connect(server)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(2 * 1024 * 1024))
        connection.endheaders()
        for _ in range(32):
            connection.send(b"x" * 65536)
        with pytest.raises(ConfigurationError, match="pass bytes"):
            connection.getresponse()


def test_head_is_answered_too(connect):
    with origin(guarded(guard())) as server:
        assert ask(connect(server), "HEAD", "/") == (200, b"")


def test_cookies_of_the_challenge_go_into_the_answer(connect):
    verify = guarded(guard())

    def answer(seen):
        status, headers, body = verify(seen)
        lines = ["session=new; Path=/", "other=1; Path=/elsewhere", "tls=1; Secure", "gone=1; Max-Age=0"]
        return status, [*headers, *(("Set-Cookie", line) for line in lines)], body

    with origin(answer) as server:
        assert ask(connect(server), "GET", "/a", headers={"Cookie": "theme=dark; session=old"})[0] == 200
        assert server.seen[0].field("cookie") == "theme=dark; session=old"
        assert server.seen[1].field("cookie") == "theme=dark; session=new"


def test_a_server_that_closes_after_its_401_is_connected_to_anew(connect):
    verify = guarded(guard())

    def answer(seen):
        status, headers, body = verify(seen)
        return status, [*headers, ("Connection", "close")], body

    with origin(answer) as server:
        connection = connect(server)
        for _ in range(2):
            assert ask(connection, "POST", "/", b"data") == (200, b"alice by digest")


class Abrupt:
    """A server that closes the connection after its 401 without saying so, and answers on the next connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests = []

    def serve(self):
        for answer in (
            b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\n\r\n',
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        ):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65536))
                connection.sendall(answer)


@pytest.mark.parametrize(("method", "again"), [("GET", True), ("PUT", True), ("POST", False)])
def test_a_connection_lost_before_the_answer_is_opened_anew_where_that_does_no_harm(connect, method, again):
    server = Abrupt()
    thread = Thread(target=server.serve)
    thread.start()
    connection = connect(server)
    try:
        if again:
            assert ask(connection, method, "/") == (200, b"ok")
            assert b"Basic" in server.requests[1]
        else:
            with pytest.raises(ConnectionError):
                ask(connection, method, "/")
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


def only_auth_int():
    return Guard([DigestVerifier(realm="r", qop=("auth-int",))], users())


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_a_request_without_a_body_answers_a_server_that_covers_bodies(connect, method):
    with origin(guarded(only_auth_int())) as server:
        connection = connect(server)
        for _ in range(2):
            assert ask(connection, method, "/")[0] == 200
        assert "qop=auth-int" in server.seen[-1].field("authorization")
        assert words(server) == ["-", "Digest", "Digest"]


@pytest.mark.parametrize(
    "body",
    [
        lambda: b"bytes", lambda: "text", lambda: bytearray(b"array"), lambda: [b"li", b"st"], lambda: b"", lambda: (b"a", b"b"),
        lambda: memoryview(b"view"), lambda: io.BytesIO(b"file"), lambda: array("b", b"numbers"), lambda: io.StringIO("text"),
    ],
)  # fmt: skip
def test_every_body_is_covered_where_the_server_wants_that(connect, body):
    with origin(guarded(only_auth_int())) as server:
        connection = connect(server)
        for _ in range(2):
            assert ask(connection, "POST", "/", body()) == (200, b"alice by digest")


def test_what_is_sent_piece_by_piece_is_covered_once_it_is_here(connect):
    with origin(guarded(only_auth_int())) as server:
        connection = connect(server)

        def by_hand():
            connection.putrequest("PUT", "/")
            connection.putheader("Content-Length", "6")
            connection.endheaders()
            connection.send(b"one")
            connection.send(b"two")
            return connection.getresponse().read()

        assert by_hand() == b"alice by digest"
        with pytest.raises(ConfigurationError, match="covers the body"):
            by_hand()  # the nonce is known: the digest would have to go before the body
        assert ask(connection, "GET", "/")[0] == 200, "nothing of the refused request goes out with the next"
        assert [seen.method for seen in server.seen] == ["PUT", "PUT", "GET"]


class Early:
    """A server that answers when it has read the head, and closes; later connections it serves in whole."""

    def __init__(self, answer, times=1):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer = answer
        self.times = times
        self.bodies = []
        self.thread = Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        for number in itertools.count():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65536)
                if number < self.times:
                    connection.sendall(self.answer)
                    continue
                head, _, body = received.partition(b"\r\n\r\n")
                length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
                while len(body) < length:
                    body += connection.recv(1 << 20)
                self.bodies.append((b"Authorization: Basic" in head, len(body)))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


BIG = 20_000_000
NO = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate'
TOO_LONG = b"HTTP/1.1 413 Too long\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong"


@pytest.fixture
def early():
    servers = []

    def start(*arguments, **options):
        servers.append(Early(*arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def upload(connection, body, method="PUT"):
    with suppress(ConnectionError):
        connection.request(method, "/", body, {"Content-Length": str(BIG)})
    response = connection.getresponse()
    return response.status, response.read()


BODIES = [
    lambda: b"x" * BIG, lambda: [b"x" * (BIG // 2)] * 2, lambda: io.BytesIO(b"x" * BIG), lambda: iter([b"x" * (BIG // 4)] * 4),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("credentials", [False, True])
def test_an_answer_that_comes_before_the_body_was_read_is_got_as_in_http_client(early, body, credentials):
    stock = http.client.HTTPConnection("127.0.0.1", early(TOO_LONG).port, timeout=PATIENCE)
    ours = HTTPConnection("127.0.0.1", early(TOO_LONG).port, timeout=PATIENCE)
    if credentials:
        ours.set_credentials("alice", "s3cret")
    for connection in (stock, ours):
        assert upload(connection, body()) == (413, b"long")
        connection.close()


@pytest.mark.parametrize("body", BODIES[:3])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_early_challenge_is_answered_with_the_whole_body(early, connect, body, method):
    server = early(NO)
    assert upload(connect(server), body(), method) == (200, b"ok")
    assert server.bodies == [(True, BIG)]


def test_an_early_challenge_to_a_body_that_is_gone_is_the_callers(early, connect):
    server = early(NO)
    assert upload(connect(server), BODIES[3]()) == (401, b"late")
    assert server.bodies == []


def test_an_early_challenge_amid_pieces_is_the_callers_for_the_rest_is_not_here(early, connect):
    server = early(NO)
    connection = connect(server)
    connection.putrequest("PUT", "/")
    connection.putheader("Content-Length", str(BIG))
    connection.endheaders()
    with pytest.raises(ConnectionError):
        for _ in range(BIG // 1000):
            connection.send(b"x" * 1000)
            time.sleep(0.0005)
    response = connection.getresponse()
    assert (response.status, response.read()) == (401, b"late")
    assert server.bodies == []


def test_an_early_answer_to_the_second_sending_is_got_too(early, connect):
    challenging = early(NO, times=2)
    connection = connect(challenging)
    assert upload(connection, b"x" * BIG) == (401, b"late")


def test_a_401_with_an_endless_body_is_not_read_to_its_end(connect):
    verify = guarded(guard())

    def answer(seen):
        status, headers, body = verify(seen)
        return status, headers, body if status == 200 else b"x" * (3 * 1024 * 1024)

    with origin(answer) as server:
        assert ask(connect(server), "GET", "/") == (200, b"alice by digest")


@pytest.fixture
def far(monkeypatch):
    """A connection that believes to go to another host."""
    with origin(lambda seen: (401, [("WWW-Authenticate", 'Basic realm="r"')], b"")) as server:
        connections = []

        def connect(**options):
            connection = HTTPConnection("api.example", 80, timeout=PATIENCE)
            connection._create_connection = lambda address, *rest: socket.create_connection(("127.0.0.1", server.port))
            connection.set_credentials("alice", "s3cret", **options)
            connections.append(connection)
            return connection

        yield server, connect
        for connection in connections:
            connection.close()


def test_basic_does_not_travel_in_the_clear(far):
    server, connect = far
    for headers in ({}, {"Host": "localhost"}):
        with pytest.raises(ConfigurationError, match="in the clear to api.example"):
            ask(connect(), "GET", "/", headers=headers)
        with pytest.raises(ConfigurationError, match="in the clear to api.example"):
            ask(connect(preemptive=True), "GET", "/", headers=headers)
    assert words(server) == ["-", "-"]


def test_basic_travels_in_the_clear_if_that_is_allowed(far):
    server, connect = far
    assert ask(connect(allow_cleartext=True), "GET", "/")[0] == 401
    assert words(server) == ["-", "Basic"]


def test_the_misuse_errors_are_those_of_http_client(connect):
    with origin(ok) as server:
        connection = connect(server)
        with pytest.raises(http.client.ResponseNotReady):
            connection.getresponse()
        with pytest.raises(ValueError, match="control characters"):
            connection.request("GET\n", "/")
        connection.close()
        connection.request("GET", "/")
        with pytest.raises(http.client.CannotSendRequest):
            connection.request("GET", "/other")
        assert connection.getresponse().read() == b"fine"
        with pytest.raises(ValueError, match="Invalid header"):
            connection.request("GET", "/", headers={"X": "a\nb"})


def test_credentials_that_no_header_carries_are_refused_at_once():
    with pytest.raises(ConfigurationError):
        HTTPConnection("127.0.0.1").set_credentials("a:b", "c")


def test_the_tls_connection_is_both_of_ours_and_of_http_clients():
    connection = HTTPSConnection("api.example")
    connection.set_credentials("alice", "s3cret")
    assert isinstance(connection, http.client.HTTPSConnection)
    assert connection._origin() == ("https", "api.example")
    connection.set_tunnel("inner.example", 8443)
    assert connection._origin() == ("https", "inner.example:8443")


def test_basic_that_is_refused_later_is_not_sent_unasked_again(connect):
    with origin(guarded(guard(digest=False))) as server:
        connection = connect(server)
        assert ask(connection, "GET", "/")[0] == 200
        answer, server.answer = server.answer, lambda seen: (401, [("WWW-Authenticate", 'Basic realm="r"')], b"")
        assert ask(connection, "GET", "/")[0] == 401
        server.answer = answer
        assert ask(connection, "GET", "/")[0] == 200
        assert words(server) == ["-", "Basic", "Basic", "-", "Basic"]
