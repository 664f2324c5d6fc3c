"""The programs of the pages about Falcon, Sanic and Tornado: who gets in, and what the others get."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from sanic import Sanic
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from watchword import StoreUnavailable
from watchword.crypto import passwords
from watchword.servers.problem import problem

PAGES = Path(__file__).parents[3] / "docs" / "how-to"


class Asked(NamedTuple):
    method: str
    path: str
    credentials: str | None = None
    content: bytes = b""
    fields: dict[str, str] = {}  # noqa: RUF012 -- never changed

    @property
    def headers(self) -> dict[str, str]:
        if self.credentials is None:
            return self.fields
        return {**self.fields, "Authorization": "Basic " + b64encode(self.credentials.encode()).decode()}


Answers = list[httpx2.Response]


async def asked_by(transport: Any, base_url: str, requests: Sequence[Asked]) -> Answers:
    async with httpx2.AsyncClient(transport=transport, base_url=base_url) as client:
        return [
            await client.request(each.method, each.path, headers=each.headers, content=each.content)
            for each in requests
        ]


def of_falcon(program: dict[str, Any], requests: Sequence[Asked]) -> Answers:
    transport = httpx2.WSGITransport(app=program["app"], raise_app_exceptions=False)
    with httpx2.Client(transport=transport, base_url="https://api.example") as client:
        return [client.request(each.method, each.path, headers=each.headers, content=each.content) for each in requests]


def of_sanic(program: dict[str, Any], requests: Sequence[Asked]) -> Answers:
    async def run() -> Answers:
        received, sent = asyncio.Queue[Any](), asyncio.Queue[Any]()
        living = asyncio.create_task(program["app"]({"type": "lifespan"}, received.get, sent.put))
        await received.put({"type": "lifespan.startup"})
        assert (await sent.get())["type"] == "lifespan.startup.complete"
        answers = await asked_by(httpx2.ASGITransport(app=program["app"]), "https://api.example", requests)
        await received.put({"type": "lifespan.shutdown"})
        await living
        return answers

    return asyncio.run(run())


def of_tornado(program: dict[str, Any], requests: Sequence[Asked]) -> Answers:
    async def run() -> Answers:
        listening, port = bind_unused_port()
        server = HTTPServer(program["app"])
        server.add_socket(listening)
        try:
            return await asked_by(None, f"http://127.0.0.1:{port}", requests)
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(run())


ROWS: dict[str, Callable[..., Answers]] = {"falcon": of_falcon, "sanic": of_sanic, "tornado": of_tornado}


@pytest.fixture(params=ROWS)
def page(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, Any], Callable[..., Answers]]]:
    """What the page's program defines, and how it is asked."""
    Sanic._app_registry.pop("orders", None)  # the page may have been run before, by the tests of the documentation
    document = Document.parse(str(PAGES / f"{request.param}.md"), PythonCodeBlockParser())
    for example in document.examples():
        example.evaluate()
    program = document.namespace
    program["store"].add_user("bob", "open sesame", scopes=["orders:read", "orders:write"])
    if request.param == "sanic":
        program["api"].config.TOUCHUP = False  # it would rewrite its own functions, which it can do once in a process
    yield program, lambda *requests: ROWS[request.param](program, requests)
    if request.param == "sanic":
        Sanic.unregister_app(program["api"])


WRITING = {"falcon": "/orders", "sanic": "/orders", "tornado": "/order"}
RIGHT = [
    (Asked("GET", "/orders", "alice:open sesame"), b"alice"),
    (Asked("GET", "/health"), b"{"),
]
REFUSED = [
    (Asked("GET", "/orders"), 401),
    (Asked("GET", "/orders", "alice:guess"), 401),
    (Asked("GET", "/orders", "nobody:open sesame"), 401),
    (Asked("HEAD", "/orders"), 401),
    (Asked("OPTIONS", "/orders"), 401),
    (Asked("POST", "/order(s)"), 401),
    (Asked("POST", "/order(s)", None, b"{malformed", {"Content-Type": "application/json"}), 401),
    (Asked("POST", "/order(s)", "alice:open sesame", b"{malformed", {"Content-Type": "application/json"}), 403),
    (Asked("POST", "/order(s)", "alice:open sesame", b"{}", {"Content-Type": "application/json"}), 403),
]


def at(asked: Asked, request: pytest.FixtureRequest) -> Asked:
    name = request.node.callspec.params["page"]
    return asked._replace(path=asked.path.replace("/order(s)", WRITING[name]))


@pytest.mark.parametrize(("asked", "said"), RIGHT)
def test_who_may_is_let_in_and_known(page: Any, asked: Asked, said: bytes) -> None:
    (answer,) = page[1](asked)
    assert answer.status_code == 200
    assert said in answer.content


def test_who_has_the_scope_may_write(page: Any, request: pytest.FixtureRequest) -> None:
    posted = Asked("POST", "/order(s)", "bob:open sesame", b'{"a": 1}', {"Content-Type": "application/json"})
    (answer,) = page[1](at(posted, request))
    assert (answer.status_code, answer.json()) == (200, {"a": 1})


@pytest.mark.parametrize(("asked", "status"), REFUSED)
def test_whoever_may_not_gets_the_challenge_and_problem_details_that_tell_nothing(
    page: Any, asked: Asked, status: int, request: pytest.FixtureRequest
) -> None:
    (answer,) = page[1](at(asked, request))
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get_list("www-authenticate") == (
        ['Basic realm="orders", charset="UTF-8"'] if status == 401 else []
    )
    if asked.method != "HEAD" and answer.content:  # protect() by itself answers wrong credentials without content
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.content == problem(status)


def test_a_request_is_hashed_once(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    matches = passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda *each: hashed.append(each[0]) or matches(*each))
    page[1](Asked("GET", "/orders", "bob:open sesame"))
    assert len(hashed) == 1


def test_what_cannot_be_judged_is_a_503(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> bool:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(passwords, "_matches", failing)
    (answer,) = page[1](Asked("GET", "/orders", "alice:open sesame"))
    assert answer.status_code == 503
    assert b"disk" not in answer.content


def test_what_a_client_can_send_of_its_own_is_no_identity(page: Any) -> None:
    fields = {"X-Watchword-Identity": "alice", "Watchword-Admission": "alice", "Remote-User": "alice"}
    (answer,) = page[1](Asked("GET", "/orders", fields=fields))
    assert answer.status_code == 401


@pytest.mark.parametrize("page", ["sanic"], indirect=True)
def test_under_sanics_own_server_nobody_is_let_in(page: Any) -> None:
    async def run() -> Answers:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        server = await page[0]["api"].create_server(sock=listening, return_asyncio_server=True, access_log=False)
        await server.startup()
        requests = [Asked("GET", "/orders"), Asked("GET", "/orders", "alice:open sesame")]
        try:
            return await asked_by(None, f"http://127.0.0.1:{listening.getsockname()[1]}", requests)
        finally:
            server.close()
            await server.wait_closed()

    assert [answer.status_code for answer in asyncio.run(run())] == [500, 500]
