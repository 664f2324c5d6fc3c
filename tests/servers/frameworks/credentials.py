"""Guards, and credentials for them: what rules and adapters are tried with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.schemes.test_mark_owners import NOW, webhook
from tests.servers.frameworks.made import Got, Made
from watchword import DigestVerifier, Guard, HMACAuth, HMACVerifier, JWTVerifier, Key, Policy, Request
from watchword.core.limits import Limits
from watchword.effects import Send
from watchword.crypto import jose
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext, Drive

KEY = Key.from_secret(b"a secret that signs the tokens..", algorithm="HS256", key_id="id-1")
SIGNING = Key.from_secret(b"a secret that signs the bodies..", algorithm="HS256", key_id="robot-1")
SEALING = Key.from_secret(b"a secret that seals the answers.", algorithm="HS256", key_id="seal-1")
WRONG = {"authorization": "Bearer x"}
ORDER = b"an order of seven"
BOTH = ("orders:read", "orders:write")


def bearer(**claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {jose.sign(json.dumps({'sub': 'alice', **claims}).encode(), KEY)}"}


def tokens(**options: Any) -> Guard:
    return Guard([JWTVerifier(KEY)], **options)


def once(seen: list[Any], **options: Any) -> tuple[Guard, Callable[[str], dict[str, str]]]:
    """A guard whose credentials are good for one judgement, and what makes some."""
    guard = Guard([JWTVerifier(KEY, single_use=True)], MemoryStore(), observe=seen.append, **options)
    numbers = iter(range(9))
    return guard, lambda scope: bearer(scope=scope, jti=str(next(numbers)), exp=4_000_000_000)


def known() -> MemoryStore:
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="r", scopes=BOTH)
    store.add_key("robot", SIGNING, scopes=BOTH)
    return store


def digest(**options: Any) -> Guard:
    return Guard([DigestVerifier(realm="r", **options)], known())


def signing(*, stream: bool = False) -> Guard:
    return Guard([HMACVerifier(stream=stream)], known(), policy=Policy(limits=Limits(body=1000)))


def signed(path: str, body: bytes = ORDER) -> dict[str, str]:
    send = Drive(HMACAuth(SIGNING), Request("POST", "http", "api.example", path), ClientContext(lambda: body)).advance()
    assert isinstance(send, Send)
    return {"authorization": send.request.values(b"authorization")[0].decode()}


def hook() -> tuple[Guard, Callable[..., Got]]:
    """A guard for webhooks, and what a test calls to deliver one and the same."""
    shown = webhook("a secret of the hook's sender....", "github")
    guard = Guard([shown.verifier], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    fields = {name.decode(): value.decode() for name, value in shown.request.headers}

    def deliver(made: Made, path: str, **more: str) -> Got:
        return made.ask(path, shown.body, fields | more)

    return guard, deliver
