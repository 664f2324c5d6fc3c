"""The guard's verdict on a request of Django's."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from watchword.core.body import check_declared
from watchword.core.io import done
from watchword.core.rejection import Rejected, StoreUnavailable
from watchword.servers.checked_body import CheckedBody
from watchword.servers.django.incoming import Incoming
from watchword.servers.judgement import Judgement, refused
from watchword.servers.wsgi.leaving import client_has_left
from watchword.structures.line import ClientGone

__all__ = ["Judged", "judged"]


class Judged(NamedTuple):
    """The judgement, the body that is checked as it passes, and what reads on before a refusal."""

    judgement: Judgement
    checked: CheckedBody | None
    drain: Callable[[], None]


async def judged(guard: Any, django_request: Any, optional: bool, awaits: bool) -> Judged:
    """Asks the guard, and puts the body that the view is to read in place of Django's.

    Args:
        guard: one of the colour that is driven.
        django_request: the request.
        optional: admit it without credentials.
        awaits: the guard's methods are awaited.
    """
    incoming = Incoming(django_request)
    request, watch = incoming.request, None if awaits else partial(client_has_left, django_request.META)
    error: Rejected | StoreUnavailable
    try:
        check_declared(request, math.inf)  # int() reads more than RFC 9110 §8.6 writes: "+5", "1_0"
        receive = incoming.achunk if awaits else incoming.chunk
        admission = await done(guard.admit(request, receive, optional=optional, gone=watch))
    except Rejected as rejected:
        rejected.refusal = rejected.refusal or await done(guard.refuse(rejected, request))
        error = rejected
    except StoreUnavailable as unavailable:
        error = unavailable
    except ClientGone:
        error = StoreUnavailable("the client has left")
    else:
        checked = incoming.replay(admission, guard.plan.limits.body)
        if checked is None or checked.failed is None:
            return Judged(Judgement(admission, admission), checked, incoming.drain)
        refusal = await done(guard.refuse(admission.attributed(checked.failed)))
        return Judged(Judgement(admission, refusal=refusal), checked, incoming.drain)
    incoming.drain()
    return Judged(refused(guard.plan, request, error), None, incoming.drain)
