"""HTTP Message Signatures on requests: both halves through both guards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.signature_world import (
    ALGORITHMS, COVERED, KEY, NONCE, NOW, URL, guard_at, hand_signed, key_for, params, reason_of, rejected, sign, signed,
    store_with, with_fields,
)  # fmt: skip
from watchword import AsyncGuard, ConfigurationError, Guard, Identity, Key, KeySet, Policy, PublicURL, Reason, Rejected
from watchword import Request, Response, SignatureAuth, SignaturePolicy, SignatureVerifier
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.stores import MemoryStore, SQLStore

BODY = b'{"amount": 10}'


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("body", [b"", BODY])
def test_every_algorithm_of_the_registry_proves_who_it_is(algorithm: str, body: bytes) -> None:
    key = key_for(algorithm)
    request = signed("POST", body, key)
    by_store = guard_at(store=store_with(key)).verify(request, body)
    assert (by_store.subject, by_store.scheme, by_store.key_id, by_store.scopes) == (
        "robot", "signature", "robot-1", frozenset({"read"}),
    )  # fmt: skip
    guard = Guard([SignatureVerifier(key)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    assert asyncio.run(AsyncGuard.of(guard).verify(request, body)).subject == "robot-1"


@pytest.mark.parametrize("algorithm", ["HS512", "PS256", "ES512", "Ed448"])
def test_algorithms_of_jose_without_a_name_in_the_registry_work_without_alg(algorithm: str) -> None:
    key = key_for(algorithm)
    assert guard_at(store=store_with(key)).verify(signed(key=key)).subject == "robot"
    with pytest.raises(ConfigurationError, match="leave alg= out"):
        SignatureAuth(key, alg=True)


def test_a_signature_of_rsa_pss_has_a_salt_of_64_octets() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = key_for("rsa-pss-sha512")
    public = key.openssl_pair()[0]
    exact = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
    public.verify(key.sign(b"data"), b"data", exact, hashes.SHA512())
    other = key.openssl_pair()[1].sign(b"data", padding.PSS(padding.MGF1(hashes.SHA512()), 32), hashes.SHA512())
    with pytest.raises(Rejected):
        key.verify(b"data", other)


def test_the_identity_says_what_was_covered() -> None:
    who = guard_at(policy=SignaturePolicy(tags=("orders",))).verify(signed(tag="orders", label="mine"))
    assert who.claims == {"label": "mine", "tag": "orders", "covered": tuple(COVERED.strip("()").split(" "))}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"method": "PUT"}, Reason.WRONG_SIGNATURE),
        ({"authority": "other.example"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders?id=8"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/order?sid=7"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders\n?id=7"}, Reason.TARGET_REFUSED),
        ({"target": rb"/or\ders?id=7"}, Reason.TARGET_REFUSED),
        ({"authority": "user@api.example"}, Reason.TARGET_REFUSED),
    ],
)
def test_another_request_is_refused(changed: dict[str, Any], reason: Reason) -> None:
    request = signed()
    given = {"method": "POST", "scheme": "https", "authority": URL[1], "target": URL[2], **changed}
    assert reason_of(guard_at(), Request(headers=request.headers, **given)) is reason


def test_host_case_and_default_port_do_not_matter() -> None:
    request = signed()
    assert guard_at().verify(Request("POST", "https", "API.example:443", URL[2], request.headers)).subject == "robot"


def test_a_rebuilt_target_is_refused_where_it_is_a_guess() -> None:
    plain, encoded = Request("GET", *URL, exact=False), Request("GET", "https", "api.example", "/a%2Fb", exact=False)
    assert guard_at().verify(sign(SignatureAuth(KEY), plain)).subject == "robot"
    assert reason_of(guard_at(), sign(SignatureAuth(KEY), encoded)) is Reason.TARGET_NOT_EXACT


def test_the_public_url_is_what_is_verified() -> None:
    request = signed()
    seen = Request("POST", "http", "10.0.0.1:8000", URL[2], request.headers)
    policy = Policy(public_url=PublicURL("https://api.example"), clock=lambda: NOW)
    assert Guard([SignatureVerifier()], store_with(), policy=policy).verify(seen).subject == "robot"
    assert reason_of(guard_at(), seen) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("method", ["OPTIONS", "CONNECT"])
def test_targets_without_a_path_are_covered_as_they_are(method: str) -> None:
    target = "*" if method == "OPTIONS" else "api.example:443"
    authority = "api.example" if method == "OPTIONS" else target
    request = sign(SignatureAuth(KEY), Request(method, "https", authority, target))
    assert b'"@request-target"' in request.values(b"signature-input")[0]
    assert b'"@path"' not in request.values(b"signature-input")[0]
    assert guard_at().verify(request).subject == "robot"


def test_an_absolute_target_has_the_components_of_its_parts() -> None:
    absolute = sign(SignatureAuth(KEY), Request("GET", "https", "api.example", "https://api.example?a=b"))
    same = Request("GET", "https", "api.example", "/?a=b", absolute.headers)
    assert guard_at().verify(same).subject == "robot"


@pytest.mark.parametrize("digest", ["sha-256", "sha-512"])
def test_the_body_is_covered_by_a_digest_that_the_client_makes(digest: str) -> None:
    request = signed("POST", BODY, digest=digest)
    assert request.values(b"content-digest")[0].startswith(digest.encode() + b"=:")
    assert reason_of(guard_at(), request, b'{"amount": 99}') is Reason.WRONG_BODY
    assert reason_of(guard_at(), request) is Reason.WRONG_BODY
    assert guard_at().verify(request, BODY).subject == "robot"


def test_a_digest_that_the_request_has_is_signed_and_the_body_left_alone() -> None:
    made = signed("POST", BODY).values(b"content-digest")[0]
    request = Request("POST", *URL, {"Content-Digest": made.decode()})

    def unreadable() -> bytes:
        raise ConfigurationError("a stream")

    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(SignatureAuth(KEY), request, send, ClientContext(unreadable, now=lambda: NOW))
    assert guard_at().verify(sent[0], BODY).subject == "robot"
    with pytest.raises(ConfigurationError, match="a stream"):
        run(SignatureAuth(KEY), Request("POST", *URL), send, ClientContext(unreadable, now=lambda: NOW))


def test_a_body_without_a_covered_digest_is_refused_unless_the_policy_lets_it_pass() -> None:
    request = signed("POST", b"")
    failed = rejected(guard_at(), request, BODY)
    assert (failed.reason, failed.rejection.where) == (Reason.NOT_COVERED, "content-digest")
    assert guard_at(policy=SignaturePolicy(body=False)).verify(request, BODY).subject == "robot"


def test_repr_digest_covers_a_body_too() -> None:
    components = ("@method", "@authority", "@path", "@query", "repr-digest")
    request = signed("PUT", BODY, components=components)
    assert guard_at().verify(request, BODY).subject == "robot"
    assert reason_of(guard_at(), request, b"other") is Reason.WRONG_BODY


def test_one_member_of_the_digest_may_be_covered() -> None:
    both = (
        signed("POST", BODY).values(b"content-digest")[0]
        + b", " + signed("POST", BODY, digest="sha-512").values(b"content-digest")[0]
    )  # fmt: skip
    covered = f'{COVERED[:-1]} "content-digest";key="sha-512"){params()}'
    request = hand_signed(covered, Request("POST", *URL, {"Content-Digest": both.decode()}))
    assert guard_at().verify(request, BODY).subject == "robot"
    changed = request.with_headers(((b"content-digest", both.replace(b"sha-256=", b"sha-999=")),))
    assert guard_at().verify(changed, BODY).subject == "robot"
    assert reason_of(guard_at(), request, b"other") is Reason.WRONG_BODY


def test_a_digest_of_unknown_algorithms_only_is_refused() -> None:
    request = Request("POST", *URL, {"Content-Digest": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"})
    signed_so = hand_signed(f'{COVERED[:-1]} "content-digest"){params()}', request)
    assert reason_of(guard_at(), signed_so) is Reason.WRONG_ALGORITHM


# ---- several signatures, tags, labels ---------------------------------------------------------------------------------


def test_a_signature_is_added_beside_that_of_somebody_else() -> None:
    proxy = Key.generate("ed25519", key_id="proxy")
    request = sign(SignatureAuth(proxy, tag="proxy"), signed())
    assert [value.partition(b"=")[0] for value in request.values(b"signature-input")[0].split(b", ")] == [
        b"sig1",
        b"sig2",
    ]
    assert guard_at().verify(request).key_id == "robot-1"
    by_proxy = guard_at(store=store_with(proxy), policy=SignaturePolicy(tags=("proxy",)))
    assert by_proxy.verify(request).key_id == "proxy"


def test_a_signature_of_the_same_key_is_replaced_not_doubled() -> None:
    request = sign(SignatureAuth(KEY), signed(now=NOW - 1000))
    assert request.values(b"signature-input")[0].count(b"keyid") == 1
    assert guard_at().verify(request).subject == "robot"


def test_a_label_that_somebody_else_uses_is_a_mistake() -> None:
    other = signed(key=Key.generate("ed25519", key_id="other"), label="mine")
    with pytest.raises(ConfigurationError, match="choose another label"):
        sign(SignatureAuth(KEY, label="mine"), other)


def test_signatures_with_other_tags_are_not_for_this_verifier() -> None:
    request = signed(tag="web-bot-auth")
    assert SignatureVerifier().read(request) is None
    assert reason_of(guard_at(), request) is Reason.NO_CREDENTIALS


def test_members_for_others_may_say_what_this_verifier_does_not_know() -> None:
    mine = signed()
    theirs = 'theirs=("@future";x "@method");created=1;tag="theirs";more=?1'
    covered = f"{theirs}, {mine.values(b'signature-input')[0].decode()}"
    signature = f"theirs=:AAAA:, {mine.values(b'signature')[0].decode()}"
    assert guard_at().verify(with_fields(mine, covered, signature)).subject == "robot"


def test_one_guard_has_a_verifier_for_each_tag() -> None:
    orders = SignatureVerifier(policy=SignaturePolicy(tags=("orders",)))
    audit = SignatureVerifier(key_for("ed25519", "auditor"), policy=SignaturePolicy(tags=("audit",)))
    for verifiers in ([orders, audit], [audit, orders]):
        guard = Guard(verifiers, store_with(), policy=Policy(clock=lambda: NOW))
        assert guard.verify(signed(tag="orders")).subject == "robot"
        assert guard.verify(signed(tag="audit", key=key_for("ed25519", "auditor"))).subject == "auditor"
        assert reason_of(guard, signed(tag="audit")) is Reason.UNKNOWN_KEY
        assert reason_of(guard, signed()) is Reason.UNKNOWN_ISSUER
        assert reason_of(guard, with_fields(Request("POST", *URL), "(", "")) is Reason.UNKNOWN_ISSUER
        both = sign(SignatureAuth(Key.generate("ed25519", key_id="x"), tag="other"), signed(tag="orders"))
        assert guard.verify(both).subject == "robot"
        assert reason_of(guard, Request("GET", *URL)) is Reason.NO_CREDENTIALS
    with pytest.raises(ConfigurationError, match="would claim"):
        Guard([orders, SignatureVerifier(policy=SignaturePolicy(tags=("orders", None)))], store_with())


def test_the_label_of_the_policy_chooses() -> None:
    mine, other = key_for("ed25519", "mine"), key_for("ed25519", "other")
    request = sign(SignatureAuth(other, label="other"), signed(key=mine, label="mine"))
    store = store_with(mine, other)
    assert reason_of(guard_at(store=store), request) is Reason.AMBIGUOUS
    for name in ("mine", "other"):
        guard = guard_at(store=store_with(mine, other), policy=SignaturePolicy(label=name))
        assert guard.verify(request).key_id == name


def test_of_several_signatures_of_one_subject_all_must_be_good() -> None:
    one, two = key_for("ed25519", "one"), key_for("hmac-sha256", "two")
    store = MemoryStore(clock=lambda: NOW)
    for key in (one, two):
        store.add_key("robot", key)
    request = sign(SignatureAuth(two), signed(key=one))
    assert guard_at(store=store).verify(request).key_id == "one"
    damaged = request.values(b"signature")[0].replace(b"sig2=:", b"sig2=:AAAA", 1)
    bad = request.with_headers(((b"signature", damaged),))
    assert reason_of(guard_at(store=store), bad) in (Reason.WRONG_SIGNATURE, Reason.MALFORMED_CREDENTIALS)


def test_a_signature_of_an_unknown_key_is_passed_over_if_another_key_is_known() -> None:
    request = sign(SignatureAuth(KEY), signed(key=Key.generate("ed25519", key_id="stranger")))
    assert guard_at().verify(request).key_id == "robot-1"


# ---- keys -------------------------------------------------------------------------------------------------------------


def test_unknown_keys_and_nameless_signatures() -> None:
    assert reason_of(guard_at(), signed(key=Key.generate("ed25519", key_id="nobody"))) is Reason.UNKNOWN_KEY
    nameless = Key.from_secret(bytes(32), algorithm="hmac-sha256")
    assert reason_of(guard_at(), signed(key=nameless)) is Reason.UNKNOWN_KEY
    guard = Guard([SignatureVerifier(nameless)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    assert guard.verify(signed(key=nameless)).key_id is None
    two = KeySet([nameless, KEY])
    guard = Guard([SignatureVerifier(two)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    assert reason_of(guard, signed(key=nameless)) is Reason.UNKNOWN_KEY


def test_alg_tells_two_keys_of_one_name_apart() -> None:
    one, two = key_for("ed25519", "same"), key_for("ecdsa-p256-sha256", "same")
    for key in (one, two):
        keys = KeySet([one, two])
        guard = Guard([SignatureVerifier(keys)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
        assert guard.verify(signed(key=key, alg=True)).key_id == "same"
        assert reason_of(guard, signed(key=key)) is Reason.UNKNOWN_KEY


def test_keys_for_encryption_are_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="no key for signatures"):
        SignatureVerifier(Key.generate("A256KW", key_id="k"))
    with pytest.raises(ConfigurationError, match="secret or private key"):
        SignatureAuth(Key.generate("A256KW", key_id="k"))


def test_a_key_that_was_replaced_is_good_during_the_overlap_and_says_so() -> None:
    store = store_with()
    store.rotate_key("robot-1", Key.generate("hmac-sha256", key_id="robot-2"), overlap=10**9)
    assert guard_at(store=store).verify(signed()).rotated


def test_public_keys_live_in_sql_stores_and_are_replaced_at_once() -> None:
    first, second = Key.generate("ed25519", key_id="robot-1"), Key.generate("ed25519", key_id="robot-1")
    store = SQLStore("sqlite://", clock=lambda: NOW)
    store.add_key("robot", first)
    guard = Guard([SignatureVerifier()], store, policy=Policy(clock=lambda: NOW))
    assert guard.verify(signed(key=first)).subject == "robot"
    store.add_key("robot", second)
    assert reason_of(guard, signed(key=first)) is Reason.WRONG_SIGNATURE
    assert guard.verify(signed(key=second)).subject == "robot"
    store.close()


# ---- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "reason"), [(-30, None), (-31, Reason.NOT_YET_VALID), (299, None), (300, Reason.EXPIRED)]
)
def test_created_is_good_from_the_skew_to_the_maximum_age(age: int, reason: Reason | None) -> None:
    request = signed(now=NOW - age, lifetime=None)
    if reason is None:
        assert guard_at().verify(request).subject == "robot"
    else:
        failed = rejected(guard_at(), request)
        assert (failed.reason, failed.rejection.genuine) == (reason, True)


@pytest.mark.parametrize(("lifetime", "good"), [(11, True), (10, False)])
def test_expires_ends_a_signature_before_its_maximum_age(lifetime: int, good: bool) -> None:
    request = signed(now=NOW - 10, lifetime=lifetime)
    if good:
        assert guard_at().verify(request).subject == "robot"
    else:
        assert rejected(guard_at(), request).rejection.where == "expires"


def test_a_signed_request_is_accepted_once() -> None:
    guard, request = guard_at(), signed()
    assert guard.verify(request).subject == "robot"
    assert reason_of(guard, request) is Reason.REPLAYED


def test_without_nonces_no_store_is_needed_and_a_request_can_be_sent_again() -> None:
    verifier = SignatureVerifier(KEY, policy=SignaturePolicy(nonce=False))
    assert not verifier.single_use
    guard = Guard([verifier], policy=Policy(clock=lambda: NOW))
    request = signed(nonce=False)
    assert guard.verify(request).key_id == guard.verify(request).key_id == "robot-1"


# ---- mistakes at construction -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: SignatureAuth(KEY, components="@method"),
        lambda: SignatureAuth(KEY, components=("@nothing",)),
        lambda: SignatureAuth(KEY, components=("@status",)),
        lambda: SignatureAuth(KEY, components=('"@method";req',)),
        lambda: SignatureAuth(KEY, components=("@method", '"@method"')),
        lambda: SignatureAuth(KEY, label="Sig"),
        lambda: SignatureAuth(KEY, lifetime=0),
        lambda: SignatureAuth(KEY, lifetime=float("nan")),
        lambda: SignatureAuth(KEY, digest="md5"),
        lambda: SignatureAuth(KEY, tag="ü"),
        lambda: SignatureAuth("key"),  # type: ignore[arg-type]
        lambda: SignatureVerifier("key"),  # type: ignore[arg-type]
        lambda: SignatureVerifier(max_age=0),
        lambda: SignatureVerifier(skew=-1),
        lambda: SignatureVerifier(max_age=float("inf")),
        lambda: SignatureVerifier(max_age=None),
        lambda: SignaturePolicy(created=False),
        lambda: SignaturePolicy(tags="orders"),
        lambda: SignaturePolicy(tags=()),
        lambda: SignaturePolicy(label="Sig"),
        lambda: SignaturePolicy(components=("@status",)),
        lambda: SignaturePolicy(types={"X-Thing": "item"}),
        lambda: SignaturePolicy(max_signatures=0),
    ],
)
def test_what_cannot_be_meant_is_said_at_construction(mistake: Any) -> None:
    with pytest.raises(ConfigurationError):
        mistake()


def test_a_request_that_lacks_what_is_to_be_covered_is_not_sent() -> None:
    with pytest.raises(ConfigurationError, match=r'can\'t be signed: "date"'):
        sign(SignatureAuth(KEY, components=("@method", "date")), Request("GET", *URL))


def test_the_client_shows_the_base_of_what_it_sent() -> None:
    auth = SignatureAuth(KEY)
    request = sign(auth, Request("GET", *URL), nonce=bytes(18))
    assert auth.canonical(request).split("\n") == [
        '"@method": GET', '"@authority": api.example', '"@path": /orders', '"@query": ?id=7',
        f'"@signature-params": {COVERED};created=1700000000;expires=1700000300;{NONCE};keyid="robot-1"',
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="no signature of this key"):
        auth.canonical(Request("GET", *URL))


# ---- any octets -------------------------------------------------------------------------------------------------------


@given(
    covered=st.binary(max_size=80), signature=st.binary(max_size=60), cut=st.integers(0, 200), put=st.binary(max_size=3)
)
def test_any_fields_give_an_identity_or_a_rejection(covered: bytes, signature: bytes, cut: int, put: bytes) -> None:
    guard, genuine = guard_at(), signed("POST", BODY)
    field = genuine.values(b"signature-input")[0]
    for fields in (
        ((b"signature-input", covered), (b"signature", signature)),
        ((b"signature-input", b"sig1=" + covered), (b"signature", b"sig1=:" + signature + b":")),
        ((b"signature-input", field[:cut] + put + field[cut + 1 :]),),
        ((b"content-digest", covered),),
    ):
        try:
            assert isinstance(guard.verify(genuine.with_headers(fields), BODY), Identity)
        except Rejected as failed:
            assert failed.refusal is not None
