"""What is committed together is declared, and asked for where a guard or an endpoint is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from watchword import (
    AllOf, APIKeyVerifier, AsyncGuard, BasicVerifier, ConfigurationError, DigestVerifier, Guard, HMACVerifier, Key, Policy,
    Reason, Rejected, SignatureVerifier, WebhookVerifier,
)  # fmt: skip
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.attempts import KnownPair
from watchword.core.records import Add, Counter, Once, Outcome, Spent, TakeBack, Write
from watchword.core.together import committed_together
from watchword.schemes.digest import FirstCnonce, NonceKey
from watchword.servers.endpoint import asgi_endpoint, wsgi_endpoint
from watchword.stores import MemoryStore, combine
from watchword.testing import Clock, SeededRandom, signed
from watchword.testing.cases import CASES

ENDPOINT = TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="orders")


def only(*kinds: type) -> MemoryStore:
    store = MemoryStore()
    store.kinds = frozenset(kinds)
    return store


class Recording(MemoryStore):
    """Notes the kinds of each commit."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.commits: list[set[type]] = []

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        self.commits.append({kind_of(write) for write in writes})
        return super().commit(writes)


def kind_of(write: Write) -> type:
    return Spent if isinstance(write, Once | TakeBack) else Counter if isinstance(write, Add) else write.ref.kind


@pytest.mark.parametrize("name", CASES)
def test_no_verdict_of_a_scheme_commits_more_together_than_it_declares(name: str) -> None:
    case, clock, random = CASES[name](), Clock(), SeededRandom()
    store = Recording(clock)
    case.enrol(store)
    verifier = case.verifier()
    guard = Guard([verifier], store, policy=Policy(clock=clock, random=random))
    elsewhere = None if case.elsewhere is None else case.elsewhere(clock)
    store.commits.clear()
    for auth in (case.auth(), case.impostor()):
        for _ in range(2):
            request = signed(auth, guard=guard, clock=clock, random=random, elsewhere=elsewhere)
            for _ in range(2):
                try:
                    guard.verify(*request)
                except Rejected as rejected:
                    assert rejected.reason is not Reason.TOO_BUSY
    declared = committed_together(verifier) | {Counter}
    assert [kinds for kinds in store.commits if len(kinds) > 1 and not kinds <= declared] == []


def test_a_session_of_digest_commits_what_it_declares() -> None:
    assert set(committed_together(DigestVerifier(realm="r", algorithms=["SHA-256-sess"]))) == {Spent, FirstCnonce}
    assert set(committed_together(DigestVerifier(realm="r"))) == {Spent}
    whole = AllOf(DigestVerifier(realm="r", algorithms=["MD5-sess"]), WebhookVerifier(["whsec_" + "A" * 32]))
    assert set(committed_together(whole)) == {Spent, FirstCnonce}


APART = "which can't commit together"


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
@pytest.mark.parametrize(("stores", "words"), [
    (
        (only(Spent, Counter, KnownPair), MemoryStore()),
        r"DigestVerifier commits Spent and Counter and FirstCnonce together, .*FirstCnonce to MemoryStore.*hold FirstCnonce too",
    ),
    ((only(Counter, KnownPair, FirstCnonce), MemoryStore()), "hold Counter and FirstCnonce too"),
    ((MemoryStore(), only(Spent)), "hold Counter and FirstCnonce too"),
])  # fmt: skip
def test_a_guard_whose_verdicts_would_need_two_stores_is_refused_when_it_is_made(
    kind: Any, stores: Any, words: str
) -> None:
    verifiers = [DigestVerifier(realm="r", algorithms=["SHA-256-sess"])]
    with pytest.raises(ConfigurationError, match=words) as caught:
        kind(verifiers, combine(*stores))
    assert APART in str(caught.value)
    kind(verifiers, combine(only(Spent, Counter, KnownPair, FirstCnonce), MemoryStore()))


def test_marks_and_counters_may_be_apart_where_nobody_commits_both() -> None:
    store = combine(only(Spent), MemoryStore())
    Guard([HMACVerifier(), SignatureVerifier(), BasicVerifier(realm="r"), APIKeyVerifier(guessable=True)], store)
    Guard([DigestVerifier(realm="r")], store, policy=Policy(attempts=None))
    with pytest.raises(ConfigurationError, match=APART):
        Guard([DigestVerifier(realm="r")], store)


@pytest.mark.parametrize("host", [asgi_endpoint, wsgi_endpoint])
def test_an_endpoint_whose_answers_would_need_two_stores_is_refused_when_it_is_hosted(host: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="TokenEndpoint commits Counter and KnownPair together.*hold KnownPair too"
    ):
        host(ENDPOINT, combine(only(Counter), MemoryStore()))
    host(ENDPOINT, combine(only(Counter, KnownPair), MemoryStore()))
    counting_nothing = TokenEndpoint(Key.generate("HS256"), issuer="i", audience="a", attempts=None)
    host(counting_nothing, combine(only(Counter), MemoryStore()))


def test_what_was_used_up_is_marked_before_a_challenge_needs_another_store_and_stays_so() -> None:
    """Two commits: the first key of nonces is a key, and lies where keys do."""
    passing, lasting = MemoryStore(), only(NonceKey)
    guard = Guard([DigestVerifier(realm="r")], combine(lasting, passing))
    mark = Once(("used",), 2e10)
    rejected = Rejected(Reason.REPLAYED, writes=[mark])
    rejected.verifier = guard.plan.verifiers[0]
    assert guard.refuse(rejected).status == 401
    assert mark.is_used(passing.fetch(mark.refs))
    assert len(lasting.records(NonceKey)) == 1


def test_what_was_used_up_stays_so_if_the_challenge_cannot_be_made() -> None:
    class Full(MemoryStore):
        def commit(self, writes: Sequence[Write], /) -> Outcome:
            from watchword import StoreUnavailable

            raise StoreUnavailable("full")

    passing, lasting = MemoryStore(), Full()
    lasting.kinds = frozenset((NonceKey,))
    guard = Guard([DigestVerifier(realm="r")], combine(lasting, passing))
    mark = Once(("used",), 2e10)
    rejected = Rejected(Reason.REPLAYED, writes=[mark])
    rejected.verifier = guard.plan.verifiers[0]
    assert guard.refuse(rejected).status == 503
    assert mark.is_used(passing.fetch(mark.refs))
