"""A short cut for credentials that need nothing but themselves: the same verdict, without the pipeline.

Where all is as usual about a request, there is nothing for the pipeline to do between reading and deciding: no look-up, no
body, nothing to commit. Whatever is unusual about it goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from watchword.core.identity import Identity
from watchword.core.message import Headers
from watchword.core.rejection import Rejected

if TYPE_CHECKING:
    from watchword.core.plan import Plan
    from watchword.core.scheme import Verifier

__all__ = ["Prompt", "Shortcut", "shortcut"]

Shortcut = Callable[[Headers, bytes], "tuple[Identity[Any], Verifier] | None"]
"""(field lines, query) -> who it is and who says so; None: judge the request. Raises `Rejected`, its `verifier` set."""


@runtime_checkable
class Prompt(Protocol):
    """A verifier that may decide by the value of Authorization alone. `prompt` is False if it always needs more."""

    @property
    def prompt(self) -> bool: ...

    def at_once(self, authorization: bytes, now: float) -> Identity[Any] | None:
        """The identity; None: it needs more, or the value is not as usual.

        Raises:
            Rejected: as the pipeline would.
        """
        ...


def shortcut(plan: Plan) -> Shortcut | None:
    """The short cut of a guard; None where no verifier has one, or more than one field may hold credentials."""
    known = [verifier for verifier in plan.words.values() if isinstance(verifier, Prompt) and verifier.prompt]
    if len(known) != 1 or plan.fields or plan.proxy or plan.public_url is not None or plan.observe is not None:
        return None
    verifier = known[0]
    clock, limit, ask = plan.clock, plan.limits.field, verifier.at_once

    def at_once(headers: Headers, query: bytes) -> tuple[Identity[Any], Verifier] | None:
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
        if query and (b"access_token" in query or b"%" in query):  # a token in two places (RFC 6750 §2)
            return None
        try:
            identity = ask(authorization, clock())
        except Rejected as rejected:
            rejected.verifier = verifier
            raise
        return None if identity is None else (identity, verifier)

    return at_once
