"""One access key, one guard and one client of SigV4, for the tests of both halves."""

from __future__ import annotations

import asyncio
from typing import Any

from watchword import AsyncGuard, Guard, Identity, Policy, Reason, Rejected, Request, SigV4Auth, SigV4Verifier
from watchword.stores import MemoryStore

KEY_ID, SECRET = "AKALICE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "a+session/token=="
NOW = 1_700_000_000  # 2023-11-14T22:13:20Z
ECDSA = "AWS4-ECDSA-P256-SHA256"
ORIGIN = "https://api.example"


def guard(*, now: float = NOW, token: str | None = None, key: dict[str, Any] | None = None, **options: Any) -> Guard:
    store = MemoryStore(clock=lambda: NOW)
    store.add_access_key("alice", KEY_ID, SECRET, session_token=token, **(key or {}))
    options = {"region": "eu-central-1", "service": "orders", **options}
    return Guard([SigV4Verifier(**options)], store, policy=Policy(clock=lambda: now))


def auth(secret: str = SECRET, **options: Any) -> SigV4Auth:
    options = {"region": "eu-central-1", "service": "orders", **options}
    return SigV4Auth(KEY_ID, secret, **options)


def ask(target: str = "/orders?id=7", method: str = "GET", **headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "https", "api.example", target, fields)


def presigned(url: str, method: str = "GET", **headers: str) -> Request:
    return ask(url.removeprefix(ORIGIN), method, **headers)


def changed(
    request: Request,
    *,
    method: str | None = None,
    target: bytes | None = None,
    authority: str | None = None,
    **fields: str,
) -> Request:
    """The request with other parts; a field with "" is taken out."""
    names = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    headers = [(name, names.pop(name, value)) for name, value in request.headers]
    kept = [(name, value) for name, value in (*headers, *names.items()) if value]
    return Request(method or request.method, "https", authority or request.authority, target or request.target, kept)


def verdict(judge: Guard, request: Request, body: bytes = b"") -> Identity | Reason:
    """What both guards say; they have to say the same."""
    answers: list[Identity | Reason] = []
    for verify in (judge.verify, lambda *a: asyncio.run(AsyncGuard.of(judge).verify(*a))):
        try:
            answers.append(verify(request, body))
        except Rejected as rejected:
            assert rejected.refusal is not None
            assert SECRET not in str(rejected)
            answers.append(rejected.reason)
    one, other = answers
    assert type(one) is type(other)
    assert isinstance(one, Identity) or one is other
    return one
