"""Wycheproof's JSON web keys, and RFC 7638 thumbprints."""

from __future__ import annotations

import json

import pytest

from tests.conformance.conftest import load
from watchword import ConfigurationError, Key, KeySet, Rejected
from watchword.crypto import jose

SUITE = load("jose", "wycheproof", "json_web_key_test.json")
CASES = [(group, case) for group in SUITE["testGroups"] for case in group["tests"]]
THUMBPRINTS = load("jose", "jwk-thumbprint", "vectors.json")

MIXED = "a set may hold keys of several types: each is bound to its own algorithm, so none is taken for another"
FIRST = "of two keys with one key id the first is kept and the second listed as skipped; which counts is no question"
DIFFERENCES = {1: MIXED, 4: FIRST}


def ours(group, case):
    try:
        jose.verify(case["jws"], KeySet.from_jwks(group.get("public") or group["private"]))
    except (Rejected, ConfigurationError):
        return "invalid"
    return "valid"


@pytest.mark.parametrize(("group", "case"), CASES, ids=[f"{case['tcId']}-{case['comment']}" for _, case in CASES])
def test_wycheproof_json_web_key(group, case):
    expected = case["result"]
    if case["tcId"] in DIFFERENCES:  # an entry that explains no difference fails too
        expected = {"valid": "invalid", "invalid": "valid"}[expected]
    assert ours(group, case) == expected


def test_the_suite_is_whole():
    assert len(CASES) == SUITE["numberOfTests"] == 26


@pytest.mark.parametrize("vector", THUMBPRINTS, ids=lambda vector: vector["name"])
def test_thumbprints_are_those_of_rfc_7638(vector):
    jwk = json.loads(vector["jwk"])
    algorithm = jwk.get("alg") or {"OKP": "EdDSA", "EC": "ES256", "RSA": "RS256"}[jwk["kty"]]
    assert Key.from_jwk({**jwk, "alg": algorithm}).thumbprint() == vector["thumbprint"]
