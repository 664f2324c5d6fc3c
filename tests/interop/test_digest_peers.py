"""Digest with foreign clients in all of its variants, over sockets; and what a foreign server proves to ours.

What installed clients can't do is decided by their version and asserted as it is, so that an update shows.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx2
import pytest
import requests
from requests.auth import HTTPDigestAuth

from watchword import DigestAuth, DigestVerifier, Guard
from watchword.clients.requests import adapt
from watchword.schemes.digest import Unproven
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore

from .conftest import program

USER, PASSWORD = "alice", "s3cret phräse"
ALGORITHMS = ("MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess")


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(**options: object) -> Iterator[str]:
    """A guarded application that says who it was and what it was sent."""
    store = MemoryStore()
    store.add_user(USER, PASSWORD, realm="orders", digest_algorithms=list(options.get("algorithms", ["SHA-256"])))

    def app(environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{identity(environ).subject} {body.decode()}".encode()]

    guarded = protect(app, Guard([DigestVerifier(realm="orders", **options)], store))
    with make_server("127.0.0.1", 0, guarded, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/a?b=%20c"
        finally:
            server.shutdown()
            thread.join()


def curl(*arguments: str) -> tuple[int, str]:
    given = ["--noproxy", "*", "--digest", "-u", f"{USER}:{PASSWORD}", *arguments]
    command = [program("curl"), "-sS", "-w", "\n%{http_code}", *given]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    text, _, status = said.rpartition("\n")
    return int(status), text


def curl_version() -> tuple[int, int]:
    said = subprocess.run(
        [program("curl"), "--version"], capture_output=True, text=True, timeout=300, check=True
    ).stdout
    match = re.match(r"curl (\d+)\.(\d+)", said)
    assert match
    return int(match[1]), int(match[2])


def hashes_sha512_256() -> bool:
    """Releases before 8.7 take the first half of SHA-512 for SHA-512/256, which has other initial values."""
    return curl_version() >= (8, 7)


@pytest.mark.parametrize("userhash", [False, True])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_curl_in_every_algorithm(algorithm: str, userhash: bool) -> None:
    with serving(algorithms=[algorithm], userhash=userhash) as url:
        status, text = curl(url)
    if algorithm.startswith("SHA-512") and not hashes_sha512_256():
        assert status == 401
    else:
        assert (status, text) == (200, "alice ")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_curl_under_auth_int_hashes_an_empty_body_whatever_it_sends(algorithm: str) -> None:
    with serving(algorithms=[algorithm], qop=["auth-int"]) as url:
        assert curl(url) == (200, "alice ")
        assert curl("-d", "x=1", url)[0] == 401, "curl hashes no body: if this changes, so has curl"
    with serving(algorithms=[algorithm], qop=["auth", "auth-int"]) as url:
        assert curl("-d", "x=1", url) == (200, "alice x=1"), "offered both, curl takes auth"


def test_wget_speaks_md5() -> None:
    with serving(algorithms=["MD5"]) as url:
        # It would use the connection again, which HTTP/1.0 closes after the answer; who is first is chance.
        options = ["-q", "--no-proxy", "--no-http-keep-alive", "-O-", f"--user={USER}", f"--password={PASSWORD}"]
        command = [program("wget"), *options, url]
        got = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert got.stdout == "alice "


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_requests_and_httpx2_by_their_own_classes(algorithm: str) -> None:
    with serving(algorithms=[algorithm]) as url, requests.Session() as session:
        session.trust_env = False
        session.auth = HTTPDigestAuth(USER, PASSWORD)
        assert [session.get(url, timeout=300).text for _ in range(2)] == ["alice "] * 2
        with httpx2.Client(auth=httpx2.DigestAuth(USER, PASSWORD), trust_env=False) as client:
            assert [client.get(url).text for _ in range(2)] == ["alice "] * 2


@pytest.mark.parametrize("algorithm", ["MD5-sess", "SHA-256-sess"])
def test_httpx2_s_sessions_are_admitted(algorithm: str) -> None:
    """It takes the current cnonce into the secret of every request, against RFC 7616 §3.4.2."""
    with (
        serving(algorithms=[algorithm]) as url,
        httpx2.Client(auth=httpx2.DigestAuth(USER, PASSWORD), trust_env=False) as client,
    ):
        assert [client.get(url).text for _ in range(3)] == ["alice "] * 3


def test_our_client_and_server_prove_themselves_over_sockets_under_auth_int() -> None:
    with (
        serving(algorithms=["SHA-512-256-sess"], qop=["auth-int"], userhash=True) as url,
        requests.Session() as session,
    ):
        session.trust_env = False
        session.auth = adapt(DigestAuth(USER, PASSWORD, require_mutual=True))
        assert session.post(url, data=b"an order", timeout=300).text == "alice an order"


def test_apache_proves_that_it_knows_the_password(apache_url: str) -> None:
    told: list[Unproven] = []
    auth = adapt(DigestAuth(USER, "open sesame", require_mutual=True, on_unproven=told.append))
    with requests.Session() as session:
        session.trust_env = False
        answers = [session.get(apache_url + "/digest?a=b", auth=auth, timeout=300).status_code for _ in range(3)]
    assert answers == [200] * 3
    assert not told


def test_flask_httpauth_proves_nothing_and_is_reported(flask_url: str) -> None:
    told: list[Unproven] = []
    auth = adapt(DigestAuth(USER, "open sesame", on_unproven=told.append))
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(flask_url + "/digest", auth=auth, timeout=300).status_code == 200
    assert [one.why for one in told] == ["no proof"]
