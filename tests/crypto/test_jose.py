"""Compact JWS with prepared keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode

EXAMPLES = json.loads((Path(__file__).parents[1] / "vectors/jwt/rfc_signatures.json").read_text())
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["source"])
def test_the_rfcs_signatures_are_accepted_and_made_again(example):
    key = Key.from_jwk(example["key"])
    found = jose.verify(example["token"], key)
    assert (found.payload.decode(), found.key) == (example["payload"], key)
    signing_input, _, signature = example["token"].encode().rpartition(b".")
    if example["deterministic"]:
        assert b64url_encode(key.sign(signing_input)) == signature
    else:
        key.verify(signing_input, key.sign(signing_input))


def test_a_token_round_trips():
    token = jose.sign(b"payload", KEY, header={"typ": "JWT"})
    found = jose.verify(token, KEY)
    assert found == ({"alg": "HS256", "kid": "k1", "typ": "JWT"}, b"payload", KEY)
    assert jose.verify(token.encode(), KeySet([KEY])) == found


@pytest.mark.parametrize("header", [{"alg": "none"}, {"kid": "k2"}, {"crit": ["b64"]}, {"b64": False}])
def test_a_header_can_not_contradict_the_key(header):
    with pytest.raises(ConfigurationError):
        jose.sign(b"x", KEY, header=header)


def test_genuine_headers_are_remembered_and_forged_ones_are_not():
    compact = jose.Compact(KeySet([KEY]))
    token = jose.sign(b"payload", KEY)
    head, payload, signature = token.split(".")
    forged = f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    for _ in range(2):
        with pytest.raises(Rejected):
            compact.open(forged)
    assert not compact._known
    assert compact.open(token) == compact.open(token)
    assert list(compact._known) == [head.encode()]
    with pytest.raises(Rejected) as caught:  # a known header helps nobody
        compact.open(forged)
    assert caught.value.reason is Reason.WRONG_SIGNATURE


def test_the_memory_of_headers_is_bounded():
    compact = jose.Compact(KeySet([KEY]))
    for number in range(600):
        compact.open(jose.sign(b"x", KEY, header={"n": number}))
    compact.open(jose.sign(b"x", KEY, header={"n": "x" * 2000}))
    assert len(compact._known) <= 256
    assert all(len(head) <= 1024 for head in compact._known)


def test_several_keys_without_ids_are_tried_each_time():
    one, two = Key.generate("HS256"), Key.generate("HS256")
    compact = jose.Compact(KeySet([one, two]))
    for key in (one, two, one):
        assert compact.open(jose.sign(b"x", key))[2] is key
    with pytest.raises(Rejected) as caught:
        compact.open(jose.sign(b"x", Key.generate("HS256")))
    assert caught.value.reason is Reason.WRONG_SIGNATURE


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80), st.text("eyJ0.-_", max_size=40)))
def test_any_token_is_refused_with_a_reason(token):
    with pytest.raises(Rejected):
        jose.verify(token, KEY)
