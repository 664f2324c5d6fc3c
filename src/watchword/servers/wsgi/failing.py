"""What a WSGI server would say by itself where the application fails, said by the guard: sealed."""

from __future__ import annotations

from collections.abc import Iterable
from traceback import print_exc
from typing import Any

from watchword.core.seal import Failing
from watchword.servers.problem import RefusalBody, no_body
from watchword.servers.wsgi.answer import answer_with
from watchword.servers.wsgi.request import App, Environ, request_of

__all__ = ["failing"]


def failing(app: App, guard: Failing, body: RefusalBody = no_body) -> App:
    """`app`, guarded, where an exception before the answer has begun is a sealed 500; `wsgi.errors` gets the traceback.

    It can't be raised as well: the server would answer by itself (PEP 3333, "Error Handling").
    """

    def sealed(environ: Environ, start_response: Any) -> Iterable[bytes]:
        begun = False

        def noting(*args: Any) -> Any:
            nonlocal begun
            begun = True
            return start_response(*args)

        try:
            return app(environ, noting)
        except Exception:
            if begun:
                raise
            print_exc(file=environ["wsgi.errors"])
            return answer_with(body, environ, guard.failure(request_of(environ)), start_response)

    return sealed
