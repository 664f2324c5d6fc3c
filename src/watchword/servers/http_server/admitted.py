"""Inside a guarded handler of http.server: who made the request, and what it may do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http.server import BaseHTTPRequestHandler
from inspect import isfunction, signature
from typing import Any, TypeVar, cast

from watchword.core.admission import Admission
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.http_server.exchange import Exchange

__all__ = ["identity", "identity_or_none", "requires"]

Method = TypeVar("Method", bound=Callable[..., Any])


def identity(request: BaseHTTPRequestHandler) -> Identity[Any]:
    """Who made the request that this handler answers.

    Raises:
        ConfigurationError: the class is not guarded, or lets anonymous requests through and this is one.
    """
    return _admitted(request)[1].known()


def identity_or_none(request: BaseHTTPRequestHandler) -> Identity[Any] | None:
    """`identity`, or None for an anonymous request, which `protect(…, optional=True)` lets through.

    Raises:
        ConfigurationError: the class is not guarded.
    """
    return _admitted(request)[1].identity


def requires(*scopes: str) -> Callable[[Method], Method]:
    """Makes a `do_` method demand all of `scopes`; anonymous requests get a 401, others 403.

    Raises:
        ConfigurationError: a scope is not a string, or what is decorated no method; at a request, the class is not guarded.

    >>> class Handler(BaseHTTPRequestHandler):
    ...     @requires("orders:write")
    ...     def do_POST(self): ...
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("requires() takes scopes: @requires('write')")

    def wrap(method: Method) -> Method:
        if not isfunction(method) or next(iter(signature(method, follow_wrapped=False).parameters), "") != "self":
            raise ConfigurationError(
                "requires() decorates a method of a handler class, whose first parameter is called self, not "
                f"{getattr(method, '__qualname__', type(method).__name__)}"
            )

        @wraps(method)
        def checked(self: Any, *args: Any) -> Any:  # by that name: it may be decorated again
            exchange, admission = _admitted(self)
            rejected = admission.missing_scopes(scopes)
            if rejected is None:
                return method(self, *args)
            return exchange.refuse(exchange.guard.refuse(rejected))

        return cast("Method", checked)

    return wrap


def _admitted(handler: object) -> tuple[Exchange, Admission]:
    exchange: Exchange | None = getattr(handler, "_exchange", None)
    if exchange is None or exchange.admission is None:
        raise ConfigurationError("no guard saw this request: serve protect(Handler, guard) instead of Handler")
    return exchange, exchange.admission
