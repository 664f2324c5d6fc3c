"""Wycheproof's JSON web signatures: valid is accepted, invalid refused, but for the cases that DIFFERENCES explains."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import load
from watchword import ConfigurationError, Key, Rejected
from watchword.crypto import jose

SUITE = load("jose", "wycheproof", "json_web_signature_test.json")
CASES = [(group, case) for group in SUITE["testGroups"] for case in group["tests"]]

BOUND = "the JWK is for PS256 and the token for PS384: a key carries one algorithm (RFC 8725 §3.1)"
UNREGISTERED = "the JWK's alg is ES521, which no RFC registers; the algorithm on P-521 is ES512 (RFC 7518 §3.4)"
SAME = (
    "letter for letter the genuine token of cases 372 and 373 without their inserted character: nothing in it is wrong"
)
INSERTED = "a character outside the alphabet was inserted; base64url without padding has none to ignore (RFC 7515 §2)"
DIFFERENCES = {
    346: BOUND, 350: BOUND, 347: UNREGISTERED, 351: UNREGISTERED, 367: SAME, 370: SAME, 372: INSERTED, 373: INSERTED,
}  # fmt: skip


def ours(group, case):
    try:
        jose.verify(case["jws"], Key.from_jwk(group.get("public") or group["private"]))
    except (Rejected, ConfigurationError):
        return "invalid"
    return "valid"


@pytest.mark.parametrize(("group", "case"), CASES, ids=[f"{case['tcId']}-{case['comment']}" for _, case in CASES])
def test_wycheproof_json_web_signature(group, case):
    expected = case["result"]
    if case["tcId"] in DIFFERENCES:  # an entry that explains no difference fails too
        expected = {"valid": "invalid", "invalid": "valid"}[expected]
    assert ours(group, case) == expected


def test_the_suite_is_whole():
    assert len(CASES) == SUITE["numberOfTests"] == 401
    assert DIFFERENCES.keys() <= {case["tcId"] for _, case in CASES}


def test_cases_367_and_370_are_the_genuine_token():
    texts = {case["tcId"]: case["jws"] for _, case in CASES}
    assert {texts[367], texts[370]} == {texts[372].replace("?", ""), texts[373].replace("?", "")}


@pytest.mark.parametrize(
    "name", ["ecdsa_secp256r1_sha256_p1363", "ecdsa_secp384r1_sha384_p1363", "ecdsa_secp521r1_sha512_p1363", "ed25519"]
)
def test_wycheproof_raw_signatures(name):
    suite = load("jose", "wycheproof", f"{name}_test.json")
    algorithms = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
    algorithm = algorithms.get(name.split("_")[1], "") if "_" in name else "EdDSA"
    wrong = []
    for group in suite["testGroups"]:
        key = Key.from_pem(group["publicKeyPem"], algorithm=algorithm)
        for case in group["tests"]:
            try:
                key.verify(bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
                verdict = "valid"
            except Rejected:
                verdict = "invalid"
            if verdict != case["result"]:
                wrong.append((case["tcId"], case["comment"], case["result"]))
    assert not wrong
