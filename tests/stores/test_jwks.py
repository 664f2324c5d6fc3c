"""Remote key sets: found, fetched once, kept fresh, kept when the issuer fails."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.floods import block_until
from tests.patience import PATIENCE
from tests.stores.issuer import Issuer, jwks, new_key, settle
from watchword import (
    AsyncGuard, BasicVerifier, ConfigurationError, Guard, JWTVerifier, Key, KeySet, OAuth2Verifier, Policy, Reason,
    Rejected, Request, StoreUnavailable, explain,
)  # fmt: skip
from watchword.schemes.all_of import AllClaims
from watchword.core.io import Direct, drive, fetch_more
from watchword.core.records import NOTHING_FOUND, Ref
from watchword.core.scheme import NO_BODY
from watchword.schemes.key_source import KeySource, PublishedKeys
from watchword.stores import MemoryStore, RemoteKeySet, combine
from watchword.stores.jwks import THREADS
from watchword.transport.get import Answer, Fault, FetchFailed

ONE, TWO, THREE = new_key("1"), new_key("2"), new_key("3", "EdDSA")


@pytest.fixture(scope="module", autouse=True)
def what_was_there_before_is_not_collected_each_time():
    """A collection after each test takes a hundredth of the time so."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    assert set(threading.enumerate()) <= before
    gc.collect()


@pytest.fixture
def issuer():
    with Issuer(ONE) as made:
        yield made


def bearer(token):
    return Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"})


def guarded(issuer, remote, **options):
    return Guard([JWTVerifier(remote, clock=issuer.clock, **options)], policy=Policy(clock=issuer.clock))


def refused(guard, token):
    with pytest.raises(Rejected) as caught:
        guard.verify(bearer(token))
    return caught.value.reason


# ---- construction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({}, "a URL or an issuer"),
        ({"url": "https://a.example/", "issuer": "https://a.example"}, "a URL or an issuer"),
        ({"url": b"https://a.example/"}, "a URL or an issuer"),
        ({"url": "http://a.example/jwks"}, "allow_cleartext"),
        ({"url": "https://u:p@a.example/jwks"}, "username"),
        ({"issuer": "id.example"}, "https"),
        ({"issuer": "https://id.example/?a=b"}, "no query"),
        ({"url": "https://a.example/", "algorithms": "RS256"}, "sequence"),
        ({"url": "https://a.example/", "algorithms": ["HS256"]}, "public-key"),
        ({"url": "https://a.example/", "algorithms": ["RS256", "ECDH-ES"]}, "signature"),
        ({"url": "https://a.example/", "algorithms": []}, "public-key"),
        ({"url": "https://a.example/", "algorithms": ["none"]}, "none"),
        ({"url": "https://a.example/", "least": 0}, "least"),
        ({"url": "https://a.example/", "least": 10, "most": 5}, "least"),
        ({"url": "https://a.example/", "stale": -1}, "stale"),
        ({"url": "https://a.example/", "cool_down": 0}, "cool_down"),
        ({"url": "https://a.example/", "timeout": float("nan")}, "timeout"),
        ({"url": "https://a.example/", "ca_file": "/nowhere.pem"}, "ca_file"),
    ],
)
def test_what_cannot_work_is_said_at_construction(options, mend):
    with pytest.raises(ConfigurationError, match=mend):
        RemoteKeySet(**options)


def test_nothing_is_fetched_and_no_thread_runs_before_the_first_use(issuer):
    threads = threading.active_count()
    remote = issuer.remote()
    JWTVerifier(remote)
    assert (remote.state, issuer.connections, threading.active_count()) == ("empty", 0, threads)
    assert isinstance(remote, KeySource)
    assert not isinstance(KeySet([ONE]), KeySource)


def test_algorithms_are_said_once(issuer):
    with pytest.raises(ConfigurationError, match="RemoteKeySet"):
        JWTVerifier(issuer.remote(), algorithms=["ES256"])


# ---- snapshots ---------------------------------------------------------------------------------------------------------


def test_verify_goes_by_the_snapshot_that_refresh_fills(issuer):
    remote = issuer.remote()
    verifier = JWTVerifier(remote, clock=issuer.clock)
    remote.refresh()
    assert verifier.verify(issuer.token(ONE)).subject == "alice"
    assert (remote.state, issuer.fetches, remote.last_error) == ("fresh", 1, None)


