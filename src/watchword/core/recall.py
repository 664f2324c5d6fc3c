"""A short cut for credentials that were found good before: the same verdict, without the pipeline.

It only ever accepts, and only what the pipeline would accept; whatever is unusual about a request goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from watchword.core.identity import Identity
from watchword.core.message import Headers

if TYPE_CHECKING:
    from watchword.core.plan import Plan
    from watchword.core.scheme import Verifier

__all__ = ["Recall", "Recalling", "recalling"]

Recall = Callable[[Headers, bytes], "tuple[Identity[Any], Verifier] | None"]
"""(field lines, query) -> who it is and who remembers; None: judge the request."""


@runtime_checkable
class Recalling(Protocol):
    """A verifier that may remember verdicts. `recalls` is True if it does, and if they need no look-up."""

    @property
    def recalls(self) -> bool: ...

    def recall(self, authorization: bytes, now: float) -> Identity[Any] | None:
        """The identity that this very field value proved before and still proves; None: not known."""
        ...


def recalling(plan: Plan) -> Recall | None:
    """The short cut of a guard; None where nothing is remembered, or where more than one field may hold credentials."""
    known = [verifier for verifier in plan.words.values() if isinstance(verifier, Recalling) and verifier.recalls]
    if len(known) != 1 or plan.fields or plan.proxy or plan.public_url is not None or plan.observe is not None:
        return None
    verifier = known[0]
    clock, limit, ask = plan.clock, plan.limits.field, verifier.recall

    def recall(headers: Headers, query: bytes) -> tuple[Identity[Any], Verifier] | None:
        authorization = host = None
        for name, value in headers:
            if name == b"authorization":
                if authorization is not None:
                    return None
                authorization = value
            elif name == b"host":
                if host is not None or b"," in value:
                    return None
                host = value
            elif name == b"early-data":
                return None
        if authorization is None or len(authorization) > limit:
            return None
        if query and (b"access_token" in query or b"%" in query):
            return None
        identity = ask(authorization, clock())
        return None if identity is None else (identity, verifier)

    return recall
