"""`Admission`: a request that a guard lets through; `Additions`: what its answer needs, as that of a refused one may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import msgspec

from watchword.core.answer import Seal
from watchword.core.identity import Identity
from watchword.core.message import Headers, Response
from watchword.core.plan import Plan
from watchword.core.records import Once
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import BodyStream, Verifier
from watchword.core.seal import around, as_proxy
from watchword.structures.streams import piped

__all__ = ["Additions", "Admission"]


class Additions(msgspec.Struct, eq=False, kw_only=True):
    """What the exchange of a request needs on top of the application, of an admission or where a request was refused.

    `body` is what the guard read of it, for the application to read again; None if it read nothing. `stream` checks the body
    as the application reads it. `seal` proves the answer; it is that of the scheme, or with it round it that of the guard
    (`answer_seal`). `verifier` is the one that proved the identity. By itself it lets nobody through: that an `Admission` does.
    """

    body: bytes | None = None
    response_headers: Headers = ()
    seal: Seal | None = None
    stream: BodyStream | None = None
    verifier: Verifier | None = None
    answer_seal: Seal | None = None

    def sealed_by(self, seal: Seal, method: str, proxy: bool, check: BodyStream | None) -> Self:
        """Puts the guard's seal round what the decision adds to the answer; called while it is made.

        Args:
            seal: the guard's.
            method: the request's.
            proxy: whether the guard is a proxy's.
            check: compares the body, as it passes, with what the seal will say of it.
        """
        self.answer_seal = seal
        self.seal = around(self.response_headers, self.seal, seal, method, proxy)
        self.response_headers = ()
        self.stream = piped([one for one in (check, self.stream) if one is not None])
        return self

    @property
    def holds_back(self) -> bool:
        """Whether the answer can't begin before all of its body is known."""
        return self.seal is not None and self.seal.needs_body

    @property
    def present(self) -> bool:
        """Whether the answer gets anything, or the body is checked as it passes."""
        return self.seal is not None or self.stream is not None or bool(self.response_headers)

    def attributed(self, rejected: Rejected) -> Rejected:
        """`rejected` with what its answer needs: whose it is, and the guard's seal for this request."""
        rejected.verifier = rejected.verifier or self.verifier
        rejected.seal = self.answer_seal
        return rejected

    def answer_headers(self, plan: Plan, response: Response, body: bytes | None) -> Headers:
        """The field lines that the application's `response` gets on top; `body` is needed if `seal.needs_body`."""
        lines = self.response_headers
        if self.seal is not None:
            lines = (*lines, *self.seal.headers(response, body, plan.clock(), plan.random))
        return as_proxy(lines) if plan.proxy else lines

    def oversized(self, plan: Plan) -> Response:
        """The answer in place of one that is too long to be sealed: 500, never one without the seal."""
        failed = Response(500, ((b"cache-control", b"no-store"), (b"content-length", b"0")))
        return failed.with_more(self.answer_headers(plan, failed, b""))


class Admission(Additions, eq=False):
    """A request that may pass: `identity` (None: anonymous), and all that its exchange needs.

    `provisional` are the marks that `Guard.take_back` removes if the application fails.
    """

    identity: Identity[Any] | None
    provisional: Sequence[Once] = ()

    def known(self) -> Identity[Any]:
        """The identity.

        Raises:
            ConfigurationError: the request is anonymous, and nobody thought of that.
        """
        if self.identity is None:
            raise ConfigurationError("an anonymous request, which optional=True lets through: ask identity_or_none()")
        return self.identity

    def missing_scopes(self, scopes: Sequence[str], *, optional: bool = False) -> Rejected | None:
        """Why this request may not do what demands all of `scopes`, for `Guard.refuse`; None if it may.

        With `optional` an anonymous one may, whatever the scopes are.
        """
        if self.identity is None:
            return None if optional else self.attributed(Rejected(Reason.NO_CREDENTIALS, "the request is anonymous"))
        if self.identity.scopes.issuperset(scopes):
            return None
        missing = [scope for scope in scopes if scope not in self.identity.scopes]
        rejected = Rejected(Reason.INSUFFICIENT_SCOPE, f"lacks {' '.join(missing)}", where="scope", scopes=scopes)
        return self.attributed(rejected)
