"""RFC 9421 with the libraries of the same name, PyPI's and npm's, each way.

Where PyPI's http-message-signatures 3 differs, and so is not asked: it has no trailers (`tr`), combines `bs` with nothing,
takes methods in capitals only, and signs `@target-uri` with the authority as given where we take it as sent in Host. npm's
http-message-signatures 1 salts rsa-pss-sha512 with as many octets as fit instead of 64 (§3.3.1) unless it is given a signer.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from http_message_signatures import (
    HTTPMessageSigner, HTTPMessageVerifier, HTTPMessageSignaturesException, MappingKeyResolver, algorithms,
)  # fmt: skip

from tests.interop.conftest import PEERS, program
from watchword import Guard, Key, Reason, Rejected, Request, Response, SignatureAuth, SignaturePolicy, SignatureVerifier
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.stores import MemoryStore

KINDS: dict[str, Any] = {
    "hmac-sha256": algorithms.HMAC_SHA256, "ed25519": algorithms.ED25519, "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "ecdsa-p384-sha384": algorithms.ECDSA_P384_SHA384, "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256,
}  # fmt: skip
URL = "https://api.example/orders?id=7&name=a%20b+c"
TARGET = "/orders?id=7&name=a%20b+c"
BODY = b'{"amount": 10}'
COVERED = ("@method", "@authority", "@path", "@query")
MORE = (
    *COVERED, "@target-uri", "@scheme", "@request-target", "content-type", "content-digest", "accept",
    '"@query-param";name="name"', '"priority";key="u"',
)  # fmt: skip
FIELDS = {
    "Content-Type": "application/json",
    "Accept": "application/json,  */*",
    "Priority": "u=1, i",
    "Host": "api.example",
}


@cache
def key_for(algorithm: str) -> Key:
    return Key.generate(algorithm, key_id="robot-1")


def resolver(key: Key) -> MappingKeyResolver:
    if key.is_secret:
        public: Any = key.secret_bytes()
        private: Any = public
    else:
        public, private = key.openssl_pair()
    return MappingKeyResolver(public_keys={"robot-1": public}, private_keys={"robot-1": private})


class Message:
    """A request as PyPI's library wants it."""

    def __init__(self, headers: dict[str, str], method: str = "POST") -> None:
        self.method, self.url, self.headers = method, URL, dict(headers)


def ours(key: Key, components: tuple[str, ...] | None = None, body: bytes = BODY, **options: Any) -> Request:
    """A request that we signed."""
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    request = Request("POST", "https", "api.example", TARGET, FIELDS)
    run(SignatureAuth(key, components=components, **options), request, send, ClientContext(lambda: body))
    return sent[0]


def headers_of(request: Request) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in request.headers}


def guard_for(key: Key, **options: Any) -> Guard:
    store = MemoryStore()
    store.add_key("robot", key)
    return Guard([SignatureVerifier(policy=SignaturePolicy(**options))], store)


def request_of(headers: dict[str, Any], method: str = "POST") -> Request:
    return Request(method, "https", "api.example", TARGET, {name: str(value) for name, value in headers.items()})


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("components", [None, MORE], ids=["usual", "more"])
def test_pypis_library_verifies_ours(algorithm: str, components: tuple[str, ...] | None) -> None:
    key = key_for(algorithm)
    request = ours(key, components, alg=True)
    verifier = HTTPMessageVerifier(signature_algorithm=KINDS[algorithm], key_resolver=resolver(key))
    results = verifier.verify(Message(headers_of(request)), max_age=timedelta(minutes=5), body=BODY)
    assert results[0].parameters["keyid"] == "robot-1"
    assert results[0].body == BODY
    with pytest.raises(HTTPMessageSignaturesException):
        verifier.verify(Message(headers_of(request), "PUT"), max_age=timedelta(minutes=5), body=BODY)


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("components", [COVERED, MORE], ids=["usual", "more"])
def test_we_verify_pypis(algorithm: str, components: tuple[str, ...]) -> None:
    key = key_for(algorithm)
    message = Message(FIELDS)
    HTTPMessageSigner(signature_algorithm=KINDS[algorithm], key_resolver=resolver(key)).sign(
        message, key_id="robot-1", label="py", nonce=os.urandom(8).hex(), covered_component_ids=components, body=BODY
    )
    request, guard = request_of(message.headers), guard_for(key)
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("PUT", "https", "api.example", TARGET, request.headers), BODY)
    assert caught.value.reason is Reason.WRONG_SIGNATURE
    assert guard.verify(request, BODY).subject == "robot"


