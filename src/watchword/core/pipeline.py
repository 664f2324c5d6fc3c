"""read > fetch > body > decide > commit: the one way through a guard.

The order is the security property: limits and grammar come before look-ups, look-ups before the body, the body before
cryptography, and replay memory is only touched by credentials that proved genuine. It is written once, as coroutines that
never know who drives them (`core.io`), and it is the same for every scheme and every configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec

from watchword.core.admission import Admission
from watchword.core.answer import Refusal, Seal
from watchword.core.attempts import Attempt, giving_back, is_guess, reserve, too_many
from watchword.core.body import check_declared
from watchword.core.dispatch import Case, is_tentative
from watchword.core.io import IO, done, fetch_more
from watchword.core.message import Request
from watchword.core.networks import network_of, networks_of
from watchword.core.plan import Plan
from watchword.core.records import (
    COMMITTED, NOTHING_FOUND, Add, Committed, Exceeded, Found, Outcome, Replayed, Write,
)  # fmt: skip
from watchword.core.refusing import refuse
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import NO_BODY, STREAM, UNUSED, Decision, More, Verifier
from watchword.core.seal import seal_for, sealed
from watchword.core.slow_work import Applicant, Turn, take_turn
from watchword.core.verdict import accepted, refused

__all__ = ["Pipeline"]

R = TypeVar("R")
G = TypeVar("G")

ROUNDS: Final = 3
"""How often a claim is judged while the versions of its records move."""


class Hearing(msgspec.Struct, eq=False):
    """A request on its way through the guard: as the server saw it, since when, and its case once that is known."""

    request: Request
    optional: bool
    started: float
    case: Case | None = None

    @property
    def verifier(self) -> Verifier | None:
        """The verifier that claims it."""
        return None if self.case is None else self.case.addressee.verifier

    @property
    def may_be_anonymous(self) -> bool:
        """Whether it passes if its case turns out to be none: credentials are optional, and were only looked for."""
        return self.optional and self.case is not None and is_tentative(self.case.claim)


class Pipeline(Generic[R, G]):
    """Judges the requests of one guard."""

    __slots__ = ("_io", "_locate", "_plan")

    def __init__(self, plan: Plan, io: IO[R, G]) -> None:
        self._plan = plan
        self._io = io
        self._locate = plan.dispatch.locate

    def admit(
        self, request: Request, receive: R, optional: bool, gone: G | None = None
    ) -> Admission | Coroutine[Any, Any, Admission]:
        """Admits `request`: at once where nothing has to be done outside for it, else by the program that is given back.

        Args:
            request: as the server saw it.
            receive: gives the chunks of the body.
            optional: admit a request without credentials, with the identity None.
            gone: tells whether the client has left, so that no password is hashed for nobody.

        The program raises `Rejected` or `StoreUnavailable`, with the `refusal` set.
        """
        plan = self._plan
        started = 0.0 if plan.observe is None else plan.clock()
        case: Case | None = None
        try:
            case = self._locate(request)
            if case is None:
                if not optional:
                    raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
                return self._admission(request, None, None, started)
            claim, addressee = case.claim, case.addressee
            if addressee.standing or claim.needs or claim.body is not UNUSED or case.early or claim.slow(case.found):
                return self._finish(Hearing(request, optional, started, case), self._judge, case, receive, gone)
            answer = claim.decide(case.found, case.body, plan.clock(), plan.random)
        except (Rejected, StoreUnavailable) as error:
            return self._finish(Hearing(request, optional, started, case), _raising, error)
        if isinstance(answer, More) or answer.writes or answer.notes:
            return self._finish(Hearing(request, optional, started, case), self._commit, case, answer)
        if answer.learn is not None:
            answer.learn()
        return self._admission(request, case, answer, started)

    async def _finish(
        self, hearing: Hearing, rest: Callable[..., Coroutine[Any, Any, Decision]], *arguments: Any
    ) -> Admission:
        """The end of a hearing: what `rest` comes to, or the refusal."""
        plan = self._plan
        decision: Decision | None = None
        try:
            try:
                decision = await rest(*arguments)
            except Rejected as rejected:
                if rejected.reason is not Reason.NO_CREDENTIALS or not hearing.may_be_anonymous:
                    raise await self._refused(rejected, hearing) from None
        except (Rejected, StoreUnavailable) as error:
            if isinstance(error, StoreUnavailable):
                error.refusal = sealed(plan, Refusal(503), self._seal(hearing))
            if plan.observe is not None:
                plan.observe(refused(hearing.verifier, error, plan.clock() - hearing.started))
            raise
        return self._admission(hearing.request, hearing.case, decision, hearing.started)

    def _admission(self, request: Request, case: Case | None, decision: Decision | None, started: float) -> Admission:
        """What the guard lets through; without a decision it is anonymous, with the body that was read to find that out."""
        plan = self._plan
        if plan.observe is not None:
            verifier = None if case is None else case.addressee.verifier
            plan.observe(accepted(verifier, decision, plan.clock() - started))
        body = None if case is None or case.body is NO_BODY else case.body.data
        if case is None or decision is None:
            admission = Admission(None, body)
        else:
            lines, addressee = decision.response_headers, case.addressee
            if addressee.private:  # caches know that Authorization makes an answer personal (RFC 9111 §3.5)
                lines = (*lines, (b"cache-control", b"private"))
            admission = Admission(decision.identity, body, lines, decision.seal, decision.stream, addressee.verifier)
        seal = seal_for(plan, request)
        return admission if seal is None else admission.sealed_by(seal, request.method, plan.proxy)

    def _seal(self, hearing: Hearing) -> Seal | None:
        return None if self._plan.seal is None else seal_for(self._plan, hearing.request)

    async def _judge(self, case: Case, receive: R, gone: G | None) -> Decision:
        """fetch > body > decide > commit."""
        plan, addressee, claim = self._plan, case.addressee, case.claim
        need = claim.body
        reads = need is not UNUSED and need is not STREAM
        if case.early or reads:
            _check_head(case, plan.limits.body if reads else None)
        attempt = None
        if addressee.guessable:
            attempt = case.attempt = self._attempt(case)
        case.refs = (*addressee.standing, *claim.needs, *(() if attempt is None else attempt.refs))
        if case.refs:
            found = self._io.fetch(case.refs)
            case.found = found if isinstance(found, Found) else await found
        if attempt is not None:
            case.passing = attempt.room(case.found, plan.clock())
        if reads:
            case.body = await self._io.read(receive, need, plan.limits.body)
            if attempt is not None:  # a window may have ended meanwhile
                case.passing = attempt.passing(case.found, plan.clock())
        if claim.slow(case.found):
            return await self._judge_slowly(case, gone)
        case.judging = True
        # The clock is read here, after the body: whoever sends a body slowly must not win time by it.
        return await self._commit(case, claim.decide(case.found, case.body, plan.clock(), plan.random))

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
                case.found = await done(io.fetch(case.refs))
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
        plan, io = self._plan, self._io
        back = giving_back(case.turn.held) if case.turn is not None else ()
        for _ in range(ROUNDS):
            decision = (await self._decide_with_more(case, answer)) if isinstance(answer, More) else answer
            writes = (*case.passing, *decision.writes, *back)
            outcome = io.commit(writes) if writes else COMMITTED
            if not isinstance(outcome, Outcome):
                outcome = await outcome
            if isinstance(outcome, Committed):
                known = () if case.attempt is None else case.attempt.remembering(case.found, plan.clock())
                if known or decision.notes:
                    await self._note(known, decision.notes)
                if decision.learn is not None:
                    decision.learn()
                return decision
            case.judging = False  # it is no guess: the secret was right
            _check_outcome(outcome, plan.clock())
            if case.refs:
                found = io.fetch(case.refs)
                case.found = found if isinstance(found, Found) else await found
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

    async def _note(self, *notes: Sequence[Write]) -> None:
        """Commits records that decide nothing, if that can be done: some stores only look up."""
        for writes in notes:
            if writes:
                with suppress(StoreUnavailable, ConfigurationError):
                    await done(self._io.commit(writes))

    async def _refused(self, rejected: Rejected, hearing: Hearing) -> Rejected:
        """The rejection with its refusal, and what has to be remembered of it committed; another, if this guess was one too many."""
        found, case = NOTHING_FOUND, hearing.case
        if case is not None:
            found = case.found
            try:
                await self._count(rejected, case)
            except Rejected as too_many_attempts:
                rejected = too_many_attempts
            rejected.verifier = rejected.verifier or case.addressee.verifier
        rejected.refusal = sealed(self._plan, await refuse(self._plan, self._io, rejected, found), self._seal(hearing))
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


async def _raising(error: Rejected | StoreUnavailable) -> Decision:
    raise error


def _check_head(case: Case, longest: int | None) -> None:
    """Refuses early data that could be replayed (RFC 8470 §5.1), and a body that says itself that it is too large.

    Raises:
        Rejected: EARLY_DATA, BODY_TOO_LARGE, or MALFORMED_REQUEST where Content-Length can't be read.
    """
    if case.early and not case.addressee.single_use:
        detail = f"{case.addressee.verifier.scheme} credentials can be replayed"
        raise Rejected(Reason.EARLY_DATA, detail, where="early-data")
    if longest is not None:
        check_declared(case.request, longest)


def _check_outcome(outcome: Outcome, now: float) -> None:
    """Nothing, if another try may succeed (Conflict).

    Raises:
        Rejected: REPLAYED or TOO_MANY_ATTEMPTS.
    """
    if isinstance(outcome, Replayed):
        raise Rejected(Reason.REPLAYED, "these credentials were used before", genuine=True)
    if isinstance(outcome, Exceeded):
        raise too_many(outcome.write.counter, outcome.until - now)
