"""A scheme set up to be tried: a guard, its store, a clock, a genuine client and an impostor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.plan import Policy
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Verifier
from watchword.core.verdict import Verdict
from watchword.stores import MemoryStore
from watchword.testing.cases import SchemeCase, case_of
from watchword.testing.clock import Clock
from watchword.testing.seeded import SeededRandom
from watchword.testing.signing import URL, SignedRequest, signed

__all__ = ["SchemeSetup"]


class SchemeSetup:
    """A scheme with a guard, its store, one clock and one random source; requests of a genuine client and of an impostor.

    Args:
        case: the scheme.
        clock: the time of guard, store and clients; None: one of its own.
        random: the random octets of guard and clients; None: the same in every run.
        verifier: the server half; None: `case.verifier()`.
        observe: as the guard's.

    >>> from watchword.testing import assert_accepted, assert_refused
    >>> setup = SchemeSetup.of("hmac")
    >>> once = setup.genuine("POST", body=b"pay 10")
    >>> assert_accepted(setup.guard, *once).subject
    'alice'
    >>> assert_refused(setup.guard, *once, reason=Reason.REPLAYED).refusal.status
    401
    """

    def __init__(
        self,
        case: SchemeCase,
        *,
        clock: Clock | None = None,
        random: Callable[[int], bytes] | None = None,
        verifier: Verifier | None = None,
        observe: Callable[[Verdict], None] | None = None,
    ) -> None:
        self.case = case
        self.clock = Clock() if clock is None else clock
        self.random = SeededRandom() if random is None else random
        self.verifier = case.verifier() if verifier is None else verifier
        self.store = MemoryStore(clock=self.clock)
        case.enrol(self.store)
        self.policy = Policy(clock=self.clock, random=self.random)
        self.guard = Guard([self.verifier], self.store, policy=self.policy, observe=observe)
        self._elsewhere = None if case.elsewhere is None else case.elsewhere(self.clock)
        self._auth, self._impostor = case.auth(), case.impostor()

    @classmethod
    def of(cls, scheme: str) -> SchemeSetup:
        """One of our schemes, by its name in `watchword.schemes.SCHEMES`.

        Raises:
            ConfigurationError: no scheme has that name.
        """
        return cls(case_of(scheme))

    def genuine(self, method: str = "GET", url: str = URL, *, body: bytes = b"") -> SignedRequest:
        """A request of the genuine client; each call makes a new one.

        Args:
            method: the method.
            url: where to.
            body: the body.
        """
        return self._signed(self._auth, method, url, body)

    def forged(self, method: str = "GET", url: str = URL, *, body: bytes = b"") -> SignedRequest:
        """The same of the impostor, who knows every name and no secret."""
        return self._signed(self._impostor, method, url, body)

    def _signed(self, auth: Any, method: str, url: str, body: bytes) -> SignedRequest:
        return signed(
            auth, method, url, body=body, guard=self.guard, clock=self.clock, random=self.random, elsewhere=self._elsewhere
        )  # fmt: skip

    def verdict(self, request: Request, body: bytes = b"", *, on_a_loop: bool = False) -> Identity[Any] | Reason:
        """The guard's verdict: who it is, or why not. What is used up is used up.

        Args:
            request: the request.
            body: its body.
            on_a_loop: by the `AsyncGuard` with the same plan, on an event loop of its own.

        Raises:
            StoreUnavailable: nothing could be decided.
        """
        try:
            if on_a_loop:
                return asyncio.run(AsyncGuard.of(self.guard).verify(request, body))
            return self.guard.verify(request, body)
        except Rejected as rejected:
            return rejected.reason
