"""Guarding a WSGI application."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.guard import Guard
from watchword.servers.judgement import REFUSAL_BODY, admitted
from watchword.servers.problem import RefusalBody, no_body
from watchword.servers.wsgi.admitted import demanding
from watchword.servers.wsgi.answer import answer_with
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.exchange import exchange
from watchword.servers.wsgi.failing import failing
from watchword.servers.wsgi.judging import check_guard, judged
from watchword.servers.wsgi.request import App, Environ, request_of
from watchword.servers.wsgi.taking_back import taking_back

__all__ = ["protect"]


def protect(app: App, guard: Guard, *, optional: bool = False, refusal_body: RefusalBody = no_body) -> App:
    """An application that answers only requests which `guard` admits.

    `environ["watchword.identity"]` is then their `Identity`. Where the same guard is round `app` twice, it judges a request once.

    Args:
        app: any WSGI application.
        guard: who may pass.
        optional: let requests without credentials through, with the identity None. Wrong credentials never pass.
        refusal_body: the media type and the content of a refusal, also of one by `requires` within `app`, by its status; a guard's
            seal covers them. Where one `protect` is inside another, the nearest decides.

    Raises:
        ConfigurationError: `guard` is not a `Guard`.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> def app(environ, start_response): ...
    >>> guarded = protect(app, Guard([JWTVerifier(Key.generate("HS256"))]))
    """
    check_guard(guard)
    plan, again = guard.plan, app if optional else demanding(app, ())

    def guarded(environ: Environ, start_response: Any) -> Iterable[bytes]:
        if admitted(environ, plan, environ["REQUEST_METHOD"]) is not None:
            environ[REFUSAL_BODY] = refusal_body
            return again(environ, start_response)
        body = Body(environ)
        admission = judged(guard, environ, request_of(environ), body, optional)
        if not isinstance(admission, Admission):
            return answer_with(refusal_body, environ, admission.refusal or Refusal(503), start_response)
        environ[REFUSAL_BODY] = refusal_body
        serve = app
        if admission.present:
            serve = partial(exchange, app, guard, admission, body=body, refusal_body=refusal_body)
        if admission.provisional:
            serve = taking_back(serve, guard, admission)
        return serve(environ, start_response)

    if plan.seal is None:
        return guarded
    sealed = failing(guarded, guard, refusal_body)

    def outermost(environ: Environ, start_response: Any) -> Iterable[bytes]:
        return (sealed if admitted(environ, plan, environ["REQUEST_METHOD"]) is None else guarded)(
            environ, start_response
        )

    return outermost
