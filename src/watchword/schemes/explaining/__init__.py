"""`explain`, with the accounts that our schemes give of their claims: `SCHEMES` says which module explains a scheme, loaded when asked.

No scheme knows its explanation: explanations import claims, never the other way round. A verifier of somebody's own brings
its explanation along (`schemes.explaining`).
"""

from __future__ import annotations

from functools import partial
from importlib import import_module

from watchword.schemes.explaining import program
from watchword.schemes.explaining.program import ClaimExplainers, Explainer, Explanation
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.message import Request
from watchword.core.scheme import Claim, Verifier
from watchword.schemes import SCHEMES

__all__ = ["explain", "explain_async", "explainer_of"]


def explain(
    request: Request, guard: Guard, body: bytes = b"", *, at: float | None = None, try_passwords: bool = True
) -> Explanation:
    """Why `guard` accepts or refuses `request` (with `body`), check by check; commits nothing.

    A verifier of your own is asked for its account of a claim if it has a method `explain(claim, found, body, now)`, which
    gives the canonical string and a `Check` for each step; else the explanation is the rejection.

    Args:
        request: the request as the server got it.
        guard: the guard that judged it.
        body: the request's body.
        at: seconds since the epoch at which to judge; None: now.
        try_passwords: whether a password that is wrong is tried in other spellings, to say how it was changed. Whoever
            explains requests while they come in sets it to False: then no password is hashed but the one that was sent.

    Raises:
        StoreUnavailable: the records can't be had.

    >>> from watchword import JWTAuth, JWTVerifier, Key
    >>> guard = Guard([JWTVerifier(Key.generate("HS256"))])
    >>> print(explain(Request("GET", "https", "api.example", "/"), guard))
    refused: no_credentials: credentials: expected credentials that a verifier of this guard reads, received ...
    more: docs/reference/reasons.md#no_credentials
      FAIL no_credentials: credentials (the field authorization is missing: have the client ...)
             expected: credentials that a verifier of this guard reads
             received: the request carries no credentials
    """
    explainers = partial(explainer_of, try_passwords=try_passwords)
    return program.explain(request, guard, body, at, explainers, try_passwords=try_passwords)


async def explain_async(
    request: Request,
    guard: Guard | AsyncGuard,
    body: bytes = b"",
    *,
    at: float | None = None,
    try_passwords: bool = True,
) -> Explanation:
    """`explain` on the event loop, for guards of either kind."""
    explainers = partial(explainer_of, try_passwords=try_passwords)
    return await program.explain_async(request, guard, body, at, explainers, try_passwords=try_passwords)


def explainer_of(verifier: Verifier, claim: Claim, *, try_passwords: bool = True) -> Explainer | None:
    """The explainer of `claim`, by its type; None if it is of no scheme of ours.

    The explanation of the verifier's own scheme is tried first. The others follow, since a verifier of another name may
    give one of our claims. A module that tries passwords has a second table, `WITHOUT_TRIES`, of explainers that don't.
    """
    rows = sorted(SCHEMES, key=lambda row: row.name != verifier.scheme)
    for module in dict.fromkeys(row.explanation for row in rows):
        loaded = import_module(f"watchword.schemes.{module}")
        explainers: ClaimExplainers = loaded.EXPLAINERS
        if not try_passwords:
            explainers = getattr(loaded, "WITHOUT_TRIES", explainers)
        for kind in type(claim).__mro__:
            if kind in explainers:
                return partial(explainers[kind], claim)
    return None
