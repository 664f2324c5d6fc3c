"""Requests that JavaScript libraries sign: aws4, aws4fetch, AWS's own signer, oauth-1.0a, web-bot-auth; and ours, verified there.

What a peer does otherwise than its specification is left out, and said here: oauth-1.0a takes a "+" in a query for itself and
not for a space; aws4 and aws4fetch keep only the first of two parameters of one name in requests to S3 and take %2F in their
paths for a slash.
"""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from tests.interop.conftest import PEERS, program
from watchword import (
    Guard,
    Key,
    KeySet,
    OAuth1Verifier,
    Reason,
    Rejected,
    Request,
    SigV4Verifier,
    WebBotAuth,
    WebBotVerifier,
)
from watchword.transport.flow import ClientContext, run
from watchword.core.message import Response
from watchword.core.scheme import Verifier
from watchword.effects import Received, Send
from watchword.stores import MemoryStore

HOST = "api.example"
ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TARGETS = (
    "/",
    "/a/b?x=1&y=2",
    "/a%20b/c?q=a%20b&q=b",
    "/caf%C3%A9?n=%C3%A9&k=%2F%2B",
    "/a%2Fb;c=d/~x?list-type=2&prefix=a%2Fb&empty=",
)
BODY = '{"a": 1}'
JWK = Key.generate("ed25519").to_jwk(private=True)


