"""What an issuer does that doesn't do as it should; the programs that ask it have to live with each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from watchword.core.message import Headers

__all__ = ["Gate", "Misbehaviour", "Reply"]

_HUGE: Final = 8 * 1024 * 1024
"""Octets of an answer that nobody should read to its end."""
_JSON: Final = (b"content-type", b"application/json")


class Misbehaviour(Enum):
    """One kind. `FakeIssuer.misbehaving(kind)` switches it on."""

    SLOW = "slow"
    """Answers when `release()` is called, and not before: nobody has to wait by the clock."""
    HUGE = "huge"
    """Answers rightly, after megabytes of white space."""
    REDIRECTING = "redirecting"
    """Points elsewhere, where the right answer is."""
    WRONG_ISSUER = "wrong_issuer"
    """Says in its metadata, in the tokens that it gives to clients, and in callbacks, that it is another issuer."""
    UNNAMED = "unnamed"
    """Names no issuer in its callbacks, though its metadata says that it does."""
    CREATED = "created"
    """Answers 201 where others answer 200."""
    DROPPED = "dropped"
    """Ends the connection in the middle of its answer."""
    GARBAGE = "garbage"
    """Answers 200 with octets that mean nothing, and calls them JSON."""
    FAILING = "failing"
    """Answers 500."""


class Reply(NamedTuple):
    """An answer. `cut` says that the connection ends before all of it is sent."""

    status: int
    headers: Headers
    body: bytes
    cut: bool = False

    def __repr__(self) -> str:
        # The body may be a token.
        return f"Reply({self.status}, body: {len(self.body)} octets)"

    def misbehaving(self, kind: Misbehaviour, elsewhere: str, random: Callable[[int], bytes]) -> Reply:
        """The answer as an issuer gives it that misbehaves so; `elsewhere` is where a redirect points."""
        if kind is Misbehaviour.HUGE:
            return self._replace(body=b" " * _HUGE + self.body)
        if kind is Misbehaviour.REDIRECTING:
            return Reply(302, ((b"location", elsewhere.encode()),), b"")
        if kind is Misbehaviour.DROPPED:
            return self._replace(cut=True)
        if kind is Misbehaviour.GARBAGE:
            return Reply(200, (_JSON,), random(64))
        if kind is Misbehaviour.FAILING:
            return Reply(500, ((b"content-type", b"text/html"),), b"<h1>Internal Server Error</h1>")
        if kind is Misbehaviour.CREATED and self.status == 200:
            return self._replace(status=201)
        return self  # slow, or wrong in what it says


class Gate:
    """Holds whoever comes while it is shut."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._arrivals = threading.Semaphore(0)

    def shut(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def passed(self) -> None:
        """Returns once it is open."""
        if not self._open.is_set():
            self._arrivals.release()
            self._open.wait()

    def arrived(self, timeout: float | None) -> bool:
        """Waits until somebody is held; whether somebody is. Each who comes counts once."""
        return self._arrivals.acquire(timeout=timeout)
