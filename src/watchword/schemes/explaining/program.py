"""`explain`: why a request is accepted or refused, check by check. It commits nothing.

It runs the guard's own reading and deciding on the request, then asks an explainer to account for every check, those after
the first failure included, and names the first component that differs. The request's credentials are masked.

A verifier explains its claims itself, if it has `explain(claim, found, body, now)`. Else the caller's `explainers` are asked:
those of our schemes are in `schemes.explaining`, and no claim knows them. Without any, the rejection explains itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, TypeVar

from watchword.schemes.all_of import AllClaims, AllOf
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.io import IO, done, drive, fetch_more, once, once_async
from watchword.schemes.explaining.remedies import REMEDIES
from watchword.core.message import Request
from watchword.core.plan import Plan
from watchword.structures.networks import network_of
from watchword.core.records import NOTHING_FOUND, Found, Once, Ref
from watchword.core.rejection import Reason, Rejected, Refuser, StoreUnavailable
from watchword.core.scheme import UNUSED, Body, Check, Claim, Decision, More, Verifier

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

MAX_OTHERS: Final = 64
"""Other records of the store that a claim is given for comparison, those first whose name is nearest."""
MAX_SHOWN: Final = 64 * 1024
"""Characters of a canonical string in the text and the JSON; `Explanation.canonical` is all of it."""
_OF_SECRETS: Final = frozenset({Reason.UNKNOWN_KEY, Reason.WRONG_SIGNATURE, Reason.WRONG_SECRET})
_NOT_NOW: Final = frozenset({Reason.TOO_BUSY, Reason.TOO_MANY_ATTEMPTS})  # the keys could not be asked for
_SENSITIVE: Final = (b"authorization", b"proxy-authorization", b"cookie", b"x-api-key", b"dpop")
_BARE: Final = frozenset({b"basic", b"bearer", b"token", b"apikey", b"dpop"})
_MASK: Final = re.compile(r"…\((\d+) octets, masked\)")

Account = tuple[str, Sequence[Check]]
"""The canonical string ("" where the scheme has none) and every check in order, none skipped."""
Explainer = Callable[[Found, Body, float], Account]
"""The account of one claim, for the records, the body and the time by which it was judged."""
Explainers = Callable[[Verifier, Claim], Explainer | None]
"""The explainer of a verifier's claim; None for claims that it does not know."""

ClaimExplainers = Mapping[type, Callable[[Any, Found, Body, float], Account]]
"""By the type of a claim: the account of such a claim, for the records, the body and the time."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The findings of `explain`. `str()` is the text for a person, `to_json()` the same for a program.

    Args:
        accepted: whether the guard would let the request pass.
        reason: why not, None if accepted.
        detail: the operator's sentence.
        where: the part at fault.
        scheme: the scheme that was addressed, None if none was.
        identity: who it is, if accepted.
        canonical: the string that the scheme's signature covers, as the server builds it; "" where there is none.
        checks: every check in order.
    """

    accepted: bool
    reason: Reason | None = None
    detail: str = ""
    where: str = ""
    scheme: str | None = None
    identity: Identity | None = None
    canonical: str = ""
    checks: Sequence[Check] = field(default=())

    @property
    def causes(self) -> list[Check]:
        """The checks that failed: first the one from which the others follow. A refusal has at least one."""
        return [check for check in self.checks if check.passed is False]

    def compare(self, client: str) -> Check | None:
        """The first octet in which the client's canonical string differs from the server's; None if they are the same.

        Args:
            client: the string that `auth.canonical(request, body)` gave, or that a client elsewhere says it signed.
        """
        return compare(client, self.canonical)

    def __str__(self) -> str:
        lines = [_headline(self)]
        lines += [_line(check) for check in self.checks]
        if self.causes:
            first = self.causes[0]
            lines.append(f"first difference: {first.component or first.name}")
        if self.canonical:
            lines.append("canonical string:")
            lines += [f"  | {line}" for line in _bounded(self.canonical).split("\n")]
        return "\n".join(map(_printable, lines))

    def to_json(self) -> str:
        """The same as one JSON object."""
        return json.dumps(
            {
                "accepted": self.accepted,
                "reason": self.reason.value if self.reason else None,
                "detail": self.detail,
                "where": self.where,
                "scheme": self.scheme,
                "subject": self.identity.subject if self.identity else None,
                "first_difference": (self.causes[0].component or self.causes[0].name) if self.causes else None,
                "causes": [check._asdict() for check in self.causes],
                "canonical": _bounded(self.canonical),
                "checks": [check._asdict() for check in self.checks],
            }
        )


def explain(request: Request, guard: Guard, body: bytes, at: float | None, explainers: Explainers) -> Explanation:
    """Why `guard` accepts or refuses `request` (with `body`) at the time `at` (None: now), by the accounts of `explainers`.

    Raises:
        StoreUnavailable: the records can't be had.
    """
    return drive(_explaining(guard.plan, guard.io, request, once(body), at, explainers))


