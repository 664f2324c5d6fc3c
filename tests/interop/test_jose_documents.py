"""JWE and JSON JWS across libraries, both ways: joserfc and jwcrypto (Python), jose (Node.js)."""

from __future__ import annotations

import json
import subprocess

import joserfc.jwe
import joserfc.jwk
import joserfc.jws
import jwcrypto.jwe
import jwcrypto.jwk
import jwcrypto.jws
import pytest

from tests.interop.conftest import PEERS, program
from watchword import Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.algorithms import ALGORITHMS, ENCRYPTION_ALGORITHMS

# joserfc says what RFC 9864 and its own policy think of an algorithm; it does it all the same.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

PLAINTEXT = "You can trust us – to stick with you"
CONTENT = jose.CONTENT_ENCRYPTIONS
WRAPPING = [row.name for row in ENCRYPTION_ALGORITHMS if row.name not in (*CONTENT, "RSA1_5")]
CURVES = ["P-384", "P-521", "X25519", "X448"]
# Each algorithm, each content encryption, each curve: (name, enc, key).
KEYS = {name: Key.generate(name) for name in WRAPPING}
CASES = (
    [(name, "A128CBC-HS256", KEYS[name]) for name in WRAPPING]
    + [("dir", name, Key.generate(name)) for name in CONTENT]
    + [("ECDH-ES+A256KW", name, KEYS["ECDH-ES+A256KW"]) for name in CONTENT]
    + [("ECDH-ES", "A256GCM", Key.generate("ECDH-ES", curve=curve)) for curve in CURVES]
)
SIGNING = {row.name: Key.generate(row.name) for row in ALGORITHMS}
EVERY = KeySet(list(SIGNING.values()))

# What a peer hasn't got, by its own documentation.
NO_JWCRYPTO = {"Ed25519", "Ed448", "RSA-OAEP-384", "RSA-OAEP-512"}
NO_JOSERFC = {"RSA-OAEP-384", "RSA-OAEP-512"}
NO_NODE = {"ES256K", "Ed448", "X448"}


def label(case):
    name, enc, key = case
    curve = key.to_jwk(private=True).get("crv", "")
    return f"{name} {enc} {curve}".strip()


def jwk(key, *, private):
    """The key as peers read it: for `dir` they want no content encryption as its algorithm."""
    members = key.to_jwk(private=private or key.is_secret)
    return {name: value for name, value in members.items() if name not in ("alg", "use", "kid")}


def without(missing, cases=CASES):
    return [case for case in cases if not missing & set(label(case).split())]


def ours(case, form="compact"):
    _, enc, key = case
    if form == "compact":
        return jose.encrypt(PLAINTEXT.encode(), key, encryption=enc, iterations=4096)
    return jose.encrypt_json(
        PLAINTEXT.encode(), [key], encryption=enc, aad=b"more", flattened=form == "flattened", iterations=4096
    )


def opened(token, key):
    found = jose.decrypt(token, key, policy=jose.DecryptionPolicy(max_token=1 << 16))
    if isinstance(token, str):  # one changed character of the ciphertext is noticed
        parts = token.split(".")
        parts[3] = ("A" if parts[3][0] != "A" else "B") + parts[3][1:]
        with pytest.raises(Rejected) as caught:
            jose.decrypt(".".join(parts), key)
        assert caught.value.reason is Reason.WRONG_SIGNATURE
    return found.plaintext.decode()


# ---- joserfc ---------------------------------------------------------------------------------------------------------


JOSERFC_NAMES = [*WRAPPING, "dir", *CONTENT]


def joserfc_key(key, *, private):
    return joserfc.jwk.import_key(jwk(key, private=private))


