"""JSON forms: a header that nothing protects decides nothing, and no member is read twice (RFC 7515 §7.2.1, §10.7)."""

from __future__ import annotations

import json

import pytest

from watchword import JWTVerifier, Key, KeySet, Reason, Rejected
from watchword.crypto import jose

KEY = Key.generate("HS256", key_id="k1")
OTHER = Key.generate("HS384", key_id="k2")
BOTH = KeySet([KEY, OTHER])
FLAT = jose.sign_json(b"hello", [KEY], flattened=True)
GENERAL = jose.sign_json(b"hello", [KEY, OTHER])


def refused(token, keys=BOTH, **options):
    with pytest.raises(Rejected) as caught:
        jose.verify(token, keys, **options)
    return caught.value.reason, caught.value.rejection.where


def test_an_unprotected_algorithm_is_refused_and_never_chosen_by():
    moved = jose.sign_json(b"hello", [jose.Signer(KEY, protect=("kid",))], flattened=True)
    assert moved["header"] == {"alg": "HS256"}
    assert refused(moved) == (Reason.MALFORMED_CREDENTIALS, "alg")
    for name in ("none", "HS384", "RS256", "A256KW"):
        changed = {**moved, "header": {"alg": name}}
        assert refused(changed, allow_unprotected=True)[0] is Reason.WRONG_ALGORITHM


@pytest.mark.parametrize("header", [{"alg": "HS256"}, {"alg": "none"}, {"kid": "k1"}, {"kid": "k2"}])
def test_a_member_in_both_headers_is_refused_though_they_agree(header):
    assert refused({**FLAT, "header": header}) == (Reason.MALFORMED_CREDENTIALS, "header")


@pytest.mark.parametrize("header", [{"crit": ["b64"]}, {"b64": False}, {"crit": []}, {"crit": ["x"], "x": 1}])
def test_what_changes_the_meaning_has_to_be_protected(header):
    assert refused({**FLAT, "header": header}) == (Reason.MALFORMED_CREDENTIALS, "crit")


@pytest.mark.parametrize("header", [{"jwk": {}}, {"jku": "https://evil.example"}, {"x5c": ["MIIB"]}, {"x": 1}])
def test_other_unprotected_members_change_nothing(header):
    assert jose.verify({**FLAT, "header": header}, BOTH).header == {"alg": "HS256", "kid": "k1"}
    assert jose.verify_json({**FLAT, "header": header}, BOTH).signatures[0].unprotected == header


def test_an_empty_protected_header_is_left_out():
    assert refused({**FLAT, "protected": ""}) == (Reason.MALFORMED_CREDENTIALS, "protected")


def test_both_forms_at_once_are_refused():
    for name in ("signature", "protected", "header"):
        assert refused({**GENERAL, name: FLAT.get(name, {})}) == (Reason.MALFORMED_CREDENTIALS, "signatures")


@pytest.mark.parametrize(
    "twice", ['"payload":"aGVsbG8"', '"signature":"AAAA"', '"protected":"e30"', '"header":{"a":1,"a":2}']
)
def test_a_member_that_occurs_twice_is_refused(twice):
    text = json.dumps({**FLAT, "header": {"a": 1}})
    assert refused(text[:-1] + "," + twice + "}")[0] is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("signatures", [[], {}, "x", None, [7], [{}], [FLAT] * 17])
def test_signatures_are_a_short_list_of_objects(signatures):
    assert refused({"payload": FLAT["payload"], "signatures": signatures})[0] is Reason.MALFORMED_CREDENTIALS


def test_one_forged_signature_among_genuine_ones_is_refused_by_default():
    forged = json.loads(json.dumps(GENERAL))
    forged["signatures"][1]["signature"] = "AAAA"
    assert refused(forged) == (Reason.WRONG_SIGNATURE, "signature")
    found = jose.verify_json(forged, BOTH, require=jose.Require.ANY)
    assert [each.key for each in found.signatures] == [KEY]


def test_a_stranger_among_the_signers_is_refused_by_default_and_never_counted():
    stranger = jose.sign_json(b"hello", [Key.generate("HS512", key_id="evil"), KEY])
    assert refused(stranger)[0] is Reason.WRONG_ALGORITHM
    found = jose.verify_json(stranger, BOTH, require=jose.Require.ANY)
    assert [each.key for each in found.signatures] == [KEY]
    assert jose.verify(stranger, BOTH, require=jose.Require.ANY).key is KEY
    assert refused(stranger, OTHER, require=jose.Require.ANY)[0] is Reason.WRONG_ALGORITHM


def test_any_still_refuses_what_is_malformed():
    broken = {**GENERAL, "signatures": [GENERAL["signatures"][0], {"signature": "!"}]}
    assert refused(broken, require=jose.Require.ANY)[0] is Reason.MALFORMED_CREDENTIALS


def test_no_json_form_is_taken_for_a_bearer_token():
    """Proxies and logs read the header of a compact token; another form must not slip past them."""
    payload = b'{"sub":"admin"}'
    verifier = JWTVerifier(BOTH)
    assert verifier.verify(jose.sign(payload, KEY)).subject == "admin"
    for token in (
        json.dumps(jose.sign_json(payload, [KEY])),
        json.dumps(jose.sign_json(payload, [KEY], flattened=True)),
    ):
        with pytest.raises(Rejected) as caught:
            verifier.verify(token)
        assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


def test_an_unencoded_payload_is_never_a_bearer_token():
    """RFC 7797 §7: a JWT has no b64."""
    token = jose.sign(b'{"sub":"admin"}', KEY, b64=False)
    assert jose.verify(token, KEY).payload == b'{"sub":"admin"}'
    with pytest.raises(Rejected) as caught:
        JWTVerifier(BOTH).verify(token)
    assert caught.value.reason is Reason.UNKNOWN_CRITICAL
