"""Clients that hang up while their password waits to be hashed: nothing is hashed for them, and nobody is answered.

A hash that the test holds up keeps the line busy, hashes are counted, and every step waits for the event that it needs.
"""

from __future__ import annotations

import asyncio
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from types import SimpleNamespace
from typing import Any, ClassVar
from wsgiref.simple_server import make_server

import pytest
import uvicorn
from aiohttp import web

from tests.core.fakes import FakeVerifier
from tests.patience import PATIENCE
from tests.servers.apps import asgi_app
from tests.servers.conftest import QuietWSGI, ThreadingWSGI, Wire, in_thread, read_all
from tests.servers.test_every_server import content, status
from watchword import AsyncGuard, Guard, Key
from watchword.authorization_server import token_endpoint
from watchword.core.identity import Identity
from watchword.structures.line import ClientGone, Place, WaitingLine
from watchword.core.scheme import Decision
from watchword.servers import aiohttp, asgi, connections, http_server, wsgi
from watchword.servers.asgi.ahead import AHEAD
from watchword.servers.asgi.incoming import Incoming
from watchword.servers.asgi.request import request_of
from watchword.servers.endpoint import asgi_endpoint, wsgi_endpoint
from watchword.servers.wsgi.leaving import client_has_left
from watchword.stores import MemoryStore