def signed(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [program("node"), PEERS / "signers.mjs"], input=json.dumps(jobs), capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(jobs)
    return answers


def store() -> MemoryStore:
    known = MemoryStore()
    known.add_access_key("robot", ACCESS, SECRET)
    known.add_access_key("robot", "ASIDEXAMPLE", SECRET, session_token="a/session+token==")
    known.add_oauth1_client("ck", secret="cs&=")
    known.add_oauth1_token("tk", "ts", client_key="ck", subject="alice")
    return known


def verdict(verifier: Verifier, url: str, made: dict[str, Any], body: bytes = b"") -> str | Reason:
    scheme, _, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    headers = {name: str(value) for name, value in made["headers"].items()}
    request = Request(made["method"], scheme, authority, made.get("target", slash + target), headers)
    try:
        return Guard([verifier], store()).verify(request, body).subject
    except Rejected as rejected:
        return rejected.reason


def unlike(signer: str, target: str) -> bool:
    """Whether the library signs another request to S3 than it was given."""
    return signer != "smithy" and ("q=b" in target or "%2F" in target.partition("?")[0])


AWS = [
    {"signer": signer, "method": "POST" if body else "GET", "host": HOST, "target": target, "body": body, "service": service,
     "region": "eu-west-1", "accessKeyId": ACCESS, "secretAccessKey": SECRET, **options}
    for service in ("execute-api", "s3")
    for target in TARGETS
    for body in ("", BODY)
    for signer, options in (("aws4", {}), ("aws4fetch", {}), ("smithy", {"uriEscapePath": service != "s3"}))
    if not (service == "s3" and unlike(signer, target))
    and not (service == "s3" and signer == "aws4fetch")  # leaves the body unsigned
]  # fmt: skip


def test_requests_that_javascript_signed_for_aws_are_verified() -> None:
    for job, made in zip(AWS, signed(AWS), strict=True):
        verifier = SigV4Verifier(region="eu-west-1", service=job["service"])
        url = f"https://{HOST}{job['target']}"
        assert verdict(verifier, url, made, job["body"].encode()) == "robot", job
        assert verdict(verifier, url, made, b"another") in (Reason.WRONG_BODY, Reason.WRONG_SIGNATURE), job
        changed = {**made, "target": made["target"] + ("&" if "?" in made["target"] else "?") + "admin=1"}
        assert verdict(verifier, url, changed, job["body"].encode()) is Reason.WRONG_SIGNATURE, job


def test_presigned_urls_of_javascript_are_verified() -> None:
    jobs = [
        {"signer": signer, "method": "GET", "host": HOST, "target": target, "body": "", "service": "s3", "region": "eu-west-1",
         "accessKeyId": ACCESS, "secretAccessKey": SECRET, "uriEscapePath": False, "signQuery": True, "presign": True}
        for signer in ("aws4", "aws4fetch", "smithy")
        for target in TARGETS
        if not unlike(signer, target)
    ]  # fmt: skip
    verifier = SigV4Verifier(region="eu-west-1", service="s3", allow_unsigned_payload=True)
    for job, made in zip(jobs, signed(jobs), strict=True):
        assert verdict(verifier, f"https://{HOST}/", made) == "robot", job
        changed = {**made, "target": made["target"].replace("X-Amz-Expires=", "X-Amz-Expires=1")}
        assert verdict(verifier, f"https://{HOST}/", changed) in (
            Reason.WRONG_SIGNATURE,
            Reason.MALFORMED_CREDENTIALS,
        ), job


def test_presigned_urls_that_say_no_end_are_good_for_as_long_as_a_signed_request() -> None:
    job = {"signer": "aws4", "method": "GET", "host": HOST, "target": "/a?b=c", "body": "", "service": "execute-api",
           "region": "eu-west-1", "accessKeyId": ACCESS, "secretAccessKey": SECRET, "signQuery": True}  # fmt: skip
    made = signed([job])[0]
    assert "X-Amz-Expires" not in made["target"]
    verifier = SigV4Verifier(region="eu-west-1", service="execute-api")
    assert verdict(verifier, f"https://{HOST}/", made) == "robot"
    longer = {**made, "target": made["target"] + "&X-Amz-Expires=86400"}
    assert verdict(verifier, f"https://{HOST}/", longer) is Reason.WRONG_SIGNATURE


def test_a_session_token_that_javascript_sends_is_checked() -> None:
    job = {"signer": "smithy", "method": "GET", "host": HOST, "target": "/", "body": "", "service": "execute-api",
           "region": "eu-west-1", "accessKeyId": "ASIDEXAMPLE", "secretAccessKey": SECRET, "sessionToken": "a/session+token=="}  # fmt: skip
    good, other = signed([job, {**job, "sessionToken": "another"}])
    verifier = SigV4Verifier(region="eu-west-1", service="execute-api")
    assert verdict(verifier, f"https://{HOST}/", good) == "robot"
    assert verdict(verifier, f"https://{HOST}/", other) != "robot"


def test_requests_that_javascript_signed_by_oauth_1_are_verified() -> None:
    urls = (
        "http://api.example/a?x=1&y=b%20c&y=a",
        "https://api.example:8443/caf%C3%A9?a=%2B",
        "https://api.example/~x/",
    )
    jobs = [
        {"signer": "oauth", "method": "GET", "url": url, "hash": hash_, "consumer": {"key": "ck", "secret": "cs&="},
         "token": {"key": "tk", "secret": secret}}
        for url in urls for hash_ in ("sha1", "sha256") for secret in ("ts", "another")
    ]  # fmt: skip
    verifier = OAuth1Verifier(methods=("HMAC-SHA1", "HMAC-SHA256"))
    for job, made in zip(jobs, signed(jobs), strict=True):
        expected = "alice" if job["token"]["secret"] == "ts" else Reason.WRONG_SIGNATURE
        assert verdict(verifier, job["url"], made) == expected, job


@pytest.mark.parametrize("legacy", [True, False])
def test_bots_of_javascript_are_verified_and_verify_ours(legacy: bool) -> None:
    agent = "https://bot.example"
    key = Key.from_jwk(JWK, algorithm="ed25519")
    now = int(time.time())
    # The library reads Signature-Agent as a bare string only, the form of earlier drafts.
    made = signed([{"signer": "bot", "url": f"https://{HOST}/", "jwk": JWK, "agent": f'"{agent}"', "created": now}])[0]
    verifier = WebBotVerifier({agent: KeySet([key])})
    assert verdict(verifier, f"https://{HOST}/", made) == f"{agent}/.well-known/http-message-signatures-directory"
    assert verdict(verifier, "https://other.example/", made) is Reason.WRONG_SIGNATURE

    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    auth = WebBotAuth(key, agent=agent, legacy=legacy, components=("@authority",))
    run(auth, Request("GET", "https", HOST, "/"), send, ClientContext(bytes))
    headers = {name.decode(): value.decode() for name, value in sent[0].headers}
    if legacy:
        public = {name: value for name, value in JWK.items() if name != "d"}
        signed([{"signer": "verifyBot", "url": f"https://{HOST}/", "jwk": public, "headers": headers}])
    assert verdict(verifier, f"https://{HOST}/", {"method": "GET", "headers": headers}).endswith("-directory")
