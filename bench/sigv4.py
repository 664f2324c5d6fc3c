"""AWS SigV4: signing and verifying, the day's key kept. The limits are the barest correct compositions, and make botocore's octets."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import botocore.auth
import requests
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests_auth_aws_sigv4 import AWSSigV4

from bench.harness import Interleaved, Unfit
from watchword import Guard, Rejected, Request, SigV4Auth, SigV4Verifier
from watchword.transport.flow import ClientContext
from watchword.core.records import Found
from watchword.core.scheme import Body
from watchword.stores import MemoryStore

KEY_ID, SECRET, REGION, SERVICE = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1", "orders"
HOST, PATH, QUERY = "api.example", "/orders/2024", "state=open&limit=10&cursor=eyJhIjoxfQ%3D%3D"
BODY = b'{"order":7,"lines":[1,2,3]}' * 8
FIELDS = {
    "Host": HOST, "User-Agent": "bench/1", "Accept": "application/json", "Accept-Encoding": "gzip", "Connection": "keep-alive",
    "Content-Type": "application/json", "Content-Length": str(len(BODY)),
}  # fmt: skip
CREDENTIALS = {"region": REGION, "service": SERVICE}
SIGNABLE = {"Host": HOST, "Content-Type": "application/json", "Accept": "application/json"}
Judge = Callable[[Request, bytes], object]

PLAIN_PATH = re.compile(rb"[A-Za-z0-9\-._~/]*").fullmatch
PLAIN_QUERY = re.compile(rb"(?:[A-Za-z0-9\-._~=&]|%[0-9A-F]{2})*").fullmatch
TARGET = re.compile(rb"[\x21\x22\x24-\x5b\x5d-\x7e]+").fullmatch
UNSIGNED = frozenset(
    (b"user-agent", b"accept-encoding", b"connection", b"authorization", b"expect", b"transfer-encoding")
)


def rows() -> Iterable[Interleaved]:
    """Verifying, with the parameters in either order; presigned; signing."""
    usual = SigV4Auth(KEY_ID, SECRET, **CREDENTIALS).sign(asking(), BODY, now=time.time())
    word, *params = usual.values(b"authorization")[0].split(b" ")
    turned = word + b" " + b", ".join(part.rstrip(b",") for part in reversed(params))
    yield verifying("SigV4 verify", usual)
    yield verifying("SigV4 verify, another order of parameters and fields", reordered(usual, turned))
    yield signing()


def asking() -> Request:
    """The request before it is signed."""
    return Request("POST", "https", HOST, f"{PATH}?{QUERY}", FIELDS)


def reordered(request: Request, authorization: bytes) -> Request:
    """The same request, its field lines the other way round."""
    other = request.with_headers(((b"authorization", authorization),))
    return Request(other.method, other.scheme, other.authority, other.target, reversed(list(other.headers)))


# ---- the limits ------------------------------------------------------------------------------------------------------


def day_key(secret: str, *parts: bytes) -> bytes:
    """The signing key of a scope."""
    key = b"AWS4" + secret.encode()
    for part in parts:
        key = hmac.digest(key, part, "sha256")
    return key


def plain_target(target: bytes) -> tuple[bytes, bytes]:
    """The canonical path and query of targets that need no encoding; others are not measured."""
    path, _, query = target.partition(b"?")
    if not PLAIN_PATH(path) or b"//" in path or b"/." in path or not PLAIN_QUERY(query) or not TARGET(target):
        raise ValueError("target")
    pairs = sorted([pair.partition(b"=")[::2] for pair in query.split(b"&")])
    return path, b"&".join([name + b"=" + value for name, value in pairs])


def limit() -> Judge:
    """What a server could write itself, for parameters and fields in any order."""
    secrets, clock = {"AKIDEXAMPLE": SECRET}, time.time
    keys: dict[bytes, Any] = {}
    grammar = re.compile(rb"([\w.-]{1,128})/(\d{8})/([\w.-]{1,64})/([\w.-]{1,64})/aws4_request\n([!-:<-~;]+)\n([0-9a-f]{64})").fullmatch  # fmt: skip
    stamp = re.compile(rb"(\d{8})T([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z").fullmatch

    def judge(request: Request, body: bytes) -> object:
        (value,) = [value for name, value in request.headers if name == b"authorization"]
        word, _, rest = value.partition(b" ")
        given = {name.strip(): text for name, _, text in (part.partition(b"=") for part in rest.split(b","))}
        match = grammar(b"%s\n%s\n%s" % (given[b"Credential"], given[b"SignedHeaders"], given[b"Signature"]))
        if word.upper() != b"AWS4-HMAC-SHA256" or len(given) != 3 or match is None:
            raise ValueError("credentials")
        key_id, date, region, service, signed, signature = match.groups()
        values: dict[bytes, bytes] = {}
        names = signed.split(b";")
        wanted = set(names)
        for name, text in request.headers:
            if name in wanted:
                one = b" ".join(text.split())
                values[name] = values[name] + b"," + one if name in values else one
            elif name.startswith(b"x-amz-"):
                raise ValueError("not signed")
        values[b"host"] = request.authority.encode()
        time_given = stamp(values[b"x-amz-date"])
        if b"host" not in wanted or time_given is None or time_given[1] != date:
            raise ValueError("host or date")
        path, query = plain_target(request.target)
        lines = b"\n".join([name + b":" + values[name] for name in names])
        digest = hashlib.sha256(body).hexdigest().encode()
        canonical = b"\n".join((request.method.encode(), path, query, lines, b"", signed, digest))
        scope = b"%s/%s/%s/aws4_request" % (date, region, service)
        string = b"AWS4-HMAC-SHA256\n%s\n%s\n%s" % (
            values[b"x-amz-date"], scope, hashlib.sha256(canonical).hexdigest().encode(),
        )  # fmt: skip
        secret = secrets[key_id.decode()]
        key = keys.get(key_id + b"/" + scope) or day_key(secret, date, region, service, b"aws4_request")
        if not hmac.compare_digest(hmac.digest(key, string, "sha256").hex().encode(), signature):
            raise ValueError("signature")
        keys[key_id + b"/" + scope] = key
        day = timegm((int(date[:4]), int(date[4:6]), int(date[6:]), 0, 0, 0))
        signed_at = day + int(time_given[2]) * 3600 + int(time_given[3]) * 60 + int(time_given[4])
        if (region, service) != (b"eu-central-1", b"orders") or not -900 <= clock() - signed_at < 900:
            raise ValueError("scope or time")
        return key_id

    return judge


def bare_signer() -> Callable[[], bytes]:
    """What a client could write itself, with the day's key at hand."""
    plain, known = asking(), (time.gmtime()[:3], b"")

    def sign() -> bytes:
        nonlocal known
        now = time.gmtime()
        text = time.strftime("%Y%m%dT%H%M%SZ", now).encode()
        scope = b"%s/eu-central-1/orders/aws4_request" % text[:8]
        if known[0] != now[:3] or not known[1]:
            known = (now[:3], day_key(SECRET, *scope.split(b"/")))
        values = {name: b" ".join(value.split()) for name, value in plain.headers if name not in UNSIGNED}
        values[b"x-amz-date"] = text
        values[b"host"] = plain.authority.encode()
        names = sorted(values)
        signed = b";".join(names)
        path, query = plain_target(plain.target)
        lines = b"\n".join([name + b":" + values[name] for name in names])
        digest = hashlib.sha256(BODY).hexdigest().encode()
        canonical = b"\n".join((plain.method.encode(), path, query, lines, b"", signed, digest))
        string = b"AWS4-HMAC-SHA256\n%s\n%s\n%s" % (text, scope, hashlib.sha256(canonical).hexdigest().encode())
        signature = hmac.digest(known[1], string, "sha256").hex().encode()
        return b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%s, SignedHeaders=%s, Signature=%s" % (
            scope,
            signed,
            signature,
        )

    return sign


