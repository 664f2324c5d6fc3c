"""read > fetch > body > decide > commit: the one text of it, a generator that the two guards drive.

It yields what has to be done outside (`Fetch`, `Commit`, `ReadBody`, `Work`) and is sent the result. The order is the
security property: limits and grammar come before look-ups, look-ups before the body, the body before cryptography, and
replay memory is only touched by credentials that proved genuine.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, cast

from watchword.core.admission import Admission
from watchword.core.attempts import Attempt, attempt_of, giving_back, is_guess, reserve, too_many, waiting
from watchword.core.identity import Identity, Verdict
from watchword.core.lock import Lock
from watchword.core.message import Challenge, Headers, Request
from watchword.core.plan import Plan
from watchword.core.presented import is_tentative, present
from watchword.core.records import (
    COMMITTED, NOTHING_FOUND, Add, Committed, Conflict, Exceeded, Found, Ref, Replayed, Write,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection, StoreUnavailable
from watchword.core.scheme import (
    NO_BODY, STREAM, UNUSED, Body, Claim, Decision, More, Refusal, Seal, Verifier,
)  # fmt: skip
from watchword.core.seal import seal_for, sealed
from watchword.core.shortcut import Remembering
from watchword.core.steps import Commit, Fetch, ReadBody, Step, Work, fetching

__all__ = ["Admission", "admission", "answering", "refusing"]

ROUNDS = 3


Steps = Generator[Step, Any, Admission]


def admission(plan: Plan, request: Request, optional: bool, started: float) -> Steps:
    """Admits `request` or raises `Rejected` (its `refusal` set) or `StoreUnavailable`."""
    verifier: Verifier | None = None
    claim: Claim | None = None
    found, body = NOTHING_FOUND, NO_BODY
    seal = None if plan.seal is None else seal_for(plan, request)
    try:
        try:
            request, verifier, claim = _claimed(plan, request)
            if claim is None or verifier is None:
                if optional:
                    return _anonymous(plan, request, None, seal, started)
                raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
            unread = claim.body is UNUSED or claim.body is STREAM
            attempt = attempt_of(plan.attempts, verifier, claim, request.peer)
            refs = (*verifier.standing, *claim.needs, *(() if attempt is None else attempt.refs))
            if refs:
                found = yield Fetch(refs)
            passing = () if attempt is None else attempt.room(found, plan.clock())
            if claim.reserve or not unread:
                body, passing = yield from _prepared(plan, claim, found, unread, attempt, passing)
            decision: Decision | None = None
            if claim.slow(found):
                decision = yield from _in_turn(plan, claim, found, refs, body, attempt, passing)
            elif not refs and unread and not claim.reserve:
                decision = _plainly(plan, claim)
            if decision is None:
                decision = yield from _judge(plan, claim, found, refs, body, attempt, passing, False)
            if decision.notes:
                yield from _note(decision.notes)
        except Rejected as rejected:
            if optional and rejected.reason is Reason.NO_CREDENTIALS and is_tentative(claim):
                return _anonymous(plan, request, body.data, seal, started)
            rejected.refusal = sealed(plan, (yield from refusing(plan, verifier, rejected, found)), seal)
            _report(plan, verifier, rejected, started, None)
            raise
    except StoreUnavailable as error:
        error.refusal = sealed(plan, Refusal(503), seal)
        _report(plan, verifier, error, started, None)
        raise
    _report(plan, verifier, None, started, decision.identity)
    if plan.shortcut is not None:
        _remember(claim, decision)
    admitted = Admission(
        decision.identity,
        None if unread else body.data,
        _private(plan, verifier, decision),
        decision.seal,
        decision.stream,
        verifier,
    )
    return admitted if seal is None else admitted.sealed_by(seal, request.method, plan.proxy)


def _anonymous(plan: Plan, request: Request, body: bytes | None, seal: Seal | None, started: float) -> Admission:
    """A request without credentials that may pass; `body` if it was read to look for some."""
    _report(plan, None, None, started, None)
    admitted = Admission(None, body)
    return admitted if seal is None else admitted.sealed_by(seal, request.method, plan.proxy)


def _remember(claim: Claim, decision: Decision) -> None:
    if hasattr(claim, "admitted"):  # isinstance of a protocol takes ten times as long
        cast("Remembering", claim).admitted(decision.identity)


def _claimed(plan: Plan, request: Request) -> tuple[Request, Verifier | None, Claim | None]:
    """The request as the client sent it, and what it presents to whom; all that is refused before any look-up.

    Raises:
        Rejected: `rejected.verifier` says whose.
    """
    if plan.public_url is not None:
        request = plan.public_url(request)
    request, candidates, early = plan.addressed(request)
    verifier, claim = present(candidates, request)
    if claim is None or verifier is None:
        return request, None, None
    try:
        if early and not verifier.single_use:
            raise Rejected(Reason.EARLY_DATA, f"{verifier.scheme} credentials can be replayed", where="early-data")
        if claim.body is not UNUSED and claim.body is not STREAM:
            _check_declared(request, plan.limits.body)
    except Rejected as rejected:
        rejected.verifier = verifier
        raise
    return request, verifier, claim


def _prepared(
    plan: Plan, claim: Claim, found: Found, unread: bool, attempt: Attempt | None, passing: Sequence[Add]
) -> Generator[Step, Any, tuple[Body, Sequence[Add]]]:
    """Counts what the claim reserves, and reads the body if it is needed."""
    if claim.reserve:
        yield from reserve(claim.reserve, plan.clock())
    if unread:
        return NO_BODY, passing
    body = yield ReadBody(claim.body, plan.limits.body)
    # A window may have ended meanwhile.
    return body, passing if attempt is None else attempt.passing(found, plan.clock())


def _check_declared(request: Request, limit: int) -> None:
    """Refuses, before any look-up, a body that says itself that it is too large."""
    lengths = request.values(b"content-length")
    if not lengths:
        return
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 19:
        raise Rejected(Reason.MALFORMED_REQUEST, "not one decimal number", where="content-length")
    if int(lengths[0]) > limit:
        raise Rejected(Reason.BODY_TOO_LARGE, f"{int(lengths[0])} octets where at most {limit} are read", where="body")


def _plainly(plan: Plan, claim: Claim) -> Decision | None:
    """The verdict on a claim that needs nothing but itself; None if it needs more after all, and is decided anew."""
    answer = claim.decide(NOTHING_FOUND, NO_BODY, plan.clock(), plan.random)
    return answer if isinstance(answer, Decision) and not answer.writes and not answer.notes else None


def _in_turn(
    plan: Plan, claim: Claim, found: Found, refs: Sequence[Ref[Any]], body: Body, attempt: Attempt | None,
    passing: Sequence[Add],
) -> Generator[Step, Any, Decision]:  # fmt: skip
    """Judges a slow claim, one after the other where there is a lock for them."""
    lock: Lock | None = getattr(claim, "turn", None)
    if lock is None:
        return (yield from _judge(plan, claim, found, refs, body, attempt, passing, True))
    turn = yield from waiting(lock)
    slow = True
    try:
        if turn.handed is not None and refs:
            # It had to wait: the password may have been changed since, or verified, which makes this fast.
            found = yield Fetch(refs)
            slow = claim.slow(found)
            if attempt is not None and not slow:
                passing = attempt.passing(found, plan.clock())
        return (yield from _judge(plan, claim, found, refs, body, attempt, passing, slow))
    finally:
        lock.release(turn)


def _judge(
    plan: Plan, claim: Claim, found: Found, refs: Sequence[Ref[Any]], body: Body, attempt: Attempt | None,
    passing: Sequence[Add], slow: bool,
) -> Generator[Step, Any, Decision]:  # fmt: skip
    """Decides and commits, again while versions move, `ROUNDS` times at most.

    `passing` goes with the verdict on a fast claim (`Attempt.passing`); of a slow one an attempt is counted before.
    """
    now = plan.clock()
    held: list[Add] = []
    if slow:
        passing = ()
        if attempt is not None:
            held = attempt.adds(found, now)
            yield from reserve(held, now)
    back = giving_back((*claim.reserve, *held)) if held or claim.reserve else ()
    for _ in range(ROUNDS):
        try:
            # The clock is read here, after the body: whoever sends a body slowly must not win time by it.
            decision: Decision | More
            if slow:
                decision = yield Work(partial(claim.decide, found, body, plan.clock(), plan.random))
            else:
                decision = claim.decide(found, body, plan.clock(), plan.random)
            if isinstance(decision, More):
                decision = yield from _further(plan, claim, decision, found, body)
        except Rejected as rejected:
            if passing and attempt is not None:
                yield from _counted(rejected, attempt, found, passing, now)
            if rejected.rejection.genuine:
                rejected.writes = (*rejected.writes, *back)
            raise
        writes = (*passing, *decision.writes, *back)
        outcome = (yield Commit(writes)) if writes else COMMITTED
        if isinstance(outcome, Committed):
            if attempt is not None and (notes := attempt.remembering(found, now)):
                yield from _note(notes)
            return decision
        if isinstance(outcome, Replayed):
            raise Rejected(Reason.REPLAYED, "these credentials were used before", genuine=True, writes=back)
        if isinstance(outcome, Exceeded):
            raise too_many(outcome.write.counter, outcome.until - now)
        if refs:
            found = yield Fetch(refs)
    raise StoreUnavailable("the records kept changing while they were judged")


def _counted(
    rejected: Rejected, attempt: Attempt, found: Found, passing: Sequence[Add], now: float
) -> Generator[Step, Any, None]:
    """Counts a fast claim's wrong guess; what says that a guess was right passes the same test as an acceptance.

    Raises:
        Rejected: TOO_MANY_ATTEMPTS.
    """
    if rejected.rejection.genuine:
        yield from reserve(passing, now)  # "stale" says as well that the guess was right
    elif is_guess(rejected):
        yield from reserve(attempt.adds(found, now), now)


def _note(notes: Sequence[Write]) -> Generator[Step, Any, None]:
    """Commits what is worth knowing but decides nothing: not done is not done, where the store only looks up as well."""
    with suppress(StoreUnavailable, ConfigurationError):
        yield Commit(notes)


def _further(plan: Plan, claim: Claim, more: More, found: Found, body: Body) -> Generator[Step, Any, Decision]:
    """The verdict on a claim that needs `more`, which may be twice."""
    for _ in range(2):
        found = yield from fetching(more, found)
        if claim.slow(found):
            answer: Decision | More = yield Work(partial(claim.decide, found, body, plan.clock(), plan.random))
        else:
            answer = claim.decide(found, body, plan.clock(), plan.random)
        if not isinstance(answer, More):
            return answer
        more = answer
    raise AssertionError("a scheme asked for more records more than twice")


def refusing(plan: Plan, verifier: Verifier | None, rejected: Rejected, found: Found) -> Generator[Step, Any, Refusal]:
    """The answer for the client; commits what it needs first (a refusal may carry writes)."""
    verifier = rejected.verifier or verifier
    remember = rejected.writes
    for _ in range(ROUNDS):
        refs = [ref for ref in plan.standing if found.version(ref) == 0]
        if refs:
            found = found.merged((yield Fetch(refs)))
        refusal = _compose(plan, verifier, rejected.rejection, found)
        writes = (*remember, *refusal.writes)
        if not writes:
            return refusal
        outcome = yield Commit(writes)
        if isinstance(outcome, Committed):
            return refusal
        if not isinstance(outcome, Conflict):
            remember = ()  # remembered before, or a counter is full: the challenge's own records must be written still
        found = NOTHING_FOUND
    raise StoreUnavailable("the records kept changing while a challenge was made")


def answering(plan: Plan, rejected: Rejected, request: Request | None = None) -> Generator[Step, Any, Refusal]:
    """`refusing` for what the application or the adapter rejects; 503 if the store is down."""
    seal = seal_for(plan, request) if rejected.seal is None and request is not None else rejected.seal
    try:
        return sealed(plan, (yield from refusing(plan, None, rejected, NOTHING_FOUND)), seal)
    except StoreUnavailable:
        return sealed(plan, Refusal(503), seal)


def _compose(plan: Plan, verifier: Verifier | None, rejection: Rejection, found: Found) -> Refusal:
    now = plan.clock()
    own = None if verifier is None else verifier.refuse(rejection, found, now, plan.random)
    status = rejection.reason.status if own is None else own.status
    headers = [] if own is None else list(own.headers)
    writes = [] if own is None else list(own.writes)
    challenges: list[Challenge] = []
    fresh = Rejection(Reason.NO_CREDENTIALS)
    for offered in plan.verifiers:
        if offered is verifier and own is not None:
            challenges += own.challenges
        elif status == 401 and not (own is not None and verifier is not None and _routed_together(offered, verifier)):
            other = offered.refuse(fresh, found, now, plan.random)
            challenges += other.challenges
            headers += other.headers
            writes += other.writes
    if rejection.retry_after is not None:
        headers.append((b"retry-after", str(round(rejection.retry_after)).encode()))
    if plan.proxy and status == 401:
        status = 407
    lines = list(dict.fromkeys(_with_realm(challenge, plan.realm) for challenge in challenges))
    return Refusal(status, lines, tuple(headers), writes)


def _routed_together(one: Verifier, other: Verifier) -> bool:
    """They share an address, so one challenge stands for both."""
    return not set(one.addresses).isdisjoint(other.addresses)


def _with_realm(challenge: Challenge, realm: str) -> Challenge:
    if challenge.token68 is not None:
        return challenge
    given = dict(challenge.params).get("realm", realm)
    return Challenge(challenge.scheme, (("realm", given), *(pair for pair in challenge.params if pair[0] != "realm")))


def _private(plan: Plan, verifier: Verifier, decision: Decision) -> Headers:
    """Caches know that Authorization makes an answer personal, but not other fields (RFC 9111 §3.5)."""
    if not (plan.fields or plan.queries) or all(address.field == b"authorization" for address in verifier.addresses):
        return decision.response_headers
    return (*decision.response_headers, (b"cache-control", b"private"))


def _report(
    plan: Plan,
    verifier: Verifier | None,
    error: Rejected | StoreUnavailable | None,
    started: float,
    identity: Identity[Any] | None,
) -> None:
    if plan.observe is None:
        return
    refusal = None if error is None else error.refusal
    rejection = error.rejection if isinstance(error, Rejected) else None
    owner = (error.verifier if isinstance(error, Rejected) else None) or verifier
    plan.observe(
        Verdict(
            reason=None if rejection is None else rejection.reason,
            status=0 if refusal is None else refusal.status,
            scheme=None if owner is None else owner.scheme,
            subject=None if identity is None else identity.subject,
            key_id=None if identity is None else identity.key_id,
            detail=str(error)
            if error is not None and rejection is None
            else ""
            if rejection is None
            else rejection.detail,
            where="" if rejection is None else rejection.where,
            duration=max(0.0, plan.clock() - started),
            rotated=identity is not None and identity.rotated,
        )
    )
