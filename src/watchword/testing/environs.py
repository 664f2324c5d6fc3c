"""Credentials for the requests of test clients that call a WSGI application in the process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from watchword.clients._exchange import changes, limited
from watchword.core.message import Peer, Request, Response
from watchword.core.rejection import ConfigurationError
from watchword.effects import Auth, Received, Send
from watchword.servers.wsgi.request import Environ, request_of
from watchword.testing.signing import Elsewhere
from watchword.transport.flow import ClientContext, run

__all__ = ["Credentials", "Sent"]

T = TypeVar("T")

_HERE: Final = Peer("127.0.0.1")
"""The application is in this process: no secret travels."""
_UNPREFIXED: Final = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


@dataclass(frozen=True)
class Sent(Generic[T]):
    """What an application answered: to the client half, and as the test client has it.

    Args:
        response: status and fields.
        read: gives the body.
        answer: the test client's own.
    """

    response: Response
    read: Callable[[], bytes]
    answer: T


class Credentials:
    """Puts the credentials of a client half into environs, and answers challenges.

    Args:
        auth: the client half.
        elsewhere: answers its own requests, such as one for a token: `FakeIssuer.answer`.
        clock: its time.
        random: its random octets.
    """

    def __init__(
        self,
        auth: Auth,
        elsewhere: Elsewhere | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._auth, self._elsewhere, self._clock, self._random = auth, elsewhere, clock, random

    def send(self, environ: Mapping[str, Any], call: Callable[[Environ], Sent[T]]) -> T:
        """The last answer to the request of `environ`, which is sent by `call`, with credentials and as often as that takes.

        Raises:
            ConfigurationError: a request of the client half's own that nobody answers.
            CredentialsUnavailable: whoever answered that refused.
        """
        plain = dict(environ)
        body = _body_of(plain)
        plain.setdefault("HTTP_HOST", _host_of(plain))
        seen = request_of(plain)
        bare = Request(seen.method, seen.scheme, seen.authority, seen.target, seen.headers, _HERE)
        last: list[Sent[T]] = []

        def perform(effect: Send) -> Received:
            if effect.body is not None:
                return self._answered_elsewhere(effect)
            sent = call(_put(plain, bare, effect, body))
            last[:] = [sent]
            return _received(effect, sent)

        run(self._auth, bare, perform, ClientContext(lambda: body, now=self._clock, random=self._random))
        return last[0].answer

    def _answered_elsewhere(self, effect: Send) -> Received:
        if self._elsewhere is None:
            raise ConfigurationError(
                f"{effect.request.authority} is asked by the client half itself: say who answers, elsewhere=issuer.answer"
            )
        assert effect.body is not None
        answer = self._elsewhere(effect.request, effect.body)
        return answer._replace(body=limited([answer.body or b""]))


def _received(effect: Send, sent: Sent[Any]) -> Received:
    answer = Received(sent.response, sent=effect.request)
    if not effect.want:
        return answer
    limit = None if effect.head is None else effect.head(answer)
    if effect.head is not None and limit is None:
        return answer
    body = sent.read()
    return answer if limit is not None and len(body) > limit else answer._replace(body=body)


def _put(plain: Environ, bare: Request, effect: Send, body: bytes) -> Environ:
    """The environ of the request as the client half sends it."""
    environ = dict(plain)
    for name, values in changes(bare, effect.request).items():
        key = _UNPREFIXED.get(name, "HTTP_" + name.decode("latin-1").upper().replace("-", "_"))
        environ.pop(key, None)
        if values:
            environ[key] = b", ".join(values).decode("latin-1")
    target = effect.request.target
    environ["REQUEST_URI"] = environ["RAW_URI"] = target.decode("latin-1")
    if target != bare.target:
        path, _, query = target.partition(b"?")
        under = environ.get("SCRIPT_NAME", "")
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1").removeprefix(under)
        environ["QUERY_STRING"] = query.decode("latin-1")
    content = body if effect.content is None else effect.content
    environ["wsgi.input"] = BytesIO(content)
    if content or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(len(content))
    return environ


def _body_of(environ: Environ) -> bytes:
    stream = environ.get("wsgi.input")
    if stream is None:
        return b""
    length = environ.get("CONTENT_LENGTH")
    body: bytes = stream.read(int(length)) if length else stream.read() if environ.get("wsgi.input_terminated") else b""
    return body


def _host_of(environ: Environ) -> str:
    host, port = str(environ.get("SERVER_NAME", "localhost")), str(environ.get("SERVER_PORT", "80"))
    usual = "443" if environ.get("wsgi.url_scheme") == "https" else "80"
    return host if port == usual else f"{host}:{port}"