# ---- the rows --------------------------------------------------------------------------------------------------------


def store() -> MemoryStore:
    """One access key."""
    made = MemoryStore()
    made.add_access_key("robot", KEY_ID, SECRET)
    return made


def decider() -> Judge:
    """Reading and deciding, with the key at hand and the body read, as a guard does it between look-up and commit."""
    keys, verifier, clock = store(), SigV4Verifier(**CREDENTIALS), time.time
    found: dict[str, Found] = {}

    def judge(request: Request, body: bytes) -> object:
        claim = verifier.read(request)
        name = claim.presented.plan.access_key_id
        records = found.get(name)
        if records is None:
            records = found[name] = keys.fetch(claim.needs)
        return claim.decide(records, Body(body, {"sha-256": hashlib.sha256(body).digest()}), clock(), bytes)

    return judge


def verifying(title: str, request: Request) -> Interleaved:
    """The limit and ours; nobody else verifies."""
    contenders: dict[str, Judge] = {
        "limit": limit(),
        "watchword": decider(),
        "watchword, whole guard": Guard([SigV4Verifier(**CREDENTIALS)], store()).verify,
    }

    def prove() -> None:
        for name, judge in contenders.items():
            judge(request, BODY)
            moved = Request("POST", "https", HOST, f"{PATH}?{QUERY}x", request.headers)
            added = Request("POST", "https", HOST, f"{PATH}?{QUERY}", [*request.headers, ("x-amz-acl", "public")])
            for bad, body in ((request, BODY + b" "), (moved, BODY), (added, BODY)):
                try:
                    judge(bad, body)
                except (Rejected, ValueError):
                    continue
                raise Unfit(f"{name} accepts a forged request")

    work: dict[str, Callable[[], object]] = {
        name: lambda judge=judge: judge(request, BODY) for name, judge in contenders.items()
    }
    return Interleaved(
        title, work, prove, {"botocore": "does not verify", "requests-auth-aws-sigv4": "does not verify"}
    )


