"""`X_Forwarded_For` is not `X-Forwarded-For`, except to WSGI, which calls both by one name (docs/reference/public-url.md)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.core.fakes import FakeStore, FakeVerifier
from watchword import Guard, Peer, Policy, PublicURL, Request
from watchword.servers import asgi

URL = PublicURL(forwarded="X-Forwarded", trusted=("10.0.0.0/8",), believe=("for", "proto", "host", "port", "prefix"))


@pytest.mark.parametrize(
    "name",
    [
        "X_Forwarded_For",
        "X-Forwarded_For",
        "X_Forwarded-For",
        "XForwarded-For",
        "X-Forwarded-For ",
        "X-Forwarded-F\u014fr",
    ],
)
def test_a_name_that_looks_like_it_is_not_read(name: str) -> None:
    seen = Request("GET", "http", "app", "/", {name: "6.6.6.6", "X-Forwarded-For": "192.0.2.7"}, Peer("10.0.0.2"))
    assert URL(seen).peer.address == "192.0.2.7"
    alone = Request("GET", "http", "app", "/", {name: "6.6.6.6"}, Peer("10.0.0.2"))
    assert URL(alone).peer.address == "10.0.0.2"


def test_asgi_keeps_them_apart() -> None:
    judged: list[Request] = []

    def public(request: Request) -> Request:
        judged.append(URL(request))
        return judged[-1]

    guard = Guard([FakeVerifier("plain")], FakeStore(), policy=Policy(public_url=public))
    app = asgi.protect(None, guard)  # type: ignore[arg-type] # nobody gets there
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "client": ("10.0.0.2", 1),
        "headers": [
            (b"host", b"app"), (b"x-forwarded-for", b"192.0.2.7"), (b"x_forwarded_for", b"6.6.6.6"),
            (b"x_forwarded_host", b"evil.example"), (b"x_forwarded_proto", b"https"), (b"x_forwarded_prefix", b"/evil"),
        ],
    }  # fmt: skip
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    asyncio.run(app(scope, receive, send))
    assert statuses[0] == 401
    (request,) = judged
    assert (request.peer.address, request.scheme, request.authority, request.target) == (
        "192.0.2.7",
        "http",
        "app",
        b"/",
    )
