"""What every site has in common: its guard, its routes, and what it says of a request."""

from __future__ import annotations

import json
import os
from hashlib import sha256

from tests.hash_costs import cheap
from tests.interop.matrix.clients import CLIENTS
from tests.interop.matrix.schemes import SCHEMES, User
from watchword import Guard, Identity, Limits, Policy, Verdict
from watchword.stores import MemoryStore

__all__ = ["ELSEWHERE", "HOPS", "METHODS", "VERDICTS", "Arrived", "guard"]

VERDICTS, ELSEWHERE = "WATCHWORD_MATRIX_VERDICTS", "WATCHWORD_MATRIX_ELSEWHERE"
"""The variables that name the file of verdicts, and the address of the foreign server."""
METHODS = ["GET", "POST", "PUT"]
HOPS = {"/hop": "/maybe", "/away": os.environ.get(ELSEWHERE, "http://127.0.0.1:9/") + "/landing"}
"""The routes that redirect, and where to. Beside them every site has /who, for whoever the guard admits, and /maybe, for all."""


def guard() -> Guard:
    """All schemes, and the user of each client; every verdict is a line of the file."""
    store = MemoryStore()
    with cheap():
        for client in CLIENTS:
            for scheme in SCHEMES:
                scheme.enrol(store, User(client.user))
    log = os.open(os.environ[VERDICTS], os.O_WRONLY | os.O_APPEND)

    def observe(verdict: Verdict) -> None:
        told = {"path": verdict.path, "reason": verdict.reason and verdict.reason.value, "subject": verdict.subject}
        os.write(log, json.dumps(told).encode() + b"\n")  # in one call, so that threads don't mix

    policy = Policy(limits=Limits(body=8 * 1024 * 1024))
    return Guard([scheme.verifier() for scheme in SCHEMES], store, policy=policy, observe=observe)


class Arrived:
    """The body as the application read it."""

    def __init__(self) -> None:
        self._size = 0
        self._digest = sha256()

    def add(self, chunk: bytes) -> None:
        """The next part."""
        self._size += len(chunk)
        self._digest.update(chunk)

    def told(self, who: Identity | None) -> bytes:
        """The answer: who asked, and what came."""
        proven = {"subject": who and who.subject, "scheme": who and who.scheme}
        return json.dumps({**proven, "size": self._size, "sha256": self._digest.hexdigest()}).encode()
