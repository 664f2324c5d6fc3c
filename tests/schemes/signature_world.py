"""Signed requests without a network: signers, guards at a fixed time, and signatures that no honest signer makes."""

from __future__ import annotations

import os
from binascii import b2a_base64
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from watchword import Guard, Key, Policy, Reason, Rejected, Request, Response
from watchword import SignatureAuth, SignaturePolicy, SignatureVerifier
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.fields.structured import parse_dictionary
from watchword.schemes.signatures.base import signature_base
from watchword.schemes.signatures.components import SignatureInput
from watchword.schemes.signatures.message import Message
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
URL = ("https", "api.example", "/orders?id=7")
COVERED = '("@method" "@authority" "@path" "@query")'
NONCE = 'nonce="AAAAAAAAAAAAAAAAAAAAAAAA"'
SECRET = bytes(range(32))
KEY = Key.from_secret(SECRET, algorithm="hmac-sha256", key_id="robot-1")
ALGORITHMS = (
    "hmac-sha256", "ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512", "rsa-v1_5-sha256",
)  # fmt: skip


@cache
def key_for(algorithm: str, key_id: str = "robot-1") -> Key:
    """One key of each kind for all tests."""
    return Key.generate(algorithm, key_id=key_id)


def sign(
    auth: SignatureAuth, request: Request, body: bytes = b"", *, now: float = NOW, nonce: bytes | None = None
) -> Request:
    """What the client sends."""
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    random: Callable[[int], bytes] = os.urandom if nonce is None else (lambda n: nonce[:n])
    run(auth, request, send, ClientContext(lambda: body, now=lambda: now, random=random))
    return sent[-1]


def signed(method: str = "POST", body: bytes = b"", key: Key = KEY, *, now: float = NOW, **options: Any) -> Request:
    """A genuine request of `URL`."""
    return sign(SignatureAuth(key, **options), Request(method, *URL), body, now=now)


def store_with(*keys: Key, now: Callable[[], float] = lambda: NOW) -> MemoryStore:
    """A store where each key's subject is "robot", or "robot of <key id>" if there are several."""
    store = MemoryStore(clock=now)
    for key in keys or (KEY,):
        store.add_key("robot" if len(keys) < 2 else f"robot of {key.key_id}", key, scopes=("read",))
    return store


def guard_at(
    now: float = NOW, *, store: MemoryStore | None = None, policy: SignaturePolicy | None = None, **options: Any
) -> Guard:
    """A guard with one verifier, at a time."""
    if policy is not None:
        options["policy"] = policy
    kept = store_with() if store is None else store
    return Guard([SignatureVerifier(**options)], kept, policy=Policy(clock=lambda: now))


def rejected(guard: Guard, request: Request, body: bytes = b"") -> Rejected:
    """How the guard refuses it."""
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    return caught.value


def reason_of(guard: Guard, request: Request, body: bytes = b"") -> Reason:
    """Why the guard refuses it."""
    return rejected(guard, request, body).reason


def hand_signed(covered: str, request: Request | None = None, *, key: Key = KEY, label: str = "sig1") -> Request:
    """A request with a genuine signature over whatever `covered` says: for what no client of ours would make."""
    request = Request("POST", *URL) if request is None else request
    member = parse_dictionary(f"{label}={covered}")[label]
    base = signature_base(SignatureInput.of(member, 64), Message(request))
    return with_fields(request, f"{label}={covered}", f"{label}=:{base64(key.sign(base))}:")


def base64(octets: bytes) -> str:
    """With padding, as structured fields have it."""
    return b2a_base64(octets, newline=False).decode()


def with_fields(request: Request, covered: str, signature: str) -> Request:
    """The request with these two fields."""
    return request.with_headers(((b"signature-input", covered.encode()), (b"signature", signature.encode())))


def params(**more: object) -> str:
    """Usual parameters, some of them changed, left out (None) or added."""
    given: dict[str, object] = {"created": int(NOW), "nonce": "AAAAAAAAAAAAAAAAAAAAAA", "keyid": "robot-1", **more}
    return "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
        for name, value in given.items()
        if value is not None
    )