class NotedLine(WaitingLine):
    """Tells of every place that is taken and left."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Queue[Place] = Queue()
        self.left: Queue[Place] = Queue()

    def join(self, *arguments: Any) -> Place:
        place = super().join(*arguments)
        self.taken.put(place)
        return place

    def leave(self, place: Place) -> None:
        super().leave(place)
        self.left.put(place)


class Hashing:
    """Counts hashes, and holds up the first."""

    def __init__(self) -> None:
        self.count = 0
        self.begun = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self.begun.set()
        assert self.released.wait(PATIENCE)


class Guessable(FakeVerifier):
    guessable: ClassVar[bool] = True


def slow_guard(hashing: Hashing) -> Guard:
    """A guard each of whose requests takes a hash, and whose line tells what happens in it."""

    def decide(*_: object) -> Decision:
        hashing()
        return Decision(Identity("alice", "fake"))

    guard = Guard([Guessable(is_slow=True, decision=decide)])
    guard.plan.line = NotedLine()
    return guard


@contextmanager
def served_by_uvicorn(app: Any) -> Iterator[Wire]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Wire(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def served(server: Any) -> Iterator[Wire]:
    yield from in_thread(server)


def head_of(*lines: str, method: str = "GET", token: str = "alice") -> bytes:
    fields = ["Host: h", "Connection: close", f"Authorization: fake {token}", *lines]
    return "\r\n".join([f"{method} / HTTP/1.1", *fields, "", ""]).encode()


def leave_in_line(wire: Wire, line: NotedLine, hashing: Hashing, request: bytes, noticed: Callable[[], object]) -> None:
    """One client holds the line, another hangs up in it; afterwards a third one is served."""
    with closing(wire.connect()) as holding:
        holding.sendall(request)
        assert hashing.begun.wait(PATIENCE)
        line.taken.get(timeout=PATIENCE)
        leaving = wire.connect()
        leaving.sendall(request)
        place = line.taken.get(timeout=PATIENCE)
        assert place.waits
        leaving.close()
        noticed()
        assert hashing.count == 1
        hashing.released.set()
        assert status(read_all(holding)) == 200
    assert status(wire.send(request)) == 200
    assert hashing.count == 2  # those of the first and the third, who stood behind the one that left


def dropped(line: NotedLine) -> Callable[[], object]:
    """Waits until a place has been left, which happens while the hash of another one goes on."""

    def wait() -> None:
        place = line.left.get(timeout=PATIENCE)
        line.left.put(place)
        assert not place.waits
        assert not place.holds

    return wait


def test_uvicorn_drops_a_waiter_at_once():
    hashing = Hashing()
    guard = slow_guard(hashing)
    line: Any = guard.plan.line
    with served_by_uvicorn(asgi.protect(asgi_app, guard)) as wire:
        leave_in_line(wire, line, hashing, head_of(), dropped(line))


def test_uvicorn_drops_a_waiter_that_has_sent_a_body():
    hashing = Hashing()
    guard = slow_guard(hashing)
    line: Any = guard.plan.line
    request = head_of("Content-Length: 5", method="POST") + b"hello"
    with served_by_uvicorn(asgi.protect(asgi_app, guard)) as wire:
        leave_in_line(wire, line, hashing, request, dropped(line))


@contextmanager
def served_by_aiohttp(app: web.Application) -> Iterator[Wire]:
    listening = socket.create_server(("127.0.0.1", 0))
    stopped: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        stopped.append(partial(asyncio.get_running_loop().call_soon_threadsafe, over.set))
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        begun.set()
        await over.wait()
        await runner.cleanup()

    begun = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    try:
        assert begun.wait(PATIENCE)
        yield Wire(listening.getsockname()[1])
    finally:
        stopped[0]()
        thread.join()


@pytest.mark.parametrize("lines", [(), ("Content-Length: 5",)])
def test_aiohttp_drops_a_waiter_at_once_where_it_cancels_handlers(lines):
    hashing = Hashing()
    guard = slow_guard(hashing)
    line: Any = guard.plan.line
    auth, app = aiohttp.Authenticate(guard), web.Application()
    auth.install(app)

    @auth.required()
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="done")

    app.router.add_route("*", "/", handler)
    with served_by_aiohttp(app) as wire:
        leave_in_line(wire, line, hashing, head_of(*lines) + b"hello" * len(lines), dropped(line))


class Noting(BaseHTTPRequestHandler):
    """Tells of its connections."""

    connections: ClassVar[Queue[socket.socket]]

    def setup(self) -> None:
        super().setup()
        self.connections.put(self.connection)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def second_hung_up(connections_seen: Queue[Any]) -> Callable[[], object]:
    """Waits until the kernel knows that the second connection was closed by its client."""

    def wait() -> None:
        connections_seen.get(timeout=PATIENCE)
        poll = select.poll()
        poll.register(connections_seen.get(timeout=PATIENCE), select.POLLRDHUP)
        assert poll.poll(PATIENCE * 1000)

    return wait


def test_http_server_hashes_nothing_for_a_client_that_has_left_when_its_turn_comes():
    hashing = Hashing()
    guard = slow_guard(hashing)
    line: Any = guard.plan.line
    handler = type("Handler", (Noting,), {"connections": Queue()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(handler, guard))
    with served(server) as wire:
        leave_in_line(wire, line, hashing, head_of(), second_hung_up(handler.connections))


def wsgi_served(app: Any, seen: Queue[Any]) -> Any:
    """wsgiref, which hands out no connection, made to do so as Werkzeug does."""

    class Handler(QuietWSGI):
        def get_environ(self) -> Any:
            seen.put(self.connection)
            return {**super().get_environ(), "werkzeug.socket": self.connection}

    return served(make_server("127.0.0.1", 0, app, ThreadingWSGI, Handler))


def plain(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "0")])
    return []


def test_wsgi_hashes_nothing_for_a_client_that_has_left_when_its_turn_comes():
    hashing = Hashing()
    guard = slow_guard(hashing)
    line: Any = guard.plan.line
    seen: Queue[Any] = Queue()
    with wsgi_served(wsgi.protect(plain, guard), seen) as wire:
        leave_in_line(wire, line, hashing, head_of(), second_hung_up(seen))


# ---- the token endpoint ----------------------------------------------------------------------------------------------

GRANT = b"grant_type=client_credentials&client_id=c&client_secret=a+secret+of+a+client"
GRANTING = (
    b"POST /token HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(GRANT), GRANT)
)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A token endpoint, its store, its line, and the hashes that it makes."""
    hashing = Hashing()
    monkeypatch.setattr(token_endpoint, "verify_password", lambda *_: hashing())
    store = MemoryStore()
    store.add_client("c", "a secret of a client")
    made = token_endpoint.TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="api")
    made._line = line = NotedLine()
    return SimpleNamespace(endpoint=made, store=store, line=line, hashing=hashing)


