"""One name in several spellings: they reach one account, share one count of attempts, or reach none.

Of this kind: CVE-2019-19844 (a lookalike resets another's password), and accounts taken over by names in fullwidth letters.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import AsyncGuard, BasicVerifier, Guard, Identity, Password, Reason, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.stores import MemoryStore

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # of "secret"; cheap


def asking(username: str, password: str = "secret") -> Request:
    value = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    return Request("GET", "https", "api.example", "/", {"Authorization": value})


def judge(guard: Any, asked: Request) -> Identity | Reason:
    try:
        answer = guard.verify(asked)
        return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer  # type: ignore[no-any-return]
    except Rejected as rejected:
        return rejected.reason


@pytest.fixture(params=[Guard, AsyncGuard])
def guard(request: pytest.FixtureRequest) -> Any:
    store = MemoryStore()
    for name in ("admin", "Jos\u00e9"):
        store.commit([Put(Ref(Password, (name,)), Password(SHA))])
    return request.param([BasicVerifier(realm="x", rehash=None)], store)


@pytest.mark.parametrize("spelling", ["Jos\u00e9", "Jose\u0301", "\uff2aos\u00e9", "\uff2a\uff4f\uff53e\u0301"])
def test_spellings_of_one_name_are_one_subject_in_one_spelling(guard: Any, spelling: str) -> None:
    identity = judge(guard, asking(spelling))
    assert isinstance(identity, Identity) and identity.subject == "Jos\u00e9"


LOOKALIKES = [
    "\u0430dmin",  # a Cyrillic letter
    "adm\u0131n",  # dotless i, "I" in upper case
    "ADMIN", "Admin",
    "admi\u0578",  # Armenian
]  # fmt: skip
NO_NAMES = [
    "admin\u200b", "ad\u00admin", "admin\ufeff", "\u202eadmin", "\u2066admin", "admin\u0000", "\u24d0dmin", "\U0001d41admin",
    "admin ", " admin", "admin\u3000", "\u00aadmin", "admin\U000e0041",
]  # fmt: skip


@pytest.mark.parametrize("name", LOOKALIKES)
def test_another_name_that_looks_alike_is_another_user(guard: Any, name: str) -> None:
    assert judge(guard, asking(name)) is Reason.UNKNOWN_SUBJECT


@pytest.mark.parametrize("name", NO_NAMES)
def test_invisible_and_compatibility_characters_make_no_name(guard: Any, name: str) -> None:
    assert judge(guard, asking(name)) is Reason.MALFORMED_CREDENTIALS


@examples(200)
@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_every_spelling_that_unicode_calls_equal_has_one_claim_or_none(name: str) -> None:
    """So a guesser has as many tries by one name as by all of its spellings."""
    verifier = BasicVerifier(realm="x", cache=None)
    seen = set()
    for form in ("NFC", "NFD"):
        try:
            claim = verifier.read(asking(normalize(form, name)))
        except Rejected as rejected:
            assert rejected.reason is Reason.MALFORMED_CREDENTIALS
            continue
        seen.add((claim.username, claim.guesses))
    assert len(seen) <= 1


@pytest.mark.parametrize(
    ("stored", "sent"), [("zw\u00f6lf M", "zwo\u0308lf\u3000M"), ("zwo\u0308lf\u00a0M", "zw\u00f6lf M")]
)
def test_a_password_is_the_same_however_a_keyboard_spells_it(stored: str, sent: str) -> None:
    store = MemoryStore()
    store.add_user("alice", stored)
    guard = Guard([BasicVerifier(realm="x")], store)
    assert isinstance(judge(guard, asking("alice", sent)), Identity)
    assert judge(guard, asking("alice", "zwolf M")) is Reason.WRONG_SECRET