def test_verify_says_what_to_do_while_there_are_no_keys_and_has_them_fetched(issuer):
    remote = issuer.remote()
    verifier = JWTVerifier(remote, clock=issuer.clock)
    with pytest.raises(StoreUnavailable, match="refresh"):
        verifier.verify(issuer.token(ONE))
    settle(remote)
    assert verifier.verify(issuer.token(ONE)).subject == "alice"


def test_keys_are_awaited(issuer):
    remote = issuer.remote()
    asyncio.run(remote.arefresh())
    assert remote.snapshot().holds("1")


def test_a_refresh_takes_keys_away_at_once_in_every_verifier(issuer):
    remote = issuer.remote()
    verifier = JWTVerifier(remote, clock=issuer.clock)
    remote.refresh()
    verifier.verify(issuer.token(ONE))
    issuer.keys = (TWO,)
    remote.refresh()
    with pytest.raises(Rejected) as caught:
        verifier.verify(issuer.token(ONE))
    assert caught.value.reason is Reason.UNKNOWN_KEY
    assert verifier.verify(issuer.token(TWO)).key_id == "2"


def test_an_unchanged_set_keeps_what_was_prepared(issuer):
    remote = issuer.remote()
    remote.refresh()
    keys = remote.keys
    remote.refresh()
    assert (issuer.fetches, remote.keys is keys) == (2, True)


def test_an_entity_tag_is_sent_back_and_not_modified_makes_fresh_again():
    with Issuer(ONE, etag='W/"1"') as issuer:
        remote = issuer.remote()
        remote.refresh()
        keys = remote.keys
        issuer.clock.now += 900
        remote.refresh()
        assert [fields.get("if-none-match") for _, fields in issuer.seen] == [None, 'W/"1"']
        assert remote.keys is keys
        assert remote.since == issuer.clock.now
        issuer.fields, issuer.keys = {"etag": '"2"'}, (TWO,)
        remote.refresh()
        assert remote.snapshot().holds("2")


@pytest.mark.parametrize("tag", ["1", '"a b"', '"' + "x" * 300 + '"', '"é"', "*"])
def test_what_is_no_entity_tag_is_never_sent_back(tag):
    with Issuer(ONE, etag=tag) as issuer:
        remote = issuer.remote()
        remote.refresh()
        remote.refresh()
        assert all("if-none-match" not in fields for _, fields in issuer.seen)


# ---- for how long -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("max-age=1000", 1000),
        ("max-age=1", 60),
        ("max-age=99999999", 86_400),
        ("no-store", 60),
        ("", 600),
        ("max-age=x", 60),
    ],
)
def test_the_keys_time_is_what_cache_control_says_within_bounds(said, seconds):
    with Issuer(ONE, cache_control=said) as issuer:
        remote = issuer.remote()
        remote.refresh()
        assert remote.good_until - remote.since == seconds


def test_keys_are_renewed_in_the_background_before_their_time_is_over(issuer):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    guard.verify(bearer(issuer.token(ONE)))
    issuer.clock.now += 799
    guard.verify(bearer(issuer.token(ONE)))
    assert issuer.fetches == 1
    issuer.clock.now += 2
    issuer.gate.clear()
    for _ in range(100):
        assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"  # nobody waits
    assert remote.state == "refreshing"
    issuer.gate.set()
    settle(remote)
    assert (issuer.fetches, remote.since) == (2, issuer.clock.now)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("max-age=1000, stale-while-revalidate=100", 1100),
        ("max-age=15, stale-while-revalidate=30", 90),  # `least` is 60
        ("max-age=80000, stale-while-revalidate=80000", 86_400),
        ("max-age=1000, stale-while-revalidate=x", 1000),
        ("max-age=1000, stale-while-revalidate=100, must-revalidate", 1000),
        ("no-cache, stale-while-revalidate=100", 60),
    ],
)
def test_keys_serve_while_they_are_renewed_for_as_long_as_the_issuer_says(said, seconds):
    with Issuer(ONE, cache_control=said) as issuer:
        remote = issuer.remote()
        guard = guarded(issuer, remote)
        remote.refresh()
        assert remote.good_until - remote.since == seconds
        issuer.clock.now += seconds - 1
        issuer.gate.clear()
        for _ in range(10):
            assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"  # nobody waits
        assert remote.state == "refreshing"
        issuer.gate.set()
        settle(remote)
        assert (issuer.fetches, remote.since) == (2, issuer.clock.now)


