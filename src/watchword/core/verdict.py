"""`Verdict`: the event that reports each decision to `observe`."""

from __future__ import annotations

from typing import Literal

import msgspec

from watchword.core.dispatch import Case
from watchword.core.message import Request
from watchword.core.rejection import MAX_DETAIL, Reason, Rejected, StoreUnavailable, bounded
from watchword.core.scheme import Decision

__all__ = ["Verdict", "accepted", "refused"]

MAX_TEXT = 256
"""Characters of a path or a claimed subject that a verdict repeats: they come from the client."""


class Verdict(msgspec.Struct, frozen=True):
    """One decision, for `observe`: logs, metrics, audit. It holds no secret, and no text of it is longer than 512 characters.

    Args:
        reason: why the request was refused; None if it was accepted, or if nothing could be decided.
        status: the HTTP status of the refusal; 0 if accepted.
        scheme: the scheme that decided; None if no verifier was addressed.
        subject: the proven subject; None if refused or anonymous.
        key_id: the key that proved it.
        detail: the operator's sentence of a refusal.
        where: the part at fault.
        duration: seconds from the first look at the request to the verdict.
        rotated: the key has been replaced: its holder has not changed over yet.
        outcome: "accepted", "refused", or "unavailable" if nothing could be decided (503).
        address: the client's address, as far as the guard knows it.
        method: the request's method.
        path: its path, without the query; cut where it is long.
        claimed: the subject that the credentials name, proven or not; None where they name none that can be told.
    """

    reason: Reason | None
    status: int
    scheme: str | None
    subject: str | None
    key_id: str | None
    detail: str
    where: str
    duration: float
    rotated: bool = False
    outcome: Literal["accepted", "refused", "unavailable"] = "accepted"
    address: str = ""
    method: str = ""
    path: str = ""
    claimed: str | None = None


def accepted(request: Request, case: Case | None, decision: Decision | None, duration: float) -> Verdict:
    """The event of a request that passes; without a decision it is anonymous."""
    address, method, path, claimed = _told(request, case)
    if duration < 0.0:  # noqa: PLR1730 -- the clock was set back; to call max takes an eighth of all this
        duration = 0.0
    if decision is None or case is None:
        return Verdict(None, 0, None, None, None, "", "", duration, False, "accepted", address, method, path)
    who, scheme = decision.identity, case.addressee.verifier.scheme
    subject, key_id = bounded(who.subject, MAX_DETAIL) or None, who.key_id and bounded(who.key_id, MAX_DETAIL)
    return Verdict(
        None, 0, scheme, subject, key_id, "", "", duration, who.rotated, "accepted", address, method, path, claimed
    )


def refused(request: Request, case: Case | None, error: Rejected | StoreUnavailable, duration: float) -> Verdict:
    """The event of a request that is refused, or of which nothing could be decided."""
    told = _told(request, case)
    duration = max(0.0, duration)
    status = 0 if error.refusal is None else error.refusal.status
    scheme = None if case is None else case.addressee.verifier.scheme
    if not isinstance(error, Rejected):
        why = bounded(str(error), MAX_DETAIL)
        return Verdict(None, status, scheme, None, None, why, "", duration, False, "unavailable", *told)
    if error.verifier is not None:
        scheme = error.verifier.scheme
    rejection = error.rejection
    return Verdict(
        rejection.reason,
        status,
        scheme,
        None,
        None,
        rejection.detail,
        rejection.where,
        duration,
        False,
        "refused",
        *told,
    )


def _told(request: Request, case: Case | None) -> tuple[str, str, str, str | None]:
    """Address, method, path and claimed subject."""
    claimed: str | None = None
    if case is not None:
        request = case.request  # as the client sent it
        claimed = getattr(case.claim, "claimed", None)
    path = request.target.partition(b"?")[0][:MAX_TEXT].decode("ascii", "backslashreplace")
    return request.peer.address, request.method[:MAX_TEXT], path, claimed and claimed[:MAX_TEXT]
