"""The two guards: one pipeline, driven in the caller's thread (`Guard`) or on its event loop (`AsyncGuard`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from watchword.core.driver import AsyncChunks, AsyncDriver, Chunks, Driver, once, once_async
from watchword.core.identity import Identity, Verdict
from watchword.core.message import Headers, Request
from watchword.core.pipeline import Admission, admission, answering
from watchword.core.plan import Plan, Policy
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import Rejected
from watchword.core.scheme import Refusal, Verifier
from watchword.core.seal import ResponseSealer, failure

__all__ = ["AsyncGuard", "Guard"]


class Guard:
    """Verifies requests by any of its verifiers.

    Args:
        verifiers: the server halves of the schemes that are accepted.
        store: where users, keys and replay memory are; needed by verifiers that say so.
        policy: public URL, limits, clock, randomness.
        observe: called with one `Verdict` per decision; what it raises propagates.
        proxy: guard a proxy: Proxy-Authorization, Proxy-Authenticate, 407 (RFC 9110 §11.7).
        seal: proves every answer to the client, refusals and anonymous ones too: `SignatureSeal(key)`.

    Raises:
        ConfigurationError: the parts don't fit together; the message says what to change.

    >>> from watchword import BasicVerifier, Rejected, Request
    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> store.add_user("alice", "open sesame")
    >>> guard = Guard([BasicVerifier(realm="orders")], store)
    >>> genuine = Request("GET", "https", "api.example", "/", {"Authorization": "Basic YWxpY2U6b3BlbiBzZXNhbWU="})
    >>> guard.verify(genuine)
    Identity(subject='alice', scheme='basic', key_id=None, scopes=[])
    >>> try:
    ...     guard.verify(Request("GET", "https", "api.example", "/"))
    ... except Rejected as rejected:
    ...     print(rejected.reason, rejected.refusal.response().values(b"www-authenticate"))
    Reason.NO_CREDENTIALS [b'Basic realm="orders", charset="UTF-8"']
    """

    __slots__ = ("driver", "plan")

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        store: Store | None = None,
        *,
        policy: Policy = Policy(),  # noqa: B008 -- an immutable tuple
        observe: Callable[[Verdict], None] | None = None,
        proxy: bool = False,
        seal: ResponseSealer | None = None,
    ) -> None:
        self.plan = Plan(verifiers, store, policy, observe, proxy, seal)
        self.driver = Driver(store)

    def verify(self, request: Request, body: bytes = b"") -> Identity[Any]:
        """Who made the request.

        Raises:
            Rejected: with `rejection` for the operator and `refusal` for the client.
            StoreUnavailable: nothing could be decided.
        """
        known = None if self.plan.shortcut is None else self._known(request)
        if known is not None:
            return known[0]
        recalled = None if self.plan.familiar is None else self.plan.familiar(request)
        if recalled is not None and recalled.identity is not None:
            return recalled.identity
        admitted = self.driver.run(admission(self.plan, request, False, self.plan.clock()), once(body))
        try:
            return _proven(admitted, body)
        except Rejected as rejected:
            rejected.refusal = self.refuse(rejected)
            raise

    def admit(self, request: Request, receive: Chunks, *, optional: bool = False) -> Admission:
        """For adapters: `verify`, with what the answer needs. `receive()` gives body chunks and b"" at the end.

        With `optional` a request without credentials is admitted with the identity None.
        """
        known = None if self.plan.shortcut is None else self._known(request)
        if known is not None:
            return Admission(known[0], verifier=known[1])
        recalled = None if self.plan.familiar is None else self.plan.familiar(request)
        return recalled or self.driver.run(admission(self.plan, request, optional, self.plan.clock()), receive)

    def _known(self, request: Request) -> tuple[Identity[Any], Verifier] | None:
        assert self.plan.shortcut is not None
        try:
            return self.plan.shortcut(request.headers, request.query or b"", request.peer.address)
        except Rejected as rejected:
            rejected.refusal = self.refuse(rejected)
            raise

    def at_once(self, headers: Headers, query: bytes, address: str) -> Admission | None:
        """For adapters: what `admit` would answer, where the fields alone decide; None: ask it. `address` is the peer's.

        Raises:
            Rejected: without its `refusal`: ask `refuse`.
        """
        return _at_once(self.plan, headers, query, address)

    def refuse(self, rejected: Rejected, request: Request | None = None) -> Refusal:
        """The answer to a request that the application refuses: missing scopes, or anonymous where it may not be.

        Args:
            rejected: why; best what `Admission.lacking` gave.
            request: the refused one, which a guard with a seal has to know if `rejected` doesn't come from an admission.

        Raises:
            ConfigurationError: it has a seal, and doesn't know.
        """
        return self.driver.run(answering(self.plan, rejected, request), once(b""))

    def failure(self, request: Request) -> Refusal:
        """For adapters of a guard with a seal: the answer where the application, or the guard, failed."""
        return failure(self.plan, request)


class AsyncGuard:
    """`Guard` for an event loop: same arguments, same verdicts; slow work runs in a thread.

    Args:
        store: a `Store` (called directly if it never blocks, else in a thread) or an `AsyncStore`.

    >>> import asyncio
    >>> from watchword import BearerAuth, JWTVerifier, Key, Request, Rejected
    >>> guard = AsyncGuard([JWTVerifier(Key.generate("HS256"))])
    >>> try:
    ...     asyncio.run(guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": "Bearer x"})))
    ... except Rejected as rejected:
    ...     print(rejected.reason)
    Reason.MALFORMED_CREDENTIALS
    """

    __slots__ = ("_familiar", "driver", "plan")

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        store: Store | AsyncStore | None = None,
        *,
        policy: Policy = Policy(),  # noqa: B008 -- an immutable tuple
        observe: Callable[[Verdict], None] | None = None,
        proxy: bool = False,
        seal: ResponseSealer | None = None,
    ) -> None:
        self._bind(Plan(verifiers, store, policy, observe, proxy, seal))

    @classmethod
    def of(cls, guard: Guard | AsyncGuard) -> AsyncGuard:
        """The guard itself, or the async one with the same plan."""
        if isinstance(guard, AsyncGuard):
            return guard
        self = object.__new__(cls)
        self._bind(guard.plan)
        return self

    def _bind(self, plan: Plan) -> None:
        self.plan = plan
        self.driver = AsyncDriver(plan.store)
        self._familiar = None if getattr(plan.store, "blocking", True) else plan.familiar

    async def verify(self, request: Request, body: bytes = b"") -> Identity[Any]:
        """Who made the request; raises as `Guard.verify`."""
        admitted = await self.admit(request, once_async(body))
        try:
            return _proven(admitted, body)
        except Rejected as rejected:
            rejected.refusal = await self.refuse(rejected)
            raise

    def at_once(self, headers: Headers, query: bytes, address: str) -> Admission | None:
        """As `Guard.at_once`."""
        return _at_once(self.plan, headers, query, address)

    def admit(self, request: Request, receive: AsyncChunks, *, optional: bool = False) -> Awaitable[Admission]:
        """For adapters; as `Guard.admit`."""
        if self._familiar is not None and (recalled := self._familiar(request)) is not None:
            return _ready(recalled)
        return self.driver.run(admission(self.plan, request, optional, self.plan.clock()), receive)

    async def refuse(self, rejected: Rejected, request: Request | None = None) -> Refusal:
        """As `Guard.refuse`."""
        return await self.driver.run(answering(self.plan, rejected, request), once_async(b""))

    def failure(self, request: Request) -> Refusal:
        """As `Guard.failure`."""
        return failure(self.plan, request)


async def _ready(admitted: Admission) -> Admission:
    return admitted


def _at_once(plan: Plan, headers: Headers, query: bytes, address: str) -> Admission | None:
    known = None if plan.shortcut is None else plan.shortcut(headers, query, address)
    return None if known is None else Admission(known[0], verifier=known[1])


def _proven(admitted: Admission, body: bytes) -> Identity[Any]:
    """The identity, once the body has passed the check that goes on after the decision (STREAM)."""
    if admitted.stream is not None:
        try:
            admitted.stream.feed(body)
            admitted.stream.end()
        except Rejected as rejected:
            admitted.blamed(rejected)
            raise
    assert admitted.identity is not None
    return admitted.identity
