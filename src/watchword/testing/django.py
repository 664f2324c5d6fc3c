"""Django's test client with credentials: `Client(auth=XAuth(…))`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from watchword.core.message import Response
from watchword.core.rejection import not_installed
from watchword.effects import Auth
from watchword.servers.wsgi.request import Environ
from watchword.testing.environs import Credentials, Sent
from watchword.testing.signing import Elsewhere

try:
    import django.test
except ImportError:
    raise not_installed("django") from None

__all__ = ["Client"]


class Client(django.test.Client):
    """`django.test.Client` whose requests carry the credentials of a client half, and answer challenges.

    Args:
        args: as Django's.
        auth: the client half; None: as Django's own.
        elsewhere: answers its own requests, such as one for a token: `FakeIssuer.answer`.
        clock: its time.
        defaults: as Django's.

    >>> from watchword import BasicAuth
    >>> Client(auth=BasicAuth("alice", "open sesame")).defaults
    {}
    """

    def __init__(
        self,
        *args: Any,
        auth: Auth | None = None,
        elsewhere: Elsewhere | None = None,
        clock: Callable[[], float] = time.time,
        **defaults: Any,
    ) -> None:
        super().__init__(*args, **defaults)
        self._credentials = None if auth is None else Credentials(auth, elsewhere, clock)

    def request(self, **request: Any) -> Any:
        """As Django's, which calls it for each request, those of redirects too."""
        send = super().request
        if self._credentials is None:
            return send(**request)

        def call(given: Environ) -> Sent[Any]:
            if "HTTP_COOKIE" not in request:
                given.pop("HTTP_COOKIE", None)  # the cookies of now are put in again
            answer: Any = send(**given)
            read = (lambda: b"".join(answer.streaming_content)) if answer.streaming else (lambda: bytes(answer.content))
            return Sent(Response(answer.status_code, list(answer.headers.items())), read, answer)

        environ: Environ = self._base_environ(**request)  # type: ignore[attr-defined]  # the stubs don't know it
        return self._credentials.send(environ, call)