def test_the_token_endpoint_drops_a_waiter_at_once(endpoint):
    with served_by_uvicorn(asgi_endpoint(endpoint.endpoint, endpoint.store)) as wire:
        leave_in_line(wire, endpoint.line, endpoint.hashing, GRANTING, dropped(endpoint.line))


def test_the_token_endpoint_hashes_nothing_for_a_client_that_has_left_when_its_turn_comes(endpoint):
    seen: Queue[Any] = Queue()
    with wsgi_served(wsgi_endpoint(endpoint.endpoint, endpoint.store), seen) as wire:
        leave_in_line(wire, endpoint.line, endpoint.hashing, GRANTING, second_hung_up(seen))


# ---- what is read ahead is kept --------------------------------------------------------------------------------------


def test_the_body_of_a_client_that_waited_reaches_the_application_whole():
    hashing = Hashing()
    guard = slow_guard(hashing)
    line: Any = guard.plan.line
    size = 5 * AHEAD
    with served_by_uvicorn(asgi.protect(asgi_app, guard)) as wire, closing(wire.connect()) as holding:
        holding.sendall(head_of())
        assert hashing.begun.wait(PATIENCE)
        line.taken.get(timeout=PATIENCE)
        with closing(wire.connect()) as waiting:
            waiting.sendall(head_of(f"Content-Length: {size}", method="POST"))
            assert line.taken.get(timeout=PATIENCE).waits
            waiting.sendall(b"x" * AHEAD)
            hashing.released.set()
            waiting.sendall(b"x" * (size - AHEAD))
            assert json.loads(content(read_all(waiting)))["size"] == size
        assert status(read_all(holding)) == 200


