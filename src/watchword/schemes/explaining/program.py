"""`explain`: why a request is accepted or refused, check by check. It commits nothing.

It runs the guard's own reading and deciding on the request, then asks an explainer to account for every check, those after
the first failure included, and names the first component that differs. Where nothing could be read, it looks for credentials
in other places and other forms, and reads and decides on those. All text leaves by `_leave`, which hides what could admit a request.

A verifier explains its claims itself, if it has `explain(claim, found, body, now)`. Else the caller's `explainers` are asked:
those of our schemes are in `schemes.explaining`, and no claim knows them. Without any, the rejection explains itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from watchword.schemes.all_of import AllClaims, AllOf
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.io import IO, drive, fetch_more, once, once_async
from watchword.schemes.explaining.comparison import MAX_LISTED, OF_NAMES, Compared, compared, named_in, records_of
from watchword.schemes.explaining.elsewhere import MAX_HASHED, body_of, is_hashed, look_elsewhere, streamed
from watchword.schemes.explaining.masking import Mask, secrets_in, secrets_of
from watchword.schemes.explaining.presentation import Way
from watchword.schemes.explaining.unread import value_at
from watchword.schemes.explaining.remedies import REMEDIES, expected_instead, with_line
from watchword.schemes.explaining.report import Explanation, compare
from watchword.schemes.explaining.typed_text import is_unset
from watchword.core.message import Request
from watchword.core.plan import Plan
from watchword.core.records import NOTHING_FOUND, Found, Once
from watchword.core.rejection import Reason, Refuser, Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check, Claim, Decision, More, Verifier

__all__ = [
    "Account",
    "ClaimExplainers",
    "Explainer",
    "Explainers",
    "Explanation",
    "compare",
    "explain",
    "explain_async",
]

R = TypeVar("R")


_NOT_NOW: Final = frozenset({Reason.TOO_BUSY, Reason.TOO_MANY_ATTEMPTS})  # the keys could not be asked for
_OF_SECRETS: Final = frozenset({Reason.WRONG_SIGNATURE, Reason.WRONG_SECRET}) | OF_NAMES
_OF_CIRCUMSTANCES: Final = frozenset(
    {
        Reason.REPLAYED, Reason.EARLY_DATA, Reason.TOO_MANY_ATTEMPTS, Reason.TOO_BUSY, Reason.BODY_TOO_LARGE, Reason.DISABLED,
        Reason.TARGET_TOO_LONG, Reason.TOO_MANY_PARAMETERS, Reason.REVOKED, Reason.INSUFFICIENT_SCOPE, Reason.AMBIGUOUS,
    }
)  # fmt: skip
"""No other form of the credentials would be admitted."""

Account = tuple[str, Sequence[Check]]
"""The canonical string ("" where the scheme has none) and every check in order, none skipped."""
Explainer = Callable[[Found, Body, float], Account]
"""The account of one claim, for the records, the body and the time by which it was judged."""
Explainers = Callable[[Verifier, Claim], Explainer | None]
"""The explainer of a verifier's claim; None for claims that it does not know."""

ClaimExplainers = Mapping[type, Callable[[Any, Found, Body, float], Account]]
"""By the type of a claim: the account of such a claim, for the records, the body and the time."""


def explain(
    request: Request, guard: Guard, body: bytes, at: float | None, explainers: Explainers, *, try_passwords: bool
) -> Explanation:
    """Why `guard` accepts or refuses `request` (with `body`) at the time `at` (None: now), by the accounts of `explainers`.

    Raises:
        StoreUnavailable: the records can't be had.
    """
    return drive(_explaining(guard.plan, guard.io, request, once, body, at, explainers, try_passwords))


async def explain_async(
    request: Request,
    guard: Guard | AsyncGuard,
    body: bytes,
    at: float | None,
    explainers: Explainers,
    *,
    try_passwords: bool,
) -> Explanation:
    """`explain` on the event loop, for guards of either kind."""
    of = AsyncGuard.of(guard)
    return await _explaining(of.plan, of.io, request, once_async, body, at, explainers, try_passwords)


class _Judged(NamedTuple):
    """What became of a request: the rejection or the decision, and the account of it."""

    outcome: Rejected | Decision
    verifier: Refuser | None = None
    canonical: str = ""
    checks: Sequence[Check] = ()
    found: Found = NOTHING_FOUND
    secrets: Sequence[bytes] = ()


