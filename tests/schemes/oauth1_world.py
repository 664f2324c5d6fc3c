"""A client with a token, a server that knows them, and a clock that tests move."""

from __future__ import annotations

import itertools
from functools import cache

from watchword import Guard, OAuth1Auth, OAuth1Verifier, Policy, Reason, Rejected, Request
from watchword.transport.flow import ClientContext
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
KEY, SECRET, TOKEN, TOKEN_SECRET = "orders-app", "client s3cret&", "alices-token", "token s3cret=~"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
HMACS = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512")
RSAS = ("RSA-SHA1", "RSA-SHA256", "RSA-SHA512")
EVERY = (*HMACS, *RSAS)
GET = Request("GET", "https", "api.example", "/orders?id=7&name=a%20b&name=%C3%A9")
_numbers = itertools.count()


@cache
def rsa_pair() -> tuple[str, str]:
    """A private and its public key as PEM; made once, for that takes long."""
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def store(*, rsa: bool = False) -> MemoryStore:
    made = MemoryStore(clock=lambda: NOW)
    made.add_oauth1_client(KEY, secret=SECRET, public_key=rsa_pair()[1] if rsa else None, scopes=("list",))
    made.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="alice", scopes=("read", "write"))
    return made


def guard(records: MemoryStore | None = None, *, now: float = NOW, **options: object) -> Guard:
    """A guard that accepts all placements unless `options` say otherwise."""
    options = {"placements": ("header", "query", "form"), **options}
    verifier = OAuth1Verifier(**options)  # type: ignore[arg-type]
    return Guard([verifier], records or store(), policy=Policy(clock=lambda: now))


def auth(secret: str = SECRET, token_secret: str = TOKEN_SECRET, **options: object) -> OAuth1Auth:
    given: dict[str, object] = {"token": TOKEN, "token_secret": token_secret, **options}
    if str(given.get("signature_method", "")).startswith("RSA"):
        given["rsa_key"] = rsa_pair()[0]
    return OAuth1Auth(KEY, secret, **given)  # type: ignore[arg-type]


def signed(
    who: OAuth1Auth, request: Request = GET, body: bytes = b"", *, now: float = NOW, nonce: bytes | None = None
) -> tuple[Request, bytes]:
    """The request as it is sent, with its body."""
    fixed = nonce or next(_numbers).to_bytes(16, "little")
    result = who.sign(request, ClientContext(lambda: body, now=lambda: now, random=lambda n: fixed[:n]))
    return result.request, body if result.body is None else result.body


def reason(judge: Guard, request: Request, body: bytes = b"") -> Reason:
    try:
        judge.verify(request, body)
    except Rejected as rejected:
        return rejected.reason
    raise AssertionError("accepted")


def changed(request: Request, **parts: object) -> Request:
    """The same request with other parts."""
    given = {name: getattr(request, name) for name in ("method", "scheme", "authority", "target", "headers")}
    return Request(**{**given, **parts})  # type: ignore[arg-type]