async def explain_async(
    request: Request, guard: Guard | AsyncGuard, body: bytes, at: float | None, explainers: Explainers
) -> Explanation:
    """`explain` on the event loop, for guards of either kind."""
    of = AsyncGuard.of(guard)
    return await _explaining(of.plan, of.io, request, once_async(body), at, explainers)


def compare(client: str, server: str) -> Check | None:
    r"""The first octet in which two canonical strings differ: a check whose component names line and octet, from 1.

    >>> compare("GET\n/a%20b\n", "GET\n/a b\n").component
    'line 2, octet 3'
    >>> compare("GET\n", "GET\n") is None
    True
    """
    ours, theirs = server.split("\n"), client.split("\n")
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        if one == other or (one is not None and other is not None and _same_but_masked(one, other)):
            continue
        if one is None or other is None:
            place = f"line {number + 1}"
        else:
            shorter = min(len(one), len(other))
            at = next((place for place in range(shorter) if one[place] != other[place]), shorter)
            place = f"line {number + 1}, octet {len(one[:at].encode('utf-8', 'surrogatepass')) + 1}"
        shown = ["no such line" if line is None else repr(line)[1:-1] for line in (one, other)]
        mend = "the two sides build this line from different things: one of them was changed on the way, or is built wrongly"
        return Check("canonical string", False, place, shown[0], shown[1], mend)
    return None


