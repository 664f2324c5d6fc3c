"""A scope is what the issuer wrote between spaces: other white space in it makes no second scope (RFC 6749 §3.3)."""

from __future__ import annotations

import json

import pytest

from watchword import JWTVerifier, Key, Reason, Rejected
from watchword.crypto import jose

KEY = Key.generate("HS256")


@pytest.mark.parametrize("claim", ["scope", "scp"])
@pytest.mark.parametrize("blank", ["\t", "\n", "\x0b", "\x1f", "\x85", "\u00a0", "\u2003", "\u2028", "\u3000"])
def test_it_grants_nothing_that_was_not_written(claim: str, blank: str) -> None:
    token = jose.sign(json.dumps({"sub": "alice", claim: f"read{blank}admin list"}).encode(), KEY)
    assert JWTVerifier(KEY).verify(token).scopes == {f"read{blank}admin", "list"}


@pytest.mark.parametrize(
    "claims", [{"scope": " read  write "}, {"scp": " read  write "}, {"scope": "read ", "scp": ["write"]}]
)
def test_no_scope_is_empty(claims: dict[str, object]) -> None:
    token = jose.sign(json.dumps({"sub": "alice", **claims}).encode(), KEY)
    assert JWTVerifier(KEY).verify(token).scopes == {"read", "write"}


@pytest.mark.parametrize("claim", ["scope", "scp"])
@pytest.mark.parametrize(
    "smuggled", ["", " ", "read admin", "read\tadmin", "read\nadmin", "read\u00a0admin", "read\u2028admin"]
)
def test_no_element_of_a_list_is_more_or_less_than_one_scope(claim: str, smuggled: str) -> None:
    token = jose.sign(json.dumps({"sub": "alice", claim: ["list", smuggled]}).encode(), KEY)
    with pytest.raises(Rejected) as caught:
        JWTVerifier(KEY).verify(token)
    assert (caught.value.reason, caught.value.rejection.where) == (Reason.WRONG_CLAIM, claim)
