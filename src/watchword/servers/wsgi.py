"""WSGI: `protect(app, guard)` (PEP 3333).

The request target is exact only where the server hands the request line out (`RAW_URI`, `REQUEST_URI`); elsewhere it is
rebuilt from decoded parts. WSGI joins repeated fields with a comma and cannot tell `X_Foo` from `X-Foo`: have the proxy
drop field names with underscores.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

from watchword.core.io import once
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.admission import Admission
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.core.scheme import Refusal
from watchword.servers._wsgi_exchange import App, answer, exchange
from watchword.servers._wsgi_failure import failing
from watchword.servers._wsgi_request import Body, Environ, request_of

__all__ = ["identity", "protect", "requires"]

IDENTITY = "watchword.identity"
ADMISSION = "watchword.admission"


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
        body = Body(environ)
        try:
            admission = guard.admit(request_of(environ), body.chunk, optional=optional)
        except (Rejected, StoreUnavailable) as error:
            refusal = error.refusal or Refusal(503)
            body.drain(environ)
        else:
            environ[IDENTITY] = admission.identity
            environ[ADMISSION] = (guard, admission)
            if admission.body is not None:
                environ["wsgi.input"] = io.BytesIO(admission.body)
                environ["wsgi.input_terminated"] = True
                environ["CONTENT_LENGTH"] = str(len(admission.body))
            if admission.seal is None and admission.stream is None and not admission.response_headers:
                return app(environ, start_response)
            chunk = body.chunk if admission.body is None else once(admission.body)
            return exchange(app, guard, admission, environ, start_response, chunk)
        return answer(refusal, start_response)

    return guarded if guard.plan.seal is None else failing(guarded, guard)


def identity(request: Any) -> Identity[Any] | None:
    """Who made the request: of an environ, or of an object that has one (`request.environ`). None: anonymous.

    Raises:
        ConfigurationError: the application is not guarded.
    """
    return _admitted(request)[1].identity


def requires(*scopes: str) -> Callable[[App], App]:
    """Wraps an application, or a part of it, that demands all of `scopes`; anonymous requests get a 401, others 403.

    Raises:
        ConfigurationError: a scope is not a string, or at a request, the application is not guarded.

    >>> @requires("orders:write")
    ... def app(environ, start_response): ...
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("requires() takes scopes: requires('write')(app)")

    def wrap(app: App) -> App:
        def checked(environ: Environ, start_response: Any) -> Iterable[bytes]:
            guard, admission = _admitted(environ)
            rejected = admission.lacking(scopes)
            if rejected is None:
                return app(environ, start_response)
            # It goes out like any other answer of the application, and is sealed where those are.
            return answer(guard.refuse(rejected)._replace(sealing=None), start_response)

        return checked

    return wrap


def _admitted(request: Any) -> tuple[Guard, Admission]:
    environ = getattr(request, "environ", request)
    try:
        found: tuple[Guard, Admission] = environ[ADMISSION]
    except (KeyError, TypeError):
        raise ConfigurationError("no guard saw this request: wrap the application with protect(app, guard)") from None
    return found
