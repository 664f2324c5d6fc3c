"""Whose credentials a request presents: the one claim among those of the verifiers that it addresses."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.core.message import Request
from watchword.core.plan import scheme_word
from watchword.core.rejection import Reason, Rejected
from watchword.core.router import Router
from watchword.core.scheme import Claim, Verifier

__all__ = ["is_tentative", "present"]


def present(candidates: Sequence[Verifier], request: Request) -> tuple[Verifier | None, Claim | None]:
    """The one verifier that claims the request, and its claim; (None, None) if none does.

    Raises:
        Rejected: AMBIGUOUS if two do, UNSUPPORTED_SCHEME if there is an Authorization that none does, or what `read`
            raises; `rejected.verifier` says whose.
    """
    verifier: Verifier | None = None
    claim: Claim | None = None
    for addressed in candidates:
        router = addressed if isinstance(addressed, Router) else None
        candidate = addressed if router is None else router.first
        try:
            if router is not None:
                candidate = router.choose(request)
            mine = candidate.read(request)
        except Rejected as rejected:
            rejected.verifier = candidate
            raise
        if mine is None:
            _check_unclaimed(candidate, request)
            continue
        if claim is not None and is_tentative(mine):
            continue
        if claim is not None and not is_tentative(claim):
            raise Rejected(
                Reason.AMBIGUOUS, f"credentials of both {verifier and verifier.scheme} and {candidate.scheme}"
            )
        verifier, claim = candidate, mine
    return verifier, claim


def is_tentative(claim: Claim | None) -> bool:
    """Whether it only looks for credentials where there may be none, in a form that has to be read first: then any other
    claim goes before it, and a NO_CREDENTIALS of its `decide` says that the request is anonymous.
    """
    return bool(getattr(claim, "tentative", False))


def _check_unclaimed(candidate: Verifier, request: Request) -> None:
    """Other fields may be meant for others, an Authorization is for us: it is never passed over, optional or not."""
    words = {address.word for address in candidate.addresses if address.field == b"authorization"}
    for value in request.values(b"authorization"):
        if scheme_word(value).decode("latin-1") in words:
            raise Rejected(Reason.UNSUPPORTED_SCHEME, "no verifier claims these credentials", where="authorization")
