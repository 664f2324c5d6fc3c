"""The answer to a request that is refused: composed from all verifiers' challenges, and committed before it goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from watchword.core.answer import Challenge, Refusal
from watchword.core.io import IO, done
from watchword.core.message import Request
from watchword.core.plan import Plan
from watchword.core.records import NOTHING_FOUND, Committed, Conflict, Found, Put
from watchword.core.rejection import Reason, Rejected, Rejection, Refuser, StoreUnavailable
from watchword.core.seal import seal_for, sealed

__all__ = ["answer", "refuse"]

ROUNDS: Final = 3


async def refuse(plan: Plan, io: IO[Any, Any], rejected: Rejected, found: Found) -> Refusal:
    """The answer for the client; commits what it needs first, since a refusal may carry writes.

    Raises:
        StoreUnavailable: the records can't be had.
    """
    remember = rejected.writes
    for _ in range(ROUNDS):
        refs = [ref for ref in plan.always_needed if found.version(ref) == 0]
        if refs:
            found = found.merged(await done(io.fetch(refs)))
        refusal = _compose(plan, rejected.verifier, rejected.rejection, found)
        if remember:
            # By itself, for another store may hold it; and first: what was used up stays so, whatever becomes of the challenge.
            outcome = await done(io.commit(remember))
            if isinstance(outcome, Conflict):
                found = NOTHING_FOUND
                continue
            remember = ()  # also if it was remembered before, or a counter is full
        writes = refusal.writes
        # Several challenges may need the same record, and each has made it: one is kept, and the others go by it.
        once = tuple({write.ref if isinstance(write, Put) else at: write for at, write in enumerate(writes)}.values())
        if not once or (isinstance(await done(io.commit(once)), Committed) and len(once) == len(writes)):
            return refusal
        found = NOTHING_FOUND
    raise StoreUnavailable("the records kept changing while a challenge was made")


async def answer(plan: Plan, io: IO[Any, Any], rejected: Rejected, request: Request | None = None) -> Refusal:
    """`refuse` for a request that the application or the adapter rejects; 503 if the store is down."""
    seal = seal_for(plan, request) if rejected.seal is None and request is not None else rejected.seal
    try:
        return sealed(plan, await refuse(plan, io, rejected, NOTHING_FOUND), seal)
    except StoreUnavailable:
        return sealed(plan, Refusal(503), seal)


def _compose(plan: Plan, verifier: Refuser | None, rejection: Rejection, found: Found) -> Refusal:
    now = plan.clock()
    own = None if verifier is None else verifier.refuse(rejection, found, now, plan.random)
    status = rejection.reason.status if own is None else own.status
    headers = [] if own is None else list(own.headers)
    writes = [] if own is None else list(own.writes)
    challenges: list[Challenge] = []
    fresh = Rejection(Reason.NO_CREDENTIALS)
    for offered in plan.challengers:
        if offered is verifier and own is not None:
            challenges += own.challenges
        elif status == 401 and not (own is not None and plan.dispatch.routes_together(offered, verifier)):
            other = offered.refuse(fresh, found, now, plan.random)
            challenges += other.challenges
            headers += other.headers
            writes += other.writes
    if rejection.retry_after is not None:
        headers.append((b"retry-after", str(round(rejection.retry_after)).encode()))
    if plan.proxy and status == 401:
        status = 407
    lines = list(dict.fromkeys(_with_realm(challenge, plan.realm) for challenge in challenges))
    if not plan.as_listed:
        lines.sort(key=_place)
    return Refusal(status, _without_confusion(lines), tuple(dict.fromkeys(headers)), writes)


def _place(challenge: Challenge) -> int:
    """Clients of Digest and Basic answer the first line that they read, those with tokens begin unasked."""
    return {"digest": 0, "basic": 2}.get(challenge.scheme.lower(), 1)


def _without_confusion(lines: Sequence[Challenge]) -> Sequence[Challenge]:
    """Takes `charset`, which Digest has too, out of what follows a Digest challenge.

    Some clients join all lines and read them as one challenge, where a later parameter takes an earlier one's place.
    Realms do no harm there: each follows a scheme word, and is read as a part of it.
    """
    schemes = [challenge.scheme.lower() for challenge in lines]
    if "digest" not in schemes:
        return lines
    first = schemes.index("digest")
    return [
        challenge if place <= first or schemes[place] == "digest" else _without_charset(challenge)
        for place, challenge in enumerate(lines)
    ]


def _without_charset(challenge: Challenge) -> Challenge:
    return challenge._replace(params=tuple(pair for pair in challenge.params if pair[0].lower() != "charset"))


def _with_realm(challenge: Challenge, realm: str) -> Challenge:
    if challenge.token68 is not None:
        return challenge
    given = dict(challenge.params).get("realm", realm)
    return Challenge(challenge.scheme, (("realm", given), *(pair for pair in challenge.params if pair[0] != "realm")))
