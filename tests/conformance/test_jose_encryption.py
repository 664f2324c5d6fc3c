"""Wycheproof's JSON web encryption: valid is decrypted to its plaintext, invalid refused, but for DIFFERENCES."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import load
from watchword import ConfigurationError, Key, KeySet, Rejected
from watchword.crypto import jose

SUITE = load("jose", "wycheproof", "json_web_encryption_test.json")
CASES = [(group, case) for group in SUITE["testGroups"] for case in group["tests"]]
CRYPTO = load("jose", "wycheproof", "json_web_crypto_test.json")
CRYPTO_CASES = [(group, case) for group in CRYPTO["testGroups"] for case in group["tests"]]

# RSA1_5 and compression are refused unless they are asked for; here they are.
ALL = jose.DecryptionPolicy(allow_rsa1_5=True, max_inflated=1 << 16)
JSON = "genuine, in its JSON form, which the suite's API can't read and ours can (RFC 7515 §7.2, RFC 7516 §7.2)"
DIFFERENCES = {22: JSON}
RSA1_5 = {100, 101, 102, 103, 104, 105, 112, 128}
ZIP = {135}

MIXED = "a set may hold keys of several types: each is bound to its own algorithm, so none is taken for another"
CRYPTO_DIFFERENCES = {17: JSON, 47: MIXED, 66: JSON}


def opened(group, case, policy):
    """The plaintext in hex, or None."""
    try:
        return jose.decrypt(case["jwe"], Key.from_jwk(group["private"]), policy=policy).plaintext.hex()
    except (Rejected, ConfigurationError):
        return None


def ids(cases):
    return [f"{case['tcId']}-{case['comment']}" for _, case in cases]


@pytest.mark.parametrize(("group", "case"), CASES, ids=ids(CASES))
def test_wycheproof_json_web_encryption(group, case):
    valid = case["result"] == "valid"
    if case["tcId"] in DIFFERENCES:  # an entry that explains no difference fails too
        valid = not valid
    found = opened(group, case, ALL)
    assert (found is not None) == valid
    if case["result"] == "valid":
        assert found == case["pt"]


def test_what_is_refused_by_default_are_rsa1_5_and_compression_alone():
    valid = {case["tcId"] for group, case in CASES if opened(group, case, ALL) is not None}
    by_default = {case["tcId"] for group, case in CASES if opened(group, case, jose.DecryptionPolicy()) is not None}
    assert valid - by_default == RSA1_5 | ZIP


def test_the_suites_are_whole():
    assert len(CASES) == SUITE["numberOfTests"] == 139
    assert len(CRYPTO_CASES) == CRYPTO["numberOfTests"] == 83


@pytest.mark.parametrize(("group", "case"), CRYPTO_CASES, ids=ids(CRYPTO_CASES))
def test_wycheproof_json_web_crypto(group, case):
    expected = case["result"]
    if case["tcId"] in CRYPTO_DIFFERENCES:
        expected = {"valid": "invalid", "invalid": "valid"}[expected]
    try:
        jwk = (group.get("public") if "jws" in case else None) or group["private"]
        keys = KeySet.from_jwks(jwk) if "keys" in jwk else KeySet([Key.from_jwk(jwk)])
        if "jwe" in case:
            jose.decrypt(case["jwe"], keys)
        else:
            jose.verify(case["jws"], keys)
    except (Rejected, ConfigurationError):
        assert expected == "invalid"
    else:
        assert expected == "valid"
