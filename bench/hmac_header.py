"""The HMAC header scheme. The limit is the barest correct composition: parse, one HMAC, the body's digest, times, the nonce."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from binascii import b2a_base64
from collections.abc import Callable, Iterable

from bench.harness import Interleaved, Unfit
from watchword import HMACAuth, HMACVerifier, Key, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Found, Once
from watchword.core.scheme import Body
from watchword.effects import Received, Send
from watchword.stores import MemoryStore

SECRET = b"a secret of thirty-two octets...".ljust(32, b".")
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="robot-1")
BODY = b'{"order":7,"lines":[1,2,3]}' * 8
FIELDS = {"Host": "api.example", "Accept": "*/*", "Content-Type": "application/json", "Content-Length": str(len(BODY))}
Judge = Callable[[Request, bytes], object]


def rows() -> Iterable[Interleaved]:
    """Verifying a header as our client writes it, and with its parameters in another order; signing."""
    usual = signed()
    value = usual.values(b"authorization")[0].decode()
    turned = "HMAC " + ", ".join(reversed(value[5:].split(", ")))
    yield verifying("HMAC header verify, HS256", usual)
    yield verifying(
        "HMAC header verify, HS256, another order", usual.with_headers(((b"authorization", turned.encode()),))
    )
    yield signing("HMAC header sign, HS256")


def signed() -> Request:
    """A request of now."""
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(
        HMACAuth(KEY),
        Request("POST", "https", "api.example", "/orders?id=7", FIELDS),
        send,
        ClientContext(lambda: BODY),
    )
    return sent[0]


def limit() -> Judge:
    """What a server could write itself, for parameters in any order; the nonce is only named, as the decision names it."""
    secrets, clock = {"robot-1": SECRET}, time.time
    grammar = re.compile(
        r"([!#-\[\]-~]{1,128})\n(0|[1-9][0-9]{0,11})\n([\w-]{16,128})\n([\w-]{43})\n([\w-]{43,86})", re.ASCII
    ).fullmatch
    target_grammar = re.compile(rb"[\x21\x22\x24-\x5b\x5d-\x7e]+").fullmatch

    def base64url(data: bytes) -> bytes:
        return b2a_base64(data, newline=False).translate(TABLE).rstrip(b"=")

    def judge(request: Request, body: bytes) -> object:
        (value,) = [value for name, value in request.headers if name == b"authorization"]
        scheme, _, rest = value.decode("ascii").partition(" ")
        given = {name: text.strip('"') for name, _, text in (part.partition("=") for part in rest.split(", "))}
        match = grammar(f"{given['keyid']}\n{given['timestamp']}\n{given['nonce']}\n{given['digest']}\n{given['mac']}")
        if scheme.lower() != "hmac" or given["version"] != "1" or len(given) != 6 or match is None:
            raise ValueError("credentials")
        key_id, stamp, nonce, digest, mac = match.groups()
        if target_grammar(request.target) is None:
            raise ValueError("target")
        head = f"HMAC 1\n{key_id}\n{stamp}\n{nonce}\n{request.method}\n{request.authority.lower()}\n"
        covered = head.encode() + request.target + b"\n" + digest.encode() + b"\n"
        if not hmac.compare_digest(base64url(hmac.digest(secrets[key_id], covered, "sha256")), mac.encode()):
            raise ValueError("mac")
        if not hmac.compare_digest(base64url(hashlib.sha256(body).digest()), digest.encode()):
            raise ValueError("body")
        if not -30 <= clock() - int(stamp) < 300:
            raise ValueError("time")
        return Once(("limit", key_id, nonce), int(stamp) + 300)

    return judge


TABLE = bytes.maketrans(b"+/", b"-_")


def decider() -> Judge:
    """Reading and deciding, with the key at hand and the body read, as a guard does it between look-up and commit."""
    store = MemoryStore()
    store.add_key("robot", KEY)
    verifier, found, clock = HMACVerifier(), dict[str, Found](), time.time

    def judge(request: Request, body: bytes) -> object:
        claim = verifier.read(request)
        records = found.get(claim.params.key_id)
        if records is None:
            records = found[claim.params.key_id] = store.fetch(claim.needs)
        return claim.decide(records, Body(body, {"sha-256": hashlib.sha256(body).digest()}), clock(), bytes)

    return judge


def verifying(title: str, request: Request) -> Interleaved:
    """The limit and ours."""
    contenders = {"limit": limit(), "watchword": decider()}

    def prove() -> None:
        for name, judge in contenders.items():
            judge(request, BODY)
            moved = Request("POST", "https", "api.example", "/orders?id=8", request.headers)
            for bad, body in ((request, BODY + b" "), (moved, BODY)):
                try:
                    judge(bad, body)
                except (Rejected, ValueError):
                    continue
                raise Unfit(f"{name} accepts a forged request")

    work: dict[str, Callable[[], object]] = {
        name: lambda judge=judge: judge(request, BODY) for name, judge in contenders.items()
    }
    return Interleaved(title, work, prove)


def signing(title: str) -> Interleaved:
    """The limit: a nonce, two hashes and a line of text."""
    plain, auth = Request("POST", "https", "api.example", "/orders?id=7", FIELDS), HMACAuth(KEY)
    context = ClientContext(lambda: BODY)

    def base64url(data: bytes) -> str:
        return b2a_base64(data, newline=False).translate(TABLE).rstrip(b"=").decode()

    def bare() -> bytes:
        stamp, nonce, digest = int(time.time()), base64url(os.urandom(16)), base64url(hashlib.sha256(BODY).digest())
        covered = f"HMAC 1\nrobot-1\n{stamp}\n{nonce}\n{plain.method}\n{plain.authority.lower()}\n".encode()
        mac = base64url(hmac.digest(SECRET, covered + plain.target + f"\n{digest}\n".encode(), "sha256"))
        return f'HMAC version=1, keyid="robot-1", timestamp={stamp}, nonce="{nonce}", digest="{digest}", mac="{mac}"'.encode()

    def ours() -> object:
        return next(auth.flow(plain, context))

    def prove() -> None:
        judge = limit()
        judge(plain.with_headers(((b"authorization", bare()),)), BODY)
        judge(signed(), BODY)

    return Interleaved(title, {"limit": bare, "watchword": ours}, prove)
