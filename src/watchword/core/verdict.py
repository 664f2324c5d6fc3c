"""`Verdict`: the event that reports each decision to `observe`."""

from __future__ import annotations

from typing import Literal

import msgspec

from watchword.core.dispatch import Case
from watchword.core.message import Request
from watchword.core.rejection import MAX_DETAIL, Reason, Rejected, StoreUnavailable, bounded
from watchword.core.scheme import Decision

__all__ = ["Verdict", "verdict_on"]

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


def verdict_on(
    request: Request, case: Case | None, outcome: Decision | Rejected | StoreUnavailable | None, duration: float
) -> Verdict:
    """The event of a request that passes, by a decision or without one (None: anonymous), or of one that does not.

    It is one function, without one for each part: to call those takes as long as all else.
    """
    scheme: str | None = None
    claimed: str | None = None
    if case is not None:
        request = case.request  # as the client sent it
        scheme = case.addressee.verifier.scheme
        claimed = getattr(case.claim, "claimed", None)
        if claimed is not None:
            claimed = claimed[:MAX_TEXT]
    address, method = request.peer.address, request.method[:MAX_TEXT]
    path = request.target.partition(b"?")[0][:MAX_TEXT].decode("ascii", "backslashreplace")
    if duration < 0.0:  # noqa: PLR1730 -- the clock was set back
        duration = 0.0
    if outcome is None:
        return Verdict(None, 0, None, None, None, "", "", duration, False, "accepted", address, method, path)
    if isinstance(outcome, Decision):
        who = outcome.identity
        subject, key_id = who.subject or None, who.key_id
        if subject is not None and len(subject) > MAX_DETAIL:
            subject = bounded(subject, MAX_DETAIL)
        if key_id is not None and len(key_id) > MAX_DETAIL:
            key_id = bounded(key_id, MAX_DETAIL)
        return Verdict(
            None, 0, scheme, subject, key_id, "", "", duration, who.rotated, "accepted", address, method, path, claimed
        )
    status = 0 if outcome.refusal is None else outcome.refusal.status
    if isinstance(outcome, StoreUnavailable):
        why = bounded(str(outcome), MAX_DETAIL)
        return Verdict(
            None, status, scheme, None, None, why, "", duration, False, "unavailable", address, method, path, claimed
        )
    if outcome.verifier is not None:
        scheme = outcome.verifier.scheme
    reason, why, where = outcome.rejection.reason, outcome.rejection.detail, outcome.rejection.where
    return Verdict(
        reason, status, scheme, None, None, why, where, duration, False, "refused", address, method, path, claimed
    )
