"""Whoever gets hold of a sealed answer, but not of the request, can't try passwords by it until one fits."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator

import pytest

from watchword import BasicAuth, Guard, JWTVerifier, Key, Rejected, Request, Response
from watchword.transport.flow import ClientContext
from watchword.core.io import once
from watchword.core.message import Headers
from watchword.core.plan import Policy
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field
from watchword.schemes.signatures.base import Message, signature_base
from watchword.schemes.signatures.credentials_digest import credentials_digest, wanting
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import SealedAuth
from watchword.schemes.signatures.wire import Labelled, read_signatures

NOW = 1_700_000_000.0
PASSWORD, WRONG = "open sesame", "open sesame!"
KEYS = {name: Key.generate(name, key_id="seal-1") for name in ("ed25519", "ecdsa-p256-sha256", "rsa-v1_5-sha256")}


def form(password: str) -> bytes:
    return f"user=alice&password={password}".encode()


def exchange(key: Key) -> tuple[Request, Response]:
    """A request with a password in Authorization, in a cookie, in its target and in its body; and the sealed answer."""
    bare = Request(
        "POST", "https", "bank.example", f"/login?p={PASSWORD}".replace(" ", "%20"), {"cookie": f"p={PASSWORD}"}
    )
    flow = SealedAuth(key, BasicAuth("alice", PASSWORD)).flow(
        bare, ClientContext(lambda: form(PASSWORD), now=lambda: NOW)
    )
    request = next(flow).request
    guard = Guard([JWTVerifier(Key.generate("HS256"))], seal=SignatureSeal(key), policy=Policy(clock=lambda: NOW))
    with pytest.raises(Rejected) as refused:
        guard.admit(request, once(form(PASSWORD)))
    return request, refused.value.refusal.response()


def guesses(request: Request, password: str) -> Headers:
    """The request's fields as somebody imagines them who knows all of it but the password and the client's key."""
    known = [line for line in request.headers if line[0] not in (
        b"authorization", b"cookie", b"content-digest", b"want-credentials-digest",
    )]  # fmt: skip
    pair = b64encode(f"alice:{password}".encode())
    return [
        *known, (b"authorization", b"Basic " + pair), (b"cookie", f"p={password}".encode()),
        (b"content-digest", digest_field({"sha-256": digest("sha-256", form(password))})),
    ]  # fmt: skip


def keys_to_try(signature: Labelled, answer: Response) -> Iterator[bytes]:
    """All that the answer shows, as the client's key."""
    yield bytes(32)
    yield signature.signature[:32]
    (line,) = answer.values(b"credentials-digest")
    for text in (line, (signature.covered.text_param("nonce") or "").encode(), str(signature.covered).encode()):
        yield digest("sha-256", text)


def tells(key: Key, request: Request, answer: Response, password: str, client_key: bytes | None) -> list[bool]:
    """What a guess finds out: whether the signature fits, and whether the digest of credentials does."""
    fields = guesses(request, password)
    if client_key is not None:
        fields = [*fields, (b"want-credentials-digest", wanting(client_key))]
    target = f"/login?p={password}".replace(" ", "%20").encode()
    imagined = Request.raw("POST", "https", "bank.example", target, fields, request.peer, exact=True)
    (signature,) = read_signatures(answer.headers, components=128)
    (shown,) = answer.values(b"credentials-digest")
    fits = credentials_digest(fields, frozenset({b"authorization", b"cookie"})) == shown
    try:
        key.verifier(signature_base(signature.covered, Message(imagined, answer)), signature.signature)
    except Rejected:
        return [False, fits]
    return [True, fits]


@pytest.mark.parametrize("name", list(KEYS))
def test_nothing_in_an_answer_tells_a_right_guess_from_a_wrong_one(name):
    key = KEYS[name]
    request, answer = exchange(key)
    (signature,) = read_signatures(answer.headers, components=128)
    for client_key in (None, *keys_to_try(signature, answer)):
        right = tells(key, request, answer, PASSWORD, client_key)
        assert right == tells(key, request, answer, WRONG, client_key) == [False, False]


@pytest.mark.parametrize("name", list(KEYS))
def test_with_the_request_the_guess_would_be_told(name):
    """So the test above would have found out: what keeps the guesser from knowing is the client's key alone."""
    key = KEYS[name]
    request, answer = exchange(key)
    (wanted,) = request.values(b"want-credentials-digest")
    client_key = b64decode(wanted.split(b":")[1])
    assert tells(key, request, answer, PASSWORD, client_key) == [True, True]
    assert tells(key, request, answer, WRONG, client_key) == [False, False]


@pytest.mark.parametrize("name", list(KEYS))
def test_who_asks_for_no_digest_gets_nothing_of_the_credentials_signed(name):
    """A client that knows RFC 9421 alone: the base is the same whatever its password is."""
    seal = SignatureSeal(KEYS[name]).seal
    bases = set()
    for password in (PASSWORD, WRONG):
        pair = b64encode(f"alice:{password}".encode()).decode()
        asking = 'seal=("@status" "authorization";req "cookie";req);created;nonce="n"'
        fields = {"authorization": f"Basic {pair}", "cookie": f"p={password}", "accept-signature": asking}
        request = Request("GET", "https", "bank.example", "/", fields)
        answer = Response(200, {"date": "now"})
        answer = answer.with_more(seal(request).headers(answer, b"", NOW, bytes))
        (signature,) = read_signatures(answer.headers)
        bases.add(signature_base(signature.covered, Message(request, answer)))
        assert not answer.values(b"credentials-digest")
    assert len(bases) == 1


def test_each_client_has_a_key_of_its_own():
    requests = [exchange(KEYS["ed25519"])[0].values(b"want-credentials-digest") for _ in range(4)]
    assert len({tuple(values) for values in requests}) == 4
