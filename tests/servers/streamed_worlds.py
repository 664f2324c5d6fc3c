"""Schemes that check a body while it passes, and requests whose body has been tampered with, however it is framed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.attacks.signed_worlds import MAC, NOW, SECRET
from watchword import (
    AllOf, Guard, HMACAuth, HMACVerifier, Limits, Policy, Request, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Verifier,
)  # fmt: skip
from watchword.transport.flow import ClientContext, Drive
from watchword.core.message import Headers
from watchword.effects import Auth, Send
from watchword.schemes.sigv4 import Payload
from watchword.stores import MemoryStore

BODY = b"seven of\nthem, and one\nto take home\n"
LIMIT = 1000
FRAMING = (b"content-length", b"transfer-encoding")


class Scheme(NamedTuple):
    """A guard's verifier, and what signs for it: the request, and the octets that are sent as its body."""

    guard: Callable[[], Guard]
    sign: Callable[[bytes], tuple[Request, bytes]]


def guard(*parts, limit: int = LIMIT, **options) -> Guard:
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", MAC)
    store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
    verifiers = parts if len(parts) == 1 else [AllOf(*parts)]
    return Guard(verifiers, store, policy=Policy(clock=lambda: NOW, limits=Limits(body=limit)), **options)


def sign(auth: Auth, request: Request, body: bytes) -> tuple[Request, bytes]:
    send = Drive(auth, request, ClientContext(lambda: body, now=lambda: NOW)).advance()
    assert isinstance(send, Send)
    return send.request, body if send.content is None else send.content


def upload() -> Request:
    return Request("POST", "https", "api.example", "/upload")


def sigv4(trailer: str = "", algorithm: str = "AWS4-HMAC-SHA256") -> Callable[[bytes], tuple[Request, bytes]]:
    """Not over Content-Length, so that the framing can be changed: so "aoss" has it."""
    auth = SigV4Auth(
        "AKIDEXAMPLE", SECRET, region="eu-1", service="aoss", algorithm=algorithm, payload=Payload("chunked", trailer, 16)
    )  # fmt: skip
    return lambda body: auth.chunked(upload(), body, now=NOW)


def both(body: bytes) -> tuple[Request, bytes]:
    return sign(SignatureAuth(MAC), *sigv4()(body))


SCHEMES = {
    "hmac": Scheme(lambda: guard(HMACVerifier(stream=True)), lambda body: sign(HMACAuth(MAC), upload(), body)),
    "signature": Scheme(
        lambda: guard(SignatureVerifier(stream=True)), lambda body: sign(SignatureAuth(MAC), upload(), body)
    ),
    "sigv4": Scheme(lambda: guard(SigV4Verifier()), sigv4()),
    "sigv4 with trailers": Scheme(lambda: guard(SigV4Verifier()), sigv4("crc32")),
    "sigv4a": Scheme(lambda: guard(SigV4Verifier()), sigv4("", "AWS4-ECDSA-P256-SHA256")),
    "both, one read by the guard": Scheme(lambda: guard(SigV4Verifier(), SignatureVerifier()), both),
    "both": Scheme(lambda: guard(SigV4Verifier(), SignatureVerifier(stream=True)), both),
}

TAMPERINGS: dict[str, Callable[[bytes], bytes]] = {
    "intact": lambda sent: sent,
    "emptied": lambda sent: b"",
    "truncated": lambda sent: sent[:-1],
    "halved": lambda sent: sent[: len(sent) // 2],
    "extended": lambda sent: sent + b"x",
    "changed": lambda sent: sent.replace(b"seven", b"eight") if b"seven" in sent else b"eight" + sent,
}


class Case(NamedTuple):
    """One request on its way.

    Args:
        name: how the body was tampered with, and how it is framed.
        request: as it was signed, with the fields that frame it.
        sent: the octets that were signed; frames of chunks among them.
        octets: those that arrive.
        length: Content-Length.
        chunked: there is a Transfer-Encoding.
    """

    name: str
    request: Request
    sent: bytes
    octets: bytes
    length: int | None
    chunked: bool

    @property
    def intact(self) -> bool:
        """What arrives is all that was sent."""
        return self.octets == self.sent and (self.chunked or (self.length or 0) == len(self.octets))


def cases(scheme: Scheme, body: bytes) -> Iterator[Case]:
    """Every framing, and in those that let octets through every tampering."""
    for name, tamper in TAMPERINGS.items():
        request, sent = scheme.sign(body)
        octets = tamper(sent)
        yield framed(f"{name}, Content-Length", request, sent, octets, len(octets), False)
        request, sent = scheme.sign(body)
        yield framed(f"{name}, chunked", request, sent, tamper(sent), None, True)
    for name, cut, length, chunked in (
        ("zero", 0, 0, False), ("none", 0, None, False), ("both", None, -1, True), ("both, zero", None, 0, True),
        ("cut off", -3, -1, False),
    ):  # fmt: skip
        request, sent = scheme.sign(body)
        yield framed(name, request, sent, sent[:cut], len(sent) if length == -1 else length, chunked)


def framed(name: str, request: Request, sent: bytes, octets: bytes, length: int | None, chunked: bool) -> Case:
    lines = [(name, value) for name, value in request.headers if name.lower() not in FRAMING]
    if length is not None:
        lines.append((b"content-length", b"%d" % length))
    if chunked:
        lines.append((b"transfer-encoding", b"chunked"))
    request = Request(request.method, request.scheme, request.authority, request.target, lines)
    return Case(name, request, sent, octets, length, chunked)


class Seen:
    """What an application did, and whether the server was asked for octets of the body."""

    def __init__(self) -> None:
        self.ran = False
        self.asked = False
        self.acted: list[bytes] = []


class Outcome(NamedTuple):
    """What came of a request: the statuses that went out, and the content after the last."""

    statuses: list[int]
    content: bytes
    headers: Headers = ()
