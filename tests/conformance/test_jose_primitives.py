"""Wycheproof on what JOSE is made of, each suite through the code that does it here.

Every test compares the set of case ids that we decide otherwise with the one that is explained: no more and no fewer.
"""

from __future__ import annotations

import os

import pytest

from tests.conformance.conftest import load
from watchword import ConfigurationError, Key, Rejected
from watchword.crypto.algorithms import ALGORITHMS, algorithm_named
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.jose import content, key_management

HASHES = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def cases(name, count):
    suite = load("jose", "wycheproof", f"{name}_test.json")
    found = [(group, case) for group in suite["testGroups"] for case in group["tests"]]
    assert len(found) == suite["numberOfTests"] == count
    return found


def octets(text):
    return bytes.fromhex(text)


def decided_otherwise(found, accepts):
    """The ids of the cases on which we and the suite differ; "acceptable" says that both are right."""
    return {
        case["tcId"]
        for group, case in found
        if case["result"] != "acceptable" and accepts(group, case) != (case["result"] == "valid")
    }


def verified(key, case):
    try:
        key.verify(octets(case["msg"]), octets(case["sig"]))
    except Rejected:
        return False
    return True


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_hmac(bits):
    found = cases(f"hmac_sha{bits}", 174)

    def accepts(group, case):
        sign, check = keyed_hmac(f"sha{bits}", octets(case["key"]))
        try:
            check(octets(case["msg"]), octets(case["tag"]))
        except Rejected:
            return False
        assert sign(octets(case["msg"])) == octets(case["tag"])
        return True

    # RFC 7518 §3.2: the whole output is the MAC; the suite also has tags of its left half.
    halves = {case["tcId"] for group, case in found if group["tagSize"] < bits and case["result"] == "valid"}
    assert halves
    assert decided_otherwise(found, accepts) == halves


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_hmac_keys_are_as_long_as_the_hash(bits):
    for group, case in cases(f"hmac_sha{bits}", 174):
        if group["keySize"] < bits:
            with pytest.raises(ConfigurationError, match="at least"):
                Key.from_secret(octets(case["key"]), algorithm=f"HS{bits}")


@pytest.mark.parametrize(
    ("name", "count", "algorithm"),
    [
        ("rsa_signature_2048_sha256", 259, "RS256"),
        ("rsa_signature_2048_sha384", 258, "RS384"),
        ("rsa_signature_2048_sha512", 259, "RS512"),
        ("rsa_pss_2048_sha256_mgf1_32", 108, "PS256"),
        ("rsa_pss_2048_sha384_mgf1_48", 141, "PS384"),
        ("rsa_pss_4096_sha512_mgf1_64", 179, "PS512"),
        ("ecdsa_secp256r1_sha256_p1363", 262, "ES256"),
        ("ecdsa_secp384r1_sha384_p1363", 280, "ES384"),
        ("ecdsa_secp521r1_sha512_p1363", 318, "ES512"),
        ("ecdsa_secp256k1_sha256_p1363", 252, "ES256K"),
        ("ed25519", 151, "Ed25519"),
        ("ed448", 87, "Ed448"),
    ],
)
@pytest.mark.parametrize("spelling", ["pem", "der", "jwk"])
def test_signatures(name, count, algorithm, spelling):
    keys = {}

    def key(group):
        if id(group) not in keys:
            if spelling == "pem":
                keys[id(group)] = Key.from_pem(group["publicKeyPem"], algorithm=algorithm)
            elif spelling == "der":
                keys[id(group)] = Key.from_der(octets(group["publicKeyDer"]), algorithm=algorithm)
            else:
                jwk = group.get("publicKeyJwk") or group.get("keyJwk")
                jwk = jwk or Key.from_pem(group["publicKeyPem"], algorithm=algorithm).to_jwk()
                keys[id(group)] = Key.from_jwk({**jwk, "alg": algorithm})
        return keys[id(group)]

    assert not decided_otherwise(cases(name, count), lambda group, case: verified(key(group), case))


def test_every_signature_algorithm_has_a_suite_above():
    marks = test_signatures.pytestmark
    tried = {values[2] for mark in marks if mark.args[0] != "spelling" for values in mark.args[1]}
    assert tried | {"HS256", "HS384", "HS512", "EdDSA"} == {row.name for row in ALGORITHMS}


@pytest.mark.parametrize("name", ["a128cbc_hs256", "a256cbc_hs512"])
def test_aes_cbc_hmac(name):
    row = algorithm_named({"a128cbc_hs256": "A128CBC-HS256", "a256cbc_hs512": "A256CBC-HS512"}[name])

    def accepts(group, case):
        key, iv, aad, sealed, tag = (octets(case[part]) for part in ("key", "iv", "aad", "ct", "tag"))
        if (len(key), len(iv), len(tag)) != (row.minimum, content.iv_size(row), content.tag_size(row)):
            return False  # `decrypt` refuses these before they get here
        try:
            plaintext = content.open_sealed(row, key, iv, sealed, tag, aad)
        except Rejected:
            return False
        assert plaintext == octets(case["msg"])
        assert content.seal(row, key, iv, plaintext, aad) == (sealed, tag)
        return True

    assert not decided_otherwise(cases(name, 94), accepts)


def recovered(row, key, case):
    """Whether the key that `case` sends is had, and not a random one in its place."""
    message = octets(case["msg"])
    sized = algorithm_named("A256GCM")._replace(minimum=len(message))
    found = key_management.recover(row, key, sized, {}, octets(case["ct"]), os.urandom)
    return len(message) >= 8 and found == message


def test_aes_key_wrap():
    found = cases("aes_wrap", 165)
    rows = {128: "A128KW", 192: "A192KW", 256: "A256KW"}

    def accepts(group, case):
        row = algorithm_named(rows[group["keySize"]])
        return recovered(row, Key.from_secret(octets(case["key"]), algorithm=row.name), case)

    assert not decided_otherwise(found, accepts)


@pytest.mark.parametrize(
    ("name", "count", "algorithm"),
    [
        ("rsa_oaep_2048_sha1_mgf1sha1", 36, "RSA-OAEP"),
        ("rsa_oaep_2048_sha256_mgf1sha256", 37, "RSA-OAEP-256"),
    ],
)
def test_rsa_oaep(name, count, algorithm):
    found = cases(name, count)
    row = algorithm_named(algorithm)

    def accepts(group, case):
        key = Key.from_pem(group["privateKeyPem"], algorithm=algorithm)
        return recovered(row, key, case)

    # RFC 7518 §4.3 has no label, and no content key is shorter than 16 octets; both are what these cases are about.
    beyond = {
        case["tcId"]
        for _, case in found
        if case["result"] == "valid" and (case["label"] or len(octets(case["msg"])) < 8)
    }
    assert beyond
    assert decided_otherwise(found, accepts) == beyond


@pytest.mark.parametrize(("name", "count"), [("hmacsha1", 64), ("hmacsha256", 60), ("hmacsha512", 58)])
def test_pbkdf2(name, count):
    """The function that derives from passwords; PBES2 puts its own name before the salt (RFC 7518 §4.8.1.1)."""
    for _, case in cases(f"pbkdf2_{name}", count):
        derived = key_management.pbkdf2_hmac(
            name.removeprefix("hmac"),
            octets(case["password"]),
            octets(case["salt"]),
            case["iterationCount"],
            case["dkLen"],
        )
        assert derived == octets(case["dk"]), case["tcId"]
