"""What `observe` and the log are told: enough to know who was refused where and why, and no secret."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from typing import Any

import pytest

from watchword import (
    AsyncGuard, BasicVerifier, Guard, JWTVerifier, Key, Password, Policy, PublicURL, Rejected, Request, StoreUnavailable, Verdict,
)  # fmt: skip
from watchword.core.message import Peer
from watchword.stores import MemoryStore, from_callables

BOTH = pytest.mark.parametrize("kind", [Guard, AsyncGuard])


def asked(password: str | None, target: str = "/orders?token=s3cret") -> Request:
    lines = [] if password is None else [("Authorization", b"Basic " + b64encode(f"alice:{password}".encode()))]
    return Request("PUT", "http", "app", target, [*lines, ("X-Forwarded-For", "192.0.2.7")], Peer("10.0.0.1"))


def told(kind: Any, store: Any, request: Request, **options: Any) -> Verdict:
    verdicts: list[Verdict] = []
    policy = Policy(public_url=PublicURL(forwarded="X-Forwarded", trusted=("10.0.0.0/8",), believe=("for",)))
    guard = kind(
        [BasicVerifier(realm="r"), JWTVerifier(Key.generate("HS256"))], store, policy=policy, observe=verdicts.append
    )
    try:
        answer = (
            guard.admit(request, bytes, **options) if kind is Guard else asyncio.run(_admitted(guard, request, options))
        )
        assert answer is not None
    except (Rejected, StoreUnavailable):
        pass
    (verdict,) = verdicts
    return verdict


async def _admitted(guard: AsyncGuard, request: Request, options: Any) -> Any:
    async def nothing() -> bytes:
        return b""

    return await guard.admit(request, nothing, **options)


@BOTH
@pytest.mark.parametrize(
    ("password", "outcome", "claimed"),
    [("right", "accepted", "alice"), ("wrong", "refused", "alice"), (None, "refused", None)],
)
def test_a_verdict_tells_the_outcome_and_of_whom_from_where(
    kind: Any, password: str | None, outcome: str, claimed: str | None
) -> None:
    store = MemoryStore()
    store.add_user("alice", "right")
    verdict = told(kind, store, asked(password))
    assert (verdict.outcome, verdict.claimed) == (outcome, claimed)
    address = "10.0.0.1" if password is None else "192.0.2.7"  # without a claim the connection's is all that is known
    assert (verdict.address, verdict.method, verdict.path) == (address, "PUT", "/orders")
    assert "s3cret" not in repr(verdict) and "right" not in repr(verdict)


@BOTH
def test_an_anonymous_request_is_accepted_and_claims_nobody(kind: Any) -> None:
    verdict = told(kind, MemoryStore(), asked(None), optional=True)
    assert (verdict.outcome, verdict.reason, verdict.claimed, verdict.scheme) == ("accepted", None, None, None)


@BOTH
def test_what_the_client_sends_is_cut_and_printable(kind: Any) -> None:
    verdict = told(kind, MemoryStore(), asked(None, "/" + "a" * 999))
    assert len(verdict.path) == 256
    assert told(kind, MemoryStore(), asked(None, "/\u00e9")).path == "/\\xc3\\xa9"


@BOTH
def test_a_look_up_that_fails_is_unavailable_and_its_cause_reaches_the_log(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(username: str) -> Password | None:
        raise RuntimeError("no connection to the directory")

    with caplog.at_level(logging.ERROR, "watchword"):
        verdict = told(kind, from_callables(password=broken), asked("right"))
    assert (verdict.outcome, verdict.reason, verdict.status, verdict.claimed) == ("unavailable", None, 503, "alice")
    (record,) = caplog.records
    assert record.name == "watchword" and record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)


def test_the_cause_of_a_503_is_chained() -> None:
    def broken(username: str) -> Password | None:
        raise RuntimeError("no connection to the directory")

    guard = Guard([BasicVerifier(realm="r")], from_callables(password=broken))
    with pytest.raises(StoreUnavailable) as caught:
        guard.verify(asked("right"))
    assert isinstance(caught.value.__cause__, RuntimeError)
