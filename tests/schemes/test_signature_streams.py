"""Bodies whose digest is checked while they pass (`stream=True`)."""

from __future__ import annotations

import pytest

from tests.schemes.signature_world import KEY, NOW, guard_at, signed
from watchword import Policy, Reason, Rejected
from watchword.core.guard import Guard
from watchword.core.plan import Limits
from watchword.core.scheme import STREAM, BodyStream, Decision
from watchword.core.records import Found, Ref
from watchword.crypto.keys import RegisteredKey
from watchword.schemes.signatures import SignaturePolicy, SignatureVerifier

BODY = b"0123456789" * 10
RECORD = RegisteredKey("robot", KEY.algorithm, KEY.secret_bytes())
FOUND = Found({Ref(RegisteredKey, ("robot-1",)): (RECORD, 1)})


def stream_of(content: bytes, **options: object) -> BodyStream | None:
    from watchword.core.scheme import NO_BODY

    policy = SignaturePolicy(**options)  # type: ignore[arg-type]
    claim = SignatureVerifier(policy=policy, stream=True).read(signed("POST", content))
    assert claim is not None
    assert claim.body is STREAM or not policy.body
    decision = claim.decide(FOUND, NO_BODY, NOW, bytes)
    assert isinstance(decision, Decision)
    return decision.stream


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_the_last_part_comes_only_if_the_digest_fits(size: int) -> None:
    chunks = [BODY[at : at + size] for at in range(0, len(BODY), size)]
    stream = stream_of(BODY)
    assert stream is not None
    got = b"".join(map(stream.feed, chunks))
    assert got == BODY[: -len(chunks[-1])]
    assert got + stream.end() == BODY
    stream = stream_of(BODY)
    assert stream is not None
    got = b"".join(map(stream.feed, [*chunks[:-1], b"x" * len(chunks[-1])]))
    with pytest.raises(Rejected) as caught:
        stream.end()
    assert caught.value.reason is Reason.WRONG_BODY
    assert len(got) == len(BODY) - len(chunks[-1])


def test_a_body_that_ends_early_is_refused() -> None:
    stream = stream_of(BODY)
    assert stream is not None
    stream.feed(BODY[:50])
    with pytest.raises(Rejected):
        stream.end()


def test_a_body_that_is_not_covered_is_refused_at_its_first_octet() -> None:
    stream = stream_of(b"")
    assert stream is not None
    assert stream.feed(b"") == b""
    with pytest.raises(Rejected) as caught:
        stream.feed(b"x")
    assert caught.value.reason is Reason.NOT_COVERED
    assert stream_of(b"", body=False) is None


def test_a_streamed_body_may_be_larger_than_what_the_guard_would_read() -> None:
    large = bytes(5000)
    for streaming in (True, False):
        policy = Policy(clock=lambda: NOW, limits=Limits(body=1000))
        guard = Guard([SignatureVerifier(stream=streaming)], guard_at().plan.store, policy=policy)
        if streaming:
            assert guard.verify(signed("PUT", large), large).subject == "robot"
        else:
            with pytest.raises(Rejected) as caught:
                guard.verify(signed("PUT", large), large)
            assert caught.value.reason is Reason.BODY_TOO_LARGE
