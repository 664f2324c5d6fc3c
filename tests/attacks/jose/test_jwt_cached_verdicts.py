"""A cache of verified tokens must not be a way around verification."""

from __future__ import annotations

import json
import random
import time

import pytest

from watchword import Guard, JWTVerifier, Key, Reason, Rejected, Request, TokenCache
from watchword.crypto import jose

KEY = Key.from_secret(bytes(range(32)), algorithm="HS256")


def token(**claims: object) -> str:
    return jose.sign(json.dumps({"sub": "alice", "exp": int(time.time()) + 300, **claims}).encode(), KEY)


def test_no_change_of_any_octet_of_a_known_token_is_accepted() -> None:
    known = token()
    guard = Guard([JWTVerifier(KEY, cache=TokenCache())])
    ask = guard.verify
    ask(request(known))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    picks = random.Random(1)
    for at in range(len(known)):
        changed = known[:at] + picks.choice(letters.replace(known[at], "")) + known[at + 1 :]
        with pytest.raises(Rejected):
            ask(request(changed))
    assert ask(request(known)).subject == "alice"


def request(known: str) -> Request:
    return Request("GET", "https", "a", "/", {"Authorization": f"Bearer {known}"})


def test_what_one_api_found_good_is_not_good_for_another() -> None:
    orders = JWTVerifier(KEY, audience="orders", cache=TokenCache())
    accounts = JWTVerifier(KEY, audience="accounts", cache=TokenCache())
    orders.verify(token(aud="orders"))
    with pytest.raises(Rejected) as caught:
        accounts.verify(token(aud="orders"))
    assert caught.value.reason is Reason.WRONG_AUDIENCE


def test_a_flood_of_genuine_tokens_does_not_fill_memory() -> None:
    cache = TokenCache(size=100)
    verifier = JWTVerifier(KEY, cache=cache)
    for number in range(1000):
        verifier.verify(token(jti=str(number)))
    assert len(cache) <= 100


def test_a_token_does_not_outlive_itself_by_being_asked_for_again_and_again() -> None:
    now = [1000.0]
    verifier = JWTVerifier(KEY, cache=TokenCache(ttl=60), clock=lambda: now[0])
    known = token(exp=1100)
    while now[0] < 1100:
        verifier.verify(known)
        now[0] += 7
    with pytest.raises(Rejected) as caught:
        verifier.verify(known)
    assert caught.value.reason is Reason.EXPIRED
