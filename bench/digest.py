"""Digest with SHA-256 and qop=auth. The limits are the barest correct compositions of the primitives."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import sqlite3
import tempfile
import threading
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import requests

from bench.harness import Interleaved, Unfit
from watchword import DigestAuth, DigestVerifier, Guard, Policy, Rejected, Request, Response
from watchword.transport.flow import ClientContext, Drive
from watchword.core.records import Put, Ref
from watchword.core.scheme import NO_BODY
from watchword.effects import Received
from watchword.schemes.digest import DigestSecret, ha1
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey, make_nonce
from watchword.stores import MemoryStore, SQLStore

REALM, USER, PASSWORD, TARGET = "orders", "alice", "s3cret", "/orders?id=7"
KEY = NonceKey(bytes(range(32)))
SECRET = ha1("SHA-256", USER, REALM, PASSWORD)
OWNER = Ref(DigestSecret, ("SHA-256", REALM, USER))
Store = MemoryStore | SQLStore
NO_ATTEMPTS = Policy(attempts=None)
Judge = Callable[[Request], object]


def rows() -> Iterable[Interleaved]:
    """Verifying, with the replay memory in the process and in SQLite; computing the header; and the whole client."""
    yield deciding()
    yield in_memory()
    with tempfile.TemporaryDirectory() as folder:
        yield from in_sqlite(Path(folder))
    yield answering()


# ---- the server half -------------------------------------------------------------------------------------------------


def signed_requests() -> Callable[[], Request]:
    """Genuine requests, each with a count of its own."""
    nonce = make_nonce(KEY, REALM, "SHA-256", time.time(), os.urandom(12)).encode()
    ha2 = hashlib.sha256(b"GET:" + TARGET.encode()).hexdigest().encode()
    start = b"%b:%b:" % (SECRET.encode(), nonce)
    head = (
        f'Digest username="{USER}", realm="{REALM}", uri="{TARGET}", algorithm=SHA-256, nonce="{nonce.decode()}", nc='
    ).encode()
    numbers = count(1)
    tail = b":MDEyMzQ1Njc4OWFi:auth:" + ha2

    def make() -> Request:
        nc = b"%08x" % next(numbers)
        proof = hashlib.sha256(start + nc + tail).hexdigest().encode()
        value = b'%b%b, cnonce="MDEyMzQ1Njc4OWFi", qop=auth, response="%b"' % (head, nc, proof)
        lines = ((b"host", b"api.example"), (b"accept", b"*/*"), (b"authorization", value))
        return Request.raw("GET", "https", "api.example", TARGET.encode(), lines, PEER, True)

    return make


PEER = Request("GET", "https", "h", "/").peer
PARAM = re.compile(rb'([a-z]+)=(?:"([^"]*)"|([^", ]+))')


def limit(look_up: Callable[[], bytes] = SECRET.encode) -> Callable[[Request], tuple[tuple[str, ...], float]]:
    """Parse, HMAC of the nonce, two hashes on a kept HA1, compare. Gives the count that is used up, and until when."""
    key, realm = KEY.key, REALM.encode()
    context = b"watchword digest nonce\0SHA-256\0" + realm + b"\0"
    sha256, equal, clock = hashlib.sha256, hmac.compare_digest, time.time

    def judge(request: Request) -> tuple[tuple[str, ...], float]:
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
        proof = sha256(b"%b:%b:%b:%b:auth:%b" % (look_up(), nonce, nc, given[b"cnonce"], a2)).hexdigest()
        if not equal(proof.encode(), given[b"response"]):
            raise ValueError("response")
        return ("limit", nonce.decode(), nc.decode()), made + 300

    return judge


URL = bytes.maketrans(b"-_", b"+/")


def filled(store: Store) -> Store:
    """The store with one user and the key for nonces."""
    store.commit([Put(OWNER, DigestSecret(SECRET)), Put(NONCE_KEY, KEY)])
    return store


def deciding() -> Interleaved:
    """The verifier by itself, on records that were fetched before."""
    verifier = DigestVerifier(realm=REALM)
    found = filled(MemoryStore()).fetch((NONCE_KEY, OWNER))

    def decide(request: Request) -> object:
        return verifier.read(request).decide(found, NO_BODY, time.time(), os.urandom)

    def decide_first(request: Request) -> object:
        return DigestVerifier.read_in_full(verifier, request).decide(found, NO_BODY, time.time(), os.urandom)

    barest = limit()
    contenders = {"limit": barest, "watchword": decide, "watchword, a nonce's first request": decide_first}
    return Interleaved(
        "Digest verify, read and decide",
        contenders,
        lambda: refuse_others(*contenders.values()),
        supply=signed_requests(),
    )


def in_memory() -> Interleaved:
    """The whole guard, with and without counting failed attempts. The replay memory is not in the limit."""
    barest, used = limit(), dict[tuple[str, ...], float]()
    lock = threading.Lock()

    def judge_once(request: Request) -> object:
        key, until = barest(request)
        with lock:
            while used and next(iter(used.values())) < time.time():
                del used[next(iter(used))]
            if used.setdefault(key, until) is not until:
                raise ValueError("replay")
        return key

    first = {"limit": barest, "limit, and counts that are used up in a dictionary": judge_once}
    return guarding("Digest verify, the whole guard, MemoryStore", MemoryStore(capacity=50_000_000), first)


def in_sqlite(folder: Path) -> Iterable[Interleaved]:
    """The same with SQLite, whose barest statements are in the limit: the user's row read, a row written for the count."""
    own = sqlite3.connect(folder / "limit.db", isolation_level=None)
    with closing(own), SQLStore(f"sqlite:///{folder / 'bench.db'}") as store:
        own.execute("PRAGMA journal_mode=WAL")
        own.execute("PRAGMA synchronous=NORMAL")
        own.execute("CREATE TABLE users (name TEXT PRIMARY KEY, ha1 TEXT NOT NULL) WITHOUT ROWID")
        own.execute("CREATE TABLE used (key TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID")
        own.execute("CREATE INDEX used_until ON used (until)")  # to forget by
        own.execute("INSERT INTO users VALUES (?, ?)", (USER, SECRET))

        def kept() -> bytes:
            (secret,) = own.execute("SELECT ha1 FROM users WHERE name = ?", (USER,)).fetchone()
            return bytes(secret.encode())

        barest = limit(kept)

        def judge_once(request: Request) -> object:
            key, until = barest(request)
            row = (":".join(key), until)
            if own.execute("INSERT INTO used VALUES (?, ?) ON CONFLICT DO NOTHING", row).rowcount != 1:
                raise ValueError("replay")
            return key

        title = "Digest verify, the whole guard, SQLStore (a committed row for each)"
        yield guarding(title, store, {"limit, with two statements": judge_once})


