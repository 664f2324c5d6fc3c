"""What a policy has refusals say, through each adapter: the account for developers is the body, the request id a field."""

from __future__ import annotations

import asyncio
import io
import socket
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from tests.patience import PATIENCE
from tests.servers.test_taking_back import serving
from watchword import Guard, HMACVerifier, JWTVerifier, Key, Policy
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers import asgi, http_server, wsgi
from watchword.stores import ExplanationLog, MemoryStore

HOST = "127.0.0.1:8000"
Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[..., Answer]


@pytest.fixture(autouse=True)
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENV", "development")


def by_asgi(guard: Guard, fields: dict[str, str], content: bytes = b"") -> Answer:
    async def app(*_: Any) -> None:
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": content, "more_body": False}

    scope = {
        "type": "http", "method": "POST", "scheme": "http", "path": "/orders", "raw_path": b"/orders", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    asyncio.run(asgi.protect(app, guard)(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message["body"] for message in sent[1:])


def by_wsgi(guard: Guard, fields: dict[str, str], content: bytes = b"") -> Answer:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    more = {
        "HTTP_" + name.upper().replace("-", "_"): value for name, value in fields.items() if name != "Content-Length"
    }
    more |= {"CONTENT_LENGTH": fields.get("Content-Length", ""), "REQUEST_METHOD": "POST"}
    environ.update({"REMOTE_ADDR": "127.0.0.1", "RAW_URI": "/orders", "wsgi.input": io.BytesIO(content), **more})
    begun: list[Any] = []
    body = b"".join(wsgi.protect(lambda *_: [], guard)(environ, lambda *start: begun.append(start)))
    return int(begun[0][0].split()[0]), {name.lower(): value for name, value in begun[0][1]}, body


def by_http_server(guard: Guard, fields: dict[str, str], content: bytes = b"") -> Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with (
        serving(http_server.protect(BaseHTTPRequestHandler, guard)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection,
    ):
        connection.sendall(f"POST /orders HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode() + content)
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
    assert b"  POST http://127.0.0.1:8000/orders\n" in body


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
    assert b64encode(sha256(body).digest()).decode() in headers["content-digest"]


def test_a_refusal_has_a_request_id_under_which_its_explanation_is_kept(ask: Ask, tmp_path: Path) -> None:
    """The guard had no need of the body; it is read for the explanation, which finds the token in it."""
    log = ExplanationLog(tmp_path)
    guard = Guard([JWTVerifier(Key.generate("HS256"))], policy=Policy(explanations=log))
    content = b'{"access_token": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}'
    status, headers, body = ask(guard, {"Host": HOST, "Content-Length": str(len(content))}, content)
    assert (status, body) == (401, b"")
    log.flush()
    (kept,) = log.read(headers["x-request-id"])
    assert (kept.method, kept.path, kept.note) == ("POST", "/orders", "")
    assert kept.explanation.causes[0].name == "place"
    assert "in the body" in kept.explanation.causes[0].received
