"""optional=True lets requests without credentials through, never bad ones: every scheme, both guards."""

from __future__ import annotations

import asyncio
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import (
    AsyncGuard, BasicVerifier, DigestVerifier, Guard, HMACVerifier, JWTVerifier, Key, Rejected, Request,
)  # fmt: skip
from watchword.stores import MemoryStore

STORE = MemoryStore()
STORE.add_user("alice", "open sesame", realm="orders")
KEY = Key.generate("HS256")
VERIFIERS = [JWTVerifier(KEY), DigestVerifier(realm="orders"), HMACVerifier(), BasicVerifier(realm="orders")]
GUARD = Guard(VERIFIERS, STORE)

GENUINE = "Basic " + base64.b64encode(b"alice:open sesame").decode()
WRONG = "Basic " + base64.b64encode(b"alice:wrong").decode()
BAD = [
    WRONG, WRONG.lower(), "Basic", "Basic ", "Basic !", "Basic " + base64.b64encode(b"nobody:x").decode(),
    "Bearer", "Bearer x", "Bearer a.b.c", "bearer e30.e30.", "Digest", "Digest x", 'Digest username="alice"',
    "HMAC", "HMAC x", "HMAC key=a", "", " ", ",", "Negotiate abc=", "Unknown x", f"{GENUINE}, {GENUINE}", f"{GENUINE},{WRONG}",
    f"{WRONG},{GENUINE}", f"{GENUINE},Bearer x", f"Bearer x,{GENUINE}", f"Digest x=1,{GENUINE}", f"x{GENUINE}",
]  # fmt: skip


def request(*values: str | bytes) -> Request:
    return Request("GET", "https", "api.example", "/", [("Authorization", value) for value in values])


def both(asked: Request) -> list[object]:
    """What each guard answers: an identity (None: anonymous) or the reason of its refusal."""
    found: list[object] = []

    async def receive() -> bytes:
        return b""

    for admit in (
        lambda: GUARD.admit(asked, lambda: b"", optional=True),
        lambda: asyncio.run(AsyncGuard.of(GUARD).admit(asked, receive, optional=True)),
    ):
        try:
            found.append(admit().identity)
        except Rejected as rejected:
            found.append(rejected.reason)
            assert rejected.refusal is not None
            assert rejected.refusal.status in (400, 401)
    return found


def test_the_guard_of_these_tests_does_accept_genuine_credentials_and_none_at_all():
    assert [identity.subject for identity in both(request(GENUINE))] == ["alice", "alice"]  # type: ignore[attr-defined]
    assert both(request()) == [None, None]


@pytest.mark.parametrize("value", BAD)
def test_bad_credentials_are_never_anonymous(value):
    first, second = both(request(value))
    assert first is second
    assert type(first).__name__ == "Reason"


@pytest.mark.parametrize("value", [GENUINE, *BAD[:6]])
def test_a_second_line_is_never_accepted(value):
    assert {type(found).__name__ for found in both(request(GENUINE, value)) + both(request(value, GENUINE))} == {
        "Reason"
    }


@given(st.sampled_from(["Basic", "Bearer", "Digest", "HMAC", "basic", "X"]), st.binary(max_size=60))
def test_arbitrary_octets_after_any_scheme_word_are_refused_alike_by_both_guards(word, octets):
    first, second = both(request(word.encode() + b" " + octets))
    assert first is second
    assert type(first).__name__ == "Reason"
