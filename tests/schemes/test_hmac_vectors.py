"""The vectors of the HMAC scheme, and its parameters in every order."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Put, Ref
from watchword.effects import Received, Send
from watchword.crypto.keys import RegisteredKey
from watchword.fields.auth_params import parse_credentials
from watchword.schemes import hmac_header
from watchword.schemes.hmac_header import PresentedCredentials, read_header, read_params
from watchword.stores import MemoryStore

FOLDER = Path(__file__).parents[1] / "vectors" / "hmac"
CASES = json.loads((FOLDER / "algorithms.json").read_text("utf-8"))["cases"]
REFUSED = json.loads((FOLDER / "refused.json").read_text("utf-8"))["cases"]
NONCE = "AAECAwQFBgcICQoLDA0ODw"


def key_of(case: dict[str, Any]) -> Key:
    return Key.from_secret(bytes.fromhex(case["secret_hex"]), algorithm=case["algorithm"], key_id=case["key_id"])


def request_of(case: dict[str, Any], field: str | None = None) -> Request:
    headers = {"Authorization": case["authorization"] if field is None else field}
    return Request(case["method"], "https", case["authority"], case["target"], headers)


def guard_for(case: dict[str, Any], algorithm: str | None = None) -> Guard:
    now = float(case["timestamp"])
    store = MemoryStore(clock=lambda: now)
    record = RegisteredKey("robot", algorithm or case["algorithm"], bytes.fromhex(case["secret_hex"]))
    store.commit([Put(Ref(RegisteredKey, (case["key_id"],)), record)])
    return Guard([HMACVerifier()], store, policy=Policy(clock=lambda: now))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_server_accepts_every_vector(case: dict[str, Any]) -> None:
    body = bytes.fromhex(case["body_hex"])
    request = request_of(case)
    assert guard_for(case).verify(request, body).key_id == case["key_id"]
    assert HMACVerifier().read(request).canonical().decode() == case["canonical"]
    assert HMACAuth(key_of(case)).canonical(request, body) == case["canonical"]


@pytest.mark.parametrize("case", [case for case in CASES if case["nonce"] == NONCE], ids=lambda case: case["name"])
def test_the_client_makes_every_vector(case: dict[str, Any]) -> None:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    body = bytes.fromhex(case["body_hex"])
    context = ClientContext(lambda: body, now=lambda: case["timestamp"] + 0.9, random=lambda n: bytes(range(n)))
    run(HMACAuth(key_of(case)), Request(case["method"], "https", case["authority"], case["target"]), send, context)
    assert sent[0].values(b"authorization") == [case["authorization"].encode()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_another_algorithm_of_the_key_refuses_it_and_the_header_has_no_say(case: dict[str, Any]) -> None:
    size = len(case["secret_hex"]) // 2
    others = [
        name
        for name, least in (("HS256", 32), ("HS384", 48), ("HS512", 64))
        if size >= least and name != case["algorithm"]
    ]
    for algorithm in others:
        with pytest.raises(Rejected) as caught:
            guard_for(case, algorithm).verify(request_of(case), bytes.fromhex(case["body_hex"]))
        assert caught.value.reason is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_what_the_grammar_does_not_allow_is_malformed(case: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        guard_for(CASES[0]).verify(request_of(CASES[0], case["authorization"]))
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


def test_parameters_may_come_in_every_order_and_are_read_alike() -> None:
    parts = CASES[0]["authorization"][5:].split(", ")
    expected = read_header(CASES[0]["authorization"].encode())
    for order in permutations(parts):
        field = "HMAC " + ", ".join(order)
        assert read_header(field.encode()) == expected
        assert read_params(parse_credentials(field.encode()).params) == expected


def outcome(read: Callable[[], PresentedCredentials]) -> PresentedCredentials | Reason:
    try:
        return read()
    except Rejected as rejected:
        return rejected.reason


PIECES = st.sampled_from(
    [
        *CASES[0]["authorization"].replace("=", " = ").split(" "),
        ", ",
        ",",
        "=",
        '"',
        "\\",
        " ",
        "\n",
        "é",
        "1",
        "a" * 43,
    ]
)


@given(
    st.lists(PIECES, max_size=30).map("".join)
    | st.permutations(CASES[0]["authorization"][5:].split(", ")).map(lambda parts: "HMAC " + ", ".join(parts)),
    st.integers(0, 260), st.integers(0, 3), st.sampled_from(["", "0", '"', ",", " ", "=", ", ", "A", "_", "\n", "é"]),
)  # fmt: skip
def test_the_short_ways_of_reading_say_what_the_grammar_says(text: str, at: int, cut: int, put: str) -> None:
    field = (text[:at] + put + text[at + cut :]).encode("latin-1", "replace")
    assert outcome(lambda: read_header(field)) == outcome(lambda: read_params(parse_credentials(field).params))


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda field: field.replace("HMAC", "hmac"),
        lambda field: field.replace("version", "Version").replace("mac=", "MAC="),
        lambda field: field.replace(", ", ","),
        lambda field: field.replace(", ", " ,\t "),
        lambda field: field.replace("version=1", 'version="1"').replace(
            "timestamp=1700000000", 'timestamp="1700000000"'
        ),
        lambda field: field.replace('"robot-1"', "robot-1"),
        lambda field: field.replace("=", " = "),
        lambda field: field + ",",
    ],
    ids=["scheme", "names", "no spaces", "more spaces", "quoted", "a token", "around =", "an empty element"],
)
def test_every_spelling_that_http_allows_is_read_alike(rewrite: Any) -> None:
    field = rewrite(CASES[0]["authorization"])
    assert guard_for(CASES[0]).verify(request_of(CASES[0], field)).subject == "robot"


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 31), ("HS384", 47), ("HS512", 63), ("EdDSA", 32)])
def test_a_stored_key_that_can_not_be_used_is_the_operators_fault(algorithm: str, size: int) -> None:
    from watchword import ConfigurationError

    case = {**CASES[0], "secret_hex": bytes(size).hex()}
    with pytest.raises(ConfigurationError):
        guard_for(case, algorithm).verify(request_of(case))


def test_a_stored_key_is_looked_at_once_and_how_many_are_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    check = RegisteredKey.key

    def key(record: RegisteredKey, key_id: str | None = None) -> Key:
        looked.append(record.algorithm)
        return check(record, key_id)

    monkeypatch.setattr(hmac_header, "MAX_KEPT", 2)
    monkeypatch.setattr(RegisteredKey, "key", key)
    verifier = HMACVerifier()
    for number in (1, 1, 2, 3, 3):  # a store makes a record anew for each look-up
        record = RegisteredKey("robot", "HS256", bytes(31) + bytes([number]))
        mac, new = verifier.ready(f"k{number}", record)
        if new:
            verifier.keep(f"k{number}", record, mac)
    assert len(looked) == 3
    verifier.ready("k1", RegisteredKey("robot", "HS256", b"another secret under the same id"))
    assert len(looked) == 4
