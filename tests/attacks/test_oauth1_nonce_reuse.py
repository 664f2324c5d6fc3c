"""A nonce is good once for its client, token and timestamp (RFC 5849 §3.3), at every guard that shares the store.

CVE-2013-4346: a library's server checked no nonce at all, so every request could be sent again. CVE-2013-4347: its clients
took their nonces from a generator that others can follow.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.schemes.oauth1_world import FORM, GET, KEY, NOW, SECRET, auth, changed, guard, reason, signed, store
from watchword import AsyncGuard, Guard, OAuth1Auth, OAuth1Verifier, Policy, Reason, Rejected
from watchword.transport.flow import ClientContext
from watchword.core.records import Once
from watchword.stores import MemoryStore, SQLStore

NONCE = b"0123456789abcdef"


@pytest.mark.parametrize("placement", ["header", "query", "form"])
def test_a_second_time_is_a_replay_wherever_the_credentials_are(placement: str) -> None:
    request, body = signed(auth(placement=placement), changed(GET, method="POST", headers=FORM), b"a=1")
    judge = guard()
    judge.verify(request, body)
    assert reason(judge, request, body) is Reason.REPLAYED


def test_credentials_that_move_to_another_place_are_a_replay_still() -> None:
    records = store()
    request, _ = signed(auth(), changed(GET, target=b"/orders?a=1"))
    guard(records).verify(request)
    value = request.values(b"authorization")[0].decode()[6:]
    query = "&".join(part.replace('="', "=").rstrip('"') for part in value.split(", "))
    moved = changed(request, headers=(), target=b"/orders?a=1&" + query.encode())
    assert reason(guard(records), moved) is Reason.REPLAYED


def test_the_same_nonce_of_another_token_client_or_second_is_another_one() -> None:
    records = store()
    records.add_oauth1_token("second", "s2", client_key=KEY, subject="alice")
    records.add_oauth1_client("other", secret=SECRET)
    judge = guard(records)
    for who, now in (
        (auth(), NOW), (auth(), NOW - 1), (auth(token="second", token_secret="s2"), NOW), (auth(token=None), NOW),
        (OAuth1Auth("other", SECRET), NOW),
    ):  # fmt: skip
        request, _ = signed(who, nonce=NONCE, now=now)
        assert judge.verify(request)
        assert reason(judge, request) is Reason.REPLAYED


def test_no_two_of_them_share_a_key_in_the_replay_memory() -> None:
    """A client whose key ends as another's token begins must not use up its nonces."""
    records = store()
    records.add_oauth1_client("a", secret=SECRET)
    records.add_oauth1_client("a b", secret=SECRET)
    records.add_oauth1_token("b", "s", client_key="a", subject="x")
    judge = guard(records)
    for who in (
        OAuth1Auth("a", SECRET, token="b", token_secret="s"),
        OAuth1Auth("a b", SECRET),
        OAuth1Auth("a", SECRET),
    ):
        assert judge.verify(signed(who, nonce=NONCE)[0])


def test_a_forged_request_uses_up_no_nonce() -> None:
    records = store()
    forged, _ = signed(auth("guess"), nonce=NONCE)
    assert reason(guard(records), forged) is Reason.WRONG_SIGNATURE
    late, _ = signed(auth(), nonce=NONCE)
    assert reason(guard(records, now=NOW + 900), late) is Reason.EXPIRED
    assert guard(records).verify(signed(auth(), nonce=NONCE)[0])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_laxer_guard_of_the_same_store_remembers_too(kind: str) -> None:
    now = NOW

    def clock() -> float:
        return now

    records = MemoryStore(clock=clock) if kind == "memory" else SQLStore("sqlite://", clock=clock)
    records.add_oauth1_client(KEY, secret=SECRET)
    strict, lax = (
        Guard([OAuth1Verifier(max_age=age)], records, policy=Policy(clock=clock)) for age in (10, 300)
    )  # fmt: skip
    request, _ = signed(auth(token=None, token_secret=""))
    strict.verify(request)
    seen = set()
    for _ in range(60):
        now += 5
        for number in range(5):  # at which the store forgets what has ended
            records.commit([Once(("other", str(now), str(number)), now + 1)])
        seen.add(reason(lax, request))
    if isinstance(records, SQLStore):
        records.close()
    assert seen == {Reason.REPLAYED, Reason.EXPIRED}


def test_of_many_at_once_one_is_admitted() -> None:
    request, _ = signed(auth())

    async def main() -> list[object]:
        judge = AsyncGuard.of(guard())
        return await asyncio.gather(*(judge.verify(request) for _ in range(50)), return_exceptions=True)

    answers = asyncio.run(main())
    assert sum(not isinstance(answer, Rejected) for answer in answers) == 1


def test_our_nonces_come_from_the_system_s_randomness_and_never_twice() -> None:
    who, seen = auth(), set()
    for _ in range(500):
        value = who.sign(GET, ClientContext(bytes)).request.values(b"authorization")[0]
        seen.add(value.partition(b'oauth_nonce="')[2].partition(b'"')[0])
    assert len(seen) == 500
    assert {len(nonce) for nonce in seen} == {30}
