"""DPoP (RFC 9449). The limit is the barest correct composition: two signatures, two JSON objects, the claims, a hash of the token.

It remembers a client's key by the proof's header, as ours does. Ours is judged without a store, and through a guard with one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from bench.harness import Interleaved, Unfit
from watchword import DPoPVerifier, Guard, JWTVerifier, Key, Rejected, Request
from watchword.core.records import NOTHING_FOUND, Once
from watchword.core.scheme import NO_BODY
from watchword.crypto import jose
from watchword.schemes.dpop import make_proof
from watchword.stores import MemoryStore

ISSUER, AUDIENCE, URL = "https://id.example", "orders", "https://api.example/orders"
Judge = Callable[[Request], object]


def rows() -> Iterable[Interleaved]:
    """By the algorithm of issuer and client, without a store and with one."""
    for algorithm in ("ES256", "EdDSA"):
        world = World(algorithm)
        yield world.row(f"DPoP verify {algorithm}, no store", {"limit": world.limit(), "watchword": world.decider()})
        yield world.row(
            f"DPoP verify {algorithm}, MemoryStore", {"limit": world.limit(MemoryStore()), "watchword": world.guard()}
        )


class World:
    """An issuer, a client, its bound token, and as many proofs as are asked for."""

    def __init__(self, algorithm: str) -> None:
        self.issuer, self.client = Key.generate(algorithm, key_id="2026-11"), Key.generate(algorithm)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": 0,
            "exp": 4_000_000_000,
            "scope": "orders:read",
        }
        bound = {**claims, "cnf": {"jkt": self.client.thumbprint()}}
        self.token = jose.sign(json.dumps(bound).encode(), self.issuer)
        self.verifier = DPoPVerifier(JWTVerifier(self.issuer, issuer=ISSUER, audience=AUDIENCE), max_age=3600)
        self._made = 0

    def request(self) -> Request:
        """A request with a new proof."""
        self._made += 1
        proof = make_proof(self.client, "GET", URL, jti=f"{self._made:032}", now=time.time(), token=self.token)
        fields = {"Host": "api.example", "Accept": "*/*", "Authorization": f"DPoP {self.token}", "DPoP": proof}
        return Request("GET", "https", "api.example", "/orders?page=2", fields)

    def decider(self) -> Judge:
        """Reading and deciding, as a guard does it before the commit."""
        verifier, clock = self.verifier, time.time

        def judge(request: Request) -> object:
            claim = verifier.read(request)
            assert claim is not None
            decision: Any = claim.decide(NOTHING_FOUND, NO_BODY, clock(), bytes)
            decision.learn()
            return decision

        return judge

    def guard(self) -> Judge:
        """Through a guard, whose store remembers each proof."""
        return Guard([self.verifier], MemoryStore()).verify

    def limit(self, store: MemoryStore | None = None) -> Judge:
        """What a server could write itself; with a store it commits what ours commits."""
        issuer, jkt, clock = self.issuer.verifier, self.client.thumbprint(), time.time
        keys: dict[bytes, Key] = {}
        parse = msgspec.json.decode

        def judge(request: Request) -> object:
            fields = dict(request.headers)
            word, _, token = fields[b"authorization"].partition(b" ")
            signed, _, signature = token.rpartition(b".")
            issuer(signed, decoded(signature))
            claims = parse(decoded(signed.partition(b".")[2]))
            now = clock()
            if word != b"DPoP" or claims["iss"] != ISSUER or claims["aud"] != AUDIENCE or now >= claims["exp"]:
                raise ValueError("token")
            proven, _, mark = fields[b"dpop"].rpartition(b".")
            head, _, body = proven.partition(b".")
            key = keys.get(head)
            if key is None:
                header = parse(decoded(head))
                if header["typ"] != "dpop+jwt" or "d" in header["jwk"]:
                    raise ValueError("header")
                key = Key.from_jwk(header["jwk"], algorithm=header["alg"])
                if not hmac.compare_digest(key.thumbprint(), claims["cnf"]["jkt"]) or key.thumbprint() != jkt:
                    raise ValueError("binding")
                keys[head] = key
            key.verifier(proven, decoded(mark))
            said = parse(decoded(body))
            url = f"{request.scheme}://{request.authority}{request.target.partition(b'?')[0].decode()}"
            ath = b2a_base64(hashlib.sha256(token).digest(), newline=False).translate(TABLE).rstrip(b"=").decode()
            if said["htm"] != request.method or said["htu"] != url or not hmac.compare_digest(said["ath"], ath):
                raise ValueError("proof")
            if not -5 <= now - said["iat"] < 3600 or len(said["jti"]) > 256:
                raise ValueError("time")
            once = Once(("limit", jkt, said["jti"]), said["iat"] + 3600)
            return once if store is None else store.commit([once])

        return judge

    def row(self, title: str, contenders: dict[str, Judge]) -> Interleaved:
        """The same requests for both, each once."""

        def prove() -> None:
            for name, judge in contenders.items():
                good = self.request()
                judge(good)
                fields = good.lines
                for bad in (
                    Request("POST", "https", "api.example", "/orders", good.headers),
                    Request("GET", "https", "api.example", "/order", good.headers),
                    good.with_headers(((b"dpop", fields[b"dpop"][:-8] + b"AAAAAAAA"),)),
                ):
                    try:
                        judge(bad)
                    except (Rejected, ValueError, KeyError):
                        continue
                    raise Unfit(f"{name} accepts a forged request")

        return Interleaved(title, contenders, prove, supply=self.request)


TABLE = bytes.maketrans(b"+/", b"-_")
FROM_URL = bytes.maketrans(b"-_", b"+/")


def decoded(segment: bytes) -> bytes:
    """Base64url without padding."""
    return a2b_base64(segment.translate(FROM_URL) + b"=" * (-len(segment) % 4))
