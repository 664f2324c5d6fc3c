"""Basic with a warm cache. The limit is the barest correct composition: decode, one keyed hash, two look-ups, a clock."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.harness import Interleaved, Unfit
from watchword import BasicVerifier, Guard, Password, PasswordCache, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto.passwords import verify_password
from watchword.stores import MemoryStore, SQLStore

USER, PASSWORD = "alice", "correct horse battery staple"
RECORD = Password.hash(PASSWORD, scopes=["orders:read"])
Store = MemoryStore | SQLStore
Judge = Callable[[Request], object]


def rows() -> Iterable[Interleaved]:
    """Verifying, with the users in the process and in SQLite."""
    yield verifying("Basic verify, warm cache, MemoryStore", MemoryStore())
    folder = tempfile.TemporaryDirectory()
    with folder, SQLStore(f"sqlite:///{Path(folder.name) / 'bench.db'}") as store:
        yield verifying("Basic verify, warm cache, SQLStore", store)


def asking(password: str) -> Request:
    value = b"Basic " + b2a_base64(f"{USER}:{password}".encode(), newline=False)
    lines = ((b"host", b"api.example"), (b"accept", b"*/*"), (b"authorization", value))
    return Request.raw("GET", "https", "api.example", b"/orders", lines, Request("GET", "https", "h", "/").peer, True)


def limit() -> Judge:
    """A cache that a server could keep itself, in a dictionary, with its user table in another."""
    users = {USER: RECORD.encoded}
    known: dict[bytes, tuple[str, float]] = {}
    blake2b, clock, key = hashlib.blake2b, time.monotonic, os.urandom(32)

    def judge(request: Request) -> object:
        (value,) = [value for name, value in request.headers if name == b"authorization"]
        pair = a2b_base64(value[6:], strict_mode=True)
        username, colon, password = pair.decode().partition(":")
        if not colon:
            raise ValueError("pair")
        stored = users[username]
        mark = blake2b(pair, key=key, digest_size=32).digest()
        entry = known.get(mark)
        if entry is None or entry[0] != stored or entry[1] < clock():
            verify_password(stored, password)
            known[mark] = (stored, clock() + 300)
        return username

    return judge


def verifying(title: str, store: Store) -> Interleaved:
    """The limit; the guard with the cache that looks up again within `ttl` only, and with the strict one; no cache."""
    store.commit([Put(Ref(Password, (USER,)), RECORD)])
    contenders: dict[str, Judge] = {
        "limit": limit(),
        "watchword": Guard([BasicVerifier(realm="orders")], store).verify,
        "watchword, strict": Guard([BasicVerifier(realm="orders", cache=PasswordCache(strict=True))], store).verify,
    }

    def prove() -> None:
        for name, judge in contenders.items():
            judge(asking(PASSWORD))
            for bad in ("wrong", PASSWORD + "x"):
                try:
                    judge(asking(bad))
                except (Rejected, ValueError):
                    continue
                raise Unfit(f"{name} accepts a wrong password")
            judge(asking(PASSWORD))

    request = asking(PASSWORD)
    work: dict[str, Callable[[], object]] = {
        name: lambda judge=judge: judge(request) for name, judge in contenders.items()
    }
    work["argon2id verify"] = lambda: verify_password(RECORD.encoded, PASSWORD)
    return Interleaved(title, work, prove)
