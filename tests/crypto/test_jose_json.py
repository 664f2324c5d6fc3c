"""JWS in their JSON forms, detached, and with a payload that is signed as it is (RFC 7515 §7.2, RFC 7797)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.algorithms import ALGORITHMS
from watchword.crypto.encoding import b64url_encode

HMAC = Key.generate("HS256", key_id="k1")
ECDSA = Key.generate("ES256", key_id="k2")
BOTH = KeySet([HMAC, ECDSA])


def refused(token, keys=BOTH, **options):
    with pytest.raises(Rejected) as caught:
        jose.verify(token, keys, **options)
    return caught.value.reason, caught.value.rejection.where


def head(header):
    return b64url_encode(json.dumps(header).encode()).decode()


@pytest.mark.parametrize("row", ALGORITHMS, ids=lambda row: row.name)
def test_every_algorithm_in_every_form(row):
    key = Key.generate(row.name, key_id="k")
    forms = [
        jose.sign(b"hello", key),
        jose.sign_json(b"hello", [key]),
        json.dumps(jose.sign_json(b"hello", [key], flattened=True)),
        json.dumps(jose.sign_json(b"hello", [key])).encode(),
    ]
    for form in forms:
        assert jose.verify(form, key) == ({"alg": row.name, "kid": "k"}, b"hello", key)


@given(st.binary(max_size=40), st.booleans(), st.booleans())
def test_detached_and_unencoded_payloads(payload, b64, flattened):
    signed = jose.sign_json(
        payload, [HMAC, ECDSA][: 1 if flattened else 2], flattened=flattened, detached=True, b64=b64
    )
    compact = jose.sign(payload, HMAC, detached=True, b64=b64)
    assert "payload" not in signed
    assert compact.split(".")[1] == ""
    for form in (signed, json.dumps(signed), compact):
        assert jose.verify(form, BOTH, payload=payload).payload == payload
        assert refused(form, payload=payload + b"!")[0] is Reason.WRONG_SIGNATURE
    assert refused(signed) == (Reason.MALFORMED_CREDENTIALS, "payload")


def test_a_payload_beside_one_in_the_token_is_refused():
    for form in (jose.sign(b"hello", HMAC), jose.sign_json(b"hello", [HMAC]), jose.sign(b"hello", HMAC, b64=False)):
        assert refused(form, payload=b"hello") == (Reason.MALFORMED_CREDENTIALS, "payload")


def test_an_unencoded_payload_in_the_token():
    token = jose.sign(b"$02 -> you", HMAC, b64=False)
    assert token.split(".")[1] == "$02 -> you"
    assert jose.verify(token, HMAC).payload == b"$02 -> you"
    assert jose.verify(jose.sign_json("ü.".encode(), [HMAC], b64=False), HMAC).payload == "ü.".encode()
    for payload in (b"$.02", "ü".encode(), b"\n", b"\x7f"):
        with pytest.raises(ConfigurationError, match="detached"):
            jose.sign(payload, HMAC, b64=False)
    with pytest.raises(ConfigurationError, match="detached"):
        jose.sign_json(b"\xff", [HMAC], b64=False)


@pytest.mark.parametrize(
    "header",
    [
        {"b64": False}, {"b64": False, "crit": []}, {"b64": False, "crit": ["b64", "b64"]}, {"crit": ["b64"]},
        {"b64": False, "crit": ["b64", "exp"], "exp": 1}, {"b64": "false", "crit": ["b64"]}, {"b64": 0, "crit": ["b64"]},
        {"b64": None, "crit": ["b64"]}, {"b64": False, "crit": "b64"}, {"b64": False, "crit": {"b64": 1}},
        {"x": 1, "crit": ["x"]}, {"crit": None},
    ],
)  # fmt: skip
def test_b64_is_understood_in_its_one_spelling_alone(header):
    protected = head({"alg": "HS256", **header})
    for body in ("aGVsbG8", "hello"):
        signature = b64url_encode(HMAC.sign(f"{protected}.{body}".encode())).decode()
        assert refused(f"{protected}.{body}.{signature}") == (Reason.UNKNOWN_CRITICAL, refused_at(header))
        document = {"protected": protected, "payload": body, "signature": signature}
        assert refused(document)[0] in (Reason.UNKNOWN_CRITICAL, Reason.MALFORMED_CREDENTIALS)


def refused_at(header):
    return "crit" if "crit" in header else "b64"


def test_b64_true_may_be_said_critically():
    protected = head({"alg": "HS256", "b64": True, "crit": ["b64"]})
    signature = b64url_encode(HMAC.sign(f"{protected}.aGVsbG8".encode())).decode()
    assert jose.verify(f"{protected}.aGVsbG8.{signature}", HMAC).payload == b"hello"


def test_signatures_that_disagree_on_b64_are_refused():
    one, other = jose.sign_json(b"aGVsbG8", [HMAC], b64=False), jose.sign_json(b"hello", [ECDSA])
    mixed = {"payload": "aGVsbG8", "signatures": one["signatures"] + other["signatures"]}
    assert refused(mixed) == (Reason.MALFORMED_CREDENTIALS, "b64")
    assert refused(mixed, require=jose.Require.ANY) == (Reason.MALFORMED_CREDENTIALS, "b64")


def test_each_signer_has_headers_of_its_own():
    signers = [jose.Signer(HMAC, {"typ": "a"}, {"note": 1}), jose.Signer(ECDSA, protect=("alg",))]
    found = jose.verify_json(jose.sign_json(b"hello", signers), BOTH)
    assert found.payload == b"hello"
    assert found.signatures == (
        ({"alg": "HS256", "kid": "k1", "typ": "a"}, {"note": 1}, HMAC),
        ({"alg": "ES256"}, {"kid": "k2"}, ECDSA),
    )


def test_mistakes_in_signing_are_configuration_errors():
    for mistake in (
        lambda: jose.sign_json(b"x", []),
        lambda: jose.sign_json(b"x", [HMAC, ECDSA], flattened=True),
        lambda: jose.sign_json(b"x", [Key.from_jwk(ECDSA.to_jwk())]),
        lambda: jose.sign_json(b"x", [Key.generate("A256KW")]),
        lambda: jose.sign_json(b"x", [jose.Signer(HMAC, {"alg": "none"})]),
        lambda: jose.sign_json(b"x", [jose.Signer(HMAC, {"crit": ["x"]})]),
        lambda: jose.sign_json(b"x", [jose.Signer(HMAC, {"b64": False})]),
        lambda: jose.sign_json(b"x", [jose.Signer(HMAC, {}, {"b64": False})]),
        lambda: jose.sign_json(b"x", [jose.Signer(HMAC, {}, {"kid": "k1"})]),
        lambda: jose.sign_json(b"x", [jose.Signer(HMAC, {}, {"crit": ["x"]})]),
    ):
        with pytest.raises(ConfigurationError):
            mistake()


def test_a_long_document_is_not_looked_at_unless_told():
    signed = json.dumps(jose.sign_json(bytes(20_000), [HMAC]))
    assert refused(signed) == (Reason.HEADER_TOO_LARGE, "token")
    assert len(jose.verify(signed, HMAC, max_token=40_000).payload) == 20_000
    assert len(jose.verify(jose.sign(bytes(20_000), HMAC), HMAC, max_token=40_000).payload) == 20_000


def test_the_json_face_takes_no_compact_form():
    with pytest.raises(Rejected) as caught:
        jose.verify_json(jose.sign(b"x", HMAC), HMAC)
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.dictionaries(st.sampled_from(["protected", "header", "signatures", "signature", "payload"]), JSON, min_size=1)
)
def test_any_document_is_refused_or_as_it_was(members):
    signed = {**jose.sign_json(b"hello", [HMAC], flattened=True), **members}
    for require in jose.Require:
        try:
            found = jose.verify(signed, BOTH, require=require)
        except Rejected:
            continue
        assert found.payload == b"hello"
        assert set(members) <= {"header"}


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60), st.text('{}"payload:,', max_size=30)))
def test_any_text_is_refused_with_a_reason(token):
    refused(token)
    refused(token, payload=b"x")
