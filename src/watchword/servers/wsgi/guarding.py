"""Guarding a WSGI application."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from watchword.core.body import check_declared
from watchword.structures.line import ClientGone
from watchword.core.guard import Guard
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.core.answer import Refusal
from watchword.servers.wsgi.admitted import ADMISSION, IDENTITY
from watchword.servers.wsgi.answer import answer
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.exchange import exchange
from watchword.servers.wsgi.failing import failing
from watchword.servers.wsgi.leaving import watch_of
from watchword.servers.wsgi.request import App, Environ, request_of
from watchword.servers.wsgi.taking_back import taking_back

__all__ = ["protect"]


def protect(app: App, guard: Guard, *, optional: bool = False) -> App:
    """An application that answers only requests which `guard` admits.

    `environ["watchword.identity"]` is then their `Identity`.

    Args:
        app: any WSGI application.
        guard: who may pass.
        optional: let requests without credentials through, with the identity None. Wrong credentials never pass.

    Raises:
        ConfigurationError: `guard` is not a `Guard`.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> def app(environ, start_response): ...
    >>> guarded = protect(app, Guard([JWTVerifier(Key.generate("HS256"))]))
    """
    if not isinstance(guard, Guard):
        raise ConfigurationError(
            f"WSGI needs a Guard (with a store that is not async): Guard(verifiers, store), not {type(guard).__name__}"
        )

    def guarded(environ: Environ, start_response: Any) -> Iterable[bytes]:
        body, request = Body(environ), request_of(environ)
        try:
            check_declared(request, math.inf)  # int() reads more than RFC 9110 §8.6 writes: "+5", "1_0"
            admission = guard.admit(request, body.chunk, optional=optional, gone=watch_of(environ))
        except ClientGone:
            refusal = Refusal(503)  # nobody reads it, but WSGI wants an answer
        except Rejected as rejected:
            refusal = rejected.refusal or guard.refuse(rejected, request)
            body.drain(environ)
        except StoreUnavailable as error:
            refusal = error.refusal or Refusal(503)
            body.drain(environ)
        else:
            environ[IDENTITY] = admission.identity
            environ[ADMISSION] = (guard, admission)
            if admission.body is not None:
                environ["wsgi.input"] = io.BytesIO(admission.body)
                environ["wsgi.input_terminated"] = True
                environ["CONTENT_LENGTH"] = str(len(admission.body))
            serve = app
            if admission.seal is not None or admission.stream is not None or admission.response_headers:
                serve = partial(exchange, app, guard, admission, body=body)
            if admission.provisional:
                serve = taking_back(serve, guard, admission)
            return serve(environ, start_response)
        return answer(refusal, start_response)

    return guarded if guard.plan.seal is None else failing(guarded, guard)
