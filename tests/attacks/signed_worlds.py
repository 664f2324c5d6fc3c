"""Every signing scheme with a guard and a genuine request, for the attacks that are tried on all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.webhook_senders import SENDERS, Sender
from watchword import (
    Guard, HMACAuth, HMACVerifier, Identity, Key, OAuth1Auth, OAuth1Verifier, Policy, Rejected, Request, SignatureAuth,
    SignatureVerifier, SigV4Auth, SigV4Verifier, WebhookAuth, WebhookVerifier,
)  # fmt: skip
from watchword.transport.flow import ClientContext, Drive
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Send
from watchword.schemes.sigv4 import Payload
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
SECRET = "an old oak by the quiet river bends"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MAC = Key.from_secret(SECRET.encode(), algorithm="HS256", key_id="robot-1")
ED25519 = Key.generate("ed25519", key_id="robot-2")


class Signed(NamedTuple):
    """A request with its credentials, and the body that goes with it."""

    request: Request
    body: bytes


class World:
    """One scheme. `sign` makes a genuine request of the parts, `verify` judges any by a guard without memory."""

    def __init__(
        self, auth: Callable[[], Auth], verifier: Callable[[], Verifier], fields: tuple[str, ...], form: bool = False
    ) -> None:
        self.auth = auth
        self.verifier = verifier
        self.fields = fields
        self.form = form

    def sign(
        self,
        target: str = "/orders?id=7&b=c",
        body: bytes = b"",
        *,
        method: str = "POST",
        authority: str = "api.example",
        scheme: str = "https",
        headers: dict[str, str] | None = None,
    ) -> Signed:
        more = FORM if self.form else {}
        if self.form:
            body = body or b"a=b&c=d"
        request = Request(method, scheme, authority, target, {**more, **(headers or {})})
        count = iter(range(10**6))
        context = ClientContext(lambda: body, now=lambda: NOW, random=lambda n: next(count).to_bytes(n, "big"))
        send = Drive(self.auth(), request, context).advance()
        assert isinstance(send, Send)
        content = getattr(send, "content", None)
        return Signed(send.request, body if content is None else content)

    def guard(self, at: float = NOW) -> Guard:
        store = MemoryStore(clock=lambda: at)
        store.add_key("robot", MAC)
        store.add_oauth1_client("an-app", secret=SECRET)
        store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
        return Guard([self.verifier()], store, policy=Policy(clock=lambda: at))

    def verify(self, request: Request, body: bytes = b"", at: float = NOW) -> Identity | Rejected:
        try:
            return self.guard(at).verify(request, body)
        except Rejected as rejected:
            return rejected


def _oauth1(placement: str) -> World:
    return World(
        lambda: OAuth1Auth("an-app", SECRET, placement=placement),
        lambda: OAuth1Verifier(placements=("header", "query", "form")),
        ("authorization", "content-type"),
        placement == "form",
    )


def _webhook(sender: Sender) -> World:
    row = sender.row
    form = "form" in row.parts
    fields = (row.signature, row.id, row.timestamp, "content-type" if form else "")
    return World(
        lambda: WebhookAuth(sender.signing, row), lambda: WebhookVerifier(sender.verifying, row), tuple(filter(None, fields)), form
    )  # fmt: skip


def _sigv4(service: str = "orders", **settings: Any) -> World:
    payload = settings.pop("payload", Payload())
    return World(
        lambda: SigV4Auth("AKIDEXAMPLE", SECRET, region="eu-1", service=service, payload=payload, **settings),
        lambda: SigV4Verifier(
            region="eu-1", allow_unsigned_payload=payload.form == "unsigned-chunked", single_use=True
        ),
        ("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer"),
    )


SIGNATURE_FIELDS = ("signature-input", "signature", "content-digest")
WORLDS = {
    "hmac": World(lambda: HMACAuth(MAC), HMACVerifier, ("authorization",)),
    "signature": World(lambda: SignatureAuth(MAC), SignatureVerifier, SIGNATURE_FIELDS),
    "signature-ed25519": World(lambda: SignatureAuth(ED25519), lambda: SignatureVerifier(ED25519), SIGNATURE_FIELDS),
    "oauth1-header": _oauth1("header"),
    "oauth1-query": _oauth1("query"),
    "oauth1-form": _oauth1("form"),
    "sigv4": _sigv4(),
    "sigv4-s3": _sigv4("s3"),
    "sigv4a": _sigv4(algorithm="AWS4-ECDSA-P256-SHA256"),
    "sigv4-chunked": _sigv4("s3", payload=Payload("chunked", chunk=4)),
    "sigv4-trailer": _sigv4("s3", payload=Payload("chunked", "crc32", 4)),
    "sigv4-unsigned-trailer": _sigv4("s3", payload=Payload("unsigned-chunked", "sha256", 4)),
    "sigv4a-trailer": _sigv4("s3", payload=Payload("chunked", "crc32c", 4), algorithm="AWS4-ECDSA-P256-SHA256"),
    # A token signs nothing; a time in the body can't be in bodies that these attacks choose: tests/schemes has both.
    **{
        f"webhook-{name}": _webhook(sender)
        for name, sender in SENDERS.items()
        if not (sender.row.covers_nothing or sender.row.timestamp_member)
    },
}
