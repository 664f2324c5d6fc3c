"""Who exists is not told by hashed usernames either: the same look-ups, the same hashes, the same octets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.schemes.digest_world import GUARDS, USER, World
from watchword import DigestAuth, Rejected
from watchword.core.records import Found, Ref
from watchword.schemes.digest import computation, server
from watchword.stores import MemoryStore


class Watched(MemoryStore):
    """Notes which kinds are looked up together."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[list[str]] = []

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        self.looks.append([ref.kind.__name__ for ref in refs])
        return super().fetch(refs)


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-256-sess"])
def test_the_same_work_is_done_for_both(guard: str, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def counted(module: Any, name: str) -> None:
        function = getattr(module, name)

        def call(*arguments: Any) -> Any:
            calls[name] += 1
            return function(*arguments)

        monkeypatch.setattr(module, name, call)

    store = Watched()
    world = World(guard, store=store, userhash=True, algorithms=[algorithm])
    signed = [world.signed(auth=DigestAuth(name, "guess")) for name in (USER, "Nobody")]
    counted(computation, "hex_digest")
    counted(server, "compare")
    work, octets = [], []
    for asked in signed:
        calls.clear()
        store.looks.clear()
        verdict = world.judge(asked)
        assert isinstance(verdict, Rejected) and verdict.refusal is not None
        work.append((dict(calls), list(store.looks)))
        answer = verdict.refusal.response()
        octets.append((answer.status, [(name, len(value)) for name, value in answer.headers]))
    assert work[0] == work[1]
    assert ["DigestSecret"] in work[0][1]
    assert octets[0] == octets[1]
