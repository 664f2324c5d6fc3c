"""The API itself: plain ASGI, so that nothing stands between you and the guard."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from examples.api.settings import (
    AUDIENCE, DIGEST_ALGORITHMS, OAUTH1_METHODS, REALM, REGION, SERVICE, TOKEN_ISSUER, Settings,
)  # fmt: skip
from examples.api.stores import async_store, store
from watchword import (
    BasicVerifier, DigestVerifier, DPoPVerifier, Guard, HMACVerifier, JWTVerifier, OAuth1Verifier, OAuth2Verifier, SignatureVerifier,
    SigV4Verifier, Verdict, WebhookVerifier,
)  # fmt: skip
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.guard import AsyncGuard
from watchword.core.scheme import Verifier
from watchword.servers.asgi import identity, protect, requires
from watchword.servers.endpoint import asgi_endpoint
from watchword.stores import AsyncRedisStore, AsyncSQLStore

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def answer(send: Send, status: int, content: object) -> None:
    """One JSON response."""
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def whoami(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who asked."""
    who = identity(scope)
    await answer(send, 200, {"subject": who.subject, "scheme": who.scheme, "scopes": sorted(who.scopes)})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Gives the body back."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    who = identity(scope)
    await answer(send, 200, {"subject": who.subject, "body": body.decode("utf-8", "replace")})


def verifiers(settings: Settings) -> dict[str, Verifier]:
    """The server half of each scheme, by the path that accepts it alone."""
    return {
        "/jwt": JWTVerifier(settings.jwt_key, issuer=settings.base_url, audience=AUDIENCE),
        "/oauth": OAuth2Verifier(settings.oauth_key, issuer=TOKEN_ISSUER, audience=AUDIENCE),
        "/dpop": DPoPVerifier(JWTVerifier(settings.jwt_key, issuer=settings.base_url, audience=AUDIENCE)),
        "/hmac": HMACVerifier(),
        "/signed": SignatureVerifier(),
        "/sigv4": SigV4Verifier(region=REGION, service=SERVICE),
        "/oauth1": OAuth1Verifier(methods=OAUTH1_METHODS, placements=("header", "query"), allow_sha1_body_hash=True),
        "/webhook": WebhookVerifier(settings.webhook_secret, subject="shop", scopes=frozenset({"read", "write"})),
        "/digest": DigestVerifier(realm=REALM, algorithms=DIGEST_ALGORITHMS),
        "/basic": BasicVerifier(realm=REALM),
    }


def build(settings: Settings) -> App:
    """The application: `/whoami` by any scheme, one path for each, `/echo` for scope write, `/token` for clients."""
    kept = async_store(settings.database)
    by_path = verifiers(settings)
    observe = None if settings.verdicts is None else partial(record, settings.verdicts)
    every = AsyncGuard(list(by_path.values()), kept, observe=observe)
    endpoint = TokenEndpoint(settings.oauth_key, issuer=TOKEN_ISSUER, audience=AUDIENCE)
    routes: dict[tuple[str, str], App] = {
        ("GET", "/whoami"): protect(whoami, every),
        ("POST", "/echo"): protect(requires("write")(echo), every),
        ("POST", "/token"): asgi_endpoint(endpoint, kept),
    }
    for path, verifier in by_path.items():
        routes["GET", path] = routes["POST", path] = protect(whoami, AsyncGuard([verifier], kept, observe=observe))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send, kept)
            return
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = routes.get((method, scope["path"]))
        if route is None:
            known = any(path == scope["path"] for _, path in routes)
            await answer(send, 405 if known else 404, {"error": "no such method" if known else "no such path"})
            return
        await route(scope, receive, send)

    return app


def record(path: str, verdict: Verdict) -> None:
    """Appends the verdict, for whoever operates the API: the reason never goes to the client."""
    line = {"reason": verdict.reason and verdict.reason.value, "scheme": verdict.scheme, "detail": verdict.detail}
    with Path(path).open("a") as log:
        log.write(json.dumps(line) + "\n")


async def lifespan(receive: Receive, send: Send, store: AsyncSQLStore | AsyncRedisStore) -> None:
    """Closes the store when the server stops."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await store.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})


def guard() -> Guard:
    """The same guard for `watchword explain --guard examples.api.guards:every`."""
    settings = Settings.load()
    return Guard(list(verifiers(settings).values()), store(settings.database))
