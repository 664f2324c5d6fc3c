"""AWS's own signing tests, V4 and V4A, by field and by query: canonical request, string to sign, signature; and verified.

Some requests have raw spaces or non-ASCII octets in the request line. They are signed as the suite has it; as no request on
the wire may have them (RFC 9112 §3.2), the verifier refuses them, which is said below, and their signature is checked alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from watchword import Guard, Policy, Reason, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto.digests import hex_digest
from watchword.schemes.sigv4 import AccessKey, PathRules, SigV4Auth, SigV4Verifier
from watchword.schemes.sigv4.access_key import ecdsa_signing, hmac_signing
from watchword.schemes.sigv4.credentials import epoch
from watchword.schemes.sigv4.explanation import masked
from watchword.stores import MemoryStore

from .conftest import vectors

SUITE = vectors("sigv4", "aws-c-auth")
ALGORITHMS = {"v4": "AWS4-HMAC-SHA256", "v4a": "AWS4-ECDSA-P256-SHA256"}
AFTERWARDS = "omit_session_token"


class Case(NamedTuple):
    folder: Path
    context: dict[str, Any]

    @property
    def version(self) -> str:
        return self.folder.parent.name

    @property
    def now(self) -> int:
        text = self.context["timestamp"].replace("-", "").replace(":", "")
        return epoch(text.encode(), "context")[0]

    @property
    def token(self) -> str | None:
        return self.context["credentials"].get("token")

    @property
    def rules(self) -> PathRules:
        return PathRules(True, self.context["normalize"])

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def auth(self) -> SigV4Auth:
        keys = self.context["credentials"]
        token = None if self.context.get(AFTERWARDS) else self.token
        return SigV4Auth(
            keys["access_key_id"], keys["secret_access_key"], region=self.context["region"],
            service=self.context["service"], session_token=token, algorithm=ALGORITHMS[self.version], paths=self.rules,
        )  # fmt: skip

    def guard(self) -> Guard:
        keys = self.context["credentials"]
        store = MemoryStore(clock=lambda: self.now)
        record = AccessKey(keys["secret_access_key"], "alice", session_token=self.token)
        store.commit([Put(Ref(AccessKey, (keys["access_key_id"],)), record)])
        verifier = SigV4Verifier(region=self.context["region"], service=self.context["service"], paths=self.rules)
        return Guard([verifier], store, policy=Policy(clock=lambda: self.now))

    def fits(self, string: bytes, signature: bytes) -> bool:
        keys = self.context["credentials"]
        scope = string.split(b"\n")[2]
        if self.version == "v4":
            return hmac_signing(keys["secret_access_key"], scope).fits(string, signature)
        return ecdsa_signing(keys["access_key_id"], keys["secret_access_key"]).fits(string, signature)


def cases() -> Iterator[Case]:
    for version in ALGORITHMS:
        for folder in sorted((SUITE / version).iterdir()):
            yield Case(folder, json.loads((folder / "context.json").read_text()))


ALL = list(cases())
CASES = [case for case in ALL if (case.folder / "header-signature.txt").exists()]
UNEXPECTING = [case for case in ALL if case not in CASES]  # a request, without what is to come of it
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.version}-{case.folder.name}")


def parsed(raw: bytes) -> tuple[Request, bytes]:
    """A request of the suite: line ends are LF, folded lines start with a space."""
    head, _, body = raw.partition(b"\n\n")
    first, *rest = head.rstrip(b"\n").split(b"\n")
    method, _, target = first.rpartition(b" ")[0].partition(b" ")
    lines: list[tuple[bytes, bytes]] = []
    for line in rest:
        if line[:1] in b" \t" and lines:
            lines[-1] = (lines[-1][0], lines[-1][1] + b"\r\n" + line)
        else:
            name, _, value = line.partition(b":")
            lines.append((name.lower(), value))
    host = dict(lines)[b"host"].strip().decode()
    return Request(method.decode(), "https", host, target, lines), body


def signable(case: Case) -> tuple[Request, bytes]:
    request, body = parsed(case.read("request.txt"))
    if case.context["sign_body"]:
        request = request.with_headers(((b"x-amz-content-sha256", hex_digest("sha-256", body)),))
    return request, body


def expected(case: Case, place: str) -> str:
    canonical, string = (case.read(f"{place}-{name}.txt") for name in ("canonical-request", "string-to-sign"))
    return masked(canonical + b"\n\n" + string).decode()


def test_the_suite_is_whole() -> None:
    assert len([case for case in ALL if case.version == "v4"]) == 38
    assert len([case for case in ALL if case.version == "v4a"]) == 40
    names = ["get-vanilla-query-order-key", "get-vanilla-query-order-value"]
    assert [(case.version, case.folder.name) for case in UNEXPECTING] == [("v4a", name) for name in names]


@pytest.mark.parametrize("case", UNEXPECTING, ids=lambda case: case.folder.name)
def test_requests_without_expectations_are_verified_as_we_sign_them(case: Case) -> None:
    request, body = parsed(case.read("request.txt"))
    assert case.guard().verify(case.auth().sign(request, body, now=case.now), body).subject == "alice"


@every_case
def test_requests_are_signed_by_field_as_aws_signs_them(case: Case) -> None:
    request, body = signable(case)
    auth = case.auth()
    signed = auth.sign(request, body, now=case.now)
    assert auth.canonical(signed, body) == expected(case, "header")
    (authorization,) = signed.values(b"authorization")
    theirs, _ = parsed(case.read("header-signed-request.txt"))
    head, _, signature = authorization.rpartition(b"=")
    assert head == theirs.values(b"authorization")[0].rpartition(b"=")[0]
    if case.version == "v4":
        assert signature == case.read("header-signature.txt").strip()
    else:
        assert case.fits(case.read("header-string-to-sign.txt"), signature)


@every_case
def test_requests_are_presigned_as_aws_presigns_them(case: Case) -> None:
    request, body = parsed(case.read("request.txt"))
    url = f"https://{request.authority}{request.target.decode('utf-8', 'surrogateescape')}"
    headers = [line for line in request.headers if line[0] != b"host"]
    auth = case.auth()
    presigned = auth.presign(
        request.method, url, now=case.now, expires=case.context["expiration_in_seconds"], headers=headers, body=body
    )
    target = presigned.removeprefix(f"https://{request.authority}")
    sent = Request(request.method, "https", request.authority, target, request.headers)
    assert auth.canonical(sent, body) == expected(case, "query")
    signature = target.rpartition("=")[2].encode()
    if case.version == "v4":
        assert signature == case.read("query-signature.txt").strip()
    else:
        assert case.fits(case.read("query-string-to-sign.txt"), signature)


@every_case
@pytest.mark.parametrize("place", ["header", "query"])
def test_requests_that_aws_signed_are_verified(case: Case, place: str) -> None:
    string, signature = case.read(f"{place}-string-to-sign.txt"), case.read(f"{place}-signature.txt").strip()
    assert case.fits(string, signature)
    request, body = parsed(case.read(f"{place}-signed-request.txt"))
    if any(octet <= 0x20 or octet > 0x7E for octet in request.target):
        with pytest.raises(Rejected) as caught:
            case.guard().verify(request, body)
        assert caught.value.reason is Reason.TARGET_REFUSED
    else:
        assert case.guard().verify(request, body).subject == "alice"


@every_case
def test_requests_that_aws_signed_are_refused_with_another_method_secret_or_token(case: Case) -> None:
    request, body = parsed(case.read("header-signed-request.txt"))
    if any(octet <= 0x20 or octet > 0x7E for octet in request.target):
        request = Request(request.method, "https", request.authority, b"/", request.headers)
    other = Request("DELETE", "https", request.authority, request.target, request.headers)
    with pytest.raises(Rejected) as caught:
        case.guard().verify(other, body)
    assert caught.value.reason is Reason.WRONG_SIGNATURE
    guard = case.guard()
    ref = Ref(AccessKey, (case.context["credentials"]["access_key_id"],))
    store = guard.plan.store
    record = store.fetch([ref]).get(ref)
    store.commit([Put(ref, replace(record, secret="another"))])
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    assert caught.value.reason is Reason.WRONG_SIGNATURE
