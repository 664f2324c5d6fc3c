"""The examples of RFC 7520, RFC 7797 and RFC 8037: read in every form, and made again to the byte where nothing is random."""

from __future__ import annotations

import json

import pytest

from tests.conformance.conftest import load, vectors
from watchword import Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_decode

FOLDER = vectors("jose", "cookbook")
JWS = sorted([*FOLDER.glob("jws/*.json"), *FOLDER.glob("rfc7797/*.json"), FOLDER / "curve25519/jws.json"])
JWE = sorted([*FOLDER.glob("jwe/*.json"), FOLDER / "curve25519/ecdh-es.json"])

# RFC 7797 §6: b64 has to be named by crit. The file is of a draft that had no such rule.
NO_CRIT = "4.2.hmac-sha2_b64_false"
# The ephemeral private key that it names is not the one of its header, so it can be read but not made again.
OTHER_EPHEMERAL = "ecdh-es"

POLICY = jose.DecryptionPolicy(allow_rsa1_5=True, max_inflated=1 << 16, allow_unprotected=True)


def named(path):
    return path.stem


def listed(value):
    return value if isinstance(value, list) else [value]


def forms(example):
    """Each form of the output, JSON as text."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in example["output"].items()}


# ---- signatures ------------------------------------------------------------------------------------------------------


def signing_keys(example):
    pairs = zip(listed(example["input"]["key"]), listed(example["input"]["alg"]), strict=True)
    return [Key.from_jwk(jwk, algorithm=algorithm) for jwk, algorithm in pairs]


def signer(key, made):
    """How to make a signature again that has these headers."""
    extra = {name: value for name, value in made.get("protected", {}).items() if name not in ("b64", "crit")}
    if "kid" not in {**extra, **made.get("unprotected", {})} and key.key_id is not None:
        key = Key.from_jwk({name: value for name, value in key.to_jwk(private=True).items() if name != "kid"})
    return jose.Signer(key, extra, made.get("unprotected", {}), tuple(extra))


@pytest.mark.parametrize("path", [path for path in JWS if path.stem != NO_CRIT], ids=named)
def test_every_form_of_a_signature_is_verified(path):
    example = json.loads(path.read_text())
    payload = example["input"]["payload"].encode()
    keys = signing_keys(example)
    detached = {"payload": payload} if "detached" in path.stem else {}
    for form in forms(example).values():
        found = jose.verify(form, KeySet(keys), allow_unprotected=True, **detached)
        assert (found.payload, found.key) == (payload, keys[0])
        changed = {"payload": payload + b"!"} if detached else {}
        with pytest.raises(Rejected) as caught:
            jose.verify(form, KeySet([Key.generate(keys[0].algorithm)]), allow_unprotected=True, **detached)
        assert caught.value.reason in (Reason.WRONG_SIGNATURE, Reason.WRONG_ALGORITHM)
        if changed:
            with pytest.raises(Rejected):
                jose.verify(form, KeySet(keys), **changed)


@pytest.mark.parametrize(
    "path",
    [path for path in JWS if json.loads(path.read_text()).get("reproducible") and path.stem != NO_CRIT],
    ids=named,
)
def test_a_signature_without_randomness_is_made_again_to_the_byte(path):
    example = json.loads(path.read_text())
    payload, made = example["input"]["payload"].encode(), example["signing"]
    by = signer(*signing_keys(example), made)
    options = {"detached": "detached" in path.stem, "b64": made.get("protected", {}).get("b64", True)}
    again = {
        "json": jose.sign_json(payload, [by], **options),
        "json_flat": jose.sign_json(payload, [by], flattened=True, **options),
    }
    if "compact" in example["output"]:
        again["compact"] = jose.sign(payload, by.key, **options)
    assert again == example["output"]


def test_several_signatures_are_made_again_where_they_have_no_randomness():
    example = load("jose", "cookbook", "jws", "4_8.multiple_signatures.json")
    payload, output = example["input"]["payload"].encode(), example["output"]["json"]
    keys = signing_keys(example)
    again = jose.sign_json(payload, [signer(*pair) for pair in zip(keys, example["signing"], strict=True)])
    assert (again["signatures"][0], again["signatures"][2]) == (output["signatures"][0], output["signatures"][2])
    assert again["signatures"][1]["header"] == output["signatures"][1]["header"]
    found = jose.verify_json(again, KeySet(keys), allow_unprotected=True)
    assert [each.key for each in found.signatures] == keys


@pytest.mark.parametrize("name", ["4_7.protecting_content_only", "4_8.multiple_signatures"])
def test_an_algorithm_that_nothing_protects_is_refused_unless_asked_for(name):
    example = load("jose", "cookbook", "jws", f"{name}.json")
    with pytest.raises(Rejected) as caught:
        jose.verify(example["output"]["json"], KeySet(signing_keys(example)))
    assert caught.value.rejection.where == "alg"


def test_b64_without_crit_is_refused():
    example = json.loads((FOLDER / f"rfc7797/{NO_CRIT}.json").read_text())
    for form in forms(example).values():
        with pytest.raises(Rejected) as caught:
            jose.verify(form, KeySet(signing_keys(example)))
        assert caught.value.reason is Reason.UNKNOWN_CRITICAL


# ---- encryption ------------------------------------------------------------------------------------------------------


def encryption_keys(example):
    if "pwd" in example["input"]:
        return [Key.from_secret(example["input"]["pwd"], algorithm=example["input"]["alg"])]
    keys = []
    for jwk, algorithm in zip(listed(example["input"]["key"]), listed(example["input"]["alg"]), strict=True):
        keys.append(Key.from_jwk(jwk, algorithm=example["input"]["enc"] if algorithm == "dir" else algorithm))
    return keys


@pytest.mark.parametrize("path", JWE, ids=named)
def test_every_form_of_an_encryption_is_decrypted(path):
    example = json.loads(path.read_text())
    for form in forms(example).values():
        for key in encryption_keys(example):  # whichever of the recipients we are
            found = jose.decrypt(form, key, policy=POLICY)
            assert (found.plaintext.decode(), found.key) == (example["input"]["plaintext"], key)


def scripted(example):
    """The octets that were random once, in the order in which they are asked for."""
    generated, wrapped = example["generated"], example.get("encrypting_key", {})
    texts = [generated.get("cek"), wrapped.get("salt"), wrapped.get("iv"), generated["iv"]]
    octets = iter([b64url_decode(text.encode()) for text in texts if text is not None])

    def random(count):
        found = next(octets)
        assert len(found) == count
        return found

    return random


# All whose key management draws nothing of OpenSSL's own: RSA's padding is random, whatever "reproducible" says.
AGAIN = [
    path for path in JWE if path.stem != OTHER_EPHEMERAL and "rsa" not in path.stem and "multiple" not in path.stem
]


@pytest.mark.parametrize("path", AGAIN, ids=named)
def test_an_encryption_is_made_again_to_the_byte(path):
    example = json.loads(path.read_text())
    content = example["encrypting_content"]
    protected, unprotected = content.get("protected", {}), content.get("unprotected", {})
    epk = example.get("encrypting_key", {}).get("epk")
    (key,) = encryption_keys(example)
    to = jose.Recipient(key, {}, None if epk is None else Key.from_jwk({"use": "enc", **epk}, algorithm="ECDH-ES"))
    options = {
        "encryption": example["input"]["enc"],
        "header": {name: value for name, value in protected.items() if name in ("cty", "apu", "apv")},
        "protect": tuple(protected),
        "aad": example["input"]["aad"].encode() if "aad" in example["input"] else None,
        "compress": "zip" in example["input"],
        "iterations": example.get("encrypting_key", {}).get("iteration_count", jose.ITERATIONS),
    }
    output = example["output"]
    again = {
        "json": jose.encrypt_json(example["input"]["plaintext"].encode(), [to], random=scripted(example), **options),
        "json_flat": jose.encrypt_json(
            example["input"]["plaintext"].encode(), [to], flattened=True, random=scripted(example), **options
        ),
    }
    if "compact" in output:
        flat = again["json_flat"]
        names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
        again["compact"] = ".".join(flat.get(name, "") for name in names)
    if "recipients" not in output["json"]:  # RFC 7520 §5.5 and §5.6 show the flattened form as the general one
        output = {**output, "json": {**output["json"], "recipients": [{}]}}
    assert again == output
    assert not unprotected or again["json"]["unprotected"] == unprotected


def test_a_nested_token_is_decrypted_then_verified():
    example = load("jose", "cookbook", "6.nesting_signatures_and_encryption.json")
    keys = signing_keys(example["sign"]), encryption_keys(example["encrypt"])
    found = jose.decrypt_nested(example["encrypt"]["output"]["compact"], keys[1][0], keys[0][0])
    assert found.payload == (example["sign"]["input"]["payload"]).encode()
    assert jose.verify(example["sign"]["output"]["compact"], keys[0][0]).payload == found.payload
