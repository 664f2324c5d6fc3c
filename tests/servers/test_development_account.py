"""`Policy(explain="development")` through each adapter: the account is the body of the 401, whole and described."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from tests.patience import PATIENCE
from tests.servers.test_taking_back import serving
from watchword import Guard, HMACVerifier, Key, Policy
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers import asgi, http_server, wsgi
from watchword.stores import MemoryStore

HOST = "127.0.0.1:8000"
Ask = Callable[[Guard, dict[str, str]], tuple[int, dict[str, str], bytes]]


@pytest.fixture(autouse=True)
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENV", "development")


def by_asgi(guard: Guard, fields: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    async def app(*_: Any) -> None:
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "scheme": "http", "path": "/orders", "raw_path": b"/orders", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    asyncio.run(asgi.protect(app, guard)(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message["body"] for message in sent[1:])


def by_wsgi(guard: Guard, fields: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    more = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in fields.items()}
    environ.update({"REMOTE_ADDR": "127.0.0.1", "RAW_URI": "/orders", "wsgi.input": io.BytesIO(), **more})
    begun: list[Any] = []
    body = b"".join(wsgi.protect(lambda *_: [], guard)(environ, lambda *start: begun.append(start)))
    return int(begun[0][0].split()[0]), {name.lower(): value for name, value in begun[0][1]}, body


def by_http_server(guard: Guard, fields: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with (
        serving(http_server.protect(BaseHTTPRequestHandler, guard)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection,
    ):
        connection.sendall(f"GET /orders HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *rest = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), {line.split(": ")[0].lower(): line.split(": ", 1)[1] for line in rest}, body


ADAPTERS: dict[str, Ask] = {"asgi": by_asgi, "wsgi": by_wsgi, "http.server": by_http_server}


@pytest.fixture(params=ADAPTERS.values(), ids=ADAPTERS)
def ask(request: pytest.FixtureRequest) -> Ask:
    chosen: Ask = request.param
    return chosen


def test_a_program_on_this_machine_reads_why(ask: Ask) -> None:
    guard = Guard([HMACVerifier()], MemoryStore(), policy=Policy(explain="development"))
    status, headers, body = ask(guard, {"Host": HOST})
    assert status == 401
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == str(len(body))
    assert b"refused: no_credentials: " in body
    assert b"  GET http://127.0.0.1:8000/orders\n" in body


def test_whoever_may_be_elsewhere_reads_nothing(ask: Ask) -> None:
    guard = Guard([HMACVerifier()], MemoryStore(), policy=Policy(explain="development"))
    for fields in ({"Host": HOST, "X-Forwarded-For": "192.0.2.7"}, {"Host": "attacker.example"}):
        status, headers, body = ask(guard, fields)
        assert (status, body, headers["content-length"]) == (401, b"", "0")
        assert "content-type" not in headers


def test_a_seal_covers_the_account(ask: Ask) -> None:
    guard = Guard(
        [HMACVerifier()],
        MemoryStore(),
        policy=Policy(explain="development"),
        seal=SignatureSeal(Key.generate("ed25519")),
    )
    _, headers, body = ask(guard, {"Host": HOST})
    from base64 import b64encode
    from hashlib import sha256

    assert b64encode(sha256(body).digest()).decode() in headers["content-digest"]