def signing() -> Interleaved:
    """The limit, ours, and two peers."""
    plain, auth = asking(), SigV4Auth(KEY_ID, SECRET, **CREDENTIALS)
    context = ClientContext(lambda: BODY)
    peer = botocore.auth.SigV4Auth(Credentials(KEY_ID, SECRET), SERVICE, REGION)
    small = AWSSigV4(SERVICE, region=REGION, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET)
    url = f"https://{HOST}{PATH}?{QUERY}"

    def ours() -> Any:
        return next(auth.flow(plain, context))

    def botocores() -> AWSRequest:
        headers = {**SIGNABLE, "Content-Length": str(len(BODY))}
        request = AWSRequest(method="POST", url=url, data=BODY, headers=headers)
        peer.add_auth(request)
        return request

    prepared = requests.Request("POST", url, data=BODY, headers=FIELDS).prepare()

    def smaller() -> object:
        return small(prepared)

    def prove() -> None:
        judge, bare = limit(), bare_signer()
        for _ in range(5):  # until all three were made within one second
            theirs, own, least = botocores(), ours().request, bare()
            date = theirs.headers["X-Amz-Date"]
            if own.values(b"x-amz-date") == [date.encode()]:
                break
        if theirs.headers["Authorization"].encode() != own.values(b"authorization")[0]:
            raise Unfit("watchword and botocore sign differently")
        for line in (own.values(b"authorization")[0], least):
            now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ").encode()
            judge(
                own.with_headers(((b"authorization", line), (b"x-amz-date", own.values(b"x-amz-date")[0] or now))), BODY
            )
        smaller()

    return Interleaved(
        "SigV4 sign", {"limit": bare_signer(), "watchword": ours, "botocore": botocores, "requests-auth-aws-sigv4": smaller},
        prove,
    )  # fmt: skip