def test_not_modified_without_fields_leaves_the_times_as_they_were():
    with Issuer(ONE, etag='"1"', cache_control="max-age=1000, stale-while-revalidate=100") as issuer:
        remote = issuer.remote()
        remote.refresh()
        issuer.fields = {"etag": '"1"'}
        remote.refresh()
        assert remote.good_until - remote.since == 1100


def test_a_guard_waits_for_new_keys_when_the_old_ones_time_is_over(issuer):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    guard.verify(bearer(issuer.token(ONE)))
    issuer.keys = (TWO,)
    issuer.clock.now += 1000
    assert remote.state == "stale"
    assert refused(guard, issuer.token(ONE)) is Reason.UNKNOWN_KEY
    assert guard.verify(bearer(issuer.token(TWO))).key_id == "2"


def test_a_clock_that_is_set_back_makes_keys_due(issuer):
    remote = issuer.remote()
    remote.refresh()
    issuer.clock.now -= 500_000
    remote.snapshot()
    settle(remote)
    assert (issuer.fetches, remote.since) == (2, issuer.clock.now)


# ---- failing issuers ---------------------------------------------------------------------------------------------------


BAD = [
    (500, None, Fault.STATUS),
    (404, None, Fault.STATUS),
    (301, None, Fault.REDIRECTED),
    (200, b"", Fault.UNUSABLE),
    (200, b"<html>", Fault.UNUSABLE),
    (200, b"[]", Fault.UNUSABLE),
    (200, b"{}", Fault.UNUSABLE),
    (200, b'{"keys":{}}', Fault.UNUSABLE),
    (200, b'{"keys":[]}', Fault.UNUSABLE),
    (200, b'{"keys":[],"keys":[]}', Fault.UNUSABLE),
    (200, b'{"keys":[7,null,{"kty":[]},{"kty":"oct","k":"AAAA","alg":"HS256"}]}', Fault.UNUSABLE),
    (200, b'{"keys":' + b"[" * 10_000, Fault.UNUSABLE),
    (200, b" " * 600_000, Fault.TOO_LARGE),
]


@pytest.mark.parametrize(("status", "body", "fault"), BAD)
def test_a_failing_fetch_never_drops_good_keys(issuer, status, body, fault):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    remote.refresh()
    issuer.status, issuer.body = status, body
    with pytest.raises(FetchFailed) as caught:
        remote.refresh()
    assert (caught.value.fault, remote.last_error.fault) == (fault, fault)
    assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"


def test_an_error_shows_nothing_of_what_came(issuer):
    remote = issuer.remote()
    issuer.body = b'{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ","kid":"hidden","alg":"made-up"}]}'
    with pytest.raises(FetchFailed) as caught:
        remote.refresh()
    for word in ("c2Vj", "hidden", "made-up"):
        assert word not in str(caught.value)


def test_stale_keys_serve_without_waiting_while_the_issuer_fails_and_no_longer_than_allowed(issuer):
    remote = issuer.remote(stale=5000)
    guard = guarded(issuer, remote)
    guard.verify(bearer(issuer.token(ONE)))
    issuer.status = 503
    issuer.clock.now += 1000
    assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"
    assert (issuer.fetches, remote.state) == (2, "stale")
    issuer.gate.clear()  # from now on it hangs
    issuer.clock.now += 31
    for _ in range(20):
        assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"
    issuer.gate.set()
    settle(remote)
    assert issuer.fetches == 3
    issuer.clock.now += 4968
    assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"
    settle(remote)
    issuer.clock.now += 31
    with pytest.raises(StoreUnavailable, match="503"):
        guard.verify(bearer(issuer.token(ONE)))
    assert remote.state == "empty"
    issuer.status = 200
    issuer.clock.now += 31
    assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"
    assert (remote.state, remote.last_error) == ("fresh", None)


def test_without_keys_the_answer_is_503_and_the_issuer_is_asked_once_per_cool_down(issuer):
    issuer.status = 500
    guard = guarded(issuer, issuer.remote())
    for _ in range(50):
        with pytest.raises(StoreUnavailable) as caught:
            guard.verify(bearer(issuer.token(ONE)))
        assert caught.value.refusal.status == 503
    assert issuer.fetches == 1
    issuer.status = 200
    issuer.clock.now += 30
    assert guard.verify(bearer(issuer.token(ONE))).subject == "alice"


