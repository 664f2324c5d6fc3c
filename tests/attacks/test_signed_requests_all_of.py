"""Two signatures on one request, both demanded: what one of them lets pass, the other still checks, in parts or at once."""

from __future__ import annotations

import pytest

from tests.attacks.signed_worlds import MAC, NOW, SECRET
from watchword import (
    AllOf, Guard, HMACAuth, HMACVerifier, Policy, Rejected, Request, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Verifier,
)  # fmt: skip
from watchword.transport.flow import ClientContext, Drive
from watchword.schemes.sigv4 import Payload
from watchword.stores import MemoryStore

BODY = b"an order of seven"


def signed(payload: Payload, second):
    """By SigV4, and the whole again by `second`."""
    numbers = iter(range(10))
    context = ClientContext(lambda: BODY, now=lambda: NOW, random=lambda n: next(numbers).to_bytes(n))
    auth = SigV4Auth("AKIDEXAMPLE", SECRET, region="eu-1", service="s3", payload=payload)
    send = Drive(auth, Request("PUT", "https", "api.example", "/k"), context).advance()
    content = BODY if send.content is None else send.content
    again = ClientContext(lambda: content, now=lambda: NOW, random=lambda n: next(numbers).to_bytes(n))
    return Drive(second, send.request, again).advance().request, content


def guard(*parts) -> Guard:
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", MAC)
    store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
    return Guard([AllOf(*parts)], store, policy=Policy(clock=lambda: NOW))


def read(judge: Guard, request: Request, content: bytes, size: int) -> bytes | None:
    """What the application reads, in parts of this size; None if it is refused."""
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    try:
        admission = judge.admit(request, iter([*parts, b""]).__next__)
        if admission.stream is None:
            return admission.body
        source = [admission.body] if admission.body is not None else parts
        passed = [admission.stream.feed(part) for part in source]
        return b"".join([*passed, admission.stream.end()])
    except Rejected:
        return None


@pytest.mark.parametrize("payload", [Payload("chunked", chunk=5), Payload("chunked", "crc32", 5)])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_in_chunks_that_a_digest_covers_too(payload, stream, turned, size) -> None:
    request, content = signed(payload, SignatureAuth(MAC))
    parts = [SigV4Verifier(), SignatureVerifier(stream=stream)]
    parts = parts[::-1] if turned else parts
    assert read(guard(*parts), request, content, size) == BODY
    for changed in (
        content + b"x",
        content[:-1],
        content.replace(b"an or", b"no or"),
        b"",
        content.replace(b"\r\n", b"\n", 1),
    ):
        assert read(guard(*parts), request, changed, size) is None


def test_two_schemes_in_one_field_are_refused() -> None:
    """Both are in Authorization: there is one such field, so one of them is missing."""
    request, content = signed(Payload(), HMACAuth(MAC))
    assert read(guard(SigV4Verifier(), SignatureVerifier()), request, content, 100) is None
    with pytest.raises(Rejected):
        Guard([HMACVerifier()], MemoryStore(), policy=Policy(clock=lambda: NOW)).verify(request, content)