def test_each_adds_its_signature_beside_the_others() -> None:
    one, two = Key.generate("ed25519", key_id="one"), key_for("ed25519")
    message = Message(headers_of(ours(one, label="ours")))
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver(two)).sign(
        message, key_id="robot-1", label="py", nonce="n" * 16, covered_component_ids=(*COVERED, "content-digest"),
        append_if_signature_exists=True, use_existing_digest=True,
    )  # fmt: skip
    request = request_of(message.headers)
    assert guard_for(two, label="py").verify(request, BODY).key_id == "robot-1"
    assert guard_for(one, label="ours").verify(request, BODY).key_id == "one"


# ---- npm --------------------------------------------------------------------------------------------------------------


def node(asked: dict[str, list[Any]]) -> dict[str, list[Any]]:
    done = subprocess.run(
        [program("node"), PEERS / "http_message_signatures.mjs"], input=json.dumps(asked), capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[Any]] = json.loads(done.stdout)
    return answer


def pem(key: Key, private: bool) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    if key.is_secret:
        return key.secret_bytes().hex()
    public, secret = key.openssl_pair()
    if private:
        octets = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        octets = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return str(octets.decode())


SHARED = (*COVERED, "@target-uri", "@scheme", "@request-target", "content-type", "content-digest", "accept",
          '"@query-param";name="name"', '"priority";key="u"')  # fmt: skip


def test_npms_library_verifies_ours_and_we_verify_its() -> None:
    asked: dict[str, list[Any]] = {"sign": [], "verify": []}
    digest = headers_of(ours(key_for("ed25519")))["content-digest"]
    for algorithm in KINDS:
        key = key_for(algorithm)
        for components in (None, SHARED):
            good = {"method": "POST", "url": URL, "headers": headers_of(ours(key, components))}
            for request in (good, {**good, "method": "PUT"}):
                asked["verify"].append({"key": pem(key, False), "alg": algorithm, "request": request})
        for fields in ((*COVERED, "content-digest"), SHARED):
            request = {"method": "POST", "url": URL, "headers": {**FIELDS, "Content-Digest": digest}}
            spelt = [each.replace('"', "", 2) if each.startswith('"') else each for each in fields]
            asked["sign"].append(
                {"key": pem(key, True), "alg": algorithm, "keyid": "robot-1", "fields": spelt, "request": request,
                 "salt": algorithm == "rsa-pss-sha512"}
            )  # fmt: skip
    answer = node(asked)
    assert answer["verify"] == [True, False] * (2 * len(KINDS))
    for number, headers in enumerate(answer["sign"]):
        key = key_for(list(KINDS)[number // 2])
        guard, request = guard_for(key), request_of(headers)
        with pytest.raises(Rejected) as caught:
            guard.verify(Request("PUT", "https", "api.example", TARGET, request.headers), BODY)
        assert caught.value.reason is Reason.WRONG_SIGNATURE
        assert guard.verify(request, BODY).subject == "robot"


def test_a_salt_of_another_length_is_no_rsa_pss_sha512() -> None:
    key = key_for("rsa-pss-sha512")
    request = {"method": "POST", "url": URL, "headers": FIELDS}
    asked = {"key": pem(key, True), "alg": "rsa-pss-sha512", "keyid": "robot-1", "fields": COVERED, "request": request}
    (headers,) = node({"sign": [asked], "verify": []})["sign"]
    with pytest.raises(Rejected) as caught:
        guard_for(key).verify(request_of(headers))
    assert caught.value.reason is Reason.WRONG_SIGNATURE
