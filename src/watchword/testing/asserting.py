"""Verdicts as a test demands them; one that differs is explained as `watchword.explain` does it, without any secret."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import iscoroutinefunction
from typing import Any

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import AsyncStore, Found, Outcome, Ref, Spent, Store, Write
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.schemes.explaining import explain, explain_async
from watchword.schemes.explaining.program import Explanation

__all__ = ["assert_accepted", "assert_accepted_async", "assert_refused", "assert_refused_async"]


def assert_accepted(
    guard: Guard, request: Request, body: bytes = b"", *, subject: str | None = None, scheme: str | None = None
) -> Identity[Any]:
    """That `guard` accepts the request; the identity. It is judged as in production: what is used up is used up.

    Args:
        guard: the guard.
        request: the request as the server gets it.
        body: its body.
        subject: who it has to be from; None: anybody.
        scheme: by which scheme; None: any.

    Raises:
        AssertionError: it is refused, or from somebody else; with the explanation.
        StoreUnavailable: nothing could be decided.
        ConfigurationError: it is an `AsyncGuard`.

    >>> from watchword import BasicAuth, BasicVerifier
    >>> from watchword.stores import MemoryStore
    >>> from watchword.testing import signed
    >>> store = MemoryStore()
    >>> store.add_user("alice", "open sesame")
    >>> guard = Guard([BasicVerifier(realm="orders")], store)
    >>> assert_accepted(guard, *signed(BasicAuth("alice", "open sesame")), subject="alice")
    Identity(subject='alice', scheme='basic', key_id=None, scopes=[])
    """
    __tracebackhide__ = True  # what a failure shows is the explanation
    try:
        identity = _sync(guard).verify(request, body)
    except Rejected as rejected:
        raise _refused(rejected.reason, "accepted", explain(request, guard, body, try_passwords=False)) from None
    _check_from(identity, subject, scheme)
    return identity


async def assert_accepted_async(
    guard: Guard | AsyncGuard,
    request: Request,
    body: bytes = b"",
    *,
    subject: str | None = None,
    scheme: str | None = None,
) -> Identity[Any]:
    """`assert_accepted` on an event loop, for guards of either kind."""
    __tracebackhide__ = True
    judge = AsyncGuard.of(guard)
    try:
        identity = await judge.verify(request, body)
    except Rejected as rejected:
        said = await explain_async(request, judge, body, try_passwords=False)
        raise _refused(rejected.reason, "accepted", said) from None
    _check_from(identity, subject, scheme)
    return identity


def assert_refused(guard: Guard, request: Request, body: bytes = b"", *, reason: Reason | None) -> Rejected:
    """That `guard` refuses the request for this reason; the refusal. It is judged as in production.

    Args:
        guard: the guard.
        request: the request as the server gets it.
        body: its body.
        reason: why; None: for whatever reason. Name it: a request that is refused because its credentials can't be read
            says nothing of whether forged ones would be.

    Raises:
        AssertionError: it is accepted, or refused for another reason; with the explanation.
        StoreUnavailable: nothing could be decided.
        ConfigurationError: it is an `AsyncGuard`.

    >>> from watchword import BasicAuth, BasicVerifier
    >>> from watchword.stores import MemoryStore
    >>> from watchword.testing import signed
    >>> guard = Guard([BasicVerifier(realm="orders")], MemoryStore())
    >>> assert_refused(guard, *signed(BasicAuth("alice", "a guess")), reason=Reason.UNKNOWN_SUBJECT).refusal.status
    401
    """
    __tracebackhide__ = True
    try:
        identity = _sync(guard).verify(request, body)
    except Rejected as rejected:
        if reason is None or rejected.reason is reason:
            return rejected
        said = explain(request, guard, body, try_passwords=False)
        raise _refused(rejected.reason, _expected(reason), said) from None
    raise _accepted(identity, reason, explain(request, _before(guard), body, try_passwords=False))


async def assert_refused_async(
    guard: Guard | AsyncGuard, request: Request, body: bytes = b"", *, reason: Reason | None
) -> Rejected:
    """`assert_refused` on an event loop, for guards of either kind."""
    __tracebackhide__ = True
    judge = AsyncGuard.of(guard)
    try:
        identity = await judge.verify(request, body)
    except Rejected as rejected:
        if reason is None or rejected.reason is reason:
            return rejected
        said = await explain_async(request, judge, body, try_passwords=False)
        raise _refused(rejected.reason, _expected(reason), said) from None
    said = await explain_async(request, _before_async(judge), body, try_passwords=False)
    raise _accepted(identity, reason, said)


def _sync(guard: Guard) -> Guard:
    if isinstance(guard, AsyncGuard):
        raise ConfigurationError("this is an AsyncGuard: await assert_accepted_async(…) or assert_refused_async(…)")
    return guard


def _refused(reason: Reason, expected: str, said: Explanation) -> AssertionError:
    return AssertionError(f"refused: {reason.value}; the test expects it to be {expected}\n{said}")


def _accepted(identity: Identity[Any], reason: Reason | None, said: Explanation) -> AssertionError:
    who = f"{identity.subject!r} by {identity.scheme}"
    return AssertionError(f"accepted: {who}; the test expects it to be {_expected(reason)}\n{said}")


def _check_from(identity: Identity[Any], subject: str | None, scheme: str | None) -> None:
    __tracebackhide__ = True
    if subject in (None, identity.subject) and scheme in (None, identity.scheme):
        return
    expected = f"{'anybody' if subject is None else repr(subject)} by {'any scheme' if scheme is None else scheme}"
    raise AssertionError(
        f"accepted: {identity.subject!r} by {identity.scheme}; the test expects it to be from {expected}"
    )


def _expected(reason: Reason | None) -> str:
    return "refused" if reason is None else f"refused: {reason.value}"


def _before(guard: Guard) -> Guard:
    """The guard as it was before it accepted a request that is good once: its explanation tells why it was accepted."""
    store = guard.plan.store
    return guard if store is None else Guard.by(guard.plan, _Unused(store))


def _before_async(guard: AsyncGuard) -> AsyncGuard:
    store = guard.plan.store
    if store is None:
        return guard
    return AsyncGuard.by(guard.plan, _AwaitedUnused(store) if iscoroutinefunction(store.fetch) else _Unused(store))


class _Unused:
    """A store as a request finds it that was not used yet: without marks of use. Explanations only read."""

    def __init__(self, store: Store) -> None:
        self.kinds = store.kinds
        self.blocking = store.blocking
        self.fetch = lambda refs: store.fetch(_unmarked(refs))
        self.commit = store.commit


class _AwaitedUnused:
    """The same of a store that is awaited."""

    def __init__(self, store: AsyncStore) -> None:
        self.kinds = store.kinds
        self._store = store

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return await self._store.fetch(_unmarked(refs))

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        return await self._store.commit(writes)


def _unmarked(refs: Sequence[Ref[Any]]) -> list[Ref[Any]]:
    return [ref for ref in refs if ref.kind is not Spent]
