"""The applications that `bench.served` compares: the same answer, bare and guarded."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from watchword import Guard, JWTVerifier, Key, TokenCache
from watchword.crypto import jose
from watchword.servers.asgi import protect

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SECRET = b"a secret of the benchmark, known to all of it"
ISSUER, AUDIENCE = "https://id.example", "orders"
KEY = Key.from_secret(SECRET, algorithm="HS256")
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "alice",
    "exp": 4_000_000_000,
    "name": "n" * 150,
    "scope": "read write",
}
TOKEN = jose.sign(msgspec.json.encode(CLAIMS), KEY)
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"2")]


async def bare(scope: Message, receive: Receive, send: Send) -> None:
    """Says ok."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"ok"})


guarded = protect(bare, Guard([JWTVerifier(KEY, issuer=ISSUER, audience=AUDIENCE)]))
cached = protect(bare, Guard([JWTVerifier(KEY, issuer=ISSUER, audience=AUDIENCE, cache=TokenCache())]))


async def limit(scope: Message, receive: Receive, send: Send) -> None:
    """The barest correct check in front of it."""
    if scope["type"] == "http" and not _genuine(scope):
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    await bare(scope, receive, send)


def _genuine(scope: Message) -> bool:
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7] == b"Bearer ":
            signed, _, signature = value[7:].rpartition(b".")
            header, _, payload = signed.partition(b".")
            if not hmac.compare_digest(hmac.digest(SECRET, signed, "sha256"), urlsafe_b64decode(signature + b"=")):
                return False
            if msgspec.json.decode(urlsafe_b64decode(header + b"=="))["alg"] != "HS256":
                return False
            claims = msgspec.json.decode(urlsafe_b64decode(payload + b"=="))
            return bool(claims["iss"] == ISSUER and claims["aud"] == AUDIENCE and claims["exp"] > time.time())
    return False
