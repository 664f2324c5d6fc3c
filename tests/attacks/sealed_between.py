"""A client that believes sealed answers only, a server that seals them, and somebody between the two who changes what passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchword import APIKeyVerifier, Guard, JWTAuth, JWTVerifier, Key, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.core.io import once
from watchword.core.message import Headers
from watchword.core.plan import Policy
from watchword.effects import Received, Send
from watchword.core.seal import has_content
from watchword.schemes.signatures.consequential import OF_ANSWER, OF_REQUEST
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import SealedAuth
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
KEYS = {
    name: Key.generate(name, key_id="seal-1")
    for name in ("ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", "hmac-sha256")
}
TOKENS = Key.generate("HS256")
ALICE, BOB = (JWTAuth(TOKENS, claims={"sub": name}) for name in ("alice", "bob"))
BODY = b'{"pay": "bob"}'
CONTENT = b'{"balance": 7}'

CHANGES = ("changed", "removed", "added")
MADE_BY_THE_CLIENT = ("accept-encoding", "want-content-digest", "want-credentials-digest", "content-digest")
REQUEST_FIELDS = (
    *(name for name in OF_REQUEST if name[0] != "@" and name not in ("content-digest", "want-credentials-digest")),
    "authorization", "cookie", "x-api-key", "x-tenant",
)  # fmt: skip
ANSWER_FIELDS = tuple(
    name for name in OF_ANSWER if name[0] != "@" and name not in ("content-digest", "credentials-digest")
)

Fields = list[tuple[bytes, bytes]]
Tamper = Callable[[Fields], Fields]


def value_of(name: str) -> bytes:
    return b"identity" if name in ("accept-encoding", "content-encoding") else b"one"


def tampered(name: str, change: str) -> Tamper:
    """Changes, removes or adds a field."""
    octets = name.encode()

    def tamper(lines: Fields) -> Fields:
        others = [line for line in lines if line[0] != octets]
        assert (len(others) < len(lines)) is (change != "added"), f"{name} can't be {change}"
        return others if change == "removed" else [*others, (octets, b"another")]

    return tamper


def untouched(lines: Fields) -> Fields:
    return lines


def serving(key: Key) -> Guard:
    verifiers = [JWTVerifier(TOKENS), APIKeyVerifier(header="X-API-Key")]
    return Guard(verifiers, MemoryStore(), seal=SignatureSeal(key), policy=Policy(clock=lambda: NOW))


GUARDS = {name: serving(key) for name, key in KEYS.items()}


def answered(guard: Guard, request: Request, body: bytes, plain: Headers, status: int = 200) -> tuple[Response, bytes]:
    """What an adapter of a server makes of a request."""
    try:
        admission = guard.admit(request, once(body), optional=True)
    except Rejected as rejected:
        assert rejected.refusal is not None
        return rejected.refusal.response(), b""
    assert admission.stream is None, "a short body is judged before the application sees it"
    response = Response(status, plain)
    return response.with_more(admission.answer_headers(guard.plan, response, CONTENT)), CONTENT


def ask(
    key: str,
    sent: Fields,
    plain: Fields,
    *,
    auth: Any = ALICE,
    body: bytes = BODY,
    on_request: Tamper = untouched,
    on_answer: Tamper = untouched,
    on_body: Callable[[bytes], bytes] = bytes,
    on_content: Callable[[bytes], bytes] = bytes,
    status: int = 200,
    sealed: SealedAuth | None = None,
) -> Received:
    """The answer that the client believes; `ResponseUnproven` if it believes none."""

    def send(effect: Send) -> Received:
        request, arriving = effect.request, on_body(body)
        lines = [*on_request([*request.headers]), (b"content-length", b"%d" % len(arriving))]
        seen = Request.raw(
            request.method, request.scheme, request.authority, request.target, lines, request.peer, exact=True
        )
        response, content = answered(GUARDS[key], seen, arriving, plain, status)
        if not has_content(request.method, response.status):
            content = b""
        return Received(Response(response.status, on_answer([*response.headers])), on_content(content))

    asked = Request("POST", "https", "bank.example", "/pay?to=bob", sent)
    context = ClientContext(lambda: body, now=lambda: NOW)
    return run(sealed or SealedAuth(KEYS[key], auth), asked, send, context)
