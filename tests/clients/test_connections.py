"""What becomes of connections, by every adapter: none is leaked, a waiting server is heard, and HTTP/2 is as good as HTTP/1.1."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
import requests
import urllib3
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from requests.adapters import HTTPAdapter

from tests.clients.fakes import Challenged, Tokens
from tests.clients.kinds import HTTPX, KINDS
from tests.clients.origin import Seen, guarded, ok, origin
from tests.clients.worlds import SIGNING, WORLDS
from tests.patience import PATIENCE

pytestmark = pytest.mark.sweep

# The connector of aiohttp is made on its loop: test_aiohttp.py. urllib.request keeps no connections.
ONE = [name for name in KINDS if name not in ("aiohttp", "urllib.request")]


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def alone(kind):
    """Options that leave a kind one connection; who needs another one waits for ever, or is told so."""
    if kind is KINDS["requests"]:
        session = requests.Session()
        session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1, pool_block=True))
        return {"session": session}
    if kind is KINDS["urllib3"]:
        return {"pool": urllib3.PoolManager(maxsize=1, block=True, timeout=PATIENCE)}
    return {"limits": kind.library.Limits(max_connections=1)}


@pytest.mark.parametrize("size", [0, 100, 3_000_000])
@pytest.mark.parametrize("name", ONE)
def test_the_connection_of_a_refused_request_serves_its_retry_and_its_redirect(name, size):
    def answer(seen):
        if seen.target == "/start":
            return 307, [("Location", "/there")], b"x" * size
        if seen.field("authorization") is None:
            return 401, [("WWW-Authenticate", "n1")], b"x" * size
        return 200, [], b"in"

    kind = KINDS[name]
    with origin(answer) as server:
        got = kind.send("POST", server.url + "/start", kind.adapt(Challenged()), content=b"data", **alone(kind))
        assert (got.status, got.body) == (200, b"in")


@pytest.mark.parametrize("name", ONE)
def test_the_connection_of_a_token_request_is_given_back(name):
    kind = KINDS[name]

    def answer(seen):
        return (200, [], b"tok") if seen.target.startswith("/token") else ok(seen)

    with origin(answer) as server:
        got = kind.send("GET", server.url + "/", kind.adapt(Tokens(f"127.0.0.1:{server.port}")), **alone(kind))
        assert got.body == b"fine"


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_a_request_that_waits_to_be_continued_is_continued(kind, world):
    with origin(guarded(world.guard())) as server:
        got = kind.send(
            "POST", server.url + "/", kind.adapt(world.auth()), content=b"data", headers={"Expect": "100-continue"}
        )
        assert (got.status, server.seen[-1].body, server.seen[-1].field("expect")) == (200, b"data", "100-continue")


class Http2(StreamRequestHandler):
    """Speaks HTTP/2 to who begins with it (RFC 9113 §3.3), and answers as `answer` of its server does."""

    def handle(self):
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        connection.initiate_connection()
        lines, bodies = {}, defaultdict(bytes)
        while data := self._after(connection):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    lines[event.stream_id] = event.headers
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                elif isinstance(event, StreamEnded):
                    status, headers, content = self._answer(lines[event.stream_id], bodies[event.stream_id])
                    shown = [(":status", str(status)), *((name.lower(), value) for name, value in headers)]
                    connection.send_headers(event.stream_id, shown)
                    connection.send_data(event.stream_id, content, end_stream=True)

    def _after(self, connection):
        """What comes, once all that there is to say is said."""
        self.request.sendall(connection.data_to_send())
        return self.request.recv(65536)

    def _answer(self, lines, body):
        pseudo, fields = dict(lines), {"host": [dict(lines)[":authority"]]}
        for name, value in lines:
            fields.setdefault(name, []).append(value)
        plain = {name: values for name, values in fields.items() if name[0] != ":"}
        return self.server.answer(Seen(pseudo[":method"], pseudo[":path"], plain, body))


@contextmanager
def by_http2(answer):
    with ThreadingTCPServer(("127.0.0.1", 0), Http2) as server:
        server.answer, server.daemon_threads = answer, True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("name", list(HTTPX))
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_credentials_go_by_http2(name, world):
    kind = HTTPX[name]
    with by_http2(guarded(world.guard())) as url:
        got = kind.send("POST", url + "/a?b=c%20d", kind.adapt(world.auth()), content=b"data", http1=False, http2=True)
        assert (got.status, got.response.http_version) == (200, "HTTP/2")
        assert got.body.startswith(b"alice by ")


@pytest.mark.parametrize("name", [name for name in HTTPX if name.endswith("async")])
@pytest.mark.parametrize("world", [WORLDS["digest"], SIGNING["hmac"]], ids=["digest", "hmac"])
def test_many_tasks_share_one_client_and_one_object(name, world):
    kind = HTTPX[name]

    def redirect(seen):
        return (307, [("Location", seen.target.replace("start", "end"))], b"") if "start" in seen.target else None

    async def main(url):
        async with kind.library.AsyncClient(auth=kind.adapt(world.auth()), trust_env=False, timeout=PATIENCE) as client:
            calls = (client.post(f"{url}/start/{n}", content=b"%d" % n, follow_redirects=True) for n in range(40))
            return await asyncio.gather(*calls)

    with origin(guarded(world.guard(), redirect)) as server:
        answers = asyncio.run(main(server.url))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.url.path for answer in answers) == sorted(f"/end/{n}" for n in range(40))
