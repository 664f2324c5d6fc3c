"""A handler that fails: a webhook may come again then, and nothing else may; in every adapter, and by the guard's own method."""

from __future__ import annotations

import asyncio
import io
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.schemes.test_mark_owners import A, B, BODY, NOW, TWO, Shown, mac_key, signed, token, webhook
from watchword import (
    AllOf, AsyncGuard, ConfigurationError, Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, Request, StoreUnavailable, WebhookVerifier,
)  # fmt: skip
from watchword.core.io import once, once_async
from watchword.core.limits import Limits
from watchword.core.records import TakeBack
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers import asgi, http_server, wsgi
from watchword.servers.asgi.taking_back import taking_back as asgi_taking_back
from watchword.servers.wsgi.taking_back import taking_back as wsgi_taking_back
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore

CLOCK: Callable[[], float] = lambda: NOW  # noqa: E731 -- a constant
Does = str
"""What a handler does: a status, with its answer; or one of the ways to fail below."""

FAILS = ("500", "503", "599", "raises", "raises on the way", "answers nothing")
SUCCEEDS = ("200", "204", "302", "404", "409", "429")


class Failure(Exception):
    """What a handler raises."""


# ---- one delivery, through each adapter ------------------------------------------------------------------------------


def by_asgi(guard: Any, shown: Shown, does: Does, handle: Callable[[], None] = lambda: None) -> int:
    """The status that the client gets, 0 for none."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        handle()
        if does == "answers nothing":
            return
        if does == "raises":
            raise Failure
        await send({"type": "http.response.start", "status": int(does) if does.isdigit() else 200, "headers": []})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        if does == "raises on the way":
            raise Failure
        await send({"type": "http.response.body", "body": b" more"})
        if does == "raises afterwards":
            raise Failure

    return asyncio.run(ask_asgi(asgi.protect(app, guard), shown))


async def ask_asgi(app: Any, shown: Shown) -> int:
    request, bodies, statuses = shown.request, [shown.body], [0]
    scope = {
        "type": "http", "method": request.method, "scheme": request.scheme, "raw_path": request.target, "path": "/",
        "query_string": b"", "headers": [(b"host", request.authority.encode()), *request.headers], "client": None,
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": bodies.pop()} if bodies else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    try:
        await app(scope, receive, send)
    except Failure:
        return 500
    return statuses[-1]


def by_wsgi(
    guard: Guard, shown: Shown, does: Does, handle: Callable[[], None] = lambda: None, how: str = "list"
) -> int:
    def chunks(start: Any) -> Iterator[bytes]:
        if does == "raises":
            raise Failure
        start(f"{does if does.isdigit() else 200} Whatever", [])
        yield b"some"
        if does == "raises on the way":
            raise Failure
        yield b" more"

    def app(environ: Any, start: Any) -> Any:
        handle()
        if does == "answers nothing":
            return []
        if how == "write":
            write = start(f"{does if does.isdigit() else 200} Whatever", [])
            if does == "raises":
                raise Failure
            write(b"some")
            if does == "raises on the way":
                raise Failure
            return []
        made = chunks(start)
        return list(made) if how == "list" else made

    request, statuses = shown.request, ["0"]
    environ = {
        "REQUEST_METHOD": request.method, "wsgi.url_scheme": request.scheme, "HTTP_HOST": request.authority,
        "RAW_URI": request.target.decode(), "wsgi.input": io.BytesIO(shown.body), "CONTENT_LENGTH": str(len(shown.body)),
        "wsgi.errors": io.StringIO(),
        **{f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode("latin-1") for name, value in request.headers},
    }  # fmt: skip

    def start(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)
        return lambda data: None

    try:
        answer = wsgi.protect(app, guard)(environ, start)
        try:
            for _ in answer:
                pass
        finally:
            getattr(answer, "close", lambda: None)()
    except (Failure, ValueError):  # or there was no start_response, which PEP 3333 forbids
        return 500
    return int(statuses[-1].partition(" ")[0])


def by_http_server(guard: Guard, shown: Shown, does: Does, handle: Callable[[], None] = lambda: None) -> int:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            handle()
            if does == "answers nothing":
                raise TimeoutError  # which http.server swallows
            if does == "raises":
                raise Failure
            self.send_response(int(does) if does.isdigit() else 200)
            self.send_header("Connection", "close")
            self.end_headers()
            if does not in ("204", "302"):
                self.wfile.write(b"some")
            if does == "raises on the way":
                raise Failure

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    with serving(http_server.protect(Handler, guard)) as port:
        return ask(port, shown)


@contextmanager
def serving(handler: Any) -> Iterator[int]:
    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass

    with Quiet(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, shown: Shown) -> int:
    request = shown.request
    lines = [
        b"%b %b HTTP/1.1" % (request.method.encode(), request.target), b"host: " + request.authority.encode(), b"connection: close",
        b"content-length: %d" % len(shown.body), *(b"%b: %b" % pair for pair in request.headers), b"", b"",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(b"\r\n".join(lines) + shown.body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1]) if answer else 0


ADAPTERS: dict[str, Callable[..., int]] = {
    "asgi": by_asgi,
    "wsgi": by_wsgi,
    "wsgi, a generator": lambda *args: by_wsgi(*args, how="generator"),
    "wsgi, write()": lambda *args: by_wsgi(*args, how="write"),
    "http.server": by_http_server,
}


def verdict(guard: Guard, shown: Shown) -> Reason | None:
    """What the guard says of it, without any handler."""
    try:
        guard.verify(shown.request, shown.body)
    except Rejected as rejected:
        return rejected.reason
    return None


def guarded(shown: Shown, store: Any = None, **options: Any) -> Guard:
    policy = Policy(clock=CLOCK, limits=Limits(body=100))
    return Guard([shown.verifier], MemoryStore(clock=CLOCK) if store is None else store, policy=policy, **options)


@pytest.mark.parametrize("does", [*FAILS, *SUCCEEDS])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_webhook_comes_again_exactly_if_its_handler_failed(adapter: str, does: Does) -> None:
    shown = webhook([A.encode(), B.encode()])
    guard = guarded(shown)
    ADAPTERS[adapter](guard, shown, does)
    assert verdict(guard, shown) is (None if does in FAILS else Reason.REPLAYED)
    assert verdict(guard, shown) is Reason.REPLAYED


@pytest.mark.parametrize("does", FAILS)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_does_so_whatever_is_round_the_answer(adapter: str, does: Does) -> None:
    shown = webhook(A.encode())
    guard = guarded(shown, seal=SignatureSeal(Key.generate("ed25519")))
    ADAPTERS[adapter](guard, shown, does)
    assert verdict(guard, shown) is None


@pytest.mark.parametrize("adapter", ["asgi", "wsgi", "http.server"])
def test_an_answer_that_is_too_long_to_be_sealed_is_a_failure(adapter: str) -> None:
    shown = webhook(A.encode())
    guard = guarded(shown, seal=SignatureSeal(Key.generate("ed25519")))
    guard.plan.limits = Limits(body=8)  # the handlers say nine octets at most
    status = ADAPTERS[adapter](guard, shown, "200")
    guard.plan.limits = Limits()
    assert verdict(guard, shown) is (None if status == 500 else Reason.REPLAYED)
    assert status == (200 if adapter == "http.server" else 500)


def test_what_fails_after_its_answer_has_not_failed() -> None:
    """Work that a framework does in the background: the sender has its 200, and does not come again."""
    shown = webhook(A.encode())
    guard = guarded(shown)
    assert by_asgi(guard, shown, "raises afterwards") == 500, "which is the exception's, for the log"
    assert verdict(guard, shown) is Reason.REPLAYED


def _body(kind: str = "http.response.body", **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


@pytest.mark.parametrize(
    ("messages", "fails"),
    [
        ([_body("http.response.start", status=200), _body()], False),
        ([_body("http.response.start", status=200), _body(more_body=True)], True),
        ([_body("http.response.start", status=200), _body(more_body=True), _body(more_body=False)], False),
        ([_body("http.response.start", status=200)], True),
        ([_body("http.response.start", status=499), _body()], False),
        ([_body("http.response.start", status=500), _body()], True),
        ([_body("http.response.start", status=200), _body("http.response.pathsend", path="/x")], False),
        ([_body("http.response.start", status=200), _body("http.response.zerocopysend", more_body=True)], True),
        ([_body("http.response.start", status=200), _body("http.response.zerocopysend")], False),
        ([_body("http.response.start", status=200, trailers=True), _body(), _body("http.response.trailers")], False),
        ([_body("websocket.accept"), _body("websocket.close")], False),
        ([_body("websocket.close")], False),
        ([_body("websocket.http.response.start", status=503), _body("websocket.http.response.body")], True),
        ([_body("websocket.http.response.start", status=403), _body("websocket.http.response.body")], False),
        ([], True),
    ],
)
def test_an_asgi_application_has_failed_unless_it_completes_an_answer_below_500(messages: Any, fails: bool) -> None:
    shown = webhook(A.encode())
    guard = AsyncGuard.of(guarded(shown))
    sent = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    async def send(message: Any) -> None:
        if message.get("status", 0) >= 500:  # before anything goes out
            assert await said() is None
        sent.append(message)

    async def said() -> Reason | None:
        try:
            await guard.verify(shown.request, shown.body)
        except Rejected as rejected:
            return rejected.reason
        return None

    async def main() -> Reason | None:
        admission = await guard.admit(shown.request, once_async(shown.body))
        await asgi_taking_back(partial(app, {}, None), guard, admission, send)
        return await said()

    again = asyncio.run(main())
    assert sent == messages
    if messages and messages[0].get("status", 0) >= 500:
        assert again is Reason.REPLAYED, "it was accepted when the answer went out"
    else:
        assert again is (None if fails else Reason.REPLAYED)


class Iterable:
    """An answer of a WSGI application that notes whether it was closed."""

    def __init__(self) -> None:
        self.closed = False
        self._chunks = iter([b"some", b" more"])

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("taken", "fails"), [(0, True), (1, False), (2, False), (3, False)])
def test_a_wsgi_answer_has_failed_if_nothing_of_it_was_taken(taken: int, fails: bool) -> None:
    """Some servers close an answer once they have what Content-Length says; others, because the client is gone."""
    shown = webhook(A.encode())
    guard, made = guarded(shown), Iterable()

    def app(environ: Any, start: Any) -> Any:
        start("200 OK", [])
        return made

    answer = wsgi_taking_back(app, guard, guard.admit(shown.request, once(shown.body)))({}, lambda *_: None)
    assert len(list(islice(answer, taken))) == min(taken, 2)
    answer.close()  # type: ignore[attr-defined]
    assert made.closed
    assert verdict(guard, shown) is (None if fails else Reason.REPLAYED)


@pytest.mark.parametrize(("statuses", "fails"), [(("200", "500"), True), (("500", "200"), False)])
def test_of_a_wsgi_application_the_last_status_before_the_first_octet_counts(statuses: Any, fails: bool) -> None:
    shown = webhook(A.encode())
    guard = guarded(shown)

    def app(environ: Any, start: Any) -> Any:
        for status in statuses:
            start(f"{status} Whatever", [], None)
        return [b"some"]

    assert list(wsgi_taking_back(app, guard, guard.admit(shown.request, once(shown.body)))({}, lambda *_: None))
    assert verdict(guard, shown) is (None if fails else Reason.REPLAYED)


@pytest.mark.parametrize("does", [*FAILS, "200"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_verified_is_remembered_whatever_becomes_of_it(adapter: str, does: Does) -> None:
    shown = webhook(A.encode(), remember="verified")
    guard = guarded(shown)
    ADAPTERS[adapter](guard, shown, does)
    assert verdict(guard, shown) is Reason.REPLAYED


@pytest.mark.parametrize("does", ["500", "raises", "answers nothing"])
@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("name", TWO)
def test_nothing_but_webhooks_comes_again(name: str, adapter: str, does: Does) -> None:
    if adapter == "http.server" and "webhook" in name:
        name = "webhook standard"  # others have been tried
    store = MemoryStore(clock=CLOCK)
    shown, _ = TWO[name](store)
    guard = Guard([shown.verifier], store, policy=Policy(clock=CLOCK, public_url=https))
    assert ADAPTERS[adapter](guard, shown, does) in (0, 500)
    assert verdict(guard, shown) is (None if "webhook" in name else Reason.REPLAYED)


def https(request: Request) -> Request:
    """http.server has no TLS here, and signatures cover the scheme."""
    return request.seen_as("https", request.authority, request.target, request.peer)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_of_several_proofs_only_the_webhooks_is_given_back(adapter: str) -> None:
    first, second = (token(mac_key(A), jti=jti) for jti in ("t1", "t2"))
    delivery = webhook(A.encode(), subject="alice")
    both = AllOf(first.verifier, delivery.verifier)
    shown = [Shown(both, each.request.with_headers(delivery.request.headers), BODY) for each in (first, second)]
    guard = guarded(shown[0])
    assert ADAPTERS[adapter](guard, shown[0]._replace(request=posted(shown[0])), "500") == 500
    assert verdict(guard, shown[0]) is Reason.REPLAYED, "the token is used up"
    assert verdict(guard, shown[1]) is None, "the webhook is not"
    assert verdict(guard, shown[1]) is Reason.REPLAYED


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_another_proof_refuses_while_the_body_passes_has_not_failed(adapter: str) -> None:
    store = MemoryStore(clock=CLOCK)
    store.add_key("alice", mac_key(A, "k1"))
    delivery = webhook(A.encode(), subject="alice")
    both = AllOf(delivery.verifier, HMACVerifier(stream=True))
    of_another_body = signed(HMACAuth(mac_key(A, "k1")), b"another body")
    request = of_another_body.with_headers(delivery.request.headers)
    guard = Guard([both], store, policy=Policy(clock=CLOCK, public_url=https))
    assert ADAPTERS[adapter](guard, Shown(both, request, BODY), "200") == 401
    assert verdict(Guard([delivery.verifier], store, policy=Policy(clock=CLOCK)), delivery) is Reason.REPLAYED


def posted(shown: Shown) -> Request:
    request = shown.request
    return Request("POST", request.scheme, request.authority, request.target, request.headers)


# ---- several at once, and crashes ------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryStore(clock=CLOCK)
    else:
        with SQLStore(f"sqlite:///{tmp_path}/a.db", clock=CLOCK) as made:
            yield made


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_while_one_is_handled_another_is_refused_and_after_its_failure_accepted(store: Any, adapter: str) -> None:
    shown = webhook([A.encode(), B.encode()])
    guard = guarded(shown, store)
    seen: list[Reason | None] = []
    look = lambda: seen.append(verdict(guard, shown))  # noqa: E731 -- in the handler
    assert ADAPTERS[adapter](guard, shown, "500", look) == 500
    assert seen == [Reason.REPLAYED]
    assert ADAPTERS[adapter](guard, shown, "200", look) == 200
    assert seen == [Reason.REPLAYED] * 2
    assert ADAPTERS[adapter](guard, shown, "200", look) == 401
    assert seen == [Reason.REPLAYED] * 2


def test_of_many_at_once_one_is_handled_at_a_time_until_one_succeeds(store: Any) -> None:
    shown = webhook(A.encode())
    guard = guarded(shown, store)
    inside, handled = threading.Semaphore(1), []
    turn = threading.Lock()

    def handle() -> None:
        assert inside.acquire(blocking=False), "two are handled at once"
        handled.append(1)
        time.sleep(0.001)
        inside.release()

    def deliver() -> None:
        for _ in range(8):
            with turn:
                does = "200" if len(handled) == 5 else "500"
            statuses.append(by_wsgi(guard, shown, does, handle))

    statuses: list[int] = []
    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 401, 500}
    assert len(statuses) == 48
    assert statuses.count(200) + statuses.count(500) == len(handled)
    assert by_wsgi(guard, shown, "200", handle) == (401 if 200 in statuses else 200)
    assert verdict(guard, shown) is Reason.REPLAYED
    assert statuses.count(200) <= 1


def test_of_many_tasks_at_once_one_is_handled_at_a_time(tmp_path: Path) -> None:
    shown = webhook(A.encode())

    async def main() -> list[int]:
        async with AsyncSQLStore(f"sqlite:///{tmp_path}/a.db", clock=CLOCK) as store:
            guard = AsyncGuard([shown.verifier], store, policy=Policy(clock=CLOCK))
            inside = 0

            async def app(scope: Any, receive: Any, send: Any) -> None:
                nonlocal inside
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1
                raise Failure

            guarded_app = asgi.protect(app, guard)
            return await asyncio.gather(*(ask_asgi(guarded_app, shown) for _ in range(40)))

    statuses = asyncio.run(main())
    assert set(statuses) <= {401, 500}
    assert 500 in statuses


@pytest.mark.parametrize("kind", ["memory", "sql", "async"])
def test_a_handler_that_is_cancelled_has_failed_however_often_that_is_said(tmp_path: Path, kind: str) -> None:
    shown = webhook(A.encode())

    async def main() -> Reason | None:
        stores: dict[str, Callable[[], Any]] = {
            "memory": lambda: MemoryStore(clock=CLOCK),
            "sql": lambda: SQLStore(f"sqlite:///{tmp_path}/a.db", clock=CLOCK),
            "async": lambda: AsyncSQLStore(f"sqlite:///{tmp_path}/a.db", clock=CLOCK),
        }
        store = stores[kind]()
        guard = AsyncGuard([shown.verifier], store, policy=Policy(clock=CLOCK))
        begun = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(ask_asgi(asgi.protect(app, guard), shown))
        await begun.wait()
        for _ in range(20):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        said: Reason | None = Reason.REPLAYED
        for _ in range(400):  # what was begun goes on by itself
            try:
                await guard.verify(shown.request, shown.body)
            except Rejected:
                await asyncio.sleep(0.005)
            else:
                said = None
                break
        if kind == "async":
            await store.close()
        elif kind == "sql":
            store.close()
        return said

    assert asyncio.run(main()) is None


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_a_request_that_is_cancelled_while_its_mark_is_made_leaves_none(others: bool, again: bool) -> None:
    """No application sees it. A mark that another request has made stays."""
    shown, store = webhook(A.encode()), Slow()

    async def main() -> Reason | None:
        guard = AsyncGuard([shown.verifier], store, policy=Policy(clock=CLOCK))
        if others:
            store.gate.set()
            await guard.verify(shown.request, shown.body)
            store.gate.clear()
        task = asyncio.ensure_future(guard.verify(shown.request, shown.body))
        await store.begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        if again:
            task.cancel()
            await asyncio.sleep(0)
        store.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(20):  # what was begun goes on by itself
            await asyncio.sleep(0)
        try:
            await guard.verify(shown.request, shown.body)
        except Rejected as rejected:
            return rejected.reason
        return None

    assert asyncio.run(main()) is (Reason.REPLAYED if others else None)


class Slow:
    """A store that goes on with what it has begun, as a database does, and stands still until `gate` is set."""

    kinds = None

    def __init__(self) -> None:
        self.store = MemoryStore(clock=CLOCK)
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()

    async def fetch(self, refs: Any, /) -> Any:
        return self.store.fetch(refs)

    async def commit(self, writes: Any, /) -> Any:
        return await asyncio.shield(asyncio.ensure_future(self._commit(writes)))

    async def _commit(self, writes: Any) -> Any:
        if not self.gate.is_set():
            self.begun.set()
        await self.gate.wait()
        return self.store.commit(writes)


CRASH = """
import os, signal, sys
from tests.servers.test_taking_back import CLOCK, by_wsgi, guarded
from tests.schemes.test_mark_owners import A, webhook
from watchword.stores import SQLStore
shown = webhook(A.encode())
guard = guarded(shown, SQLStore(sys.argv[1], clock=CLOCK))
by_wsgi(guard, shown, "200", lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_process_that_is_killed_takes_nothing_back(tmp_path: Path) -> None:
    """So a delivery is handled once at most, until its mark ends."""
    url = f"sqlite:///{tmp_path}/a.db"
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", CRASH, url], cwd=root, env={"PYTHONPATH": ":".join([str(root), *sys.path])}, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    shown = webhook(A.encode())
    with SQLStore(url, clock=CLOCK) as store:
        assert verdict(guarded(shown, store), shown) is Reason.REPLAYED


# ---- the store -------------------------------------------------------------------------------------------------------


class Stubborn(MemoryStore):
    """A store that takes nothing back."""

    def __init__(self, error: Exception) -> None:
        super().__init__(clock=CLOCK)
        self.error = error

    def commit(self, writes: Sequence[Any], /) -> Any:
        if any(isinstance(write, TakeBack) for write in writes):
            raise self.error
        return super().commit(writes)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("gone"), ConfigurationError("it only looks up"), TypeError("what is that?")]
)
@pytest.mark.parametrize("does", ["200", "500", "503"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_where_the_store_fails_the_answer_is_the_same_and_the_log_tells(
    caplog: pytest.LogCaptureFixture, adapter: str, does: Does, error: Exception
) -> None:
    shown = webhook(A.encode())
    guard = guarded(shown, Stubborn(error))
    with caplog.at_level(logging.ERROR, "watchword"):
        assert ADAPTERS[adapter](guard, shown, does) == int(does)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == ([] if does == "200" else [error])
    assert verdict(guard, shown) is Reason.REPLAYED


# ---- the guard's own method ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aio", [False, True])
def test_who_calls_admit_gives_back_by_the_guard(aio: bool) -> None:
    shown = webhook([A.encode(), B.encode()])
    guard = guarded(shown)
    if aio:
        awaited = AsyncGuard.of(guard)

        async def fail() -> None:
            admission = await awaited.admit(shown.request, once_async(shown.body))
            await awaited.take_back(admission)

        asyncio.run(fail())
    else:
        guard.take_back(guard.admit(shown.request, once(shown.body)))
    assert verdict(guard, shown) is None
    assert verdict(guard, shown) is Reason.REPLAYED


@pytest.mark.parametrize("adapter", [*ADAPTERS, "admit"])
@pytest.mark.parametrize("remember", [300, "verified"])
def test_what_no_application_sees_since_the_observer_raises_comes_again(adapter: str, remember: Any) -> None:
    def observe(_: Any) -> None:
        raise Failure

    shown, store = webhook(A.encode(), remember=remember), MemoryStore(clock=CLOCK)
    observed = guarded(shown, store, observe=observe)
    if adapter == "admit":
        with pytest.raises(Failure):
            observed.verify(shown.request, shown.body)
    else:
        assert ADAPTERS[adapter](observed, shown, "200") in (0, 500)
    assert verdict(guarded(shown, store), shown) is (None if remember == 300 else Reason.REPLAYED)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_is_refused_for_what_the_guards_seal_would_say_of_it_comes_again(adapter: str) -> None:
    """Whoever adds a wrong Content-Digest on the way uses up no delivery."""
    shown, store = webhook(A.encode()), MemoryStore(clock=CLOCK)
    changed = shown.request.with_headers(((b"content-digest", b"sha-256=:%s:" % (b"A" * 43 + b"=")),))
    sealing = guarded(shown, store, seal=SignatureSeal(Key.generate("ed25519")))
    assert ADAPTERS[adapter](sealing, shown._replace(request=changed), "200") == 401
    assert ADAPTERS[adapter](sealing, shown, "200") == 200
    assert verdict(sealing, shown) is Reason.REPLAYED


def test_an_admission_gives_back_its_own_mark_once() -> None:
    shown = webhook(A.encode())
    guard = guarded(shown)
    first = guard.admit(shown.request, once(shown.body))
    guard.take_back(first)
    guard.admit(shown.request, once(shown.body))
    guard.take_back(first)
    assert verdict(guard, shown) is Reason.REPLAYED, "that is the second one's mark"


def test_a_mark_that_has_ended_is_not_taken_back() -> None:
    """The store may have forgotten it, and made another one."""
    now = NOW
    shown = webhook(A, "github")
    store = MemoryStore(clock=lambda: now)
    guard = Guard([shown.verifier], store, policy=Policy(clock=lambda: now))
    late = guard.admit(shown.request, once(shown.body))
    now += 400
    for number in range(200):  # other deliveries, at which the store forgets
        headers = dict(shown.request.headers) | {b"x-github-delivery": b"%d" % number}
        request = Request("POST", "https", "hooks.example", "/in", list(headers.items()))
        assert verdict(guard, shown._replace(request=request)) is None
    assert verdict(guard, shown) is None, "it was forgotten"
    guard.take_back(late)
    assert verdict(guard, shown) is Reason.REPLAYED


@pytest.mark.parametrize("remember", ["seen", "", -1, float("nan"), float("inf"), True + 0.5j])
def test_what_remember_can_not_be_is_refused(remember: Any) -> None:
    with pytest.raises(ConfigurationError, match="remember is a number"):
        WebhookVerifier(A, "github", remember=remember)


def test_verified_remembers_as_long_as_the_default() -> None:
    shown = webhook(A, "github", remember="verified")
    assert WebhookVerifier(A, "github").remember == WebhookVerifier(A, "github", remember="verified").remember == 300
    assert verdict(guarded(shown), shown) is None