@pytest.mark.parametrize("case", without(NO_JOSERFC), ids=label)
def test_joserfc_and_we_decrypt_each_others_tokens(case):
    name, enc, key = case
    theirs = joserfc.jwe.encrypt_compact(
        {"alg": name, "enc": enc}, PLAINTEXT, joserfc_key(key, private=False), algorithms=JOSERFC_NAMES
    )
    assert opened(theirs, key) == PLAINTEXT
    found = joserfc.jwe.decrypt_compact(ours(case), joserfc_key(key, private=True), algorithms=JOSERFC_NAMES)
    assert found.plaintext.decode() == PLAINTEXT


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("form", ["flattened", "general"])
def test_joserfc_and_we_verify_each_others_json_signatures(name, form):
    key = SIGNING[name]
    peer, public = joserfc_key(key, private=True), joserfc_key(key, private=False)
    member = {"protected": {"alg": name}}
    theirs = joserfc.jws.serialize_json(member if form == "flattened" else [member], PLAINTEXT, peer, algorithms=[name])
    assert jose.verify(theirs, key).payload.decode() == PLAINTEXT
    mine = jose.sign_json(PLAINTEXT.encode(), [key], flattened=form == "flattened")
    assert joserfc.jws.deserialize_json(mine, public, algorithms=[name]).payload.decode() == PLAINTEXT


# ---- jwcrypto --------------------------------------------------------------------------------------------------------


def jwcrypto_key(key, *, private):
    return jwcrypto.jwk.JWK(**jwk(key, private=private))


@pytest.mark.parametrize("form", ["compact", "flattened"])
@pytest.mark.parametrize("case", without(NO_JWCRYPTO), ids=label)
def test_jwcrypto_and_we_decrypt_each_others_tokens(case, form):
    name, enc, key = case
    header = json.dumps({"alg": name, "enc": enc})
    password = key.secret_bytes().decode("latin-1") if name.startswith("PBES2") else None
    allowed = [name, enc]
    theirs = jwcrypto.jwe.JWE(PLAINTEXT.encode(), header, algs=allowed, aad=None if form == "compact" else "more")
    peer = jwcrypto_key(key, private=False)
    theirs.add_recipient(peer)
    assert password is None or peer["kty"] == "oct"
    text = theirs.serialize(compact=form == "compact")
    assert opened(text if form == "compact" else json.loads(text), key) == PLAINTEXT
    found = jwcrypto.jwe.JWE(algs=allowed)
    mine = ours(case, form)
    found.deserialize(mine if form == "compact" else json.dumps(mine), jwcrypto_key(key, private=True))
    assert found.payload.decode() == PLAINTEXT


@pytest.mark.parametrize("name", [name for name in SIGNING if name not in NO_JWCRYPTO])
def test_jwcrypto_and_we_verify_each_others_json_signatures(name):
    key = SIGNING[name]
    theirs = jwcrypto.jws.JWS(PLAINTEXT.encode())
    theirs.allowed_algs = [name]
    theirs.add_signature(jwcrypto_key(key, private=True), name, json.dumps({"alg": name}), json.dumps({"note": 1}))
    signed = jose.verify_json(theirs.serialize(), key)
    assert (signed.payload.decode(), signed.signatures[0].unprotected) == (PLAINTEXT, {"note": 1})
    found = jwcrypto.jws.JWS()
    found.allowed_algs = [name]
    mine = jose.sign_json(PLAINTEXT.encode(), [jose.Signer(key, {}, {"note": 1})])
    found.deserialize(json.dumps(mine), jwcrypto_key(key, private=False))
    assert found.payload.decode() == PLAINTEXT


# ---- jose (Node.js) --------------------------------------------------------------------------------------------------


