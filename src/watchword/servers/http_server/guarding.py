"""Guarding a handler class of http.server."""

from __future__ import annotations

from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.structures.line import ClientGone
from watchword.core.answer import Refusal
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.servers.connections import has_left
from watchword.servers.http_server.body import Body, LengthRequired
from watchword.servers.http_server.exchange import Exchange
from watchword.servers.http_server.lines import Recorder
from watchword.servers.http_server.request import bare_request_of, request_of
from watchword.servers.problem import RefusalBody, no_body

if TYPE_CHECKING:
    from io import BufferedIOBase

__all__ = ["protect"]

Handler = TypeVar("Handler", bound=BaseHTTPRequestHandler)


def protect(
    handler: type[Handler], guard: Guard, *, optional: bool = False, refusal_body: RefusalBody = no_body
) -> type[Handler]:
    """A handler class that runs its `do_` methods only for requests which `guard` admits.

    `self.identity` is then their `Identity`. A body is invited (Expect: 100-continue) only once it is wanted.

    Args:
        handler: any subclass of `BaseHTTPRequestHandler`.
        guard: who may pass.
        optional: let requests without credentials through, with the identity None. Wrong credentials never pass.
        refusal_body: the media type and the content of a refusal, by its status; a guard's seal covers them.

    Raises:
        ConfigurationError: `guard` is not a `Guard`, or guards `handler` already.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> protect(BaseHTTPRequestHandler, Guard([JWTVerifier(Key.generate("HS256"))])).__name__
    'BaseHTTPRequestHandler'
    """
    if not isinstance(guard, Guard):
        raise ConfigurationError(
            f"http.server needs a Guard, with a store that is not async, not {type(guard).__name__}"
        )
    if issubclass(handler, _Guarded):
        raise ConfigurationError(f"{handler.__name__} is guarded already: protect() goes round it once")
    own = {"_guard": guard, "_optional": optional, "_words": (refusal_body,)}
    members = {**own, "__doc__": handler.__doc__, "__module__": handler.__module__}
    return cast("type[Handler]", type(handler.__name__, (_Guarded, handler), members))


class _Guarded(BaseHTTPRequestHandler):
    """Authenticates between the header section and the `do_` method."""

    _guard: ClassVar[Guard]
    _optional: ClassVar[bool]
    _words: ClassVar[tuple[RefusalBody]]
    identity: Identity | None = None
    _exchange: Exchange | None = None
    _expected: bool = False
    raw_requestline: bytes

    def handle_one_request(self) -> None:
        self._exchange = None
        self.identity = None
        self._expected = False
        rfile, wfile = self.rfile, self.wfile
        try:
            try:
                super().handle_one_request()
            except Exception:
                if self._exchange is None or self._exchange.failed is None:
                    raise
            if self._exchange is not None:
                if not self._exchange.head.status:  # no answer: http.server swallows a TimeoutError
                    self._exchange.take_back()
                self._exchange.finish()
        except BaseException:
            if self._exchange is not None:
                self._exchange.take_back()
            raise
        finally:
            self.rfile, self.wfile = rfile, wfile

    def parse_request(self) -> bool:
        rfile = self.rfile
        recorder = Recorder(rfile)
        self.rfile = cast("BufferedIOBase", recorder)
        try:
            if not super().parse_request():
                return False
        finally:
            self.rfile = rfile
        asks = super().handle_expect_100
        body = Body(rfile, (lambda: exchange.head.precede(self, asks)) if self._expected else None)
        exchange = self._exchange = Exchange(self, self._guard, body, self._words[0])
        try:
            request = request_of(self, self.raw_requestline, recorder.lines)
            exchange.body.measure(request)
            gone = partial(has_left, self.connection)
            admission = self._guard.admit(request, exchange.body.chunk, optional=self._optional, gone=gone)
            exchange.admit(admission)
        except ClientGone:
            self.close_connection = True
            return False
        except LengthRequired as rejected:
            refusal = self._guard.refuse(rejected, bare_request_of(self))._replace(status=411)
        except Rejected as rejected:
            refusal = rejected.refusal or self._guard.refuse(rejected, bare_request_of(self))
        except StoreUnavailable as error:
            refusal = error.refusal or Refusal(503)
        else:
            self.identity = admission.identity
            return True
        exchange.refuse(refusal)
        return False

    def handle_expect_100(self) -> bool:
        self._expected = True  # answered once somebody wants the body
        return True

    def send_response_only(self, code: int, message: str | None = None) -> None:
        if self._exchange is not None:
            self._exchange.begin(int(code))
        super().send_response_only(code, message)

    def send_header(self, keyword: str, value: str) -> None:
        if self._exchange is not None:
            self._exchange.head.fields.append((keyword, str(value)))
        super().send_header(keyword, value)

    def end_headers(self) -> None:
        if self._exchange is None or self._exchange.ending():
            if self._exchange is not None and self._exchange.head.status >= 500:
                self._exchange.take_back()
            super().end_headers()
            if self._exchange is not None and self._exchange.head.status < 200:
                self._exchange.head.status = 0  # it was no answer
