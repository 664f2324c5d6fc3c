"""Who forgets the scheme word sends the secret in its place: it shows up in no verdict, error, traceback or explanation."""

from __future__ import annotations

import traceback

import pytest

from watchword import BasicVerifier, Guard, JWTVerifier, Key, Rejected, Request, Verdict, explain
from watchword.stores import MemoryStore

SECRET = "sk-live-0123456789"


@pytest.mark.parametrize(
    "value", [SECRET, f"{SECRET} ", f" {SECRET}", f"{SECRET} x", f"{SECRET}\tx", f"Api-Key:{SECRET} y"]
)
def test_it_is_repeated_nowhere(value: str) -> None:
    verdicts: list[Verdict] = []
    guard = Guard([BasicVerifier(realm="orders")], MemoryStore(), observe=verdicts.append)
    asked = Request("GET", "https", "api.example", "/", {"Authorization": value})
    with pytest.raises(Rejected) as caught:
        guard.verify(asked)
    explanation = explain(asked, guard)
    shown = "".join(traceback.format_exception(caught.value))
    for text in (repr(verdicts), str(caught.value), repr(caught.value), shown, str(explanation), explanation.to_json()):
        assert SECRET not in text.lower()
        assert SECRET[:8] not in text.lower()


def test_the_schemes_that_are_spoken_are_named_instead() -> None:
    guard = Guard([BasicVerifier(realm="orders"), JWTVerifier(Key.generate("HS256"))], MemoryStore())
    with pytest.raises(Rejected, match="no verifier speaks this scheme, .*; spoken here: basic, bearer") as caught:
        guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": "Digest x"}))
    assert "digest" not in caught.value.rejection.detail.lower()