def _same_but_masked(server: str, client: str) -> bool:
    pieces = _MASK.split(server)  # text, number of octets, text, …
    if len(pieces) == 1:
        return False
    pattern = "".join(f".{{{piece}}}" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    return re.fullmatch(pattern, client, re.DOTALL) is not None


async def _explaining(
    plan: Plan, io: IO[R, Any], request: Request, receive: R, at: float | None, explainers: Explainers
) -> Explanation:
    try:
        case = plan.explaining.locate(request)
        if case is None:
            raise Rejected(Reason.NO_CREDENTIALS, "the request carries no credentials")
    except Rejected as rejected:
        return _refused(rejected, rejected.verifier, "", ())
    request, claim, verifier = case.request, case.claim, case.addressee.verifier
    guesses = getattr(claim, "guesses", None) if case.addressee.guessable else None
    limiter = plan.attempts
    attempt = None if limiter is None or guesses is None else limiter.attempt(guesses, network_of(request.peer.address))
    refs = (*verifier.always_needed, *claim.needs, *(() if attempt is None else attempt.refs))
    found = (await done(io.fetch(refs))) if refs else NOTHING_FOUND
    if claim.body is UNUSED:
        body = Body()
    else:
        try:
            body = await io.read(receive, claim.body, plan.limits.body)
        except Rejected as rejected:
            return _refused(rejected, verifier, "", ())
    now = plan.clock() if at is None else at
    outcome, found = await _outcome(plan, io, claim, found, body, now)
    if isinstance(outcome, Rejected) and outcome.reason in _NOT_NOW:
        return _refused(outcome, verifier, "", ())
    if isinstance(outcome, Rejected) and outcome.rejection.reason in _OF_SECRETS:
        with suppress(StoreUnavailable):  # it is only for comparison
            guessed = outcome.rejection.reason is Reason.WRONG_SECRET
            found = (await io.work(partial(_others, plan.store, claim.needs, guessed))).merged(found)
    canonical, checks = await io.work(partial(_explainer(verifier, claim, explainers), found, body, now))
    if attempt is not None:
        room = attempt.explain(found, now)
        if not room.passed:
            checks = (room, *checks)
            outcome = Rejected(Reason.TOO_MANY_ATTEMPTS, room.received, where="attempts")
    if case.early and not verifier.single_use:
        outcome = Rejected(Reason.EARLY_DATA, f"{verifier.scheme} credentials can be replayed", where="early-data")
    masked = _masking(request)
    canonical, checks = masked(canonical), [_masked(check, masked) for check in checks]
    if isinstance(outcome, Rejected):
        return _refused(outcome, verifier, canonical, checks)
    replay = await _replay(io, outcome)
    if replay is not None:
        checks = (*checks, replay)
        if replay.passed is False:
            used = Rejected(Reason.REPLAYED, "these credentials were used before")
            return _refused(used, verifier, canonical, checks)
    return Explanation(
        True, scheme=verifier.scheme, identity=outcome.identity, canonical=canonical, checks=tuple(checks)
    )


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


def _others(store: Any, needs: Sequence[Ref[Any]], guessed: bool) -> Found:
    """Records of the kinds that were looked up, under other names: to say which of them would have fitted."""
    listing = getattr(store, "records", None)
    if listing is None or iscoroutinefunction(listing):
        return NOTHING_FOUND
    records: dict[Ref[Any], tuple[Any, int]] = {}
    for kind in dict.fromkeys(ref.kind for ref in needs):
        held = getattr(store, "kinds", None)
        if (held is not None and kind not in held) or (guessed and not getattr(kind, "sensitive", False)):
            continue  # one hash of a password compares with no other
        sought = next(" ".join(ref.key) for ref in needs if ref.kind is kind)
        entries = sorted(listing(kind), key=lambda entry: -_likeness(" ".join(entry[0]), sought))
        records.update({Ref(kind, key): (record, 1) for key, record in entries[:MAX_OTHERS]})
    return Found(records)


def _likeness(name: str, sought: str) -> int:
    """How many characters they share at both ends, without case."""
    one, other = name.lower(), sought.lower()[:256]
    ends = 0
    for pairs in (zip(one, other, strict=False), zip(reversed(one), reversed(other), strict=False)):
        for left, right in pairs:
            if left != right:
                break
            ends += 1
    return ends - abs(len(one) - len(other))


def _masking(request: Request) -> Callable[[str], str]:
    """Takes out of a text what the request has in fields that hold credentials: a signature may cover them."""
    hidden: dict[str, str] = {}
    for name, value in request.headers:
        if name not in _SENSITIVE:
            continue
        word, space, rest = value.partition(b" ")
        for secret in (value, rest if space and word.lower() in _BARE else b""):
            text = secret.strip().decode("utf-8", "backslashreplace")
            if len(text) >= 6:
                hidden[text] = f"…({len(text)} octets, masked)"
    if not hidden:
        return str
    pattern = re.compile("|".join(map(re.escape, sorted(hidden, key=len, reverse=True))))
    return lambda text: pattern.sub(lambda match: hidden[match[0]], text)


def _masked(check: Check, mask: Callable[[str], str]) -> Check:
    return check._replace(expected=mask(check.expected), received=mask(check.received), mend=mask(check.mend))


async def _outcome(
    plan: Plan, io: IO[Any, Any], claim: Claim, found: Found, body: Body, now: float
) -> tuple[Decision | Rejected, Found]:
    for _ in range(3):
        try:
            answer = await io.work(partial(claim.decide, found, body, now, plan.random))
        except Rejected as rejected:
            return rejected, found
        if not isinstance(answer, More):
            return _streamed(answer, body), found
        try:
            found = await fetch_more(io, answer, found)
        except Rejected as busy:
            return busy, found
    raise AssertionError("a scheme asked for more records more than twice")


def _streamed(decision: Decision, body: Body) -> Decision | Rejected:
    """The verdict once the body has passed as well, where it is checked only then (STREAM)."""
    if decision.stream is not None:
        try:
            decision.stream.feed(body.data)
            decision.stream.end()
        except Rejected as rejected:
            return rejected
    return decision


async def _replay(io: IO[Any, Any], decision: Decision) -> Check | None:
    onces = [write for write in decision.writes if isinstance(write, Once)]
    if not onces:
        return None
    found = await done(io.fetch([ref for write in onces for ref in write.refs]))
    spent = any(write.is_used(found) for write in onces)
    mend = "this request was sent before: every request needs a nonce, or a count, of its own" if spent else ""
    return Check(
        "single use", not spent, "nonce", "not used before", "used before" if spent else "not used before", mend
    )


def _refused(rejected: Rejected, verifier: Refuser | None, canonical: str, checks: Sequence[Check]) -> Explanation:
    """Always with a cause: the rejection itself, where no check of the scheme failed."""
    rejection = rejected.rejection
    scheme = None if verifier is None else verifier.scheme
    if all(check.passed is not False for check in checks):
        where = rejection.where or "credentials"
        found = Check(rejection.reason.value, False, where, received=rejection.detail, mend=REMEDIES[rejection.reason])
        checks = (*checks, found)
    return Explanation(
        False, rejection.reason, rejection.detail, rejection.where, scheme, None, canonical, tuple(checks)
    )


def _bounded(canonical: str) -> str:
    """The part of it that is shown: a body may be in it."""
    return (
        canonical
        if len(canonical) <= MAX_SHOWN
        else f"{canonical[:MAX_SHOWN]}… ({len(canonical) - MAX_SHOWN} characters more)"
    )


def _printable(line: str) -> str:
    """The line as a terminal may have it: line ends and controls of a request are shown, never obeyed."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def _headline(explanation: Explanation) -> str:
    by = f" by {explanation.scheme}" if explanation.scheme else ""
    if explanation.identity is not None:
        return f"accepted{by}: {explanation.identity.subject}"
    reason = explanation.reason.value if explanation.reason else ""
    place = f" at {explanation.where}" if explanation.where else ""
    return f"refused{by}: {reason}{place}" + (f": {explanation.detail}" if explanation.detail else "")


def _line(check: Check) -> str:
    mark = {True: "ok  ", False: "FAIL", None: "----"}[check.passed]
    text = f"  {mark} {check.name}"
    if check.passed is False:
        text += f": {check.component}" if check.component else ""
        if check.expected:
            text += f": expected {check.expected}, received {check.received}"
        elif check.received:
            text += f": {check.received}"
    if check.passed is not True and check.mend:
        text += f" ({check.mend})"
    return text
