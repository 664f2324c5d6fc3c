"""`Verdict`: the event that reports each decision to `observe`."""

from __future__ import annotations

import msgspec

from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Decision, Verifier

__all__ = ["Verdict", "accepted", "refused"]


class Verdict(msgspec.Struct, frozen=True):
    """One decision, for `observe`: logs, metrics, audit. It holds no secret.

    Args:
        reason: None if the request was accepted (or let through as anonymous).
        status: the HTTP status of the refusal; 0 if accepted.
        scheme: the scheme that decided; None if no verifier was addressed.
        subject: the proven subject; None if refused or anonymous.
        key_id: the key that proved it.
        detail: the operator's sentence of a refusal.
        where: the part at fault.
        duration: seconds from the first look at the request to the verdict.
        rotated: the key has been replaced: its holder has not changed over yet.
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


def accepted(verifier: Verifier | None, decision: Decision | None, duration: float) -> Verdict:
    """The event of a request that passes; without a decision it is anonymous."""
    duration = max(0.0, duration)
    if decision is None or verifier is None:
        return Verdict(None, 0, None, None, None, "", "", duration)
    who = decision.identity
    return Verdict(None, 0, verifier.scheme, who.subject, who.key_id, "", "", duration, who.rotated)


def refused(verifier: Verifier | None, error: Rejected | StoreUnavailable, duration: float) -> Verdict:
    """The event of a request that is refused, or of which nothing could be decided."""
    duration = max(0.0, duration)
    status = 0 if error.refusal is None else error.refusal.status
    owner = (error.verifier if isinstance(error, Rejected) else None) or verifier
    scheme = None if owner is None else owner.scheme
    if not isinstance(error, Rejected):
        return Verdict(None, status, scheme, None, None, str(error), "", duration)
    why = error.rejection
    return Verdict(why.reason, status, scheme, None, None, why.detail, why.where, duration)
