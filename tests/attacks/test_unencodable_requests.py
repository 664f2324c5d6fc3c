"""Text that no octets stand for (half a surrogate pair) is refused, or judged, but never ends in another exception."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import BasicVerifier, DigestVerifier, Guard, HMACVerifier, JWTVerifier, Key
from watchword.servers import asgi, wsgi
from watchword.stores import MemoryStore

STORE = MemoryStore()
GUARD = Guard(
    [JWTVerifier(Key.generate("HS256")), BasicVerifier(realm="r"), DigestVerifier(realm="r"), HMACVerifier()], STORE
)
# Each names a key or user that is not there, where it can be read at all; Basic never hashes here.
CREDENTIALS = [
    "", "Basic", "Basic \ud800", "Basic x", "Bearer \udc80", "Bearer e30.e30.e30", "Digest \ud800",
    'Digest username="a", realm="r", nonce="n", uri="/\udc80", qop=auth, nc=00000001, cnonce="c", response="' + "0" * 64 + '"',
    'HMAC version=1, keyid="k", timestamp=0, nonce="nnnnnnnnnnnnnnnn", digest="' + "A" * 43 + '", mac="' + "A" * 43 + '"',
]  # fmt: skip
PATHS = ["/", "", "/\ud800", "/\udc80", "/\udfff\ud800x", "/é", "/\u20ac", "/%\x00", "*", "/a b"]
TEXTS = st.text(st.characters(codec=None), max_size=20)


async def _nobody(*_: Any) -> None:
    raise AssertionError("admitted")


def ask_asgi(path: str, method: str, headers: list[tuple[bytes, bytes]]) -> int:
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, "client": None}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi.protect(_nobody, GUARD)(scope, receive, send))
    return int(sent[0]["status"])


def ask_wsgi(**environ: Any) -> int:
    statuses: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("admitted")

    whole = {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO(), **environ}
    wsgi.protect(app, GUARD)(whole, lambda status, headers: statuses.append(status))
    return int(statuses[0][:3])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_asgi_without_raw_path(path: str, credentials: str) -> None:
    value = credentials.encode("utf-8", "surrogatepass")
    assert ask_asgi(path, "G\ud800", [(b"host", b"h"), (b"authorization", value)]) in (400, 401)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_wsgi(path: str, credentials: str) -> None:
    for name in ("PATH_INFO", "RAW_URI"):
        environ = {name: path, "HTTP_AUTHORIZATION": credentials, "HTTP_HOST": "\ud800", "QUERY_STRING": path}
        assert ask_wsgi(**environ) in (400, 401)


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["Digest ", "HMAC ", "Bearer ", ""]))
def test_any_text_anywhere(path: str, method: str, value: str, word: str) -> None:
    octets = (word + value).encode("utf-8", "surrogatepass")
    assert ask_asgi(path, method, [(b"authorization", octets)]) in (400, 401)
    environ = {"PATH_INFO": path, "HTTP_HOST": value, "CONTENT_LENGTH": method, "HTTP_AUTHORIZATION": word + value}
    assert ask_wsgi(REQUEST_METHOD=method, **environ) in (400, 401)