async def _explaining(
    plan: Plan,
    io: IO[R, Any],
    request: Request,
    send: Callable[[bytes], R],
    body: bytes,
    at: float | None,
    explainers: Explainers,
    try_passwords: bool,
) -> Explanation:
    judged = await _judge(plan, io, request, send(body), at, explainers)
    seen, meant = [request], NOTHING_FOUND
    if isinstance(judged.outcome, Rejected) and judged.outcome.reason not in _OF_CIRCUMSTANCES:
        try:
            most = MAX_HASHED if try_passwords else 0
            found = await look_elsewhere(plan, io, request, send, body, at, judged.outcome, bool(judged.checks), most)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- as for an account
            found = _failed(error)
        if isinstance(found, Way) and not try_passwords and is_hashed(plan, found.request):
            judged = judged._replace(checks=(found.check(), *judged.checks))
            seen = [request, found.request]
        elif isinstance(found, Way):
            again = await _judge(plan, io, found.request, send(body), at, explainers)
            others = [check for check in again.checks if check.passed is False]
            first = [found.check(), *others] if isinstance(again.outcome, Rejected) else [found.check()]
            judged = judged._replace(checks=(*first, *judged.checks))
            seen, meant = [request, found.request], again.found
        elif found is not None:
            judged = judged._replace(checks=(found, *judged.checks))
    known = isinstance(judged.outcome, Decision) or (bool(judged.canonical) and judged.outcome.reason not in OF_NAMES)
    if not known:
        with suppress(StoreUnavailable):
            named, known = await named_in(plan, io, request)
            meant = named.merged(meant)
    secrets = [*secrets_of(judged.found.merged(meant), plan.verifiers), *judged.secrets]
    secrets += [secret for one in seen for secret in secrets_in(one, plan.verifiers)]
    return _leave(judged, [Mask(each, body, secrets, by_shape=not known) for each in seen], request)


async def _judge(
    plan: Plan, io: IO[R, Any], request: Request, receive: R, at: float | None, explainers: Explainers
) -> _Judged:
    """The guard's verdict, in the order in which it judges, and the account of every check, whatever came first."""
    try:
        case = plan.explaining.locate(request)
        if case is None:
            raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
    except Rejected as rejected:
        return _Judged(rejected, rejected.verifier)
    request, claim, verifier = case.request, case.claim, case.addressee.verifier
    guesses = getattr(claim, "guesses", None) if case.addressee.guessable else None
    limiter = plan.attempts
    attempt = None if limiter is None or guesses is None else limiter.attempt(guesses, request.peer.address)
    refs = (*verifier.always_needed, *claim.needs, *(() if attempt is None else attempt.refs))
    found = await records_of(io, refs)
    now = plan.clock() if at is None else at
    room = None if attempt is None else attempt.explain(found, now)
    early = case.early and not verifier.single_use
    first: Rejected | None = None
    if early:
        first = Rejected(Reason.EARLY_DATA, f"{verifier.scheme} credentials can be replayed", where="early-data")
    try:
        body = await body_of(plan, io, case, receive)
    except Rejected as rejected:
        return _Judged(first or rejected, verifier, found=found)
    if room is not None and not room.passed:
        first = first or Rejected(Reason.TOO_MANY_ATTEMPTS, room.received, where="attempts")
    outcome, found = await _outcome(plan, io, claim, found, body, now)
    if isinstance(outcome, Rejected) and outcome.reason in _NOT_NOW:
        return _Judged(first or outcome, verifier, found=found)
    others = Compared(NOTHING_FOUND)
    if isinstance(outcome, Rejected) and outcome.rejection.reason in _OF_SECRETS:
        with suppress(StoreUnavailable):  # it is only for comparison
            others = await compared(plan, io, claim, outcome.reason, request)
            found = others.found.merged(found)
    canonical, checks = await io.work(partial(_account, _explainer(verifier, claim, explainers), found, body, now))
    checks = checks if room is None or room.passed else (room, *checks)
    if isinstance(outcome, Decision) and first is None:
        replay = await _replay(io, outcome)
        checks = checks if replay is None else (*checks, replay)
        if replay is not None and replay.passed is False:
            first = Rejected(Reason.REPLAYED, "these credentials were used before")
    if others.cut:
        told = f"the store has more records of a kind than the {MAX_LISTED} that were compared"
        checks = (*checks, Check("other records", None, "credentials", mend=told))
    misplaced = getattr(claim, "misplaced_secrets", None)
    return _Judged(first or outcome, verifier, canonical, checks, found, () if misplaced is None else misplaced(found))


def _account(explainer: Explainer, found: Found, body: Body, now: float) -> Account:
    """The account; an explainer that fails doesn't take the verdict with it."""
    try:
        canonical, checks = explainer(found, body, now)
    except (Rejected, StoreUnavailable):
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, the operator asked why the request is refused
        return "", [_failed(error)]
    return canonical, tuple(checks)


