"""A short way for credentials of who was admitted before: the same admission as the pipeline's, without its steps.

It does what `core.pipeline` does where nothing goes wrong and nothing waits: look up, judge, commit, in a straight line
instead of a generator that a driver runs, which takes a third of the time. It only ever admits. Whatever else it meets (a
window that is full, credentials that don't fit, a replay, a store that does not answer), it has written nothing by then,
and leaves the request to the pipeline, which begins anew and has the only word on refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from watchword.core.admission import Admission
from watchword.core.attempts import network_of
from watchword.core.message import Headers, Request
from watchword.core.records import COMMITTED, Committed, Found, Ref
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable

if TYPE_CHECKING:
    from watchword.core.plan import Plan
    from watchword.core.scheme import Decision

__all__ = ["Familiar", "Recall", "Recalling", "familiar", "only_authorization"]

_COMMA = 0x2C  # as a number: looking for one octet as text takes ten times as long

Recall = Callable[[Request], Admission | None]
"""The admission of a request; None: judge it, for nothing was decided."""


class Familiar(Protocol):
    """A claim of somebody who was admitted before. It needs no body, reserves nothing and is never slow."""

    @property
    def needs(self) -> Sequence[Ref[Any]]:
        """As `Claim.needs`."""
        ...

    @property
    def guesses(self) -> str:
        """As `core.attempts.Guess`; of a verifier that is not `guessable` it is not asked."""
        ...

    def affirm(self, found: Found, now: float, /) -> Decision | None:
        """What `decide` answers for genuine credentials, without notes; None for any others. Pure."""
        ...


@runtime_checkable
class Recalling(Protocol):
    """A verifier that knows some credentials by those that were admitted before."""

    def recall(self, authorization: bytes, request: Request, /) -> Familiar | None:
        """The claim, where `read` would give an equal one; None: ask that.

        `authorization` is the request's one field; whether it begins with the verifier's word is for this to see.
        """
        ...


def familiar(plan: Plan) -> Recall | None:
    """The short way of a guard; None where no verifier has one, other fields count as well, or the store is awaited."""
    if plan.store is None or iscoroutinefunction(plan.store.fetch) or plan.fields or plan.queries or plan.proxy:
        return None
    if any(part is not None for part in (plan.public_url, plan.observe, plan.seal)):
        return None
    ways = {word: _way(plan, verifier) for word, verifier in plan.words.items() if isinstance(verifier, Recalling)}
    only = next(iter(ways.values())) if len(ways) == 1 else None  # which looks at the scheme word itself
    longest = plan.limits.field

    def admit(request: Request) -> Admission | None:
        authorization = only_authorization(request.headers)
        if authorization is None or len(authorization) > longest:
            return None
        way = only or ways.get(authorization.partition(b" ")[0].lower())
        return None if way is None else way(authorization, request)

    return admit if ways else None


def _way(plan: Plan, verifier: Any) -> Callable[[bytes, Request], Admission | None]:
    store, clock, standing, recall = plan.store, plan.clock, tuple(verifier.standing), verifier.recall
    limiter = plan.attempts if getattr(verifier, "guessable", False) else None

    def admit(authorization: bytes, request: Request) -> Admission | None:
        claim: Familiar | None = recall(authorization, request)
        if claim is None:
            return None
        attempt = None if limiter is None else limiter.attempt(claim.guesses, network_of(request.peer.address))
        try:
            if attempt is None:
                found, now = store.fetch((*standing, *claim.needs)), clock()
                passing: Sequence[Any] = ()
            else:
                found, now = store.fetch((*standing, *claim.needs, *attempt.refs)), clock()
                passing = attempt.room(found, now)
            decision = claim.affirm(found, now)
            if decision is None:
                return None
            writes = (*passing, *decision.writes)
            if not isinstance(store.commit(writes) if writes else COMMITTED, Committed):
                return None
        except (Rejected, StoreUnavailable):
            return None
        if attempt is not None and (notes := attempt.remembering(found, now)):
            with suppress(StoreUnavailable, ConfigurationError):
                store.commit(notes)
        return Admission(decision.identity, None, decision.response_headers, decision.seal, decision.stream, verifier)

    return admit


def only_authorization(headers: Headers) -> bytes | None:
    """The value of Authorization, where there is one, at most one Host, and nothing to say that this was early data."""
    authorization = host = None
    for name, value in headers:
        if name == b"authorization":
            if authorization is not None:
                return None
            authorization = value
        elif name == b"host":
            if host is not None or _COMMA in value:
                return None
            host = value
        elif name == b"early-data":
            return None
    return authorization