class Server:
    """A `receive` that gives what it is fed, and notices when it is called twice at once, or cancelled."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.calls = self.outstanding = self.most = self.cancelled = 0

    async def receive(self) -> dict[str, Any]:
        self.calls += 1
        self.outstanding += 1
        self.most = max(self.most, self.outstanding)
        try:
            return await self.messages.get()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.outstanding -= 1

    def feed(self, body: bytes, more: bool = True) -> None:
        self.messages.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})


async def settled() -> None:
    """Lets every task go on as far as it can."""
    for _ in range(200):
        await asyncio.sleep(0)


def incoming_of(server: Server, *fields: tuple[bytes, bytes], kind: str = "http") -> Incoming:
    return Incoming(server.receive, kind, list(fields))


def test_messages_read_ahead_come_in_order_and_receive_is_called_once_at_a_time():
    async def scene() -> None:
        server = Server()
        incoming = incoming_of(server)
        gone = incoming.gone()
        assert incoming.gone() is gone
        server.feed(b"a")
        server.feed(b"b")
        await settled()
        assert (server.calls, server.outstanding) == (3, 1)
        assert [await incoming.chunk(), await incoming.chunk()] == [b"a", b"b"]
        third = asyncio.create_task(incoming.chunk())
        await settled()
        assert server.outstanding == 1
        server.feed(b"c", more=False)
        assert await third == b"c"
        assert await incoming.chunk() == b""
        replayed = incoming.replay(b"abc")
        assert (await replayed())["body"] == b"abc"
        last = asyncio.create_task(replayed())
        await settled()
        server.leave()
        assert (await last)["type"] == "http.disconnect"
        assert (server.most, server.cancelled) == (1, 0)

    asyncio.run(scene())


def test_a_message_is_not_lost_where_the_application_gives_up_waiting_for_it():
    async def scene() -> None:
        server = Server()
        incoming = incoming_of(server)
        incoming.gone()
        waiting = asyncio.create_task(incoming.receive())
        await settled()
        waiting.cancel()
        await settled()
        assert (waiting.cancelled(), server.cancelled) == (True, 0)
        server.feed(b"late", more=False)
        assert (await incoming.receive())["body"] == b"late"

    asyncio.run(scene())


def test_no_more_than_so_much_is_read_ahead():
    async def scene() -> None:
        server = Server()
        incoming = incoming_of(server)
        gone = incoming.gone()
        for _ in range(100):
            server.feed(b"x" * 4096)
        server.leave()
        await settled()
        assert server.calls == AHEAD // 4096
        assert not gone.done()
        with pytest.raises(ClientGone):
            for _ in range(101):
                assert await incoming.chunk() == b"x" * 4096

    asyncio.run(scene())


def test_a_failure_of_the_server_is_raised_where_its_message_is_wanted():
    async def scene() -> None:
        async def receive() -> dict[str, Any]:
            raise OSError("broken")

        incoming = Incoming(receive, "http", [])
        gone = incoming.gone()
        await settled()
        assert not gone.done()
        with pytest.raises(OSError, match="broken"):
            await incoming.chunk()

    asyncio.run(scene())


def test_what_nobody_wants_any_more_is_no_longer_waited_for():
    async def scene() -> None:
        server = Server()
        incoming = incoming_of(server)
        incoming.gone()
        await settled()
        incoming.close()
        await settled()
        assert (server.outstanding, server.cancelled) == (0, 1)

    asyncio.run(scene())


def test_a_client_that_waits_to_be_asked_for_its_body_is_not_asked_by_watching():
    async def scene() -> None:
        server = Server()
        incoming = incoming_of(server, (b"expect", b"100-continue"))
        incoming.gone()
        await settled()
        assert server.calls == 0
        server.feed(b"asked")
        assert await incoming.chunk() == b"asked"
        incoming.gone()  # the body is being read now
        await settled()
        assert server.calls == 2
        incoming.close()

    asyncio.run(scene())


def test_nothing_is_received_before_a_websocket_is_accepted():
    async def scene() -> None:
        server = Server()
        incoming_of(server, kind="websocket").gone()
        await settled()
        assert server.calls == 0

    asyncio.run(scene())


def test_a_request_that_has_not_to_wait_is_not_watched():
    async def scene() -> None:
        server, watched = Server(), []

        def gone() -> Any:
            watched.append(1)

        hashing = Hashing()
        hashing.released.set()
        guard = slow_guard(hashing)
        incoming = incoming_of(server)
        scope = {
            "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "client": ("192.0.2.1", 1),
            "headers": [(b"authorization", b"fake alice")],
        }  # fmt: skip
        await AsyncGuard.of(guard).admit(request_of(scope), incoming.chunk, gone=gone)
        assert (hashing.count, watched, server.calls) == (1, [], 0)

    asyncio.run(scene())


# ---- connections -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["as this system does", "without POLLRDHUP"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without POLLRDHUP":
        monkeypatch.delattr(select, "POLLRDHUP")


@pytest.mark.usefixtures("system")
def test_a_connection_knows_whether_its_client_has_left():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not connections.has_left(ours)
        theirs.send(b"more")
        assert not connections.has_left(ours)
        assert ours.recv(10) == b"more"
        theirs.close()
        assert connections.has_left(ours)


@pytest.mark.usefixtures("system")
def test_a_connection_that_was_reset_was_left():
    listening = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listening.getsockname())
    ours, _ = listening.accept()
    with ours, listening:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        theirs.close()
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        assert poll.poll(PATIENCE * 1000)
        assert connections.has_left(ours)


@pytest.mark.usefixtures("system")
def test_of_what_is_no_open_connection_nothing_is_said():
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    assert not connections.has_left(ours)
    assert not connections.has_left(object())


@pytest.mark.usefixtures("system")
def test_linux_sees_a_client_leave_whatever_it_sent_before():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"unread")
        theirs.close()
        assert connections.has_left(ours) is hasattr(select, "POLLRDHUP")


@pytest.mark.parametrize("name", ["gunicorn.socket", "werkzeug.socket"])
def test_a_wsgi_server_that_hands_out_its_connection_is_asked_by_it(name):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not client_has_left({name: ours})
        theirs.close()
        assert client_has_left({name: ours})


def test_waitress_is_asked_in_its_own_way_and_others_not_at_all():
    left = [False, True]
    environ = {"waitress.client_disconnected": lambda: left.pop(0)}
    assert [client_has_left(environ), client_has_left(environ)] == [False, True]
    assert not client_has_left({})
