"""Flask-HTTPAuth itself: the attacks that fail on the drop-in get in there, and the page says of it what is true."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask_httpauth
import httpx2
import pytest
import requests
from requests.auth import HTTPDigestAuth
from werkzeug.serving import make_server

from tests.attacks.flask_httpauth import programs
from tests.attacks.flask_httpauth.programs import PASSWORD, USER
from tests.dropin.flask_httpauth_differences import DIFFERENCES
from tests.interop.conftest import program
from tests.interop.test_vulnerable_peers import peer
from tests.patience import PATIENCE
from watchword.dropin import flask_httpauth as dropin

ATTACKS = [*programs.DIGEST, *programs.CALLBACKS]


def test_it_is_the_library_that_is_tried_here() -> None:
    assert flask_httpauth.__name__ == "flask_httpauth"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_it_gets_in(attack: Any) -> None:
    assert attack(flask_httpauth)


@pytest.mark.parametrize("cell", DIFFERENCES)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_the_page_says_what_is_so(cell: str) -> None:
    assert DIFFERENCES[cell](flask_httpauth)


def test_ghsa_p44q_vqpr_4xmg_hands_over_an_empty_token() -> None:
    assert peer("flask-httpauth-4.8.0", "flask_httpauth.py") == {"got in": True}
    assert not programs.come_without_a_token(flask_httpauth)


# ---- clients of others and the drop-in -------------------------------------------------------------------------------


@contextmanager
def serving(**settings: Any) -> Iterator[str]:
    """The drop-in behind a server, for clients that keep no cookies."""
    server = make_server("127.0.0.1", 0, programs.app_of(programs.digest_of(dropin, **settings)), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/orders?id=%207"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def by_curl(url: str) -> str:
    command = [program("curl"), "-sS", "--noproxy", "*", "--digest", "-u", f"{USER}:{PASSWORD}", url, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def by_wget(url: str) -> str:
    command = [program("wget"), "-q", "--no-proxy", "-O", "-", f"--user={USER}", f"--password={PASSWORD}", url, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def by_requests(url: str) -> str:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HTTPDigestAuth(USER, PASSWORD)
        return "".join(session.get(url, timeout=PATIENCE).text for _ in range(2))


def by_httpx2(url: str) -> str:
    with httpx2.Client(auth=httpx2.DigestAuth(USER, PASSWORD), trust_env=False) as client:
        return "".join(client.get(url).text for _ in range(2))


@pytest.mark.parametrize(
    ("client", "settings"),
    [
        *((client, {"algorithm": name}) for client in (by_curl, by_requests, by_httpx2) for name in ("MD5", "SHA-256")),
        (by_wget, {}), (by_curl, {"algorithm": "MD5-Sess"}), (by_requests, {"algorithm": "MD5-Sess"}),
        (by_curl, {"qop": None}), (by_requests, {"qop": None}), (by_curl, {"qop": "auth,auth-int"}),
    ],
)  # fmt: skip
def test_clients_of_others_log_in_to_the_drop_in_without_a_cookie(client: Any, settings: Any) -> None:
    with serving(**settings) as url:
        assert client(url) == f"hello {USER}" * 2
