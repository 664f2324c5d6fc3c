"""Where nothing could be read: the likeliest form of the request that would be, and how much speaks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from math import inf
from typing import Any, Final, TypeVar

from watchword.core.address import Address
from watchword.core.body import check_declared
from watchword.core.dispatch import Case
from watchword.core.io import IO, fetch_more
from watchword.core.message import Request
from watchword.core.plan import Plan
from watchword.core.records import NOTHING_FOUND
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import STREAM, UNUSED, WHOLE, Body, Check, Decision, More
from watchword.schemes.explaining.comparison import OF_NAMES, records_of
from watchword.schemes.explaining.presentation import Way, respellings, ways
from watchword.schemes.explaining.remedies import REMEDIES
from watchword.schemes.explaining.unread import nowhere, unread, unset

__all__ = ["MAX_HASHED", "body_of", "is_hashed", "look_elsewhere", "streamed"]

R = TypeVar("R")

MAX_READINGS: Final = 3000
"""Other forms of a request that are read."""
MAX_DECISIONS: Final = 64
"""Those of them that are decided on, the likeliest first; at most `MAX_HASHED` where that takes a password's hash."""
MAX_HASHED: Final = 6
MAX_SPELLED: Final = 256
"""Forms with one value spelled otherwise that are decided on, where the request could be read: only one that is admitted counts."""
MAX_OCTETS: Final = 64 * 1024
"""Octets of credentials that all of those may have together, `MAX_DECISIONS` of them at least."""
OF_FORM: Final = frozenset(
    {
        Reason.NO_CREDENTIALS, Reason.UNSUPPORTED_SCHEME, Reason.MALFORMED_REQUEST, Reason.MALFORMED_CREDENTIALS,
        Reason.BINDING_MISSING, Reason.HEADER_TOO_LARGE,
    }
)  # fmt: skip


async def look_elsewhere(
    plan: Plan,
    io: IO[R, Any],
    request: Request,
    send: Callable[[bytes], R],
    body: bytes,
    at: float | None,
    refused: Rejected,
    accounted: bool,
    most_hashed: int = MAX_HASHED,
) -> Way | Check | None:
    """The likeliest form of the request that would be read, or a check that says that there is none to be had."""
    addresses = [address for verifier in plan.verifiers for address in verifier.addresses]
    field = b"proxy-authorization" if plan.proxy else b"authorization"
    nothing = unset(request, body, addresses, field)
    if nothing is not None:
        return nothing
    unreadable = refused.reason in OF_FORM
    if refused.reason is Reason.WRONG_SECRET:  # the scheme's own account tries what was typed
        return None

    made = 0

    def read() -> list[tuple[Way, Case]]:
        nonlocal made
        cases = []
        forms = ways(request, body, addresses, field) if unreadable else respellings(request, addresses, field)
        for way in islice(forms, MAX_READINGS):
            made += 1
            with suppress(Rejected, ValueError):  # a verifier of somebody's own may know no such octets
                case = plan.explaining.locate(way.request)
                if case is not None and (unreadable or not _is_dear(case)):
                    cases.append((way, case))
        return sorted(cases, key=lambda pair: pair[0].cost)

    best: tuple[int, Way | None] = (READ, None)
    hashed = 0
    for way, case in (await io.work(read))[: MAX_DECISIONS if unreadable else _spelled_at_most(request, addresses)]:
        hashed += _is_dear(case)
        if hashed > most_hashed > 0 and _is_dear(case):
            continue
        level = await _evidence(plan, io, case, send(body), at, most_hashed > 0 or not _is_dear(case))
        weak = way.weak or (not way.likely and getattr(case.claim, "formless", False))
        needed = ADMITTED if not unreadable or accounted or way.spelled else LOOKED_AT if weak else UNKNOWN
        if level > best[0] and level >= needed:
            best = level, way
        if level == ADMITTED:
            break
    if best[1] is not None or accounted:
        return best[1]
    words = [address.word for address in addresses if address.word]
    told = unread(refused, request, dict.fromkeys(words), field)
    if told is None and refused.reason is Reason.NO_CREDENTIALS and made < MAX_READINGS:
        told = nowhere(refused.rejection.detail, request, addresses, field) or _for_others(plan, request)
    if made == MAX_READINGS:
        told = told or Check(
            "credentials", False, "credentials", "", refused.rejection.detail, REMEDIES[refused.reason]
        )
        told = told._replace(mend=f"{told.mend}; the search for them was cut after {MAX_READINGS} other forms")
    return told


