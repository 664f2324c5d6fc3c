"""Signed responses and key directories, exchanged with npm's http-message-sig; sealed answers read by http-message-signatures."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest
import requests
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms

from tests.interop.conftest import PEERS, program
from watchword import BasicAuth, Key, KeyDirectory, Request, Response, SealedAuth, SignatureSeal
from watchword.schemes.signatures.agents import WELL_KNOWN
from watchword.schemes.signatures.bots import named_by_thumbprint
from watchword.schemes.signatures.directory import check_proofs, directory_keys
from watchword.transport.flow import ClientContext

KEY = Key.generate("ed25519")
ASKED = Request("GET", "https", "bot.example", WELL_KNOWN)
URL = {"method": "GET", "url": f"https://bot.example{WELL_KNOWN}", "headers": {}}


def by_node(*jobs: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [program("node"), PEERS / "responses.mjs"], input=json.dumps(jobs), capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_directory_that_javascript_signed_is_proven() -> None:
    now = int(time.time())
    body = KeyDirectory([KEY], agent="https://bot.example").answer(ASKED).body
    job = {
        "action": "directory",
        "request": URL,
        "status": 200,
        "headers": {},
        "jwk": KEY.to_jwk(private=True),
        "created": now,
    }
    (made,) = by_node({**job, "keyid": KEY.thumbprint()})
    keys = directory_keys(body, now)
    response = Response(200, made)
    assert check_proofs(keys, ASKED, response, body, now, required=True) == keys


def test_javascript_reads_the_signature_of_our_directory() -> None:
    answer = KeyDirectory([KEY], agent="https://bot.example").answer(ASKED)
    headers = {name.decode(): value.decode() for name, value in answer.response.headers}
    job = {"action": "verify", "request": URL, "status": 200, "headers": headers, "jwk": KEY.to_jwk()}
    elsewhere = {**URL, "url": URL["url"].replace("bot", "evil")}
    assert by_node(job, {**job, "request": elsewhere}) == [{"genuine": True}, {"genuine": False}]


def sealed(key: Key) -> requests.Response:
    """A sealed answer as requests has it."""
    asked = requests.Request("GET", "https://api.example/a?b=c").prepare()
    seal = SignatureSeal(key, request_components=("@method", "@authority")).seal(
        Request("GET", "https", "api.example", "/a?b=c")
    )
    plain = Response(404, {"content-type": "text/plain"})
    answer = requests.Response()
    answer.status_code, answer.request, answer.url, answer._content = 404, asked, asked.url, b"nothing"
    lines = plain.with_more(seal.headers(plain, b"nothing", time.time(), bytes)).headers
    answer.headers.update({name.decode().title(): value.decode() for name, value in lines})
    return answer


class Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        return KEY.openssl_pair()[0]


def test_http_message_signatures_reads_a_sealed_answer() -> None:
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    answer = sealed(named_by_thumbprint(KEY))
    (found,) = verifier.verify(answer)
    assert list(found.covered_components)[:3] == ['"@status"', '"content-type"', '"content-digest"']
    answer.status_code = 200
    with pytest.raises(InvalidSignature):
        verifier.verify(answer)


def test_http_message_signatures_reads_an_answer_that_is_for_the_whole_request() -> None:
    """With the client's key for the digest of its credentials, which is a field like any other to a verifier of RFC 9421."""
    key = named_by_thumbprint(KEY)
    bare = Request("POST", "https", "api.example", "/a?b=c", {"range": "bytes=0-1", "content-type": "text/plain"})
    context = ClientContext(lambda: b"body")
    sent = next(SealedAuth(key, BasicAuth("alice", "open sesame")).flow(bare, context)).request
    fields = {name.decode(): value.decode() for name, value in sent.headers}
    answer = requests.Response()
    answer.request = requests.Request("POST", "https://api.example/a?b=c", headers=fields, data=b"body").prepare()
    answer.status_code, answer.url, answer._content = 200, answer.request.url, b"some"
    plain = Response(200, {"content-type": "text/plain", "etag": '"x"', "location": "/b"})
    lines = plain.with_more(SignatureSeal(key).seal(sent).headers(plain, b"some", time.time(), bytes)).headers
    answer.headers.update({name.decode().title(): value.decode() for name, value in lines})

    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    (found,) = verifier.verify(answer)
    covered = set(found.covered_components)
    assert {'"etag"', '"location"', '"credentials-digest"', '"range";req', '"want-credentials-digest";req'} <= covered
    assert '"authorization";req' not in covered
    answer.request.headers["Range"] = "bytes=0-2"
    with pytest.raises(InvalidSignature):
        verifier.verify(answer)
