"""read > fetch > body > decide > commit: the order, and what each step may do to the verdict. Both guards are asked."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.core.fakes import (
    NOTE, NOW, AwaitedStore, BlockingStore, FakeStore, FakeVerifier, Note, ask, get,
)  # fmt: skip
from watchword.core.attempts import AttemptPolicy, KnownPair, Window
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.limits import Limits
from watchword.core.plan import Policy
from watchword.core.records import COMMITTED, Add, Conflict, Counter, Exceeded, Once, Put, Ref, Replayed
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import STREAM, WHOLE, Decision, Digests, More
from watchword.stores import MemoryStore

ALICE = Identity("alice", "fake")
USED = Once(("fake", "nonce"), NOW + 60)
TRY = Add(("attempts", "alice"), 1, NOW + 60, limit=3)
OTHER = Ref(Note, ("other",))


def made(records=None, outcomes=(), down="", **verifier):
    """What `ask` needs to make the same verifier and store for each guard."""
    verifier.setdefault("kinds", (Note,))

    def make(kind):
        return [FakeVerifier(**verifier)], kind(dict(records or {}), outcomes, down)

    return make


GENUINE = get(authorization="fake alice")
WRONG = get(authorization="fake wrong")


# ---- fetch -----------------------------------------------------------------------------------------------------------


def test_the_standing_and_the_needed_records_are_fetched_at_once():
    assert ask(made(always_needed=[NOTE], needs=[OTHER]), GENUINE).fetched == ((NOTE, OTHER),)


def test_a_claim_that_needs_nothing_asks_the_store_nothing():
    answer = ask(made(), GENUINE)
    assert (answer.fetched, answer.commits) == ((), ())


@pytest.mark.parametrize("down", ["fetch", "commit"])
@pytest.mark.parametrize("optional", [False, True])
def test_while_the_store_is_down_nothing_is_accepted(down, optional):
    answer = ask(made(down=down, needs=[NOTE], decision=lambda *_: Decision(ALICE, [USED])), GENUINE, optional=optional)
    assert (answer.subject, answer.reason, answer.status) == (None, None, 503)
    assert (answer.verdicts[0].status, answer.verdicts[0].detail) == (503, "the store does not answer")


def test_a_refusal_whose_writes_fail_is_no_acceptance():
    assert ask(made(down="commit", blame=[TRY]), WRONG).status == 503


def test_a_challenge_that_needs_the_store_is_503_while_it_is_down():
    assert ask(made(down="fetch", always_needed=[NOTE]), get()).status == 503


@pytest.mark.parametrize("needs", [(), [NOTE]], ids=["needs nothing", "needs a record"])
@pytest.mark.parametrize("slow", [False, True])
def test_a_verifier_that_can_decide_nothing_now_is_503_and_reported(needs, slow):
    def decide(*_):
        raise StoreUnavailable("the keys are too old to go by")

    answer = ask(made(needs=needs, is_slow=slow, decision=decide), GENUINE)
    assert (answer.subject, answer.reason, answer.status) == (None, None, 503)
    assert [(told.status, told.scheme, told.detail) for told in answer.verdicts] == [
        (503, "fake", "the keys are too old to go by")
    ]


def test_more_records_are_fetched_twice_at_most():
    def decide(found, body, now, random):
        if found.get(NOTE) is None:
            return More([NOTE])
        if found.get(OTHER) is None:
            return More([OTHER])
        return Decision(ALICE)

    answer = ask(made({NOTE: Note("a"), OTHER: Note("b")}, decision=decide), GENUINE)
    assert (answer.subject, answer.fetched) == ("alice", ((NOTE,), (OTHER,)))


def test_a_scheme_that_never_has_enough_is_a_bug_and_lets_nobody_in():
    verifier = FakeVerifier(kinds=(Note,), decision=lambda *_: More([NOTE]))
    with pytest.raises(AssertionError, match="more than twice"):
        Guard([verifier], FakeStore()).verify(GENUINE)


# ---- body ------------------------------------------------------------------------------------------------------------


def test_a_body_that_nobody_needs_is_left_to_the_application():
    answer = ask(made(), GENUINE, [b"never read"])
    assert answer.body is None


def test_a_whole_body_reaches_the_decision_and_the_application():
    verifier = FakeVerifier(body=WHOLE)
    answer = ask(verifier, GENUINE, [b"hel", b"lo"])
    assert (answer.body, verifier.bodies[-1].data) == (b"hello", b"hello")


def test_digests_of_a_body_are_computed_as_it_is_read():
    verifier = FakeVerifier(body=Digests(("sha-256",), lambda name: hashlib.sha256()))
    ask(verifier, GENUINE, [b"hel", b"lo"])
    assert verifier.bodies[-1].digest("sha-256") == hashlib.sha256(b"hello").digest()


def test_a_body_that_is_checked_as_it_passes_is_not_read_before_the_decision():
    verifier = FakeVerifier(body=STREAM)
    answer = ask(verifier, GENUINE, [b"x" * 100], limits=Limits(body=10))
    assert (answer.subject, answer.body, verifier.bodies[-1].data) == ("alice", None, b"")


def test_a_body_over_its_limit_is_refused_before_cryptography_and_one_at_its_limit_is_not():
    for size, reason in ((10, None), (11, Reason.BODY_TOO_LARGE)):
        verifier = FakeVerifier(body=WHOLE)
        answer = ask(verifier, GENUINE, [b"x" * 5, b"x" * (size - 5)], limits=Limits(body=10))
        assert (answer.reason, answer.status) == (reason, 413 if reason else 0)
        assert ("fake decide" in answer.trace) is (reason is None)


def test_a_body_that_says_it_is_too_large_is_refused_before_any_look_up():
    request = get(("Content-Length", "11"), authorization="fake alice")
    answer = ask(guessable(body=WHOLE, needs=[NOTE]), request, limits=Limits(body=10))
    assert (answer.reason, answer.status, answer.fetched, answer.commits) == (Reason.BODY_TOO_LARGE, 413, (), ())


@pytest.mark.parametrize("lengths", [("1", "1"), ("-1",), ("1,1",), ("",), ("0x1",), ("1" * 20,)])
def test_a_content_length_that_is_no_number_is_a_bad_request(lengths):
    request = get(*(("Content-Length", length) for length in lengths), authorization="fake alice")
    assert ask(made(body=WHOLE), request).reason is Reason.MALFORMED_REQUEST


def test_a_declared_length_is_the_applications_concern_where_the_body_is_not_needed():
    request = get(("Content-Length", "99999999"), authorization="fake alice")
    assert ask(made(), request, limits=Limits(body=10)).subject == "alice"


class Shouting:
    """A stream that takes upper-case octets only."""

    def feed(self, chunk):
        if chunk != chunk.upper():
            raise Rejected(Reason.WRONG_BODY, "not so loud", where="body")
        return chunk

    def end(self):
        return b""


@pytest.mark.parametrize(("body", "reason"), [(b"LOUD", None), (b"quiet", Reason.WRONG_BODY)])
def test_verify_lets_a_whole_body_pass_through_the_stream_before_it_believes(body, reason):
    verifier = FakeVerifier(body=STREAM, decision=lambda *_: Decision(ALICE, stream=Shouting()))
    for verify in (Guard([verifier]).verify, lambda *a: asyncio.run(AsyncGuard([verifier]).verify(*a))):
        if reason is None:
            assert verify(GENUINE, body) is ALICE
        else:
            with pytest.raises(Rejected) as caught:
                verify(GENUINE, body)
            assert caught.value.reason is reason
            assert caught.value.refusal.challenges[0].scheme == "Fake"


# ---- decide ----------------------------------------------------------------------------------------------------------


def test_the_clock_is_read_after_the_body_so_that_slow_senders_win_no_time():
    seen = []
    times = [0.0]

    def receive():
        times[0] = 50.0
        return b""

    verifier = FakeVerifier(body=WHOLE, decision=lambda f, b, now, r: seen.append(now) or Decision(ALICE))
    Guard([verifier], policy=Policy(clock=lambda: times[0])).admit(GENUINE, receive)
    assert seen == [50.0]


def test_slow_work_and_blocking_stores_leave_the_event_loops_thread_and_quick_ones_stay():
    for slow, kind, stays in ((True, BlockingStore, False), (False, FakeStore, True)):
        verifier, store = FakeVerifier(kinds=(Note,), needs=[NOTE], is_slow=slow), kind()
        asyncio.run(AsyncGuard([verifier], store).verify(GENUINE))
        assert verifier.trace[-1] == f"fake decide {stays}"
        assert store.threads == {stays}


def test_slow_work_that_can_not_be_guessed_takes_as_many_threads_as_the_event_loop_has():
    """It waits in no line, so something else has to bound it."""
    threads = set()

    def decide(*_):
        threads.add(threading.current_thread())
        return Decision(ALICE)

    async def many():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        guard = AsyncGuard([FakeVerifier(is_slow=True, decision=decide)])
        return await asyncio.gather(*(guard.verify(GENUINE) for _ in range(50)))

    assert asyncio.run(many()) == [ALICE] * 50
    assert 1 <= len(threads) <= 2


def test_one_event_loop_serves_others_while_a_slow_decision_runs():
    async def both():
        order = []
        loop = asyncio.get_running_loop()
        release = asyncio.Event()

        def decide(*_):
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
            order.append("slow")
            return Decision(ALICE)

        slow = asyncio.create_task(AsyncGuard([FakeVerifier(is_slow=True, decision=decide)]).verify(GENUINE))
        await AsyncGuard([FakeVerifier()]).verify(GENUINE)
        order.append("quick")
        release.set()
        await slow
        return order

    assert asyncio.run(both()) == ["quick", "slow"]


# ---- commit ----------------------------------------------------------------------------------------------------------


def test_writes_are_committed_before_the_identity_is_believed():
    assert ask(made(decision=lambda *_: Decision(ALICE, [USED])), GENUINE).commits == ((USED,),)


def test_wrong_credentials_never_touch_the_replay_memory():
    assert ask(made(needs=[NOTE], decision=lambda *_: Decision(ALICE, [USED])), WRONG).commits == ()


def test_what_was_used_before_is_a_replay():
    answer = ask(made(outcomes=[Replayed(USED)], decision=lambda *_: Decision(ALICE, [USED])), GENUINE)
    assert (answer.reason, answer.status, answer.subject) == (Reason.REPLAYED, 401, None)


def test_a_moved_version_is_fetched_and_decided_again():
    put = Put(NOTE, Note("new"), if_version=1)
    answer = ask(
        made({NOTE: Note("old")}, [Conflict(put)], needs=[NOTE], decision=lambda *_: Decision(ALICE, [put])), GENUINE
    )
    assert (answer.subject, answer.fetched, len(answer.commits)) == ("alice", ((NOTE,), (NOTE,)), 2)
    assert answer.trace == ("fake read", "fake decide", "fake decide")


def test_versions_that_keep_moving_are_503_after_three_rounds():
    put = Put(NOTE, Note("new"), if_version=1)
    answer = ask(made(outcomes=[Conflict(put)] * 9, decision=lambda *_: Decision(ALICE, [put])), GENUINE)
    assert (answer.status, len(answer.commits), answer.subject) == (503, 3, None)


# ---- attempts --------------------------------------------------------------------------------------------------------


class Guessable(FakeVerifier):
    """A fake whose token can be guessed; its claims name whom they ask for."""

    guessable = True
    __hash__ = object.__hash__

    def read(self, request):
        claim = super().read(request)
        if claim is not None:
            claim.guesses = "alice"
        return claim


def guessable(outcomes=(), *, records=None, **verifier):
    """As `made`, with a verifier whose work takes long and whose secret can be guessed; `ONLY` is the policy for it."""
    verifier.setdefault("kinds", (Note,))
    verifier.setdefault("is_slow", True)

    def make(kind):
        return [Guessable(**verifier)], kind(dict(records or {}), outcomes)

    return make


ONLY = AttemptPolicy(pair=(), subject=[Window(3, 60)], address=())
COUNT = Add(("attempts", "subject", "alice", "60.0"), 1, NOW + 60, limit=3)
UNCOUNT = Add(COUNT.counter, -1, NOW + 60, limit=3)
ROOM = Add(COUNT.counter, 0, 0.0, limit=2)


def attempted(make, request, **options):
    """The answer, and what was committed but for the note of who came from where."""
    answer = ask(make, request, attempts=ONLY, **options)
    known = [
        write for batch in answer.commits for write in batch if isinstance(write, Put) and write.ref.kind is KnownPair
    ]
    assert len(known) == (answer.subject is not None)
    return answer, tuple(batch for batch in answer.commits if not set(batch) <= set(known))


def test_an_attempt_is_counted_before_the_decision_and_given_back_on_success():
    order = []

    class Ordered(Guessable):
        def saw(self, event):
            order.append(event.partition(" ")[0])
            super().saw(event)

    def make(kind):
        store = kind()
        commit = store.commit

        def noting(writes):
            order.append("commit")
            return commit(writes)

        async def noting_async(writes):
            order.append("commit")
            return await commit(writes)

        store.commit = noting_async if kind is AwaitedStore else noting
        return [Ordered(kinds=(Note,), is_slow=True)], store

    answer, commits = attempted(make, GENUINE)
    assert (answer.subject, commits) == ("alice", ((COUNT,), (UNCOUNT,)))
    assert order == ["read", "commit", "decide", "commit", "commit"] * 4  # each guard; last the pair is remembered


def test_what_was_given_back_leaves_the_count_as_it_was():
    store = MemoryStore(clock=lambda: NOW)
    guard = Guard([Guessable(is_slow=True)], store, policy=Policy(clock=lambda: NOW, attempts=ONLY))
    ref = Ref(Counter, COUNT.counter)
    for _ in range(3):
        guard.verify(GENUINE)
        assert store.fetch([ref]).get(ref) in (None, Counter(0, NOW + 60))


def test_a_failed_attempt_is_not_given_back():
    answer, commits = attempted(guessable(), WRONG)
    assert (answer.reason, commits) == (Reason.WRONG_SECRET, ((COUNT,),))


def test_a_refusal_of_a_proven_secret_gives_the_attempt_back():
    answer, commits = attempted(guessable(), get(authorization="fake stale"))
    assert (answer.reason, commits) == (Reason.STALE_NONCE, ((COUNT,), (UNCOUNT,)))


def test_a_replay_gives_the_attempt_back():
    make = guessable([COMMITTED, Replayed(USED)], decision=lambda *_: Decision(ALICE, [USED]))
    answer, commits = attempted(make, GENUINE)
    assert commits == ((COUNT,), (USED, UNCOUNT), (UNCOUNT,))
    assert answer.reason is Reason.REPLAYED


def test_versions_that_move_count_one_attempt_and_give_it_back_once():
    put = Put(NOTE, Note("new"), if_version=1)
    make = guessable(
        [COMMITTED, Conflict(put)], records={NOTE: Note("old")}, needs=[NOTE],
        decision=lambda *_: Decision(ALICE, [put]),
    )  # fmt: skip
    answer, commits = attempted(make, GENUINE)
    assert (answer.subject, commits) == ("alice", ((COUNT,), (put, UNCOUNT), (put, UNCOUNT)))
    assert answer.trace == ("fake read", "fake decide", "fake decide")


def test_too_many_attempts_are_429_before_the_decision_and_say_when_to_return():
    answer, commits = attempted(guessable([Exceeded(COUNT, NOW + 42)]), GENUINE)
    assert (answer.reason, answer.status, commits) == (Reason.TOO_MANY_ATTEMPTS, 429, ((COUNT,),))
    assert "fake decide" not in answer.trace
    assert (b"retry-after", b"42") in answer.headers


@pytest.mark.parametrize("slow", [True, False])
def test_a_counter_that_is_full_already_is_429_before_the_body_is_read(slow):
    make = guessable(records={Ref(Counter, COUNT.counter): Counter(3, NOW + 42)}, is_slow=slow, body=WHOLE)
    answer, commits = attempted(make, GENUINE, chunks=[b"x" * 20], limits=Limits(body=10))
    assert (answer.reason, answer.status, commits) == (Reason.TOO_MANY_ATTEMPTS, 429, ())


@pytest.mark.parametrize("asked", [GENUINE, WRONG], ids=["genuine", "wrong"])
def test_an_attempt_that_could_not_be_counted_is_503(asked):
    answer, _ = attempted(guessable([Conflict(Put(NOTE, Note("x")))]), asked)
    assert (answer.status, answer.subject) == (503, None)
    assert "fake decide" not in answer.trace


def test_fast_work_is_counted_when_it_was_wrong_and_has_to_find_room_when_it_was_right():
    for request, reason, expected in (
        (GENUINE, None, (ROOM,)),
        (WRONG, Reason.WRONG_SECRET, (COUNT,)),
        (get(authorization="fake stale"), Reason.STALE_NONCE, (ROOM,)),
    ):
        answer, commits = attempted(guessable(is_slow=False), request)
        assert (answer.reason, commits) == (reason, (expected,))


@pytest.mark.parametrize("token", ["alice", "wrong", "stale"])
def test_fast_work_that_finds_no_room_is_429_whatever_the_secret_was(token):
    make = guessable([Exceeded(COUNT, NOW + 42)], is_slow=False)
    answer, commits = attempted(make, get(authorization=f"fake {token}"))
    assert (answer.reason, answer.status, answer.subject) == (Reason.TOO_MANY_ATTEMPTS, 429, None)
    assert len(commits) == 1
    assert (b"retry-after", b"42") in answer.headers


def test_what_can_not_be_guessed_is_not_counted():
    answer = ask(made(is_slow=True), GENUINE, attempts=ONLY)
    assert (answer.subject, answer.fetched, answer.commits) == ("alice", (), ())


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_a_refusals_own_writes_are_committed():
    assert ask(made(blame=[TRY]), WRONG).commits == ((TRY,),)


def test_a_first_challenge_creates_what_it_needs_and_takes_anothers_if_it_was_faster():
    put = Put(NOTE, Note("mine"), if_version=0)

    def writes(found):
        return [] if found.get(NOTE) else [put]

    alone = ask(made(always_needed=[NOTE], refusal_writes=writes), get())
    assert alone.commits == ((put,),)

    def late(kind):
        store = kind({}, [Conflict(put)])
        commit = store.commit

        def overtaken(batch):
            store.records[NOTE] = Note("theirs")
            return commit(batch)

        async def overtaken_async(batch):
            store.records[NOTE] = Note("theirs")
            return await commit(batch)

        store.commit = overtaken_async if kind is AwaitedStore else overtaken
        return [FakeVerifier(kinds=(Note,), always_needed=[NOTE], refusal_writes=writes)], store

    beaten = ask(late, get())
    assert (beaten.status, beaten.commits, beaten.fetched) == (401, ((put,),), ((NOTE,), (NOTE,)))


def test_a_full_counter_does_not_keep_a_challenge_from_its_records():
    put = Put(NOTE, Note("key"), if_version=0)
    answer = ask(
        made(outcomes=[Exceeded(TRY, NOW)], always_needed=[NOTE], blame=[TRY], refusal_writes=lambda _: [put]), WRONG
    )
    assert answer.commits == ((TRY,), (put,))
    assert answer.status == 401


def test_a_challenge_whose_records_keep_moving_is_503():
    put = Put(NOTE, Note("key"), if_version=0)
    answer = ask(made(outcomes=[Conflict(put)] * 9, always_needed=[NOTE], refusal_writes=lambda _: [put]), get())
    assert (answer.status, len(answer.commits)) == (503, 3)


# ---- answers ---------------------------------------------------------------------------------------------------------


def test_an_answer_to_credentials_outside_authorization_is_private_to_caches():
    outside = ask(FakeVerifier("fake", field=b"x-fake"), get(("X-Fake", "alice")))
    inside = ask(FakeVerifier("fake"), GENUINE)
    assert outside.response_headers == ((b"cache-control", b"private"),)
    assert inside.response_headers == ()


def test_a_store_that_breaks_in_a_way_of_its_own_is_nobodys_acceptance():
    class Broken(FakeStore):
        def fetch(self, refs, /):
            raise StopIteration

    with pytest.raises(RuntimeError):
        Guard([FakeVerifier(kinds=(Note,), needs=[NOTE])], Broken()).admit(GENUINE, lambda: b"")


def test_store_unavailable_carries_the_refusal_to_send():
    guard = Guard([FakeVerifier(kinds=(Note,), needs=[NOTE])], FakeStore(down="fetch"))
    with pytest.raises(StoreUnavailable) as caught:
        guard.verify(GENUINE)
    assert caught.value.refusal.status == 503
