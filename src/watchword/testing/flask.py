"""Flask's test client with credentials: `app.test_client_class = Client`, then `app.test_client(auth=XAuth(…))`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from watchword.core.message import Response
from watchword.core.rejection import not_installed
from watchword.effects import Auth
from watchword.servers.wsgi.request import Environ
from watchword.testing.environs import Credentials, Sent
from watchword.testing.signing import Elsewhere

try:
    from flask.testing import FlaskClient
except ImportError:
    raise not_installed("flask") from None
from werkzeug.datastructures import Headers

__all__ = ["Client"]


class Client(FlaskClient):
    """`FlaskClient` whose requests carry the credentials of a client half, and answer challenges.

    Args:
        auth: the client half; None: as Flask's own.
        elsewhere: answers its own requests, such as one for a token: `FakeIssuer.answer`.
        clock: its time.

    >>> from flask import Flask
    >>> from watchword import BasicAuth
    >>> app = Flask("orders")
    >>> app.test_client_class = Client
    >>> client = app.test_client(auth=BasicAuth("alice", "open sesame"))
    """

    def __init__(
        self,
        *args: Any,
        auth: Auth | None = None,
        elsewhere: Elsewhere | None = None,
        clock: Callable[[], float] = time.time,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._credentials = None if auth is None else Credentials(auth, elsewhere, clock)

    def run_wsgi_app(self, environ: Environ, buffered: bool = False) -> tuple[Iterable[bytes], str, Headers]:
        """As werkzeug's; called for each request, those of redirects too."""
        run = super().run_wsgi_app
        if self._credentials is None:
            return run(environ, buffered)

        def call(given: Environ) -> Sent[tuple[Iterable[bytes], str, Headers]]:
            chunks, status, headers = run(given, buffered)
            kept: list[bytes] = []

            def read() -> bytes:
                kept.extend(chunks)
                return b"".join(kept)

            def rest() -> Iterable[bytes]:
                yield from kept
                yield from chunks

            response = Response(int(status[:3]), list(headers.items()))
            return Sent(response, read, (_Closing(rest(), chunks), status, headers))

        return self._credentials.send(environ, call)


class _Closing:
    """What was read of a body and what is left; closes the application's own."""

    def __init__(self, chunks: Iterable[bytes], theirs: Any) -> None:
        self._chunks, self._theirs = iter(chunks), theirs

    def __iter__(self) -> _Closing:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        if hasattr(self._theirs, "close"):
            self._theirs.close()
