"""A server's cookies can't end an authenticated request, nor put fields into the next one."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from watchword import BasicAuth, DigestAuth
from watchword.clients import httpx as our_httpx
from watchword.clients import httpx2 as our_httpx2

CHALLENGE = b'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
COOKIES = [
    "a=\u00e9",
    "\u00ff=\u00ff",
    "a=b; Domain=evil.example",
    "a=b\x0bc",
    "a",
    "=;",
    'a="x\\"y"',
    "a=b; Max-Age=x",
    "a=\x1b[2J",
]


@pytest.mark.parametrize(("library", "ours"), [(httpx, our_httpx), (httpx2, our_httpx2)])
@pytest.mark.parametrize("cookie", COOKIES)
@pytest.mark.parametrize("auth", [BasicAuth("alice", "open sesame"), DigestAuth("alice", "open sesame")], ids=repr)
def test_the_answer_is_the_callers(library: ModuleType, ours: Any, cookie: str, auth: Any) -> None:
    seen: list[Any] = []

    def serve(request: Any) -> Any:
        seen.append(request)
        status = 200 if "authorization" in request.headers else 401
        headers = [(b"Set-Cookie", cookie.encode()), (b"WWW-Authenticate", CHALLENGE)]
        return library.Response(status, headers=headers)

    with library.Client(transport=library.MockTransport(serve)) as client:
        assert client.get("https://api.example/", auth=ours.adapt(auth)).status_code == 200
    for request in seen:
        for name, value in request.headers.raw:
            assert not set(b"\r\n\0") & {*name, *value}
            assert name.lower() in {
                b"host",
                b"accept",
                b"accept-encoding",
                b"connection",
                b"user-agent",
                b"authorization",
                b"cookie",
            }
            assert name.lower() != b"cookie" or b"Domain" not in value