def _for_others(plan: Plan, request: Request) -> Check | None:
    """The check of signatures with a tag for which no verifier asks."""
    for verifier in plan.verifiers:
        routes: Any = getattr(verifier, "routes", None)
        if verifier.scheme == "signature" and routes is not None:
            said, asked = getattr(verifier, "route")(request), " or ".join(each or "none" for each in routes)  # noqa: B009
            mend = f"the signatures have another tag than this guard asks for ({asked}): send that, or list it in the policy"
            return Check(Reason.NO_CREDENTIALS.value, False, "signature-input tag", asked, said or "none", mend)
    return None


def _spelled_at_most(request: Request, addresses: Sequence[Address]) -> int:
    """How many forms are decided on that have one value spelled otherwise: the longer its fields, the dearer one may be."""
    octets = sum(len(value) for address in addresses for value in request.values(address.field))
    return max(MAX_DECISIONS, min(MAX_SPELLED, MAX_OCTETS // max(1, octets)))


def is_hashed(plan: Plan, request: Request) -> bool:
    """Whether a request that is read takes a password's hash to be decided on."""
    case = plan.explaining.locate(request)
    return case is not None and _is_dear(case)


def _is_dear(case: Case) -> bool:
    """Whether its decision takes a password's hash."""
    return case.addressee.guessable and case.claim.slow(NOTHING_FOUND)


READ, UNKNOWN, LOOKED_AT, ADMITTED = range(4)
"""How much speaks for a form: it is read, its name is unknown, its secret or signature was looked at, it is admitted."""


async def _evidence(plan: Plan, io: IO[R, Any], case: Case, receive: R, at: float | None, decided: bool) -> int:
    """How much speaks for this form of a request. No password is hashed for a name that nobody has, nor if not `decided`."""
    claim = case.claim
    refs = (*case.addressee.always_needed, *claim.needs)
    found = await records_of(io, refs)
    if case.addressee.guessable and claim.needs and found.get(claim.needs[0]) is None:
        return UNKNOWN
    if not decided:
        return LOOKED_AT
    try:
        body = await body_of(plan, io, case, receive)
        now = plan.clock() if at is None else at
        answer = await io.work(partial(claim.decide, found, body, now, plan.random))
        if isinstance(answer, More):
            if answer.refs or not all(getattr(source, "local", False) for source, _ in answer.asks):
                return UNKNOWN
            found = await fetch_more(io, answer, found)
            answer = await io.work(partial(claim.decide, found, body, now, plan.random))
            if isinstance(answer, More):
                return UNKNOWN
        return ADMITTED if isinstance(streamed(answer, body), Decision) else LOOKED_AT
    except Rejected as rejected:
        formless = getattr(claim, "formless", False) and not claim.needs  # any text fares like this one
        if rejected.reason in OF_NAMES or (rejected.reason is Reason.WRONG_SIGNATURE and formless):
            return UNKNOWN
        return READ if rejected.reason in OF_FORM else LOOKED_AT
    except StoreUnavailable:
        return READ


async def body_of(plan: Plan, io: IO[R, Any], case: Case, receive: R) -> Body:
    """The body as the claim needs it, within the guard's limits; one that is checked as it passes has none."""
    need = case.claim.body
    if need is UNUSED:
        return Body()
    if need is STREAM:
        return await io.read(receive, WHOLE, inf)  # type: ignore[arg-type] # no limit is a limit of its own
    check_declared(case.request, plan.limits.body)
    return await io.read(receive, need, plan.limits.body)


def streamed(decision: Decision, body: Body) -> Decision | Rejected:
    """The verdict once the body has passed as well, where it is checked only then (STREAM)."""
    if decision.stream is not None:
        try:
            decision.stream.feed(body.data)
            decision.stream.end()
        except Rejected as rejected:
            return rejected
    return decision
