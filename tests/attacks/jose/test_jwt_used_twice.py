"""A token that is good once, sent by many at the same moment: one of them is let in."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from watchword import Guard, JWTVerifier, Key, Reason, Rejected, Request
from watchword.crypto import jose
from watchword.stores import MemoryStore, SQLStore

KEY = Key.generate("HS256")


def request(token_id: str) -> Request:
    claims = {"sub": "alice", "jti": token_id, "exp": int(time.time()) + 300}
    return Request("GET", "https", "a", "/", {"Authorization": "Bearer " + jose.sign(json.dumps(claims).encode(), KEY)})


def let_in(guards: list[Guard], asked: Request) -> int:
    def ask(guard: Guard) -> bool:
        try:
            guard.verify(asked)
        except Rejected as rejected:
            assert rejected.reason is Reason.REPLAYED
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(ask, guards))


def test_one_of_many_threads_is_let_in() -> None:
    guard = Guard([JWTVerifier(KEY, single_use=True)], MemoryStore())
    for number in range(20):
        assert let_in([guard] * 16, request(str(number))) == 1


def test_one_of_many_processes_stores_is_let_in(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with SQLStore(url) as one, SQLStore(url) as two:
        guards = [Guard([JWTVerifier(KEY, single_use=True)], store) for store in (one, two)]
        for number in range(5):
            assert let_in(guards * 4, request(str(number))) == 1
