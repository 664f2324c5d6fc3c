"""What a guard adds to a route of a framework, against what its usual means add to the same route, in one interleaved run.

Each row calls three apps in this process: the bare one, one with the usual means, and one with watchword as it is deployed,
with several schemes, `observe=` and a `PublicURL` behind one proxy. The figures are what the last two add to the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

from bench.harness import Figure, Interleaved, Unfit
from bench.production import FORWARDED, HOST, PROXY, PUBLIC_URL
from watchword import APIKeyVerifier, BasicVerifier, Guard, Identity, JWTVerifier, Key, Policy, TokenCache, Verdict
from watchword.crypto import jose
from watchword.stores import MemoryStore

ISSUER, AUDIENCE = "https://id.example", "orders"
SECRET = b"a secret of as many octets as a key for HS256 has.."
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="2026-11")
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "scope": "orders:read", "iat": 0, "exp": 4_000_000_000}
TOKEN = jose.sign(json.dumps(CLAIMS).encode(), KEY)


def rows() -> Iterable[Added]:
    """A row for each framework."""
    title = "FastAPI: Security(auth) against HTTPBearer and PyJWT in an async dependency"
    yield Added(title, fastapi_apps)
    yield Added(f"{title}; watchword with a TokenCache", lambda: fastapi_apps(TokenCache()))


class Added:
    """What two means add to the time of a bare route: the peer's is the limit.

    Args:
        title: what is compared.
        make: gives the calls of the bare app, of the peer's and of ours, each with a token or without one; a call gives the status.
    """

    def __init__(self, title: str, make: Callable[[], tuple[Callable[[bool], int], ...]]) -> None:
        self.title = title
        self._make = make

    def measure(self, rounds: int) -> list[Figure]:
        """The peer's addition, then ours."""
        try:
            bare, peer, ours = self._make()
        except ImportError as error:
            return [Figure("all", 0, "", 0, 0, 0, f"{error.name} is not installed")]
        for call in (peer, ours):
            if call(True) != 200 or call(False) != 401:
                raise Unfit(f"{self.title}: an app accepts what it must refuse, or refuses what it must accept")
        calls = {"bare": bare, "peer": peer, "watchword": ours}
        contenders = {name: (lambda call=call: call(True)) for name, call in calls.items()}
        times = Interleaved(self.title, contenders, lambda: None).times(rounds)
        added = {
            name: [(mine - least) * 1e6 for mine, least in zip(times[name], times["bare"], strict=True)]
            for name in ("peer", "watchword")
        }
        ratios = [mine / other for mine, other in zip(added["watchword"], added["peer"], strict=True)]
        return [
            Figure("the usual means add", median(added["peer"]), "µs", 1, 1, 1, f"bare app {median(times['bare']) * 1e6:.0f} µs"),
            Figure("watchword adds", median(added["watchword"]), "µs", min(ratios), median(ratios), max(ratios)),
        ]  # fmt: skip


def guard(cache: TokenCache | None = None) -> Guard:
    """A guard as it is deployed."""
    store = MemoryStore()
    store.add_user("alice", "open sesame", scopes=("orders:read",))
    counted = {"accepted": 0}

    def observe(verdict: Verdict) -> None:
        counted["accepted"] += 1

    return Guard(
        [
            JWTVerifier(KEY, issuer=ISSUER, audience=AUDIENCE, cache=cache),
            APIKeyVerifier(),
            BasicVerifier(realm="orders"),
        ],
        store,
        policy=Policy(public_url=PUBLIC_URL),
        observe=observe,
    )


# ---- ASGI ------------------------------------------------------------------------------------------------------------


def asgi_call(app: Any) -> Callable[[bool], int]:
    """Calls an ASGI app whose handlers never wait."""
    headers = [(b"host", HOST.encode()), (b"accept", b"*/*"), (b"user-agent", b"bench"), *FORWARDED]
    authorized = [*headers, (b"authorization", f"Bearer {TOKEN}".encode())]
    status = 0

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    def call(with_token: bool) -> int:
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/orders", "raw_path": b"/orders", "query_string": b"", "root_path": "", "client": (PROXY, 4711),
            "server": (HOST, 80), "headers": authorized if with_token else headers,
        }  # fmt: skip
        try:
            app(scope, receive, send).send(None)
        except StopIteration:
            return status
        raise Unfit("the app waits")

    return call


def fastapi_apps(cache: TokenCache | None = None) -> tuple[Callable[[bool], int], ...]:
    """The same route: bare, behind a dependency that verifies by PyJWT, and behind the guard."""
    import jwt
    from fastapi import Depends, FastAPI, HTTPException, Security
    from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

    from watchword.servers.fastapi import Authenticate

    bare, usual, guarded = FastAPI(), FastAPI(), FastAPI()
    bearer = HTTPBearer()
    auth = Authenticate(guard(cache))
    auth.install(guarded)

    @bare.get("/orders")
    async def orders() -> dict[str, str]:
        return {"for": "alice"}

    async def verified(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> dict[str, Any]:  # noqa: B008 -- how FastAPI is told of a dependency
        try:
            claims = jwt.decode(
                credentials.credentials, SECRET, algorithms=["HS256"], issuer=ISSUER, audience=AUDIENCE,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
        if "orders:read" not in claims["scope"].split():
            raise HTTPException(403)
        return claims

    @usual.get("/orders")
    async def usual_orders(claims: dict[str, Any] = Depends(verified)) -> dict[str, str]:  # noqa: B008, FAST002 -- an annotation could not name what is local here
        return {"for": claims["sub"]}

    @guarded.get("/orders")
    async def guarded_orders(who: Identity = Security(auth, scopes=["orders:read"])) -> dict[str, str]:  # noqa: B008, FAST002 -- as above
        return {"for": who.subject}

    return asgi_call(bare), asgi_call(usual), asgi_call(guarded)
