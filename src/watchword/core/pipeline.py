"""read > fetch > body > decide > commit: the one way through a guard.

The order is the security property: limits and grammar come before look-ups, look-ups before the body, the body before
cryptography, and replay memory is only touched by credentials that proved genuine. It is written once, as coroutines that
never know who drives them (`core.io`), and it is the same for every scheme and every configuration.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

from watchword.core.admission import Admission
from watchword.core.answer import Refusal, Seal
from watchword.core.attempts import giving_back, is_guess, reserve, too_many
from watchword.core.body import check_declared
from watchword.core.dispatch import Case, is_tentative
from watchword.core.io import IO, done, fetch_more
from watchword.core.message import Request
from watchword.core.plan import Plan, Refused
from watchword.core.records import (
    COMMITTED, NOTHING_FOUND, Add, Committed, Exceeded, Found, Once, Outcome, Replayed, Write,
)  # fmt: skip
from watchword.core.refusing import refuse
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import STREAM, UNUSED, Decision, More
from watchword.core.seal import checked_content, seal_for, sealed
from watchword.core.slow_work import Applicant, Turn, take_turn
from watchword.structures.streams import BodyStream
from watchword.core.taking_back import commit_or_leave_none, remove
from watchword.core.verdict import verdict_on

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
        plan, case = self._plan, None
        started = plan.clock()
        try:
            case = self._locate(request)
            if case is None:
                if not optional:
                    raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
                if plan.seal is not None:
                    return self._under_seal(request, None, None, started, receive)
                return self._admission(request, None, None, started)
            claim, addressee = case.claim, case.addressee
            if (
                claim.needs or addressee.always_needed or claim.body is not UNUSED or case.early
                or (addressee.guessable and getattr(claim, "guesses", None) is not None) or claim.slow(case.found)
            ):  # fmt: skip
                return self._hear(request, optional, started, case, None, None, receive, gone)
            answer = claim.decide(case.found, case.body, started, plan.random)
        except (Rejected, StoreUnavailable) as error:
            return self._hear(request, optional, started, case, None, error, receive, gone)
        if isinstance(answer, More) or answer.writes or answer.notes:
            return self._hear(request, optional, started, case, answer, None, receive, gone)
        if answer.learn is not None:
            answer.learn()
        if plan.seal is not None:
            return self._under_seal(request, case, answer, started, receive)
        return self._admission(request, case, answer, started)

    async def _hear(  # noqa: C901, PLR0912, PLR0915 -- the one text of the order, told from its beginning to its end
        self,
        request: Request,
        optional: bool,
        started: float,
        case: Case | None,
        answer: Decision | More | None,
        fault: Rejected | StoreUnavailable | None,
        receive: R,
        gone: G | None,
    ) -> Admission:
        """The rest of the way, from where `admit` left it: fetch > body > decide > commit, and the refusal if it fails.

        It is one coroutine, since each one inside another costs as much as a look-up. A verb of `IO` is awaited only if
        it can't answer at once.
        """
        plan = self._plan
        try:
            try:
                if fault is not None:
                    raise fault
                assert case is not None
                if answer is None:
                    self._prepare(case)
                    if case.refs:
                        found = self._io.fetch(case.refs)
                        case.found = found if isinstance(found, Found) else await found
                    now = plan.clock()
                    if case.attempt is not None:
                        case.passing, case.known = case.attempt.room(case.found, now)
                    if case.reads:
                        await self._read(case, receive)
                    if case.claim.slow(case.found):
                        await self._take_turn(case, gone)
                    case.judging = True
                    # The clock is read after the body: whoever sends a body slowly must not win time by it.
                    if case.turn is None:
                        now = plan.clock() if case.reads else now
                        answer = case.claim.decide(case.found, case.body, now, plan.random)
                    else:
                        answer = await case.turn.work(
                            self._io, partial(case.claim.decide, case.found, case.body, plan.clock(), plan.random)
                        )
                decision = await self._decide_with_more(case, answer) if isinstance(answer, More) else answer
                writes = (*case.passing, *decision.writes, *case.back)
                outcome = self._commit(decision, writes)
                if outcome is not COMMITTED:
                    if not isinstance(outcome, tuple):  # else it is an `Outcome`
                        outcome = await outcome
                    if not isinstance(outcome, Committed):
                        decision = await self._decide_again(case, outcome, writes)
                if case.known or decision.notes:
                    await self._note(case.known, decision.notes)
                if decision.learn is not None:
                    decision.learn()
            except Rejected as rejected:
                if (
                    not optional
                    or rejected.reason is not Reason.NO_CREDENTIALS
                    or case is None
                    or not is_tentative(case.claim)
                ):
                    raise await self._refused(rejected, request, case, receive) from None
                decision = None
        except (Rejected, StoreUnavailable) as error:
            if isinstance(error, StoreUnavailable):
                error.refusal = sealed(plan, Refusal(503), seal_for(plan, request))
                _log(error)
            if plan.observe is not None:
                plan.observe(verdict_on(request, case, error, plan.clock() - started))
            raise
        finally:
            if case is not None and case.turn is not None:
                case.turn.end()
        return (
            await self._admission_for_now(request, case, decision, started, receive)
            if decision is not None and decision.provisional
            else self._admission(request, case, decision, started)
            if plan.seal is None
            else await done(self._under_seal(request, case, decision, started, receive))
        )

    async def _admission_for_now(
        self, request: Request, case: Case | None, decision: Decision, started: float, receive: R
    ) -> Admission:
        """The admission; without one no application sees the request, so its provisional marks are taken back then.

        `observe` may raise, or what the guard's seal will speak of is not what was sent.
        """
        try:
            if self._plan.seal is None:
                return self._admission(request, case, decision, started)
            return await done(self._under_seal(request, case, decision, started, receive))
        except BaseException:
            await remove(self._plan, self._io, decision.provisional)
            raise

    def _commit(self, decision: Decision, writes: Sequence[Write]) -> Outcome | Awaitable[Outcome]:
        if decision.provisional:
            return commit_or_leave_none(self._plan, self._io, writes, decision.provisional)
        return self._io.commit(writes) if writes else COMMITTED

    def _under_seal(
        self, request: Request, case: Case | None, decision: Decision | None, started: float, receive: R
    ) -> Admission | Coroutine[Any, Any, Admission]:
        """The admission; or, where the guard's seal will speak of the body, the program that has it checked first."""
        seal = seal_for(self._plan, request)
        if seal is not None and seal.check is not None:
            return self._with_checked_content(request, case, decision, started, receive, seal)
        return self._admission(request, case, decision, started, seal)

    async def _with_checked_content(
        self, request: Request, case: Case | None, decision: Decision | None, started: float, receive: R, seal: Seal
    ) -> Admission:
        plan = self._plan
        try:
            body, check = await checked_content(plan, self._io, request, case, decision, receive, seal)
        except Rejected as rejected:
            if case is not None:
                case.judging = False  # the credentials were right
            refusing = await self._refused(rejected, request, case, receive)
            if plan.observe is not None:
                plan.observe(verdict_on(request, case, refusing, plan.clock() - started))
            raise refusing from None
        return self._admission(request, case, decision, started, seal, check, body)

    def _admission(
        self,
        request: Request,
        case: Case | None,
        decision: Decision | None,
        started: float,
        seal: Seal | None = None,
        check: BodyStream | None = None,
        body: bytes | None = None,
    ) -> Admission:
        """What the guard lets through; without a decision it is anonymous, with the body that was read to find that out."""
        plan = self._plan
        if plan.observe is not None:
            plan.observe(verdict_on(request, case, decision, plan.clock() - started))
        if body is None and case is not None and case.reads:
            body = case.body.data
        if case is None or decision is None:
            admission = Admission(None, body=body)
        else:
            lines, addressee = decision.response_headers, case.addressee
            if addressee.private:  # caches know that Authorization makes an answer personal (RFC 9111 §3.5)
                lines = (*lines, (b"cache-control", b"private"))
            admission = Admission(
                decision.identity, decision.provisional, body=body, response_headers=lines, seal=decision.seal,
                stream=decision.stream, verifier=addressee.verifier,
            )  # fmt: skip
        return admission if seal is None else admission.sealed_by(seal, request.method, plan.proxy, check)

    def _prepare(self, case: Case) -> None:
        """Settles what has to be looked up, and refuses by the head of the request what needs no look-up.

        Raises:
            Rejected: EARLY_DATA (RFC 8470 §5.1), BODY_TOO_LARGE, or MALFORMED_REQUEST where Content-Length can't be read.
        """
        addressee, need = case.addressee, case.claim.body
        if case.early and not addressee.single_use:
            detail = f"{addressee.verifier.scheme} credentials can be replayed"
            raise Rejected(Reason.EARLY_DATA, detail, where="early-data")
        case.reads = need is not UNUSED and need is not STREAM
        if case.reads:
            check_declared(case.request, self._plan.limits.body)
        refs = (*addressee.always_needed, *case.claim.needs)
        limiter = self._plan.attempts if addressee.guessable else None
        if limiter is not None:
            guesses: str | None = getattr(case.claim, "guesses", None)
            if guesses is not None:
                case.attempt = attempt = limiter.attempt(guesses, case.request.peer.address)
                refs += attempt.refs
        case.refs = refs

    async def _read(self, case: Case, receive: R) -> None:
        case.body = await self._io.read(receive, case.claim.body, self._plan.limits.body)
        if case.attempt is not None:  # a window may have ended meanwhile
            case.passing = case.attempt.passing(case.found, self._plan.clock())

    async def _take_turn(self, case: Case, gone: G | None) -> None:
        """For a claim whose work takes milliseconds: counted first, then in its turn if its secret can be guessed."""
        plan, io, claim, attempt = self._plan, self._io, case.claim, case.attempt
        if not case.addressee.guessable:
            case.turn = Turn()
            return

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
        applicant = Applicant(known, case.request.peer.address, getattr(claim, "flight", None))
        turn = case.turn = await take_turn(io, plan.line, applicant, count, is_still_slow, gone)
        case.back = giving_back(turn.held)
        if attempt is not None:
            case.passing = () if turn.held else attempt.passing(case.found, plan.clock())

    async def _decide_again(self, case: Case, outcome: Outcome, writes: Sequence[Write]) -> Decision:
        """The decision that could be committed at last, after the versions of its records had moved (Conflict).

        Raises:
            Rejected: REPLAYED, or TOO_MANY_ATTEMPTS.
            StoreUnavailable: they keep moving.
        """
        plan, io = self._plan, self._io
        for _ in range(ROUNDS - 1):
            case.judging = False  # it is no guess: the secret was right
            _check_outcome(outcome, writes, plan.clock())
            if case.refs:
                case.found = await done(io.fetch(case.refs))
            case.judging = True
            decide = partial(case.claim.decide, case.found, case.body, plan.clock(), plan.random)
            answer = decide() if case.turn is None else await case.turn.work(io, decide)
            decision = await self._decide_with_more(case, answer) if isinstance(answer, More) else answer
            writes = (*case.passing, *decision.writes, *case.back)
            outcome = await done(self._commit(decision, writes))
            if isinstance(outcome, Committed):
                return decision
        case.judging = False
        _check_outcome(outcome, writes, plan.clock())
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

    async def _refused(self, rejected: Rejected, request: Request, case: Case | None, receive: R) -> Rejected:
        """The rejection with its refusal, and what has to be remembered of it committed; another, if this guess was one too many."""
        found = NOTHING_FOUND
        if case is not None:
            found = case.found
            try:
                await self._count(rejected, case)
            except Rejected as too_many_attempts:
                rejected = too_many_attempts
            rejected.verifier = rejected.verifier or case.addressee.verifier
        plan, refusal = self._plan, await refuse(self._plan, self._io, rejected, found)
        for telling in plan.tellings:
            refusal = await telling.told(Refused(plan, self._io, receive, request, case, rejected), refusal)
        rejected.refusal = sealed(plan, refusal, seal_for(plan, request))
        return rejected

    async def _count(self, rejected: Rejected, case: Case) -> None:
        """Counts a wrong guess of fast work; of slow work it is counted already, and given back if the secret was right.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS. An answer that tells a right guess passes the same test as an acceptance.
        """
        genuine = rejected.rejection.genuine
        if case.back:
            if genuine:
                rejected.writes = (*rejected.writes, *case.back)
        elif case.attempt is not None and case.judging:
            if genuine:
                await reserve(self._io, case.passing, self._plan.clock())  # "stale" says as well that it was right
            elif is_guess(rejected):
                now = self._plan.clock()
                await reserve(self._io, case.attempt.adds(case.found, now), now)


def _log(error: StoreUnavailable) -> None:
    """Tells the logger "watchword" why nothing could be decided, with the traceback of the cause if there is one."""
    from logging import getLogger  # noqa: PLC0415 -- only where something failed

    getLogger("watchword").error("nothing could be decided: %s", error, exc_info=error.__cause__)


def _check_outcome(outcome: Outcome, writes: Sequence[Write], now: float) -> None:
    """Nothing, if another try may succeed (Conflict).

    Raises:
        Rejected: REPLAYED or TOO_MANY_ATTEMPTS. What was used before is so for each of its owners from then on, those too
            that have come since: a secret that takes the place of another.
    """
    if isinstance(outcome, Replayed):
        rejected = Rejected(Reason.REPLAYED, "these credentials were used before", genuine=True)
        used = outcome.write
        rejected.writes = tuple(
            write for write in writes if isinstance(write, Once) and write.key == used.key and write.owner != used.owner
        )
        raise rejected
    if isinstance(outcome, Exceeded):
        raise too_many(outcome.write.counter, outcome.until - now)