def guarding(title: str, store: Store, limits: dict[str, Judge]) -> Interleaved:
    """The whole guard, with and without counting failed attempts, on the same store."""
    verifiers = [DigestVerifier(realm=REALM)]
    verify, uncounted = Guard(verifiers, filled(store)).verify, Guard(verifiers, store, policy=NO_ATTEMPTS).verify
    make = signed_requests()
    contenders: dict[str, Judge] = {**limits, "watchword": verify, "watchword, attempts=None": uncounted}

    def prove() -> None:
        refuse_others(*contenders.values())
        for name, judge in contenders.items():
            good = make()
            judge(good)
            try:
                judge(good)
            except (Rejected, ValueError):
                continue
            if name != "limit":
                raise Unfit(f"{name} accepts a request twice")

    return Interleaved(title, contenders, prove, supply=make)


def refuse_others(*judges: Judge) -> None:
    """Raises `Unfit` if one of these accepts the credentials of another target."""
    for judge in judges:
        good = signed_requests()()
        try:
            judge(Request("GET", "https", "api.example", "/other", good.headers))
        except (Rejected, ValueError):
            continue
        raise Unfit(f"{judge} accepts what it must refuse")


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
    auth, bare, context = (
        DigestAuth(USER, PASSWORD),
        Request("GET", "https", "api.example", TARGET),
        ClientContext(bytes),
    )
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
    old._thread_local.chal = requests.utils.parse_dict_header(CHALLENGE[7:])  # noqa: SLF001 -- as its hook does
    url = f"https://api.example{TARGET}"
    new: Any = httpx2.DigestAuth(USER, PASSWORD)
    asked = httpx2.Request("GET", url)
    refused = httpx2.Response(401, headers={"WWW-Authenticate": CHALLENGE}, request=asked)
    new._last_challenge = new._parse_challenge(asked, refused, CHALLENGE)  # noqa: SLF001 -- as its flow does

    def by_httpx2() -> str:
        header: str = new._build_auth_header(asked, new._last_challenge)  # noqa: SLF001 -- likewise
        return header

    session = next(iter(auth._spaces.values())).sessions[0]  # noqa: SLF001 -- to time the header alone
    target = TARGET.encode()

    def our_header() -> bytes:
        signed = session.sign(bare, target, context, b"authorization", judged=False)
        return signed.send.request.values(b"authorization")[0]

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
