"""What a guard said of one request: said once, kept with the request, and asked by whoever demands scopes."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import msgspec

from watchword.core.admission import Additions, Admission
from watchword.core.answer import Refusal
from watchword.core.message import SAFE, Request
from watchword.core.plan import Plan
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.core.seal import seal_for

__all__ = ["ADMISSION", "IDENTITY", "JUDGEMENTS", "REFUSAL_BODY", "Judgement", "check_method", "kept", "refused"]

IDENTITY: Final = "watchword.identity"
ADMISSION: Final = "watchword.admission"
"""The names under which a scope or an environ keeps who made an admitted request; the guard, its admission and the judged method."""
REFUSAL_BODY: Final = "watchword.refusal_body"
"""The name under which it keeps the `refusal_body` of the nearest `protect`, for what `requires` refuses inside."""
JUDGEMENTS: Final = "watchword.judgements"
"""The name under which a scope or an environ keeps them: a dict by plan, since an app may have several guards.

A `Guard` and the `AsyncGuard` of it have the same plan. Copies of a scope share the dict, so that it is found by whoever has been
handed a copy.
"""


class Judgement(msgspec.Struct, eq=False):
    """What a guard said of one request: an `admission`, or else a `refusal`.

    `additions` are for the exchange in both cases, and the admission itself where there is one. Where the request was
    refused, they seal the answer, if the guard has a seal, whoever words that answer.
    """

    additions: Additions
    admission: Admission | None = None
    refusal: Refusal | None = None


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
    """What an adapter keeps of this request for the guard with that plan; None if it keeps nothing."""
    judgements = state.get(JUDGEMENTS)
    return None if judgements is None else judgements.get(plan)


def admission_of(state: Any) -> tuple[Any, Admission]:
    """The guard that admitted a request, and its admission.

    Raises:
        ConfigurationError: the application is not guarded.
    """
    try:
        found: tuple[Any, Admission, str] = state[ADMISSION]
    except (KeyError, TypeError):
        raise ConfigurationError("no guard saw this request: wrap the application with protect(app, guard)") from None
    return found[:2]


def admitted(state: Mapping[str, Any], plan: Plan, method: str) -> Admission | None:
    """What the guard with that plan has said already, which is round this application; None if it isn't.

    Raises:
        ConfigurationError: as `check_method`, for the `method` that is served.
    """
    outer: tuple[Any, Admission, str] | None = state.get(ADMISSION)
    if outer is None or outer[0].plan is not plan:
        return None
    check_method(outer[2], method)
    return outer[1]
