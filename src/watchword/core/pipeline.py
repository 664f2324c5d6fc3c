"""read > fetch > body > decide > commit: the one way through a guard.

The order is the security property: limits and grammar come before look-ups, look-ups before the body, the body before
cryptography, and replay memory is only touched by credentials that proved genuine. It is written once, as coroutines that
never know who drives them (`core.io`), and it is the same for every scheme and every configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

from watchword.core.admission import Admission
from watchword.core.answer import Refusal, Seal
from watchword.core.attempts import Attempt, giving_back, is_guess, reserve, too_many
from watchword.core.body import check_declared
from watchword.core.dispatch import Addressee, is_tentative
from watchword.core.io import IO, fetch_more
from watchword.core.line import Whose
from watchword.core.message import Headers, Request
from watchword.core.networks import network_of, networks_of
from watchword.core.plan import Plan
from watchword.core.records import (
    COMMITTED, NOTHING_FOUND, Add, Committed, Exceeded, Found, Outcome, Ref, Replayed, Write,
)  # fmt: skip
from watchword.core.refusing import refuse
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import NO_BODY, STREAM, UNUSED, Body, Claim, Decision, More
from watchword.core.seal import seal_for, sealed
from watchword.core.slow_work import Turn, take_turn
from watchword.core.verdict import accepted, refused

__all__ = ["Pipeline"]

R = TypeVar("R")
G = TypeVar("G")

ROUNDS: Final = 3
"""How often a claim is judged while the versions of its records move."""


class _Case:
    """One claim on its way to a verdict. `passing` are the writes that go with the verdict on fast work:

    they are refused where a window of attempts is full by then.
    """

    __slots__ = ("addressee", "attempt", "body", "claim", "found", "passing", "refs", "request")

    def __init__(self, request: Request, addressee: Addressee, claim: Claim, attempt: Attempt | None) -> None:
        self.request = request
        self.addressee = addressee
        self.claim = claim
        self.attempt = attempt
        counted = () if attempt is None else attempt.refs
        self.refs: Sequence[Ref[Any]] = (*addressee.standing, *claim.needs, *counted)
        self.found: Found = NOTHING_FOUND
        self.body: Body = NO_BODY
        self.passing: Sequence[Add] = ()


class Pipeline(Generic[R, G]):
    """Judges the requests of one guard."""

    __slots__ = ("_io", "_locate", "_plan")

    def __init__(self, plan: Plan, io: IO[R, G]) -> None:
        self._plan = plan
        self._io = io
        self._locate = plan.dispatch.locate

    async def admit(self, request: Request, receive: R, optional: bool, gone: G | None = None) -> Admission:
        """Admits `request`.

        Args:
            request: as the server saw it.
            receive: gives the chunks of the body.
            optional: admit a request without credentials, with the identity None.
            gone: tells whether the client has left, so that no password is hashed for nobody.

        Raises:
            Rejected, StoreUnavailable: with the `refusal` set.
        """
        plan = self._plan
        started = 0.0 if plan.observe is None else plan.clock()
        seal = None if plan.seal is None else seal_for(plan, request)
        case: _Case | None = None
        decision: Decision | None = None
        try:
            try:
                request, addressee, claim, early = self._locate(request)
                if addressee is not None and claim is not None:
                    case = _Case(request, addressee, claim, self._attempt(addressee, claim, request))
                    decision = await self._decide(case, early, receive, gone)
                elif not optional:
                    raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
            except Rejected as rejected:
                if not optional or rejected.reason is not Reason.NO_CREDENTIALS or not _is_anonymous(case):
                    await self._refuse(rejected, case, seal)
                    raise
        except (Rejected, StoreUnavailable) as error:
            if isinstance(error, StoreUnavailable):
                error.refusal = sealed(plan, Refusal(503), seal)
            if plan.observe is not None:
                plan.observe(refused(case and case.addressee.verifier, error, plan.clock() - started))
            raise
        if plan.observe is not None:
            plan.observe(accepted(case and case.addressee.verifier, decision, plan.clock() - started))
        return self._admission(case, decision, request.method, seal)

    def _attempt(self, addressee: Addressee, claim: Claim, request: Request) -> Attempt | None:
        """The counters of a claim whose secret can be guessed; None where nothing is counted."""
        limiter = self._plan.attempts
        if limiter is None or not addressee.guessable:
            return None
        guesses: str | None = getattr(claim, "guesses", None)
        return None if guesses is None else limiter.attempt(guesses, network_of(request.peer.address))

    async def _decide(self, case: _Case, early: bool, receive: R, gone: G | None) -> Decision:
        """fetch > body > decide > commit."""
        plan, claim, attempt = self._plan, case.claim, case.attempt
        need = claim.body
        reads = need is not UNUSED and need is not STREAM
        if early and not case.addressee.single_use:
            detail = f"{case.addressee.verifier.scheme} credentials can be replayed"
            raise Rejected(Reason.EARLY_DATA, detail, where="early-data")
        if reads:
            check_declared(case.request, plan.limits.body)
        if case.refs:
            case.found = await self._io.fetch(case.refs)
        if attempt is not None:
            case.passing = attempt.room(case.found, plan.clock())
        if reads:
            case.body = await self._io.read(receive, need, plan.limits.body)
            if attempt is not None:  # a window may have ended meanwhile
                case.passing = attempt.passing(case.found, plan.clock())
        if claim.slow(case.found):
            return await self._decide_slowly(case, gone)
        return await self._commit(case, (), None)

    async def _decide_slowly(self, case: _Case, gone: G | None) -> Decision:
        """Judges a claim whose work takes milliseconds: counted first, then in its turn if its secret can be guessed."""
        if not case.addressee.guessable:
            return await self._commit(case, (), Turn())
        plan, io, claim, attempt = self._plan, self._io, case.claim, case.attempt

        async def count() -> Sequence[Add]:
            now = plan.clock()
            adds = () if attempt is None else attempt.adds(case.found, now)
            if adds:
                await reserve(io, adds, now)
            return adds

        async def is_still_slow() -> bool:
            if case.refs:
                case.found = await io.fetch(case.refs)
            return claim.slow(case.found)

        known = attempt is not None and attempt.is_known(case.found, plan.clock())
        whose = Whose(known, networks_of(case.request.peer.address), getattr(claim, "flight", None))
        turn = await take_turn(io, plan.line, whose, count, is_still_slow, gone)
        try:
            if attempt is not None:
                case.passing = () if turn.held else attempt.passing(case.found, plan.clock())
            return await self._commit(case, turn.held, turn if turn.slow else None)
        finally:
            turn.end()

    async def _commit(self, case: _Case, held: Sequence[Add], turn: Turn | None) -> Decision:
        """decide > commit, again while versions move; with `turn` the work is slow. `held` is given back on success."""
        plan, io, attempt, now = self._plan, self._io, case.attempt, self._plan.clock()
        back = giving_back(held) if held else ()
        for _ in range(ROUNDS):
            try:
                # The clock is read here, after the body: whoever sends a body slowly must not win time by it.
                if turn is None:
                    decision = case.claim.decide(case.found, case.body, plan.clock(), plan.random)
                else:
                    decide = partial(case.claim.decide, case.found, case.body, plan.clock(), plan.random)
                    decision = await turn.work(io, decide)
                if isinstance(decision, More):
                    decision = await self._decide_with_more(case, decision)
            except Rejected as rejected:
                if attempt is not None and not held:
                    await self._count(rejected, attempt, case, now)
                if rejected.rejection.genuine:
                    rejected.writes = (*rejected.writes, *back)
                raise
            writes = (*case.passing, *decision.writes, *back)
            outcome = (await io.commit(writes)) if writes else COMMITTED
            if isinstance(outcome, Committed):
                notes = () if attempt is None else attempt.remembering(case.found, now)
                if notes or decision.notes:
                    await self._note(notes, decision.notes)
                if decision.learn is not None:
                    decision.learn()
                return decision
            _check_outcome(outcome, back, now)
            if case.refs:
                case.found = await io.fetch(case.refs)
        raise StoreUnavailable("the records kept changing while they were judged")

    async def _decide_with_more(self, case: _Case, more: More) -> Decision:
        """The verdict on a claim that asks for more records, which it may do twice."""
        plan, io, claim = self._plan, self._io, case.claim
        for _ in range(2):
            case.found = await fetch_more(io, more, case.found)
            decide = partial(claim.decide, case.found, case.body, plan.clock(), plan.random)
            answer = (await io.work(decide)) if claim.slow(case.found) else decide()
            if not isinstance(answer, More):
                return answer
            more = answer
        raise AssertionError("a scheme asked for more records more than twice")

    async def _count(self, rejected: Rejected, attempt: Attempt, case: _Case, now: float) -> None:
        """Counts a wrong guess of fast work. An answer that tells a right guess passes the same test as an acceptance.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS.
        """
        if rejected.rejection.genuine:
            await reserve(self._io, case.passing, now)  # "stale" says as well that the guess was right
        elif is_guess(rejected):
            await reserve(self._io, attempt.adds(case.found, now), now)

    async def _note(self, *notes: Sequence[Write]) -> None:
        """Commits records that decide nothing, if that can be done: some stores only look up."""
        for writes in notes:
            if writes:
                with suppress(StoreUnavailable, ConfigurationError):
                    await self._io.commit(writes)

    async def _refuse(self, rejected: Rejected, case: _Case | None, seal: Seal | None) -> None:
        found = NOTHING_FOUND if case is None else case.found
        if rejected.verifier is None and case is not None:
            rejected.verifier = case.addressee.verifier
        rejected.refusal = sealed(self._plan, await refuse(self._plan, self._io, rejected, found), seal)

    def _admission(self, case: _Case | None, decision: Decision | None, method: str, seal: Seal | None) -> Admission:
        """What the guard lets through; without a decision it is anonymous, with the body that was read to find that out."""
        body = None if case is None or case.body is NO_BODY else case.body.data
        if case is None or decision is None:
            admission = Admission(None, body)
        else:
            lines = self._private(case.addressee, decision.response_headers)
            admission = Admission(
                decision.identity, body, lines, decision.seal, decision.stream, case.addressee.verifier
            )
        return admission if seal is None else admission.sealed_by(seal, method, self._plan.proxy)

    def _private(self, addressee: Addressee, lines: Headers) -> Headers:
        """Caches know that Authorization makes an answer personal, but not other fields (RFC 9111 §3.5)."""
        if not self._plan.dispatch.looks_beside_authorization or addressee.only_in_authorization:
            return lines
        return (*lines, (b"cache-control", b"private"))


def _is_anonymous(case: _Case | None) -> bool:
    """Whether a request of which it is said that it has no credentials may pass where credentials are optional."""
    return case is not None and is_tentative(case.claim)


def _check_outcome(outcome: Outcome, back: Sequence[Write], now: float) -> None:
    """Nothing, if another try may succeed (Conflict).

    Raises:
        Rejected: REPLAYED or TOO_MANY_ATTEMPTS.
    """
    if isinstance(outcome, Replayed):
        raise Rejected(Reason.REPLAYED, "these credentials were used before", genuine=True, writes=back)
    if isinstance(outcome, Exceeded):
        raise too_many(outcome.write.counter, outcome.until - now)
