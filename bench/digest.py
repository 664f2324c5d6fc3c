"""Digest with SHA-256 and qop=auth. The limits are the barest correct compositions of the primitives."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import tempfile
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import requests

from bench.harness import Interleaved, Unfit
from watchword import DigestAuth, DigestVerifier, Guard, Rejected, Request, Response
from watchword.core.flow import ClientContext, Drive
from watchword.core.records import Once, Put, Ref
from watchword.core.scheme import Received
from watchword.schemes.digest import DigestSecret, ha1
from watchword.schemes.digest.client import _cnonce
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey, make_nonce
from watchword.stores import MemoryStore, SQLStore

REALM, USER, PASSWORD, TARGET = "orders", "alice", "s3cret", "/orders?id=7"
KEY = NonceKey(bytes(range(32)))
SECRET = ha1("SHA-256", USER, REALM, PASSWORD)
Store = MemoryStore | SQLStore
Judge = Callable[[Request], object]


def rows() -> Iterable[Interleaved]:
    """Verifying, with the replay memory in the process and in SQLite; computing the header; and the whole client."""
    yield verifying("Digest verify, MemoryStore", MemoryStore(capacity=50_000_000))
    folder = tempfile.TemporaryDirectory()
    with folder, SQLStore(f"sqlite:///{Path(folder.name) / 'bench.db'}") as store:
        yield verifying("Digest verify, SQLStore (a committed row for each)", store)
    yield answering()


# ---- the server half -------------------------------------------------------------------------------------------------


def signed_requests() -> Callable[[], Request]:
    """Genuine requests, each with a count of its own; made as cheaply as can be, for making them is timed as well."""
    nonce = make_nonce(KEY, REALM, "SHA-256", time.time(), os.urandom(12)).encode()
    ha2 = hashlib.sha256(b"GET:" + TARGET.encode()).hexdigest().encode()
    start = b"%b:%b:" % (SECRET.encode(), nonce)
    head = (
        f'Digest username="{USER}", realm="{REALM}", uri="{TARGET}", algorithm=SHA-256, nonce="{nonce.decode()}", nc='
    ).encode()
    numbers = count(1)
    tail = b':MDEyMzQ1Njc4OWFi:auth:' + ha2

    def make() -> Request:
        nc = b"%08x" % next(numbers)
        proof = hashlib.sha256(start + nc + tail).hexdigest().encode()
        value = b'%b%b, cnonce="MDEyMzQ1Njc4OWFi", qop=auth, response="%b"' % (head, nc, proof)
        lines = ((b"host", b"api.example"), (b"accept", b"*/*"), (b"authorization", value))
        return Request.raw("GET", "https", "api.example", TARGET.encode(), lines, PEER, True)

    return make


PEER = Request("GET", "https", "h", "/").peer
PARAM = re.compile(rb'([a-z]+)=(?:"([^"]*)"|([^", ]+))')


def limit(store: Store) -> Judge:
    """Parse, HMAC of the nonce, two hashes on a kept HA1, compare; and mark the count, as every server must."""
    key, realm, secret = KEY.key, REALM.encode(), SECRET.encode()
    context = b"watchword digest nonce\0SHA-256\0" + realm + b"\0"
    sha256, equal, clock = hashlib.sha256, hmac.compare_digest, time.time

    def judge(request: Request) -> object:
        (value,) = [value for name, value in request.headers if name == b"authorization"]
        given = {name: quoted or token for name, quoted, token in PARAM.findall(value)}
        nonce, nc = given[b"nonce"], given[b"nc"]
        octets = a2b_base64(nonce.translate(URL))
        made = int.from_bytes(octets[:6], "big") / 1000
        if not equal(hmac.digest(key, context + octets[:18], "sha256")[:18], octets[18:]) or clock() > made + 300:
            raise ValueError("nonce")
        if given[b"realm"] != realm or given[b"uri"] != request.target or given[b"username"] != USER.encode():
            raise ValueError("uri")
        a2 = sha256(b"GET:" + given[b"uri"]).hexdigest().encode()
        proof = sha256(b"%b:%b:%b:%b:auth:%b" % (secret, nonce, nc, given[b"cnonce"], a2)).hexdigest()
        if not equal(proof.encode(), given[b"response"]):
            raise ValueError("response")
        outcome = store.commit([Once(("limit", nonce.decode(), nc.decode()), made + 300)])
        if type(outcome).__name__ != "Committed":
            raise ValueError("replay")
        return given[b"username"]

    return judge


URL = bytes.maketrans(b"-_", b"+/")


def verifying(title: str, store: Store) -> Interleaved:
    """The limit and the guard, on the same requests and the same store."""
    secret = DigestSecret(SECRET)
    store.commit([Put(Ref(DigestSecret, ("SHA-256", REALM, USER)), secret), Put(NONCE_KEY, KEY)])
    verify = Guard([DigestVerifier(realm=REALM)], store).verify
    barest, ours, theirs = limit(store), signed_requests(), signed_requests()

    def prove() -> None:
        for judge in (verify, barest):
            good = signed_requests()()
            judge(good)
            for bad in (good, Request("GET", "https", "api.example", "/other", good.headers)):
                try:
                    judge(bad)
                except (Rejected, ValueError):
                    continue
                raise Unfit(f"{judge} accepts what it must refuse")

    return Interleaved(title, {"limit": lambda: barest(theirs()), "watchword": lambda: verify(ours())}, prove)


# ---- the client half -------------------------------------------------------------------------------------------------

CHALLENGE = (
    f'Digest realm="{REALM}", qop="auth", algorithm=SHA-256, nonce="AAABmnTnrQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'
)


def client_limit() -> Callable[[], bytes]:
    """A random cnonce, a count, two hashes on a kept HA1, one formatted value."""
    numbers, secret, target = count(1), SECRET.encode(), TARGET.encode()
    nonce = CHALLENGE.rpartition('nonce="')[2][:-1].encode()
    sha256, urandom = hashlib.sha256, os.urandom

    def answer() -> bytes:
        nc, cnonce = b"%08x" % next(numbers), b2a_base64(urandom(18), newline=False)
        a2 = sha256(b"GET:" + target).hexdigest().encode()
        proof = sha256(b"%b:%b:%b:%b:auth:%b" % (secret, nonce, nc, cnonce, a2)).hexdigest().encode()
        return (
            b'Digest username="alice", realm="orders", uri="%b", algorithm=SHA-256, nonce="%b", nc=%b, cnonce="%b", '
            b'qop=auth, response="%b"' % (target, nonce, nc, cnonce, proof)
        )

    return answer


def answering() -> Interleaved:
    """One header from a challenge that is known: ours through the whole flow, the peers' by their own methods."""
    auth, bare, context = DigestAuth(USER, PASSWORD), Request("GET", "https", "api.example", TARGET), ClientContext(bytes)
    first = Drive(auth, bare, context)
    first.advance()
    first.advance(Received(Response(401, {"WWW-Authenticate": CHALLENGE})))
    first.advance(Received(Response(200)))

    def ours() -> bytes:
        flow = auth.flow(bare, context)
        request: Request = next(flow).request
        flow.close()
        return request.headers[-1][1]

    old: Any = requests.auth.HTTPDigestAuth(USER, PASSWORD)
    old.init_per_thread_state()
    old._thread_local.chal = requests.utils.parse_dict_header(CHALLENGE[7:])
    url = f"https://api.example{TARGET}"
    new: Any = httpx2.DigestAuth(USER, PASSWORD)
    asked = httpx2.Request("GET", url)
    refused = httpx2.Response(401, headers={"WWW-Authenticate": CHALLENGE}, request=asked)
    new._last_challenge = new._parse_challenge(asked, refused, CHALLENGE)

    def by_httpx2() -> str:
        header: str = new._build_auth_header(asked, new._last_challenge)
        return header

    session = next(iter(auth._spaces.values())).sessions[0]
    target = TARGET.encode()

    def our_header() -> bytes:
        return session.answer(b"GET", target, _cnonce(context), None)[1]

    contenders: dict[str, Callable[[], Any]] = {
        "limit": client_limit(), "watchword, the header": our_header, "watchword, the whole flow": ours,
        "requests": lambda: old.build_digest_header("GET", url), "httpx2": by_httpx2,
    }  # fmt: skip

    def prove() -> None:
        for name, contender in contenders.items():
            value = contender()
            check(name, value if isinstance(value, bytes) else value.encode())

    return Interleaved("Digest client, one header for a known challenge", contenders, prove)


def check(name: str, value: bytes) -> None:
    """Whether the response is the right one for its own parameters."""
    given = {name: quoted or token for name, quoted, token in PARAM.findall(value)}
    a2 = hashlib.sha256(b"GET:" + TARGET.encode()).hexdigest().encode()
    parts = (SECRET.encode(), given[b"nonce"], given[b"nc"], given[b"cnonce"], b"auth", a2)
    if hashlib.sha256(b":".join(parts)).hexdigest().encode() != given[b"response"]:
        raise Unfit(f"{name} computes something else")
