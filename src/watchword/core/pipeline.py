"""read > fetch > body > decide > commit: the one way through a guard.

The order is the security property: limits and grammar come before look-ups, look-ups before the body, the body before
cryptography, and replay memory is only touched by credentials that proved genuine. It is written once, as coroutines that
never know who drives them (`core.io`), and it is the same for every scheme and every configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Generic, TypeVar

from watchword.core.admission import Admission
from watchword.core.answer import Refusal, Seal
from watchword.core.attempts import Attempt, giving_back, is_guess, reserve, too_many
from watchword.core.body import check_declared
from watchword.core.dispatch import Case, is_tentative
from watchword.core.io import IO, fetch_more
from watchword.core.message import Request
from watchword.core.networks import network_of, networks_of
from watchword.core.plan import Plan
from watchword.core.records import (
    COMMITTED, NOTHING_FOUND, Add, Committed, Exceeded, Outcome, Replayed, Write,
)  # fmt: skip
from watchword.core.refusing import refuse
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import NO_BODY, STREAM, UNUSED, Decision, More
from watchword.core.seal import seal_for, sealed
from watchword.core.slow_work import Applicant, Turn, take_turn
from watchword.core.verdict import accepted, refused

__all__ = ["Pipeline"]

R = TypeVar("R")
G = TypeVar("G")

ROUNDS: Final = 3
"""How often a claim is judged while the versions of its records move."""


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
        case: Case | None = None
        decision: Decision | None = None
        try:
            try:
                case = self._locate(request)
                if case is not None:
                    decision = await self._judge(case, receive, gone)
                elif not optional:
                    raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
            except Rejected as rejected:
                if not optional or rejected.reason is not Reason.NO_CREDENTIALS or not _is_anonymous(case):
                    raise await self._refused(rejected, case, seal) from None
        except (Rejected, StoreUnavailable) as error:
            if isinstance(error, StoreUnavailable):
                error.refusal = sealed(plan, Refusal(503), seal)
            if plan.observe is not None:
                plan.observe(refused(case and case.addressee.verifier, error, plan.clock() - started))
            raise
        if plan.observe is not None:
            plan.observe(accepted(case and case.addressee.verifier, decision, plan.clock() - started))
        admission = _admission(case, decision)
        return admission if seal is None else admission.sealed_by(seal, request.method, plan.proxy)

    async def _judge(self, case: Case, receive: R, gone: G | None) -> Decision:
        """fetch > body > decide > commit; what a claim doesn't need is left out."""
        plan, claim = self._plan, case.claim
        if case.addressee.prepares or claim.needs or claim.body is not UNUSED or case.early:
            await self._prepare(case, receive)
        if claim.slow(case.found):
            return await self._judge_slowly(case, gone)
        case.judging = True
        # The clock is read here, after the body: whoever sends a body slowly must not win time by it.
        answer = claim.decide(case.found, case.body, plan.clock(), plan.random)
        if isinstance(answer, More) or answer.writes or answer.notes or case.attempt is not None:
            return await self._commit(case, answer)
        if answer.learn is not None:
            answer.learn()
        return answer

    async def _prepare(self, case: Case, receive: R) -> None:
        """fetch > body."""
        plan, addressee, need = self._plan, case.addressee, case.claim.body
        if case.early and not addressee.single_use:
            detail = f"{addressee.verifier.scheme} credentials can be replayed"
            raise Rejected(Reason.EARLY_DATA, detail, where="early-data")
        reads = need is not UNUSED and need is not STREAM
        if reads:
            check_declared(case.request, plan.limits.body)
        attempt = case.attempt = self._attempt(case)
        counters = () if attempt is None else attempt.refs
        case.refs = (*addressee.standing, *case.claim.needs, *counters)
        if case.refs:
            case.found = await self._io.fetch(case.refs)
        if attempt is not None:
            case.passing = attempt.room(case.found, plan.clock())
        if reads:
            case.body = await self._io.read(receive, need, plan.limits.body)
            if attempt is not None:  # a window may have ended meanwhile
                case.passing = attempt.passing(case.found, plan.clock())

    def _attempt(self, case: Case) -> Attempt | None:
        """The counters of a claim whose secret can be guessed."""
        limiter = self._plan.attempts
        guesses: str | None = getattr(case.claim, "guesses", None) if case.addressee.guessable else None
        if limiter is None or guesses is None:
            return None
        return limiter.attempt(guesses, network_of(case.request.peer.address))

    async def _judge_slowly(self, case: Case, gone: G | None) -> Decision:
        """Judges a claim whose work takes milliseconds: counted first, then in its turn if its secret can be guessed."""
        plan, io, claim, attempt = self._plan, self._io, case.claim, case.attempt
        if not case.addressee.guessable:
            case.turn = Turn()
            return await self._commit(case, await self._decide(case))

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
        applicant = Applicant(known, networks_of(case.request.peer.address), getattr(claim, "flight", None))
        turn = case.turn = await take_turn(io, plan.line, applicant, count, is_still_slow, gone)
        try:
            if attempt is not None:
                case.passing = () if turn.held else attempt.passing(case.found, plan.clock())
            return await self._commit(case, await self._decide(case))
        finally:
            turn.end()

    async def _decide(self, case: Case) -> Decision | More:
        case.judging = True
        decide = partial(case.claim.decide, case.found, case.body, self._plan.clock(), self._plan.random)
        if case.turn is None or not case.turn.slow:
            return decide()
        return await case.turn.work(self._io, decide)

    async def _commit(self, case: Case, answer: Decision | More) -> Decision:
        """Commits the decision; decides again while the versions of its records move."""
        now = self._plan.clock()
        back = giving_back(case.turn.held) if case.turn is not None else ()
        for _ in range(ROUNDS):
            decision = (await self._decide_with_more(case, answer)) if isinstance(answer, More) else answer
            writes = (*case.passing, *decision.writes, *back)
            outcome = (await self._io.commit(writes)) if writes else COMMITTED
            if isinstance(outcome, Committed):
                await self._note(case, decision, now)
                if decision.learn is not None:
                    decision.learn()
                return decision
            case.judging = False  # it is no guess: the secret was right
            _check_outcome(outcome, now)
            if case.refs:
                case.found = await self._io.fetch(case.refs)
            answer = await self._decide(case)
        raise StoreUnavailable("the records kept changing while they were judged")

    async def _decide_with_more(self, case: Case, more: More) -> Decision:
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

    async def _note(self, case: Case, decision: Decision, now: float) -> None:
        """Commits records that decide nothing, if that can be done: some stores only look up."""
        known = () if case.attempt is None else case.attempt.remembering(case.found, now)
        for writes in (known, decision.notes):
            if writes:
                with suppress(StoreUnavailable, ConfigurationError):
                    await self._io.commit(writes)

    async def _refused(self, rejected: Rejected, case: Case | None, seal: Seal | None) -> Rejected:
        """The rejection with its refusal, and what has to be remembered of it committed; another, if this guess was one too many."""
        found = NOTHING_FOUND
        if case is not None:
            found = case.found
            try:
                await self._count(rejected, case)
            except Rejected as too_many_attempts:
                rejected = too_many_attempts
            rejected.verifier = rejected.verifier or case.addressee.verifier
        rejected.refusal = sealed(self._plan, await refuse(self._plan, self._io, rejected, found), seal)
        return rejected

    async def _count(self, rejected: Rejected, case: Case) -> None:
        """Counts a wrong guess of fast work; of slow work it is counted already, and given back if the secret was right.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS. An answer that tells a right guess passes the same test as an acceptance.
        """
        genuine = rejected.rejection.genuine
        if case.turn is not None and case.turn.held:
            if genuine:
                rejected.writes = (*rejected.writes, *giving_back(case.turn.held))
        elif case.attempt is not None and case.judging:
            if genuine:
                await reserve(self._io, case.passing, self._plan.clock())  # "stale" says as well that it was right
            elif is_guess(rejected):
                now = self._plan.clock()
                await reserve(self._io, case.attempt.adds(case.found, now), now)


def _admission(case: Case | None, decision: Decision | None) -> Admission:
    """What the guard lets through; without a decision it is anonymous, with the body that was read to find that out."""
    body = None if case is None or case.body is NO_BODY else case.body.data
    if case is None or decision is None:
        return Admission(None, body)
    lines, addressee = decision.response_headers, case.addressee
    if addressee.private:  # caches know that Authorization makes an answer personal, but no other field (RFC 9111 §3.5)
        lines = (*lines, (b"cache-control", b"private"))
    return Admission(decision.identity, body, lines, decision.seal, decision.stream, addressee.verifier)


def _is_anonymous(case: Case | None) -> bool:
    """Whether a request of which it is said that it has no credentials may pass where credentials are optional."""
    return case is not None and is_tentative(case.claim)


def _check_outcome(outcome: Outcome, now: float) -> None:
    """Nothing, if another try may succeed (Conflict).

    Raises:
        Rejected: REPLAYED or TOO_MANY_ATTEMPTS.
    """
    if isinstance(outcome, Replayed):
        raise Rejected(Reason.REPLAYED, "these credentials were used before", genuine=True)
    if isinstance(outcome, Exceeded):
        raise too_many(outcome.write.counter, outcome.until - now)