def _failed(error: Exception) -> Check:
    """The check that says that no more is known, and no word of the exception, which may hold anything."""
    return Check(
        "account", None, "credentials", mend=f"the account of these credentials failed: {type(error).__name__}"
    )


# ---- the account of a claim ----------------------------------------------------------------------------------------------


def _explainer(verifier: Verifier, claim: Claim, explainers: Explainers) -> Explainer:
    """The verifier's own account of the claim, that of all parts, the one that is known, or an empty one."""
    own = getattr(verifier, "explain", None)
    if own is not None:
        return partial(own, claim)
    if isinstance(verifier, AllOf) and isinstance(claim, AllClaims):
        parts = zip(verifier.parts, claim.claims, strict=True)
        return partial(_together, [_explainer(part, each, explainers) for part, each in parts])
    return explainers(verifier, claim) or _nothing


def _together(explainers: Sequence[Explainer], found: Found, body: Body, now: float) -> Account:
    accounts = [account(found, body, now) for account in explainers]
    return "\n".join(text for text, _ in accounts if text), [check for _, checks in accounts for check in checks]


def _nothing(found: Found, body: Body, now: float) -> Account:
    return "", ()


async def _outcome(
    plan: Plan, io: IO[Any, Any], claim: Claim, found: Found, body: Body, now: float
) -> tuple[Decision | Rejected, Found]:
    for _ in range(3):
        try:
            answer = await io.work(partial(claim.decide, found, body, now, plan.random))
        except Rejected as rejected:
            return rejected, found
        if not isinstance(answer, More):
            return streamed(answer, body), found
        try:
            found = await fetch_more(io, answer, found)
        except Rejected as busy:
            return busy, found
    raise AssertionError("a scheme asked for more records more than twice")


async def _replay(io: IO[Any, Any], decision: Decision) -> Check | None:
    onces = [write for write in decision.writes if isinstance(write, Once)]
    if not onces:
        return None
    found = await records_of(io, [ref for write in onces for ref in write.refs])
    spent = any(write.is_used(found) for write in onces)
    mend = "this request was sent before: every request needs a nonce, or a count, of its own" if spent else ""
    return Check(
        "single use", not spent, "nonce", "not used before", "used before" if spent else "not used before", mend
    )


def _leave(judged: _Judged, masks: Sequence[Mask], request: Request) -> Explanation:
    """The one exit: everything that is said is complete, and hides what could admit a request.

    A refusal has always a cause: the rejection itself, where no check of the scheme failed.
    """

    def masked(text: str) -> str:
        for mask in masks:
            text = mask.text(text)
        return text

    def value(text: str) -> str:
        for mask in masks:
            text = mask.value(text)
        return text

    outcome, verifier, canonical, checks = judged[:4]
    scheme = None if verifier is None else verifier.scheme
    rejection = outcome.rejection if isinstance(outcome, Rejected) else None
    if rejection is not None and all(check.passed is not False for check in checks):
        where = rejection.where or "credentials"
        found = Check(rejection.reason.value, False, where, "", rejection.detail, REMEDIES[rejection.reason])
        checks = (*checks, found)
    told = []
    for check in checks:
        whole = _completed(check, request, rejection) if check.passed is False else check
        shown = masked(whole.component), value(whole.expected), value(whole.received), masked(whole.mend)
        told.append(Check(whole.name, whole.passed, *shown))
    if rejection is None:
        assert isinstance(outcome, Decision)
        return Explanation(
            True, scheme=scheme, identity=outcome.identity, canonical=value(canonical), checks=tuple(told)
        )
    return Explanation(
        False, rejection.reason, masked(rejection.detail), masked(rejection.where), scheme, None, value(canonical), tuple(told),
    )  # fmt: skip


def _completed(check: Check, request: Request, rejection: Any) -> Check:
    """A failed check with both values, and with a word on a value that stands for one which is not set."""
    reason = Reason.MALFORMED_CREDENTIALS if rejection is None else rejection.reason
    received = check.received or value_at(check.component, request, b"authorization") or "nothing"
    mend = with_line(check, request.scheme) or REMEDIES[reason]
    bare = received.strip("'\"")
    sent = b"\n".join((request.target, *(value for _, value in request.headers)))
    if bare and is_unset(bare) and "not set" not in mend and bare.encode("utf-8", "replace") in sent:
        mend = f"{mend}; it looks like a variable that is not set, or a placeholder"
    return check._replace(expected=check.expected or expected_instead(reason), received=received, mend=mend)