def test_a_slow_issuer_costs_no_longer_than_its_time(issuer):
    issuer.gate.clear()
    remote = issuer.remote(timeout=0.2)
    with pytest.raises(FetchFailed) as caught:
        remote.refresh()
    assert caught.value.fault is Fault.TIMEOUT
    assert not issuer.gate.is_set()  # it has not answered yet
    issuer.gate.set()


def test_malformed_tokens_cause_no_fetch(issuer):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    for token in ("x", "a.b.c", "e30.e30.e30", ".."):
        with pytest.raises(Rejected) as caught:
            guard.verify(bearer(token))
        assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
        assert remote.state == "empty"  # nor is one under way
    assert issuer.fetches == 0


# ---- unknown key ids ---------------------------------------------------------------------------------------------------


def test_a_guard_fetches_for_a_new_key_id_and_the_request_passes(issuer):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    guard.verify(bearer(issuer.token(ONE)))
    issuer.keys = (ONE, TWO)
    issuer.clock.now += 30
    assert guard.verify(bearer(issuer.token(TWO))).key_id == "2"
    assert issuer.fetches == 2


def test_a_new_key_of_a_new_algorithm_is_fetched_too(issuer):
    guard = guarded(issuer, issuer.remote())
    guard.verify(bearer(issuer.token(ONE)))
    issuer.keys = (THREE,)
    issuer.clock.now += 30
    assert guard.verify(bearer(issuer.token(THREE))).key_id == "3"


def test_a_known_key_id_with_another_algorithm_causes_no_fetch(issuer):
    guard = guarded(issuer, issuer.remote())
    guard.verify(bearer(issuer.token(ONE)))
    issuer.clock.now += 30
    assert refused(guard, issuer.token(Key.generate("EdDSA", key_id="1"))) is Reason.WRONG_ALGORITHM
    assert issuer.fetches == 1


def test_it_cools_down_after_an_unknown_key_id(issuer):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    guard.verify(bearer(issuer.token(ONE)))
    issuer.clock.now += 30
    assert refused(guard, issuer.token(TWO)) is Reason.UNKNOWN_KEY
    assert (issuer.fetches, remote.state) == (2, "cooling_down")
    assert refused(guard, issuer.token(TWO)) is Reason.UNKNOWN_KEY
    assert issuer.fetches == 2
    issuer.clock.now += 30
    assert remote.state == "fresh"


def test_a_plain_verify_refuses_a_new_key_id_and_has_it_fetched(issuer):
    remote = issuer.remote()
    verifier = JWTVerifier(remote, clock=issuer.clock)
    remote.refresh()
    issuer.keys = (TWO,)
    issuer.clock.now += 30
    with pytest.raises(Rejected):
        verifier.verify(issuer.token(TWO))
    settle(remote)
    assert verifier.verify(issuer.token(TWO)).key_id == "2"


def test_who_waits_on_an_older_fetch_asks_again_if_it_came_too_early(issuer):
    """A fetch that began before the key was published, and ends after: its answer is no proof that there is no key."""
    answers = [jwks(ONE), jwks(ONE, TWO)]
    leave = threading.Event()
    asked = []

    def fetch(get, terms):
        asked.append(get)
        if len(asked) == 1:
            leave.wait(PATIENCE)
        return Answer(200, (), answers[len(asked) - 1])

    remote = issuer.remote(fetch=fetch)
    guard = guarded(issuer, remote)
    remote.missed("1")
    found = []
    waiter = threading.Thread(target=lambda: found.append(guard.verify(bearer(issuer.token(TWO))).key_id))
    waiter.start()
    issuer.clock.now += 31
    leave.set()
    waiter.join(PATIENCE)
    assert (found, len(asked)) == (["2"], 2)


