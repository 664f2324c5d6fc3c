"""The HMAC header scheme: vectors, both halves through both guards, and what must not pass."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import AsyncGuard, ConfigurationError, Guard, HMACAuth, HMACVerifier, Identity, Key, Policy, Reason
from watchword import Rejected, Request, explain
from watchword.transport.flow import ClientContext, run
from watchword.core.message import Response
from watchword.effects import Received
from watchword.stores import MemoryStore

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "hmac" / "version1.json").read_text())
SECRET = bytes.fromhex(VECTORS["secret_hex"])
NOW = float(VECTORS["timestamp"])
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="robot-1")


def signed(
    request: Request, body: bytes = b"", *, now: float = NOW, nonce: bytes | None = None, key: Key = KEY
) -> Request:
    sent: list[Request] = []

    def send(effect: object) -> Received:
        sent.append(effect.request)  # type: ignore[attr-defined]
        return Received(Response(200))

    fixed = bytes.fromhex(VECTORS["nonce_hex"])
    context = ClientContext(lambda: body, now=lambda: now, random=lambda n: (nonce or fixed)[:n])
    run(HMACAuth(key), request, send, context)
    return sent[0]


def guard_at(now: float = NOW, *, store: MemoryStore | None = None, **options: float) -> Guard:
    if store is None:
        store = MemoryStore(clock=lambda: now)
        store.add_key("robot", KEY, scopes=("read",))
    return Guard([HMACVerifier(**options)], store, policy=Policy(clock=lambda: now))


def reason_of(guard: Guard, request: Request, body: bytes = b"") -> Reason:
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    return caught.value.reason


PARTS = ("method", "scheme", "authority", "target", "headers", "peer", "exact")
GET = Request("GET", "https", "api.example", "/orders?id=7")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["id"])
def test_the_specifications_examples_are_made_and_accepted(case: dict[str, str]) -> None:
    body = case["body"].encode()
    request = signed(Request(case["method"], case["scheme"], case["authority"], case["target"]), body)
    field = request.values(b"authorization")[0].decode()
    assert f'mac="{case["mac"]}"' in field
    assert f'digest="{case["digest"]}"' in field
    assert guard_at().verify(request, body).subject == "robot"


def test_an_identity_carries_subject_scheme_key_id_and_scopes() -> None:
    who = guard_at().verify(signed(GET))
    assert (who.subject, who.scheme, who.key_id, who.scopes) == ("robot", "hmac", "robot-1", {"read"})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"method": "POST"}, Reason.WRONG_SIGNATURE),
        ({"authority": "other.example"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders?id=8"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/order?sid=7"}, Reason.WRONG_SIGNATURE),
        ({"method": "GET\n"}, Reason.MALFORMED_REQUEST),
        ({"target": b"/orders\n?id=7"}, Reason.TARGET_REFUSED),
    ],
)
def test_a_changed_component_is_refused(changed: dict[str, object], reason: Reason) -> None:
    request = signed(GET)
    parts: dict[str, object] = {name: getattr(request, name) for name in PARTS}
    assert reason_of(guard_at(), Request(**{**parts, **changed})) is reason  # type: ignore[arg-type]


def test_another_body_is_refused() -> None:
    assert reason_of(guard_at(), signed(GET, b"pay 10"), b"pay 99") is Reason.WRONG_BODY


def test_a_request_is_accepted_once_by_all_guards_on_one_store() -> None:
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", KEY)
    request = signed(GET)
    assert guard_at(store=store).verify(request).subject == "robot"
    assert reason_of(guard_at(store=store), request) is Reason.REPLAYED


def test_a_nonce_used_by_one_key_is_free_for_another() -> None:
    store = MemoryStore(clock=lambda: NOW)
    other = Key.from_secret(SECRET[::-1], algorithm="HS256", key_id="robot-2")
    store.add_key("robot", KEY)
    store.add_key("other", other)
    guard = guard_at(store=store)
    assert guard.verify(signed(GET)).subject == "robot"
    assert guard.verify(signed(GET, key=other)).subject == "other"


@pytest.mark.parametrize(
    ("shift", "reason"),
    [(-1000, Reason.EXPIRED), (-300, Reason.EXPIRED), (-299, None), (30, None), (31, Reason.NOT_YET_VALID)],
)
def test_the_edges_of_time(shift: float, reason: Reason | None) -> None:
    request = signed(GET, now=NOW + shift)
    if reason is None:
        assert guard_at().verify(request).subject == "robot"
    else:
        assert reason_of(guard_at(), request) is reason


def test_the_nonce_is_remembered_for_as_long_as_the_timestamp_is_good() -> None:
    claim = HMACVerifier(max_age=600).read(signed(GET, now=NOW + 20))
    assert claim.once().until == NOW + 620


def test_the_nonce_is_remembered_for_as_long_as_a_verifier_with_the_default_age_would_accept_it() -> None:
    claim = HMACVerifier(max_age=60).read(signed(GET, now=NOW + 20))
    assert claim.once().until == NOW + 320


def test_a_replay_whose_body_dribbles_in_past_the_expiry_is_refused() -> None:
    """The clock is read after the body, so a slow body wins no time over a forgotten nonce."""
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", KEY)
    now = [float(NOW)]
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=lambda: now[0]))

    def dribble() -> bytes:
        now[0] = NOW + 301
        return b""

    request = signed(Request("POST", "https", "api.example", "/orders"), b"hello")
    chunks = iter((b"hello",))
    with pytest.raises(Rejected) as caught:
        guard.admit(request, lambda: next(chunks, None) or dribble())
    assert caught.value.reason is Reason.EXPIRED


def test_unknown_keys_and_wrong_macs_look_alike_to_the_client() -> None:
    stranger = Key.from_secret(SECRET, algorithm="HS256", key_id="nobody")
    impostor = Key.from_secret(SECRET[::-1], algorithm="HS256", key_id="robot-1")
    answers = []
    for key, reason in ((stranger, Reason.UNKNOWN_KEY), (impostor, Reason.WRONG_SIGNATURE)):
        with pytest.raises(Rejected) as caught:
            guard_at().verify(signed(GET, key=key))
        assert caught.value.reason is reason
        assert caught.value.refusal is not None
        answers.append((caught.value.refusal.response().status, caught.value.refusal.response().headers))
    assert answers[0] == answers[1]


def test_a_rebuilt_target_with_encoded_octets_is_refused() -> None:
    request = signed(Request("GET", "https", "api.example", "/a%20b"))
    rebuilt = Request.raw("GET", "https", "api.example", b"/a%20b", request.headers, request.peer, False)
    assert reason_of(guard_at(), rebuilt) is Reason.TARGET_NOT_EXACT


@pytest.mark.parametrize(
    "field",
    [
        "HMAC", "HMAC ", "HMAC x", 'HMAC version=2, keyid="a"', "HMAC version=1",
        'HMAC version=1, keyid="robot-1", timestamp=01, nonce="aaaaaaaaaaaaaaaaaaaaaa", digest="d", mac="m"',
    ],
)  # fmt: skip
def test_what_is_off_the_grammar_is_malformed(field: str) -> None:
    request = Request("GET", "https", "api.example", "/", {"Authorization": field})
    assert reason_of(guard_at(), request) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("name", ["version", "keyid", "timestamp", "nonce", "digest", "mac"])
def test_every_parameter_is_demanded_once(name: str) -> None:
    field = signed(GET).values(b"authorization")[0].decode().removeprefix("HMAC ")
    params = field.split(", ")
    mine = next(param for param in params if param.startswith(name + "="))
    for wrong in ([param for param in params if param is not mine], [*params, mine], [*params, "more=1"]):
        request = GET.with_headers(((b"authorization", ("HMAC " + ", ".join(wrong)).encode()),))
        assert reason_of(guard_at(), request) is Reason.MALFORMED_CREDENTIALS


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_every_flipped_byte_of_the_field_is_refused(at: int, flip: int) -> None:
    genuine = signed(GET).values(b"authorization")[0]
    index = at % len(genuine)
    changed = genuine[:index] + bytes([genuine[index] ^ flip]) + genuine[index + 1 :]
    try:
        who = guard_at().verify(GET.with_headers(((b"authorization", changed),)))
    except Rejected:
        return
    # Scheme words and parameter names are compared without case, and a list may have empty members (RFC 9110 §5.6.1).
    assert changed.lower().replace(b",,", b", ") == genuine.lower(), who


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_any_octets_give_an_identity_or_a_rejection_from_both_guards(field: bytes, body: bytes) -> None:
    request = GET.with_headers(((b"authorization", b"HMAC " + field),))
    guard = guard_at()
    verdicts = []
    for verify in (guard.verify, lambda request, body: asyncio.run(AsyncGuard.of(guard).verify(request, body))):
        try:
            verdicts.append(verify(request, body))
        except Rejected as rejected:
            verdicts.append(rejected.reason)
    assert isinstance(verdicts[0], Identity | Reason)
    assert verdicts[0] == verdicts[1]


def test_a_longer_hash_is_the_keys_choice_not_the_headers() -> None:
    key = Key.generate("HS512", key_id="robot-1")
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", key)
    assert guard_at(store=store).verify(signed(GET, key=key)).subject == "robot"
    assert reason_of(guard_at(store=store), signed(GET)) is Reason.WRONG_SIGNATURE


def test_what_cannot_sign_is_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="key id"):
        HMACAuth(Key.generate("HS256"))
    with pytest.raises(ConfigurationError, match="HMAC key"):
        HMACAuth(Key.generate("EdDSA", key_id="a"))
    with pytest.raises(ConfigurationError, match="positive"):
        HMACVerifier(max_age=0)
    with pytest.raises(ConfigurationError, match="store"):
        Guard([HMACVerifier()])


def test_no_secret_in_repr_or_error() -> None:
    assert SECRET.hex() not in repr(HMACAuth(KEY)) + repr(KEY)


@pytest.mark.parametrize(
    ("changed", "component", "expected"),
    [
        ({"method": "PUT"}, "@method", "GET"),
        ({"authority": "backend:8080"}, "@authority", "localhost"),
        ({"target": b"/orders/?id=7"}, "@path", "/orders"),
        ({"target": b"/v1/orders?id=7"}, "@path", "/orders"),
        ({"target": b"/orders"}, "mac", ""),
    ],
)
def test_explain_names_the_component_that_differs(changed: dict[str, object], component: str, expected: str) -> None:
    request = signed(Request("GET", "https", "localhost", "/orders?id=7"))
    parts: dict[str, object] = {name: getattr(request, name) for name in PARTS}
    explanation = explain(Request(**{**parts, **changed}), guard_at())  # type: ignore[arg-type]
    assert not explanation.accepted
    assert explanation.causes[0].component == component
    if expected:
        assert explanation.causes[0].expected == expected
    assert "HMAC 1\nrobot-1\n" in explanation.canonical


def test_explain_names_body_time_replay_key_and_encoding() -> None:
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", KEY)
    guard = guard_at(store=store)
    assert "a line break was added at its end" in explain(signed(GET, b"a"), guard, b"a\n").causes[0].mend
    assert explain(signed(GET, now=NOW - 900), guard).causes[0].name == "time"
    stranger = Key.from_secret(SECRET, algorithm="HS256", key_id="nobody")
    assert explain(signed(GET, key=stranger), guard).causes[0].name == "key id"
    encoded = Key.from_secret(SECRET.hex(), algorithm="HS256", key_id="robot-1")
    assert "in hex" in explain(signed(GET, key=encoded), guard).causes[0].received
    request = signed(GET)
    assert explain(request, guard).accepted
    assert guard.verify(request).subject == "robot"  # explain committed nothing
    again = explain(request, guard)
    assert again.reason is Reason.REPLAYED
    assert again.causes[0].name == "single use"
    assert SECRET.hex() not in str(again) + again.to_json()


def test_the_client_builds_the_servers_canonical_string() -> None:
    request = signed(GET, b"body")
    explanation = explain(request, guard_at(), b"body")
    assert explanation.accepted
    assert HMACAuth(KEY).canonical(request, b"body") == explanation.canonical
    assert explanation.compare(HMACAuth(KEY).canonical(request, b"body")) is None
    difference = explanation.compare(HMACAuth(KEY).canonical(request, b"Body"))
    assert difference is not None
    assert difference.component == "line 8, octet 1"


@pytest.mark.parametrize("field", ["", "Bearer x", "HMAC", "HMAC version=1"])
def test_there_is_no_canonical_string_of_an_unsigned_request(field: str) -> None:
    with pytest.raises(ConfigurationError, match="give the signed one"):
        HMACAuth(KEY).canonical(GET.with_headers(((b"authorization", field.encode()),)))
    with pytest.raises(ConfigurationError, match="give the signed one"):
        HMACAuth(KEY).canonical(GET)