def node(tasks):
    """The answers of one process to many tasks."""
    if not (PEERS.parent / "node_modules" / "jose").is_dir():
        pytest.fail("jose is not installed: run `make interop`, which installs it from npm")
    answer = subprocess.run(
        [program("node"), str(PEERS / "jose_documents.mjs")],
        input=json.dumps(tasks), check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(answer.stdout)
    assert len(found) == len(tasks)
    return found


NODE_FORMS = ["compact", "flattened", "general"]


@pytest.mark.parametrize("form", NODE_FORMS)
def test_jose_and_we_decrypt_each_others_tokens(form):
    cases = without(NO_NODE)
    tasks = []
    for case in cases:
        name, enc, key = case
        recipient = {"alg": name, "jwk": jwk(key, private=False)}
        aad = {} if form == "compact" else {"aad": "more"}
        tasks.append(
            {"do": "encrypt", "form": form, "plaintext": PLAINTEXT, "enc": enc, "recipients": [recipient], **aad}
        )
        opener = {"alg": name, "jwk": jwk(key, private=True)}
        tasks.append({"do": "decrypt", "form": form, "token": ours(case, form), **opener})
    answers = node(tasks)
    for case, theirs, read in zip(cases, answers[::2], answers[1::2], strict=True):
        assert read == {"plaintext": PLAINTEXT}, label(case)
        assert "token" in theirs, (label(case), theirs)
        assert opened(theirs["token"], case[2]) == PLAINTEXT, label(case)


def test_jose_and_we_share_several_recipients():
    names = ["RSA-OAEP-256", "ECDH-ES+A256KW", "A128GCMKW", "A256KW"]
    to = [{"alg": name, "jwk": jwk(KEYS[name], private=False)} for name in names]
    mine = jose.encrypt_json(PLAINTEXT.encode(), [KEYS[name] for name in names])
    tasks = [{"do": "encrypt", "form": "general", "plaintext": PLAINTEXT, "enc": "A256GCM", "recipients": to}]
    for name in names:
        opener = {"alg": name, "jwk": jwk(KEYS[name], private=True)}
        tasks.append({"do": "decrypt", "form": "general", "token": mine, **opener})
    theirs, *read = node(tasks)
    assert read == [{"plaintext": PLAINTEXT}] * len(names)
    for name in names:
        assert opened(theirs["token"], KEYS[name]) == PLAINTEXT


# jose writes no compact form with b64=false, and leaves such payloads out of the others.
@pytest.mark.parametrize(
    ("form", "b64"), [*((form, True) for form in NODE_FORMS), ("flattened", False), ("general", False)]
)
def test_jose_and_we_verify_each_others_signatures(form, b64):
    names = [name for name in SIGNING if name not in NO_NODE]
    payload = "hello" if form == "compact" else PLAINTEXT
    tasks = []
    for name in names:
        key = SIGNING[name]
        by = {"alg": name, "jwk": jwk(key, private=True)}
        tasks.append({"do": "sign", "form": form, "payload": payload, "signers": [by], "b64": b64})
        mine = (
            jose.sign(payload.encode(), key, b64=b64)
            if form == "compact"
            else jose.sign_json(payload.encode(), [key], flattened=form == "flattened", b64=b64)
        )
        tasks.append({"do": "verify", "form": form, "token": mine, "alg": name, "jwk": jwk(key, private=False)})
    answers = node(tasks)
    for name, theirs, read in zip(names, answers[::2], answers[1::2], strict=True):
        assert read == {"payload": payload}, name
        detached = {} if b64 else {"payload": payload.encode()}
        assert jose.verify(theirs["token"], SIGNING[name], **detached).payload.decode() == payload, name


def test_jose_refuses_what_we_changed():
    key = KEYS["A256KW"]
    token = jose.encrypt(b"hello", key)[:-4] + "AAAA"
    opener = {"alg": "A256KW", "jwk": jwk(key, private=True)}
    assert node([{"do": "decrypt", "form": "compact", "token": token, **opener}]) == [
        {"refused": "ERR_JWE_DECRYPTION_FAILED"}
    ]


def test_several_signers_of_different_libraries_are_one_document():
    """What each signed on its own is put together, and every signature counts."""
    names = ["HS256", "ES256", "EdDSA"]
    mine = jose.sign_json(PLAINTEXT.encode(), [SIGNING["HS256"]])
    second = joserfc.jws.serialize_json(
        [{"protected": {"alg": "ES256"}}], PLAINTEXT, joserfc_key(SIGNING["ES256"], private=True), algorithms=["ES256"]
    )
    by = {"alg": "EdDSA", "jwk": jwk(SIGNING["EdDSA"], private=True)}
    (third,) = node([{"do": "sign", "form": "general", "payload": PLAINTEXT, "signers": [by]}])
    signatures = [one["signatures"][0] for one in (mine, second, third["token"])]
    found = jose.verify_json({"payload": mine["payload"], "signatures": signatures}, EVERY)
    assert [each.key.algorithm for each in found.signatures] == names