def test_a_rotation_published_one_cool_down_ahead_refuses_no_genuine_token_under_four_threads(issuer):
    """Bogus key ids are sent all the while; each new key signs from one cool-down after its publication on."""
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    remote.refresh()
    current = ONE
    refusals, bogus = [], new_key("bogus")
    lock = threading.Lock()
    stop = threading.Event()
    asked = threading.Semaphore(0)

    def genuine():
        while not stop.is_set():
            with lock:
                token = issuer.token(current)
                try:
                    guard.verify(bearer(token))
                except (Rejected, StoreUnavailable) as error:
                    refusals.append(error)
            asked.release()

    def some_more():
        """Returns when some more genuine tokens have been verified."""
        for _ in range(5):
            assert asked.acquire(timeout=PATIENCE)

    def hostile():
        while not stop.is_set():
            with pytest.raises(Rejected):
                guard.verify(bearer(issuer.token(bogus)))

    threads = [threading.Thread(target=job) for job in (genuine, genuine, hostile, hostile)]
    for thread in threads:
        thread.start()
    try:
        for number in range(6):
            new = new_key(f"next-{number}")
            with lock:
                issuer.clock.now += 17.0  # somewhere in a cool-down
                issuer.keys = (current, new)
                while asked.acquire(blocking=False):
                    pass
            some_more()
            with lock:
                issuer.clock.now += 30.0
                current = new
                while asked.acquire(blocking=False):
                    pass
            some_more()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert refusals == []
    assert issuer.fetches <= 2 + 6 * 2


# ---- one fetch for all -------------------------------------------------------------------------------------------------


def test_threads_share_one_fetch_and_few_of_them_wait_for_it(issuer):
    remote = issuer.remote()
    guard = guarded(issuer, remote)
    issuer.gate.clear()
    token = bearer(issuer.token(ONE))
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(guard.verify, token) for _ in range(THREADS)]
        block_until(lambda: remote._threads.taken == THREADS)
        for _ in range(3 * THREADS):
            with pytest.raises(Rejected) as caught:
                guard.verify(token)  # in this very thread: it waits for nobody
            assert caught.value.reason is Reason.TOO_BUSY
            answer = caught.value.refusal.response()
            assert (answer.status, answer.values(b"retry-after")) == (503, [b"1"])
        assert not issuer.gate.is_set()
        issuer.gate.set()
        assert {each.result(PATIENCE).subject for each in waiting} == {"alice"}
    assert guard.verify(token).subject == "alice"
    assert issuer.connections == 1


def test_a_thousand_tasks_share_one_fetch_and_one_thread(issuer):
    remote = issuer.remote()
    guard = AsyncGuard.of(guarded(issuer, remote))
    issuer.gate.clear()
    most = 0

    async def all_of_them():
        nonlocal most
        token = bearer(issuer.token(ONE))
        tasks = [asyncio.create_task(guard.verify(token)) for _ in range(1000)]
        while not issuer.connections:  # noqa: ASYNC110 -- counted by a server in a thread
            await asyncio.sleep(0.001)
        most = sum(thread.name.startswith(("watchword", "asyncio")) for thread in threading.enumerate())
        tasks[0].cancel()
        issuer.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(all_of_them())
    assert isinstance(answers[0], asyncio.CancelledError)  # and nobody else's wait was
    assert {answer.subject for answer in answers[1:]} == {"alice"}
    assert (issuer.connections, most) == (1, 1)


def test_a_fetch_outlives_the_event_loop_that_waited_for_it(issuer):
    remote = issuer.remote()
    issuer.gate.clear()

    async def impatient():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(remote.arefresh(), 0.05)

    asyncio.run(impatient())
    issuer.gate.set()
    settle(remote)
    assert remote.snapshot().holds("1")


def test_a_lost_fetch_is_not_waited_for_for_ever_and_changes_nothing_when_it_comes_at_last(issuer):
    leave = threading.Event()
    calls = []

    def fetch(get, terms):
        calls.append(get)
        if len(calls) == 1:
            leave.wait(PATIENCE)
            return Answer(200, (), jwks(TWO))
        return Answer(200, (), jwks(ONE))

    remote = issuer.remote(fetch=fetch, timeout=0.01)
    remote._patience = 0.05
    with pytest.raises(FetchFailed, match="timeout"):
        remote.refresh()
    lost = remote._thread
    remote._patience = PATIENCE
    remote.refresh()
    leave.set()
    lost.join(PATIENCE)
    assert remote.snapshot().holds("1")


# ---- discovery ---------------------------------------------------------------------------------------------------------


