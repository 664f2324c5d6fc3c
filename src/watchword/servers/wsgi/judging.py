"""The verdict on a WSGI request, in its environ."""

from __future__ import annotations

import io
import math
from functools import partial

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.body import check_declared
from watchword.core.guard import Guard
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.servers.judgement import ADMISSION, IDENTITY
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.leaving import client_has_left
from watchword.servers.wsgi.request import Environ
from watchword.structures.line import ClientGone

__all__ = ["check_guard", "judged"]


def check_guard(guard: object) -> None:
    """Takes a guard that judges in the caller's thread.

    Raises:
        ConfigurationError: it is another.
    """
    if not isinstance(guard, Guard):
        raise ConfigurationError(
            f"WSGI needs a Guard (with a store that is not async): Guard(verifiers, store), not {type(guard).__name__}"
        )


def judged(
    guard: Guard, environ: Environ, request: Request, body: Body, optional: bool
) -> Admission | Rejected | StoreUnavailable:
    """The admission, which `environ` then has, and with it the body that the guard read; else an error with its `refusal`."""
    error: Rejected | StoreUnavailable
    try:
        if environ.get("CONTENT_LENGTH"):
            check_declared(request, math.inf)  # int() reads more than RFC 9110 §8.6 writes: "+5", "1_0"
        gone = partial(client_has_left, environ)
        admission = guard.admit(request, body.chunk, optional=optional, gone=gone)
    except ClientGone:
        error = StoreUnavailable("the client has left")
        error.refusal = Refusal(503)  # nobody reads it, but WSGI wants an answer
        return error
    except Rejected as rejected:
        error = rejected
        error.refusal = rejected.refusal or guard.refuse(rejected, request)
        body.drain(environ)
        return error
    except StoreUnavailable as unavailable:
        body.drain(environ)
        return unavailable
    environ[IDENTITY] = admission.identity
    environ[ADMISSION] = (guard, admission, request.method)
    if admission.body is not None:
        environ["wsgi.input"] = io.BytesIO(admission.body)
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(len(admission.body))
    return admission
