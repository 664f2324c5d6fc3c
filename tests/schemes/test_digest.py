"""Both halves of Digest against each other, in memory, through either guard."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.digest_world import GUARDS, PASSWORD, REALM, USER, World, ask, changed, params, request, to
from watchword import ConfigurationError, DigestAuth, DigestVerifier, Guard, Identity, Reason, Rejected, Request
from watchword.core.records import Conflict, Outcome, Put, Write
from watchword.schemes.digest import ha1
from watchword.schemes.digest.computation import algorithm_named, hash_a2, response
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey, NonceState, make_nonce, read_nonce
from watchword.schemes.freshness import Freshness
from watchword.stores import MemoryStore


@pytest.fixture(params=GUARDS)
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def reason(verdict: Identity | Rejected) -> Reason | None:
    return verdict.reason if isinstance(verdict, Rejected) else None


# ---- the round trip ----


def test_the_client_answers_a_challenge_and_goes_on_with_its_nonce(world: World) -> None:
    auth = DigestAuth(USER, PASSWORD)
    assert [world.get(auth, f"/orders?id={n}") for n in range(5)] == [200] * 5
    assert len(world.sent) == 6, "one challenge for all of them"
    assert [params(sent)["nc"] for sent in world.sent[1:]] == [f"0000000{n}" for n in range(1, 6)]
    assert len({params(sent)["nonce"] for sent in world.sent[1:]}) == 1
    assert len({params(sent)["cnonce"] for sent in world.sent[1:]}) == 5


def test_the_identity_is_the_record_s(world: World) -> None:
    world.add("alice", "s3cret", scopes=("read", "write"), subject="user-7")
    identity = world.verify(world.signed(auth=DigestAuth("alice", "s3cret")))
    assert (identity.subject, identity.scheme, identity.scopes) == ("user-7", "digest", frozenset({"read", "write"}))
    assert world.verify(world.signed()).subject == USER


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("guard", GUARDS)
def test_every_algorithm_works_in_both_halves(guard: str, algorithm: str) -> None:
    world = World(guard, algorithms=[algorithm])
    assert world.get(DigestAuth(USER, PASSWORD)) == 200
    assert params(world.sent[-1])["algorithm"] == algorithm


@pytest.mark.parametrize("guard", GUARDS)
def test_all_algorithms_are_offered_strongest_first_and_the_client_takes_the_strongest(guard: str) -> None:
    world = World(guard, algorithms=["MD5", "SHA-256", "SHA-512-256"])
    refused = world.judge(request())
    assert isinstance(refused, Rejected) and refused.refusal is not None
    lines = refused.refusal.response().values(b"www-authenticate")
    assert [line.split(b"algorithm=")[1].split(b",")[0] for line in lines] == [b"SHA-512-256", b"SHA-256", b"MD5"]
    assert world.get(DigestAuth(USER, PASSWORD)) == 200
    assert params(world.sent[-1])["algorithm"] == "SHA-512-256"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("Jäsøn Doe", "Secret, or not?"),
        ("мария", "пароль"),
        ('a "b" \\c', '"\\'),
        ("with:colon", "with:colon"),
        ("u", ""),
    ],
)
def test_any_username_and_password_work(world: World, username: str, password: str) -> None:
    world.add(username, password)
    assert world.get(DigestAuth(username, password)) == 200
    assert isinstance(world.verdicts[-1], Identity) and world.verdicts[-1].subject == username


@pytest.mark.parametrize(
    "target", ["/", "/a%20b/%C3%A4?q=%22&r=a+b", "/a//b/../c;d?x=1?y", '/quote"and\\backslash', "*"]
)
def test_the_target_is_signed_as_sent(world: World, target: str) -> None:
    if "\\" in target:
        with pytest.raises(ConfigurationError, match="percent-encode"):
            world.get(DigestAuth(USER, PASSWORD), target)
    else:
        assert world.get(DigestAuth(USER, PASSWORD), target, "OPTIONS") == 200


def test_a_wrong_password_is_tried_once_and_forgotten(world: World) -> None:
    auth = DigestAuth(USER, "guess")
    assert world.get(auth) == 401
    assert [reason(verdict) for verdict in world.verdicts] == [Reason.NO_CREDENTIALS, Reason.WRONG_SECRET]
    assert b"stale" not in world.challenge(world.verdicts[-1])  # type: ignore[arg-type]
    assert world.get(auth) == 401
    assert not world.sent[2].values(b"authorization"), "refused credentials are not sent unasked"


def test_an_unknown_user_gets_what_a_wrong_password_gets(world: World) -> None:
    wrong, unknown = (
        world.judge(world.signed(auth=DigestAuth(USER, "no"))),
        world.judge(world.signed(auth=DigestAuth("x", "no"))),
    )
    assert (reason(wrong), reason(unknown)) == (Reason.WRONG_SECRET, Reason.UNKNOWN_SUBJECT)
    assert isinstance(wrong, Rejected) and isinstance(unknown, Rejected)
    shape = [
        [pair for pair in world.challenge(verdict).split(b", ") if not pair.startswith(b"nonce")]
        for verdict in (wrong, unknown)
    ]
    assert shape[0] == shape[1]
    assert wrong.refusal and unknown.refusal
    assert wrong.refusal.response().status == unknown.refusal.response().status == 401


# ---- the nonce's life ----


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, None), (299.99, None), (300, Reason.STALE_NONCE), (300.01, Reason.STALE_NONCE), (1e6, Reason.STALE_NONCE)],
)
def test_a_nonce_is_good_up_to_its_lifetime_and_stale_after_it(
    world: World, age: float, expected: Reason | None
) -> None:
    signed = world.signed()
    world.now += age
    verdict = world.judge(signed)
    assert reason(verdict) is expected
    if isinstance(verdict, Rejected):
        assert verdict.rejection.genuine
        assert b"stale=true" in world.challenge(verdict)


@pytest.mark.parametrize(("back", "expected"), [(60, None), (60.01, Reason.STALE_NONCE)])
def test_a_nonce_of_the_future_is_good_within_the_skew_of_the_workers_clocks(
    world: World, back: float, expected: Any
) -> None:
    signed = world.signed()
    world.now -= back
    assert reason(world.judge(signed)) is expected


def test_a_stale_nonce_costs_the_client_one_request_and_nobody_is_asked(world: World) -> None:
    auth = DigestAuth(USER, PASSWORD)
    assert world.get(auth) == 200
    world.now += 301
    assert world.get(auth) == 200
    assert [reason(verdict) for verdict in world.verdicts] == [Reason.NO_CREDENTIALS, None, Reason.STALE_NONCE, None]
    assert params(world.sent[-1])["nc"] == "00000001"


def test_stale_is_not_said_of_a_wrong_digest(world: World) -> None:
    signed = world.signed(auth=DigestAuth(USER, "guess"))
    world.now += 301
    verdict = world.judge(signed)
    assert reason(verdict) is Reason.WRONG_SECRET
    assert isinstance(verdict, Rejected) and not verdict.rejection.genuine
    assert b"stale" not in world.challenge(verdict)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_client_survives_the_loss_of_the_key_without_asking_its_user(guard: str) -> None:
    before, after = World(guard), World(guard)
    auth = DigestAuth(USER, PASSWORD)
    assert before.get(auth) == 200
    assert after.get(auth) == 200
    first = after.verdicts[0]
    assert isinstance(first, Rejected) and first.reason is Reason.UNKNOWN_NONCE and first.rejection.genuine
    assert b"stale=true" in after.challenge(first)


@pytest.mark.parametrize("guard", GUARDS)
def test_workers_that_share_a_store_share_nonces_and_their_use(guard: str) -> None:
    one = World(guard)
    two = World(guard, store=one.store)
    signed = one.signed()
    assert isinstance(two.judge(signed), Identity)
    assert reason(one.judge(signed)) is Reason.REPLAYED


@pytest.mark.parametrize("guard", GUARDS)
def test_the_first_worker_makes_the_key_and_the_slower_one_takes_it(guard: str) -> None:
    theirs = NonceKey(b"k" * 32)

    class Racing(MemoryStore):
        """Another worker writes its key just before the first commit."""

        outcomes: list[Outcome] = []  # noqa: RUF012 -- one store in this test

        def commit(self, writes: Sequence[Write], /) -> Outcome:
            if any(isinstance(write, Put) and write.ref == NONCE_KEY for write in writes):
                super().commit([Put(NONCE_KEY, theirs)])
                self.outcomes.append(super().commit(writes))
                return self.outcomes[-1]
            return super().commit(writes)

    store = Racing()
    late = World(guard, store=store)
    signed = late.signed()
    assert [type(outcome) for outcome in store.outcomes] == [Conflict]
    assert store.fetch([NONCE_KEY]).get(NONCE_KEY) == theirs
    nonce = params(signed)["nonce"].encode()
    assert read_nonce(theirs, REALM, "SHA-256", nonce, late.now, Freshness(300, 60)).state is NonceState.CURRENT
    assert isinstance(late.judge(signed), Identity)


@given(st.floats(0, 2e9), st.binary(min_size=12, max_size=12), st.integers(0, 47), st.integers(1, 255))
def test_no_nonce_with_a_changed_octet_is_ours(now: float, entropy: bytes, place: int, flip: int) -> None:
    key = NonceKey(b"k" * 32)
    nonce = make_nonce(key, REALM, "SHA-256", now, entropy).encode()
    assert read_nonce(key, REALM, "SHA-256", nonce, now, Freshness(300, 60)).state is NonceState.CURRENT
    bad = bytearray(nonce)
    bad[place] ^= flip
    assert read_nonce(key, REALM, "SHA-256", bytes(bad), now, Freshness(300, 60)).state is NonceState.FOREIGN


@given(st.binary(max_size=80))
def test_no_made_up_nonce_is_ours(nonce: bytes) -> None:
    assert read_nonce(NonceKey(b"k" * 32), REALM, "SHA-256", nonce, 0, Freshness(300, 60)).state is NonceState.FOREIGN


# ---- what is read ----


def test_a_request_without_credentials_gets_a_challenge_and_no_look_up_of_users(world: World) -> None:
    refused = world.judge(request())
    assert isinstance(refused, Rejected)
    challenge = world.challenge(refused)
    assert challenge.startswith(b'Digest realm="orders", qop="auth", algorithm=SHA-256, nonce="')
    assert challenge.endswith(b'", charset=UTF-8')


@pytest.mark.parametrize("name", ["username", "realm", "nonce", "uri", "response", "nc", "cnonce"])
def test_a_missing_parameter_is_malformed(world: World, name: str) -> None:
    verdict = world.judge(changed(world.signed(), **{name: None}))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS
    assert verdict.rejection.where == f"authorization {name}"
    assert verdict.refusal and verdict.refusal.status == 401 and verdict.refusal.challenges


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nc", "1"), ("nc", "000000001"), ("nc", "0000000g"), ("nc", "+0000001"), ("nc", "0x000001"),
        ("nc", "0000000 "), ("response", "A" * 64), ("response", "0" * 63), ("response", "0" * 65),
        ("response", ""), ("userhash", "true"), ("cnonce", ""), ("username", "a\tb"),
    ],
)  # fmt: skip
def test_an_improper_value_is_malformed(world: World, name: str, value: str) -> None:
    assert reason(world.judge(changed(world.signed(), **{name: value}))) is Reason.MALFORMED_CREDENTIALS


def test_upper_case_nc_is_read_and_is_the_same_use(world: World) -> None:
    signed = world.signed()
    sha = algorithm_named("SHA-256")
    assert sha is not None
    secret = ha1("SHA-256", USER, REALM, PASSWORD).encode()
    nonce, cnonce = (params(signed)[name].encode() for name in ("nonce", "cnonce"))
    verdicts = []
    for nc in ("0000000a", "0000000A"):
        proof = response(sha, secret, nonce, nc.encode(), cnonce, b"auth", hash_a2(sha, b"GET", b"/"))
        verdicts.append(world.judge(changed(signed, nc=nc, response=proof.decode())))
    assert [reason(verdict) for verdict in verdicts] == [None, Reason.REPLAYED]


@pytest.mark.parametrize("value", ["UTF-8''J%C3%A4s%C3%B8n%20Doe", "utf-8'de'J%c3%a4s%c3%b8n%20Doe"])
def test_an_extended_username_is_read(world: World, value: str) -> None:
    world.add("Jäsøn Doe", "Secret, or not?")
    signed = world.signed(auth=DigestAuth("Jäsøn Doe", "Secret, or not?"))
    text = signed.values(b"authorization")[0]
    start, _, rest = text.partition(b'username="')
    rest = rest.partition(b'"')[2]
    extended = signed.with_headers(((b"authorization", start + b"username*=" + value.encode() + rest),))
    assert world.verify(extended).subject == "Jäsøn Doe"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Mufasa",
        "UTF-8'Mufasa",
        "ISO-8859-1''Mufasa",
        "UTF-8''%C3",
        "UTF-8''%zz",
        "UTF-8''a%00b",
        "UTF-8''a b",
        "UTF-8''\xe4",
    ],
)
def test_a_malformed_extended_username_is_malformed(world: World, value: str) -> None:
    assert (
        reason(world.judge(changed(world.signed(), username=None, **{"username*": value})))
        is Reason.MALFORMED_CREDENTIALS
    )


def test_username_in_both_forms_is_malformed(world: World) -> None:
    assert (
        reason(world.judge(changed(world.signed(), **{"username*": "UTF-8''Mufasa"}))) is Reason.MALFORMED_CREDENTIALS
    )


def test_a_username_in_latin_1_finds_its_user(world: World) -> None:
    world.add("Jäsøn", "x")
    assert world.verify(changed(world.signed(auth=DigestAuth("Jäsøn", "x")), username="Jäsøn")).subject == "Jäsøn"


def test_unknown_parameters_and_quoted_tokens_are_accepted(world: World) -> None:
    assert isinstance(world.judge(changed(world.signed(), userhash="false", opaque="x", unheard="of")), Identity)


def test_the_scheme_word_is_read_in_any_case(world: World) -> None:
    signed = world.signed()
    value = signed.values(b"authorization")[0].replace(b"Digest", b"dIGEST")
    assert isinstance(world.judge(signed.with_headers(((b"authorization", value),))), Identity)


def test_the_algorithm_is_md5_where_none_is_named(world: World) -> None:
    assert reason(world.judge(changed(world.signed(), algorithm=None))) is Reason.WRONG_ALGORITHM
    old = World("Guard", algorithms=["MD5"])
    assert isinstance(old.judge(changed(old.signed(), algorithm=None)), Identity)


# ---- the request target (RFC 7616 §3.4.6) ----


@pytest.mark.parametrize("uri", ["https://api.example/a?b=c", "HTTPS://API.example:443/a?b=c"])
def test_an_absolute_uri_of_the_same_resource_is_accepted(world: World, uri: str) -> None:
    """A client that signs the absolute form, as through a proxy."""
    signed = world.signed(uri)
    assert isinstance(world.judge(to(signed, "/a?b=c")), Identity)
    assert reason(world.judge(to(signed, "/a?b=d"))) is Reason.WRONG_TARGET
    assert reason(world.judge(to(signed, "/a?b=c", authority="other.example"))) is Reason.WRONG_TARGET
    assert reason(world.judge(to(signed, "/a?b=c", scheme="http"))) is Reason.WRONG_TARGET


def test_a_rebuilt_target_is_accepted_only_where_it_is_no_guess(world: World) -> None:
    assert isinstance(world.judge(to(world.signed("/plain?q=%20"), exact=False)), Identity)
    assert reason(world.judge(to(world.signed("/a%20b"), exact=False))) is Reason.TARGET_NOT_EXACT
    assert reason(world.judge(to(world.signed("/a%2Fb"), "/a/b", exact=False))) is Reason.TARGET_NOT_EXACT
    assert reason(world.judge(to(world.signed("/a/b"), "/a/c", exact=False))) is Reason.WRONG_TARGET


# ---- any bytes ----


@given(st.binary(max_size=400))
def test_any_credentials_give_an_identity_or_a_rejection(value: bytes) -> None:
    for guard in GUARDS:
        verdict = World(guard).judge(
            Request("GET", "https", "api.example", "/", [(b"authorization", b"Digest " + value)])
        )
        assert isinstance(verdict, Rejected)


NAMES = [
    "username",
    "username*",
    "realm",
    "nonce",
    "uri",
    "response",
    "algorithm",
    "qop",
    "nc",
    "cnonce",
    "opaque",
    "userhash",
]


TEXT = st.text(st.characters(max_codepoint=255), max_size=20)


@given(
    st.dictionaries(st.sampled_from(NAMES), TEXT),
    st.sampled_from(["GET", "get", "", "\ud800"]) | st.text(max_size=5),
    st.just(b"/") | st.binary(max_size=9),
)
def test_any_parameters_give_an_identity_or_a_rejection_and_both_guards_agree(
    values: dict[str, str], method: str, target: bytes
) -> None:
    verdicts = []
    for guard in GUARDS:
        world = World(guard, algorithms=["SHA-256", "MD5"])
        genuine = world.signed()
        spoilt = changed(genuine, **values)
        verdict = world.judge(Request.raw(method, "https", "api.example", target, spoilt.headers, spoilt.peer, True))
        verdicts.append(reason(verdict))
        if isinstance(verdict, Identity):
            assert (method, target) == ("GET", b"/")
            assert values.keys() <= {"opaque", "userhash"} or all(
                params(genuine).get(name) == values[name] for name in values
            )
    assert verdicts[0] is verdicts[1]


# ---- many at once ----


def test_one_auth_serves_64_threads_and_no_request_is_refused_twice() -> None:
    world = World("Guard")
    auth = DigestAuth(USER, PASSWORD)
    assert world.get(auth) == 200
    statuses: list[int] = []

    def work() -> None:
        for _ in range(8):
            status = ask(auth, world.send, request("/x")).status
            statuses.append(status)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 512
    counts = [params(sent)["nc"] for sent in world.sent[1:]]
    assert len(world.sent) == 514, "one challenge, then every request right at once"
    assert sorted(counts) == [f"{n:08x}" for n in range(1, 514)]


def test_64_threads_that_start_unauthenticated_all_get_in() -> None:
    world = World("Guard")
    auth = DigestAuth(USER, PASSWORD)
    barrier = threading.Barrier(64)
    statuses: list[int] = []

    def work() -> None:
        barrier.wait()
        statuses.append(ask(auth, world.send, request("/x")).status)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 64
    assert len(world.sent) <= 128


# ---- construction ----


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"realm": "a\nb"}, "control"), ({"realm": "\ud800"}, "surrogate"),
        ({"qop": ("auth-conf",)}, "qop"), ({"qop": "auth"}, "qop"), ({"qop": ()}, "qop"),
        ({"opaque": "a\rb"}, "control"), ({"domain": "/"}, "list"), ({"domain": ["a"]}, "paths"), ({"domain": ["/a b"]}, "paths"),
        ({"domain": ['/"']}, "paths"), ({"domain": ["https:///"]}, "paths"), ({"algorithms": "MD5"}, "list"), ({"algorithms": []}, "at least one"), ({"algorithms": ["crc32"]}, "choose among"),
        ({"nonce_lifetime": 0}, "nonce_lifetime"), ({"nonce_lifetime": float("nan")}, "nonce_lifetime"),
        ({"nonce_lifetime": float("inf")}, "nonce_lifetime"), ({"nonce_lifetime": -1}, "nonce_lifetime"),
    ],
)  # fmt: skip
def test_a_wrong_construction_says_what_to_change(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        DigestVerifier(**{"realm": "orders", **options})


def test_a_guard_without_a_store_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs a store"):
        Guard([DigestVerifier(realm=REALM)])


def test_nothing_shows_the_password() -> None:
    world = World("Guard")
    auth = DigestAuth(USER, PASSWORD)
    claim = world.verifier.read(world.signed())
    for shown in (
        repr(auth),
        repr(claim),
        repr(world.verifier),
        str(world.judge(world.signed(auth=DigestAuth(USER, "hunter2")))),
    ):
        assert PASSWORD not in shown and "hunter2" not in shown
