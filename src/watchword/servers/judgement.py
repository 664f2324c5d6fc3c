"""What a guard said of one request: said once, kept with the request, and asked by whoever demands scopes."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any, Final

import msgspec

from watchword.core.admission import Additions, Admission
from watchword.core.answer import Refusal
from watchword.core.message import SAFE, Request
from watchword.core.plan import Plan
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.seal import seal_for

__all__ = ["JUDGEMENTS", "Judgement", "check_method", "keep", "kept", "refused"]

JUDGEMENTS: Final = "watchword.judgements"
"""The name under which a scope or an environ keeps them: a dict by plan, since an app may have several guards."""


class Judgement(msgspec.Struct, eq=False):
    """What a guard said of one request: an `admission`, or else a `refusal`.

    `additions` are for the exchange in both cases, and the admission itself where there is one. Where the request was
    refused, they seal the answer, if the guard has a seal, whoever words that answer.
    """

    additions: Additions
    admission: Admission | None = None
    refusal: Refusal | None = None

    def missing(self, scopes: Sequence[str] = (), *, optional: bool = False) -> Rejected | None:
        """Why an admitted request may not do what demands `scopes`, for `Guard.refuse`; None if it may.

        Args:
            scopes: all of them are demanded.
            optional: a request without credentials may do it.
        """
        if self.admission is None:
            return self.additions.attributed(Rejected(Reason.NO_CREDENTIALS, "the request was refused"))
        if optional and self.admission.identity is None:
            return None
        return self.admission.missing_scopes(scopes)


def refused(plan: Plan, request: Request, error: Rejected | StoreUnavailable) -> Judgement:
    """The judgement on a request that the guard did not admit.

    Its refusal has no seal of its own: the answer that a framework makes of it has content, and is sealed as a whole.

    Args:
        plan: the guard's.
        request: the request, as the server saw it.
        error: what the guard raised.
    """
    additions, seal = Additions(), seal_for(plan, request)
    if seal is not None:
        additions = additions.sealed_by(seal, request.method, plan.proxy, None)
    return Judgement(additions, refusal=(error.refusal or Refusal(503))._replace(sealing=None))


def check_method(judged: str, served: str) -> None:
    """Takes a request whose method was not changed to one that a page of another site could not have had made (RFC 9110 §9.2.1).

    Args:
        judged: the method that the guard sees.
        served: the method that the application goes by.

    Raises:
        ConfigurationError: a safe method was changed to one that is not.
    """
    if judged in SAFE and served not in SAFE:
        raise ConfigurationError(
            f"the guard judges a {judged}, and {served[:16]} is served: put what changes the method round the guard"
        )


def kept(state: MutableMapping[str, Any], plan: Plan) -> Any:
    """What `keep` kept of this request for the guard with that plan; None if it kept nothing."""
    judgements = state.get(JUDGEMENTS)
    return None if judgements is None else judgements.get(plan)


def keep(state: MutableMapping[str, Any], plan: Plan, judgement: object) -> None:
    """Keeps a judgement, or what an adapter keeps in its place, with the request.

    Copies of a scope share it, so that it is found by whoever has been handed a copy.

    Args:
        state: the scope, environ or mapping of the request.
        plan: the guard's; a `Guard` and the `AsyncGuard` of it have the same.
        judgement: what is to be found again.
    """
    state.setdefault(JUDGEMENTS, {})[plan] = judgement
