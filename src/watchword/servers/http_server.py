"""The standard library's http.server: `protect(HandlerClass, guard)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar, TypeVar, cast

from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.admission import Admission
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.core.scheme import Refusal
from watchword.servers._handler_exchange import Exchange
from watchword.servers._handler_request import bare_request_of, request_of

__all__ = ["identity", "protect", "requires"]

Handler = TypeVar("Handler", bound=BaseHTTPRequestHandler)
Method = TypeVar("Method", bound=Callable[..., Any])


def protect(handler: type[Handler], guard: Guard, *, optional: bool = False) -> type[Handler]:
    """A handler class that runs its `do_` methods only for requests which `guard` admits.

    `self.identity` is then their `Identity`. A body is invited (Expect: 100-continue) only once it is wanted.

    Args:
        handler: any subclass of `BaseHTTPRequestHandler`.
        guard: who may pass.
        optional: let requests without credentials through, with the identity None. Wrong credentials never pass.

    Raises:
        ConfigurationError: `guard` is not a `Guard`.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> protect(BaseHTTPRequestHandler, Guard([JWTVerifier(Key.generate("HS256"))])).__name__
    'BaseHTTPRequestHandler'
    """
    if not isinstance(guard, Guard):
        raise ConfigurationError(
            f"http.server needs a Guard, with a store that is not async, not {type(guard).__name__}"
        )
    members = {"_guard": guard, "_optional": optional, "__doc__": handler.__doc__, "__module__": handler.__module__}
    return cast("type[Handler]", type(handler.__name__, (_Guarded, handler), members))


def identity(request: BaseHTTPRequestHandler) -> Identity[Any] | None:
    """Who made the request that this handler answers (None: anonymous); `ConfigurationError` if it is not guarded."""
    return _admitted(request)[1].identity


def requires(*scopes: str) -> Callable[[Method], Method]:
    """Makes a `do_` method demand all of `scopes`; anonymous requests get a 401, others 403.

    >>> class Handler(BaseHTTPRequestHandler):
    ...     @requires("orders:write")
    ...     def do_POST(self): ...
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("requires() takes scopes: @requires('write')")

    def wrap(method: Method) -> Method:
        @wraps(method)
        def checked(handler: Any, *args: Any) -> Any:
            exchange, admission = _admitted(handler)
            rejected = admission.lacking(scopes)
            if rejected is None:
                return method(handler, *args)
            return exchange.answer(exchange.guard.refuse(rejected).response())

        return cast("Method", checked)

    return wrap


def _admitted(handler: object) -> tuple[Exchange, Admission]:
    exchange: Exchange | None = getattr(handler, "_exchange", None)
    if exchange is None or exchange.admission is None:
        raise ConfigurationError("no guard saw this request: serve protect(Handler, guard) instead of Handler")
    return exchange, exchange.admission


class _Guarded(BaseHTTPRequestHandler):
    """Authenticates between the header section and the `do_` method."""

    _guard: ClassVar[Guard]
    _optional: ClassVar[bool]
    identity: Identity | None = None
    _exchange: Exchange | None = None
    _expected: bool = False

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
                self._exchange.finish()
        finally:
            self.rfile, self.wfile = rfile, wfile

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        exchange = self._exchange = Exchange(self, self._guard, super().handle_expect_100 if self._expected else None)
        try:
            admission = self._guard.admit(request_of(self), exchange.chunk, optional=self._optional)
        except Rejected as rejected:
            refusal = rejected.refusal or self._guard.refuse(rejected, bare_request_of(self))
        except StoreUnavailable as error:
            refusal = error.refusal or Refusal(503)
        else:
            exchange.admit(admission)
            self.identity = admission.identity
            return True
        exchange.answer(refusal.response())
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
            self._exchange.fields.append((keyword, str(value)))
        super().send_header(keyword, value)

    def end_headers(self) -> None:
        if self._exchange is None or self._exchange.ending():
            super().end_headers()
            if self._exchange is not None and self._exchange.status < 200:
                self._exchange.status = 0  # it was no answer