def document(issuer, name, **members):
    return {"issuer": name, "jwks_uri": issuer.url(), **members}


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("", "/.well-known/openid-configuration"),
        ("/", "/.well-known/openid-configuration"),
        ("/tenants/7", "/tenants/7/.well-known/openid-configuration"),
        ("/tenants/7/", "/tenants/7/.well-known/openid-configuration"),
        ("", "/.well-known/oauth-authorization-server"),
        ("/tenants/7", "/.well-known/oauth-authorization-server/tenants/7"),
    ],
)
def test_the_keys_are_found_by_either_kind_of_metadata(issuer, path, where):
    name = issuer.url(path)
    issuer.documents = {where: document(issuer, name)}
    remote = issuer.remote(issuer=name)
    guard = guarded(issuer, remote)
    assert guard.verify(bearer(issuer.token(ONE, iss=name))).subject == "alice"
    remote.refresh()
    assert len([path for path, _ in issuer.seen if "well-known" in path]) <= 2  # the metadata is good for a while


def test_the_keys_of_an_issuer_prove_its_own_tokens_only(issuer):
    name = issuer.url("")
    issuer.documents = {"/.well-known/openid-configuration": document(issuer, name)}
    remote = issuer.remote(issuer=name)
    guard = guarded(issuer, remote)
    assert refused(guard, issuer.token(ONE, iss="https://other.example")) is Reason.UNKNOWN_ISSUER
    with pytest.raises(Rejected):
        guard.verify(bearer(issuer.token(ONE)))
    with pytest.raises(ConfigurationError, match="prove no other"):
        JWTVerifier(remote, issuer=["https://other.example", name])
    assert JWTVerifier(remote, issuer=name).routes == {name}


@pytest.mark.parametrize(
    "change",
    [
        lambda issuer, name: {"issuer": name + "/"},
        lambda issuer, name: {"issuer": name.upper()},
        lambda issuer, name: {"issuer": None},
        lambda issuer, name: {"issuer": [name]},
        lambda issuer, name: {"jwks_uri": None},
        lambda issuer, name: {"jwks_uri": ["x"]},
    ],
)
def test_metadata_of_another_issuer_or_without_keys_is_no_metadata(issuer, change):
    name = issuer.url("")
    issuer.documents = {"/.well-known/openid-configuration": document(issuer, name) | change(issuer, name)}
    issuer.documents["/.well-known/oauth-authorization-server"] = document(
        issuer, name
    )  # not asked: the first one spoke
    with pytest.raises(FetchFailed) as caught:
        issuer.remote(issuer=name).refresh()
    assert caught.value.fault is Fault.UNUSABLE
    assert issuer.fetches == 0


def test_moved_keys_are_found_again_after_a_failure(issuer):
    name = issuer.url("")
    where = "/.well-known/openid-configuration"
    issuer.documents = {where: document(issuer, name, jwks_uri=issuer.url("/old"))}
    remote = issuer.remote(issuer=name)
    with pytest.raises(FetchFailed, match="404"):
        remote.refresh()
    issuer.documents = {where: document(issuer, name)}
    remote.refresh()
    assert remote.snapshot().holds("1")


def test_routed_issuers_have_a_key_set_each(issuer):
    with Issuer(TWO) as other:
        other.clock = issuer.clock
        verifiers = []
        for each in (issuer, other):
            each.documents = {"/.well-known/openid-configuration": document(each, each.url(""))}
            verifiers.append(JWTVerifier(each.remote(issuer=each.url("")), clock=issuer.clock))
        guard = Guard(verifiers, policy=Policy(clock=issuer.clock))
        assert guard.verify(bearer(issuer.token(ONE, iss=issuer.url("")))).key_id == "1"
        assert guard.verify(bearer(issuer.token(TWO, iss=other.url("")))).key_id == "2"
        bogus = issuer.token(new_key("x"), iss=issuer.url(""))
        issuer.clock.now += 31
        assert refused(guard, bogus) is Reason.UNKNOWN_KEY
        assert (issuer.fetches, other.fetches) == (2, 1)  # one issuer's bogus ids cost the other nothing


# ---- with the rest -----------------------------------------------------------------------------------------------------


def test_it_is_a_store_of_published_keys_that_combines(issuer):
    remote = issuer.remote()
    ref = Ref(PublishedKeys, (remote.name, "1"))
    for store in (remote, combine(remote, MemoryStore())):
        assert store.fetch([ref]).get(ref).keys.holds("1")
    with pytest.raises(ConfigurationError, match="combine"):
        remote.commit([])


