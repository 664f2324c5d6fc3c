"""The article's `http.server.HTTPServer(...).set_digest_auth(...)`, over real sockets."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.patience import PATIENCE
from watchword import ConfigurationError
from watchword.dropin.http_server import HTTPServer, WhoAmIHandler


@contextmanager
def serving(server: HTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WhoAmIHandler, "log_message", lambda *_: None)


def test_the_articles_call_works_and_the_default_handler_says_who_you_are() -> None:
    server = HTTPServer(("localhost", 0))
    server.set_digest_auth("username", "password", algorithms=("SHA-256",))
    with serving(server) as url:
        answer = requests.get(f"{url}/any?x=1", auth=HTTPDigestAuth("username", "password"), timeout=PATIENCE)
    assert (answer.status_code, answer.text) == (200, "You are username, by digest.\n")


def test_a_wrong_password_an_unknown_user_and_nobody_are_refused_alike() -> None:
    server = HTTPServer(("localhost", 0))
    server.set_digest_auth("alice", "right")
    with serving(server) as url:
        answers = [
            requests.get(url, auth=HTTPDigestAuth("alice", "wrong"), timeout=PATIENCE),
            requests.get(url, auth=HTTPDigestAuth("mallory", "right"), timeout=PATIENCE),
            requests.get(url, timeout=PATIENCE),
        ]
    for answer in answers:
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer.headers["WWW-Authenticate"].startswith('Digest realm="protected"')


def test_every_user_is_known_by_name_and_a_new_password_replaces_the_old() -> None:
    server = HTTPServer(("localhost", 0))
    server.set_digest_auth("alice", "a")
    server.set_digest_auth("bob", "b")
    server.set_digest_auth("alice", "new")
    with serving(server) as url:
        assert requests.get(url, auth=HTTPDigestAuth("bob", "b"), timeout=PATIENCE).text == "You are bob, by digest.\n"
        assert (
            requests.get(url, auth=HTTPDigestAuth("alice", "new"), timeout=PATIENCE).text
            == "You are alice, by digest.\n"
        )
        assert requests.get(url, auth=HTTPDigestAuth("alice", "a"), timeout=PATIENCE).status_code == 401


def test_head_is_guarded_and_has_no_body() -> None:
    server = HTTPServer(("localhost", 0))
    server.set_digest_auth("alice", "a")
    with serving(server) as url:
        assert requests.head(url, timeout=PATIENCE).status_code == 401
        answer = requests.head(url, auth=HTTPDigestAuth("alice", "a"), timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(b"You are alice, by digest.\n"))


def test_until_a_user_is_set_it_serves_everybody_as_anonymous() -> None:
    with serving(HTTPServer(("localhost", 0))) as url:
        assert requests.get(url, timeout=PATIENCE).text == "You are anonymous.\n"


def test_a_handler_of_ones_own_is_guarded_and_knows_the_identity() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body + b" from " + self.identity.subject.encode())  # type: ignore[attr-defined]

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("localhost", 0), Handler)
    server.set_digest_auth("alice", "a")
    with serving(server) as url:
        assert requests.post(url, data=b"hello", timeout=PATIENCE).status_code == 401
        answer = requests.post(url, data=b"hello", auth=HTTPDigestAuth("alice", "a"), timeout=PATIENCE)
    assert answer.content == b"hello from alice"


def test_a_captured_request_sent_again_is_refused() -> None:
    server = HTTPServer(("localhost", 0))
    server.set_digest_auth("alice", "a")
    with serving(server) as url:
        genuine = requests.get(url, auth=HTTPDigestAuth("alice", "a"), timeout=PATIENCE)
        captured = genuine.request.headers["Authorization"]
        again = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
        again.request("GET", "/", headers={"Authorization": captured})
        status = again.getresponse().status
        again.close()
    assert (genuine.status_code, status) == (200, 401)


def test_it_is_the_standard_librarys_server() -> None:
    with HTTPServer(("localhost", 0)) as server:
        assert isinstance(server, http.server.HTTPServer)


@pytest.mark.parametrize("second", [{"realm": "other"}, {"algorithms": ("MD5",)}])
def test_users_of_two_realms_or_algorithms_are_a_configuration_error(second: dict[str, object]) -> None:
    with HTTPServer(("localhost", 0)) as server:
        server.set_digest_auth("alice", "a")
        with pytest.raises(ConfigurationError, match="one realm"):
            server.set_digest_auth("bob", "b", **second)  # type: ignore[arg-type]


def test_an_unknown_algorithm_is_a_configuration_error() -> None:
    with HTTPServer(("localhost", 0)) as server, pytest.raises(ConfigurationError):
        server.set_digest_auth("alice", "a", algorithms=("SHA-1",))
