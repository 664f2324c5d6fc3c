"""The two guards: one pipeline, driven in the caller's thread (`Guard`) or on its event loop (`AsyncGuard`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from watchword.core.admission import Admission
from watchword.core.answer import Refusal, ResponseSealer
from watchword.core.identity import Identity
from watchword.core.io import AsyncChunks, Awaited, Chunks, Direct, drive, once, once_async
from watchword.core.message import Request
from watchword.core.pipeline import Pipeline
from watchword.core.plan import Plan, Policy
from watchword.core.records import AsyncStore, Store
from watchword.core.refusing import answer
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Verifier
from watchword.core.seal import failure
from watchword.core.taking_back import take_back
from watchword.core.verdict import Verdict

if TYPE_CHECKING:
    from asyncio import Future  # `import watchword` must not load asyncio

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

    __slots__ = ("_admit", "io", "plan")

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
        _check_never_awaits(self.plan.verifiers)
        self.io = Direct(store)
        self._admit = Pipeline(self.plan, self.io).admit

    @classmethod
    def by(cls, plan: Plan, store: Store | None) -> Guard:
        """A guard by the plan of another one, whose look-ups go to `store`: for explanations in a thread of their own."""
        self = object.__new__(cls)
        self.plan, self.io = plan, Direct(store)
        self._admit = Pipeline(plan, self.io).admit
        return self

    def verify(self, request: Request, body: bytes = b"") -> Identity[Any]:
        """The identity of the request's maker.

        Raises:
            Rejected: with `rejection` for the operator and `refusal` for the client.
            StoreUnavailable: nothing could be decided.
        """
        admitted = self._admit(request, once(body) if body else bytes, False)
        if not isinstance(admitted, Admission):
            admitted = drive(admitted)
        try:
            return _proven(admitted, body)
        except Rejected as rejected:
            rejected.refusal = self.refuse(rejected)
            raise

    def admit(
        self, request: Request, receive: Chunks, *, optional: bool = False, gone: Callable[[], bool] | None = None
    ) -> Admission:
        """For adapters: `verify`, with all that the answer needs.

        Args:
            request: the request.
            receive: gives the body's chunks, and b"" at the end.
            optional: admit a request without credentials, with the identity None.
            gone: whether the client has left; asked when the turn of a request has come that waited for a password hash.

        Raises:
            Rejected: as `verify`.
            StoreUnavailable: as `verify`.
            ClientGone: as `gone` says; nothing was verified, and nobody is there to be answered.
        """
        admitted = self._admit(request, receive, optional, gone)
        return admitted if isinstance(admitted, Admission) else drive(admitted)

    def refuse(self, rejected: Rejected, request: Request | None = None) -> Refusal:
        """The answer to a request that the application refuses: missing scopes, or anonymous where it may not be.

        Args:
            rejected: why; best what `Admission.missing_scopes` gave.
            request: the refused one, which a guard with a seal has to know if `rejected` doesn't come from an admission.

        Raises:
            ConfigurationError: it has a seal, and doesn't know.
        """
        return drive(answer(self.plan, self.io, rejected, request))

    def take_back(self, admission: Admission) -> None:
        """For adapters: the application failed (an exception, or a status of 500 or above). Call it before the answer goes out.

        A webhook is accepted again then when its sender tries again, unless its verifier says `remember="verified"`. Nothing
        else has anything to give back. What the store can't do is logged.
        """
        if admission.provisional:
            drive(take_back(self.plan, self.io, admission))

    def failure(self, request: Request) -> Refusal:
        """For adapters of a guard with a seal: the answer where the application, or the guard, failed."""
        return failure(self.plan, request)


class AsyncGuard:
    """`Guard` for an event loop: same arguments, same verdicts; slow work runs in a thread.

    For adapters, `begin` is `admit` without a coroutine of its own: it gives the admission where nothing has to be waited
    for, else what is to be awaited for it.

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

    __slots__ = ("begin", "io", "plan")

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
        self._bind(Plan(verifiers, store, policy, observe, proxy, seal), store)

    @classmethod
    def of(cls, guard: Guard | AsyncGuard) -> AsyncGuard:
        """The guard itself, or the async one with the same plan."""
        if isinstance(guard, AsyncGuard):
            return guard
        return cls.by(guard.plan, guard.plan.store)

    @classmethod
    def by(cls, plan: Plan, store: Store | AsyncStore | None) -> AsyncGuard:
        """As `Guard.by`."""
        self = object.__new__(cls)
        self._bind(plan, store)
        return self

    def _bind(self, plan: Plan, store: Store | AsyncStore | None) -> None:
        self.plan = plan
        self.io = Awaited(store)
        self.begin = Pipeline(plan, self.io).admit

    async def verify(self, request: Request, body: bytes = b"") -> Identity[Any]:
        """The identity of the request's maker; raises as `Guard.verify`."""
        admitted = await self.admit(request, once_async(body))
        try:
            return _proven(admitted, body)
        except Rejected as rejected:
            rejected.refusal = await self.refuse(rejected)
            raise

    async def admit(
        self,
        request: Request,
        receive: AsyncChunks,
        *,
        optional: bool = False,
        gone: Callable[[], Future[object]] | None = None,
    ) -> Admission:
        """For adapters; as `Guard.admit`. `gone` is called if the request has to wait for a password hash.

        It begins to watch and gives a future, the same at every call, that is done once the client has left.
        """
        admitted = self.begin(request, receive, optional, gone)
        return admitted if isinstance(admitted, Admission) else await admitted

    async def refuse(self, rejected: Rejected, request: Request | None = None) -> Refusal:
        """As `Guard.refuse`."""
        return await answer(self.plan, self.io, rejected, request)

    async def take_back(self, admission: Admission) -> None:
        """As `Guard.take_back`."""
        if admission.provisional:
            await take_back(self.plan, self.io, admission)

    def failure(self, request: Request) -> Refusal:
        """As `Guard.failure`."""
        return failure(self.plan, request)


def _check_never_awaits(verifiers: Sequence[Verifier]) -> None:
    """Refuses what a guard in the caller's thread can't ask: look-ups that are coroutine functions."""
    for verifier in verifiers:
        if getattr(verifier, "awaited", False):
            raise ConfigurationError(
                f"the look-up of {type(verifier).__name__} is a coroutine function: use AsyncGuard, or a plain function"
            )


def _proven(admitted: Admission, body: bytes) -> Identity[Any]:
    """The identity, once the body has passed the check that goes on after the decision (STREAM)."""
    if admitted.stream is not None:
        try:
            admitted.stream.feed(body)
            admitted.stream.end()
        except Rejected as rejected:
            admitted.attributed(rejected)
            raise
    assert admitted.identity is not None
    return admitted.identity