def test_access_tokens_and_other_schemes_go_with_it(issuer):
    store = MemoryStore(clock=issuer.clock)
    store.add_user("bob", "open sesame")
    verifiers = [OAuth2Verifier(issuer.remote(), issuer="https://id.example", audience="api"), BasicVerifier(realm="x")]
    guard = Guard(verifiers, store, policy=Policy(clock=issuer.clock))
    assert refused(guard, issuer.token(ONE)) is Reason.WRONG_TYPE
    assert (
        guard.verify(Request("GET", "https", "a", "/", {"Authorization": "Basic Ym9iOm9wZW4gc2VzYW1l"})).subject
        == "bob"
    )


def test_the_parts_of_a_whole_may_each_ask_a_source_of_their_own(issuer):
    one, two = issuer.remote(), issuer.remote(algorithms=["ES256"])
    request = bearer(issuer.token(ONE))
    claim = AllClaims(tuple(JWTVerifier(each, clock=issuer.clock).read(request) for each in (one, two)), lambda _: None)
    more = claim.decide(NOTHING_FOUND, NO_BODY, issuer.clock.now, bytes)
    assert [source for source, _ in more.asks] == [one, two]
    found = drive(fetch_more(Direct(None), more, NOTHING_FOUND))
    assert claim.decide(found, NO_BODY, issuer.clock.now, bytes).identity.subject == "alice"


def test_explain_fetches_like_the_guard(issuer):
    guard = guarded(issuer, issuer.remote())
    assert explain(bearer(issuer.token(ONE)), guard).accepted
    explanation = explain(bearer(issuer.token(TWO)), guard)
    assert (explanation.accepted, explanation.reason) == (False, Reason.UNKNOWN_KEY)
    assert {check.name: check.passed for check in explanation.checks}["key id"] is False


def test_keys_that_name_no_algorithm_are_bound_to_the_permitted_one(issuer):
    for alike in ("alg", "use"):
        issuer.body = jwks(ONE).replace(f'"{alike}"'.encode(), b'"other"')
        remote = issuer.remote(algorithms=["ES256"])
        assert guarded(issuer, remote).verify(bearer(issuer.token(ONE))).subject == "alice"
    issuer.body = jwks(ONE).replace(b'"alg"', b'"other"')
    with pytest.raises(FetchFailed, match="algorithms="):
        issuer.remote().refresh()


def test_what_was_passed_over_can_be_seen(issuer):
    issuer.keys = (ONE, THREE)
    remote = issuer.remote(algorithms=["ES256"])
    remote.refresh()
    assert [skipped.key_id for skipped in remote.snapshot().skipped] == ["3"]


def test_another_fetch_may_be_given_and_may_fail_as_it_likes(issuer):
    def broken(get, terms):
        raise ZeroDivisionError("with a secret")

    remote = issuer.remote(fetch=broken)
    with pytest.raises(FetchFailed, match="ZeroDivisionError") as caught:
        remote.refresh()
    assert "secret" not in str(caught.value)
    with pytest.raises(FetchFailed, match="status"):
        issuer.remote(fetch=lambda get, terms: Answer(404, (), b"")).refresh()


def test_closed_it_fetches_no_more_and_its_keys_serve(issuer):
    with issuer.remote() as remote:
        remote.refresh()
        issuer.clock.now += 900
        remote.snapshot()
    assert issuer.fetches == 2
    issuer.clock.now += 900
    assert guarded(issuer, remote).verify(bearer(issuer.token(ONE))).subject == "alice"
    assert issuer.fetches == 2
    with pytest.raises(ConfigurationError, match="closed"):
        remote.refresh()


def test_a_host_out_of_threads_refuses_and_recovers(issuer, monkeypatch):
    remote = issuer.remote()
    with monkeypatch.context() as patched:
        patched.setattr(
            threading.Thread, "start", lambda _: (_ for _ in ()).throw(RuntimeError("can't start new thread"))
        )
        with pytest.raises(FetchFailed, match="thread") as caught:
            remote.refresh()
        assert caught.value.fault is Fault.BUSY
    remote.refresh()
    assert remote.snapshot().holds("1")
    remote.close()


def test_it_shows_where_and_how_it_is_and_not_a_key(issuer):
    remote = issuer.remote()
    remote.refresh()
    assert repr(remote) == f"RemoteKeySet('{issuer.url()}', fresh)"
