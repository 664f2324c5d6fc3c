"""`requires` is never without effect: it takes what certainly is an application, and refuses everything that a framework calls."""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.fakes import FakeVerifier
from tests.servers.apps import Handler
from watchword import ConfigurationError, Guard, Rejected, Request
from watchword.servers import asgi, http_server, wsgi
from watchword.servers.http_server.body import Body
from watchword.servers.problem import no_body
from watchword.servers.http_server.exchange import Exchange

WRITE = ("write",)


async def asgi_app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def wsgi_app(environ, start_response):
    start_response("200 OK", [])
    return [b"in"]


def ask_asgi(app: Any, *, scopes: frozenset[str] = frozenset()) -> int:
    """The status for alice, who has `scopes`."""
    sent: list[Any] = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "client": None,
        "headers": [(b"authorization", b"fake alice")],
    }  # fmt: skip
    asyncio.run(asgi.protect(app, Guard([FakeVerifier(scopes=scopes)]))(scope, receive, send))
    return int(sent[0]["status"])


def ask_wsgi(app: Any, *, scopes: frozenset[str] = frozenset()) -> int:
    seen: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": None, "HTTP_AUTHORIZATION": "fake alice"}
    list(wsgi.protect(app, Guard([FakeVerifier(scopes=scopes)]))(environ, lambda status, headers: seen.append(status)))
    return int(seen[0].split()[0])


SIDES = {"asgi": (asgi, asgi_app, ask_asgi), "wsgi": (wsgi, wsgi_app, ask_wsgi)}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Any:
    return SIDES[request.param]


# ---- handlers, in every spelling -------------------------------------------------------------------------------------


def decorator_that_wraps(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class View:
    """A class-based view, and things that a framework makes methods of."""

    def __init__(self, scope: object = None, receive: object = None, send: object = None) -> None: ...

    def get(self, request): ...

    def asgi(self, scope, receive, send): ...

    def wsgi(self, environ, start_response): ...

    @classmethod
    def create(cls, request): ...

    @staticmethod
    def show(request): ...


class Invoked:
    def __call__(self, request): ...


class WSGIView:
    """A class that is a WSGI application by PEP 3333; as a class-based view it looks the same."""

    def __init__(self, environ, start_response): ...

    def __iter__(self):
        return iter(())


def nothing(): ...
def one(request): ...
def two(request, response): ...
def two_of_a_route(user_id, item_id): ...
def three(request, user_id, item_id): ...
def three_of_asgi_in_another_order(receive, scope, send): ...
def with_a_default(scope, receive, send, user_id=1): ...
def wsgi_with_a_default(environ, start_response, user_id=1): ...
def only_by_name(*, scope, receive, send): ...
def wsgi_only_by_name(*, environ, start_response): ...
def anything(*args): ...
def anything_by_name(**kwargs): ...
def nearly(scope, receive, send, **kwargs): ...
def wsgi_nearly(environ, start_response, *args): ...


async def of_fastapi(request, background): ...


HANDLERS: dict[str, Any] = {
    "no parameters": nothing,
    "one parameter": one,
    "two parameters": two,
    "two of a route": two_of_a_route,
    "three parameters": three,
    "another order": three_of_asgi_in_another_order,
    "a parameter more": with_a_default,
    "a parameter more in WSGI": wsgi_with_a_default,
    "by name only": only_by_name,
    "by name only in WSGI": wsgi_only_by_name,
    "any positions": anything,
    "any names": anything_by_name,
    "more names": nearly,
    "more positions in WSGI": wsgi_nearly,
    "a coroutine function": of_fastapi,
    "a lambda": lambda request: request,
    "a partial": functools.partial(three, "request"),
    "a partial of names": functools.partial(three, item_id=1),
    "a partial that is full": functools.partial(one, "request"),
    "a method": View().get,
    "a class method": View.create,
    "a static method": View.show,
    "a function in a class body": View.asgi,
    "a function in a class body, WSGI": View.wsgi,
    "a class-based view": View,
    "a class-based view, WSGI": WSGIView,
    "an instance": Invoked(),
    "a decorated handler": decorator_that_wraps(one),
    "a decorated application": decorator_that_wraps(asgi_app),
    "a decorated WSGI application": decorator_that_wraps(wsgi_app),
    "a builtin without a signature": dict.update,
    "a builtin": len,
    "a string": "write",
    "None": None,
    "a handler's result": 5,
}


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
def test_what_may_be_a_handler_is_a_configuration_error_that_says_what_to_write(side, handler):
    module, _, _ = side
    with pytest.raises(ConfigurationError, match=r"application, which takes \(.*application=True\)"):
        module.requires(*WRITE)(handler)


def test_the_other_protocols_application_is_a_configuration_error():
    with pytest.raises(
        ConfigurationError, match=r"takes \(scope, receive, send\), and wsgi_app takes \(environ, start_resp"
    ):
        asgi.requires(*WRITE)(wsgi_app)
    with pytest.raises(ConfigurationError, match=r"takes \(environ, start_response\), and asgi_app takes \(scope, rec"):
        wsgi.requires(*WRITE)(asgi_app)


class Framework:
    """Calls what was registered, as frameworks do: its decorator gives the handler back."""

    def __init__(self) -> None:
        self.handlers: list[Any] = []

    def route(self, handler: Any) -> Any:
        self.handlers.append(handler)
        return handler


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
@pytest.mark.parametrize("above", [True, False])
def test_in_no_order_of_decorators_a_handler_is_served_without_the_scope(side, handler, above):
    module, _, _ = side
    framework = Framework()
    decorators = [framework.route, module.requires(*WRITE)] if above else [module.requires(*WRITE), framework.route]
    with pytest.raises(ConfigurationError):  # while the program is loaded: no request is ever served
        functools.reduce(lambda decorated, decorator: decorator(decorated), decorators, handler)


# ---- applications, in every spelling ---------------------------------------------------------------------------------


class ASGIApplication:
    async def __call__(self, scope, receive, send):
        await asgi_app(scope, receive, send)

    async def app(self, scope, receive, send):
        await asgi_app(scope, receive, send)


class WSGIApplication:
    def __call__(self, environ, start_response):
        return wsgi_app(environ, start_response)

    def app(self, environ, start_response):
        return wsgi_app(environ, start_response)


async def configured_asgi(status, scope, receive, send):
    await asgi_app(scope, receive, send)


def configured_wsgi(status, environ, start_response):
    return wsgi_app(environ, start_response)


APPLICATIONS: dict[str, dict[str, Any]] = {
    "asgi": {
        "a function": asgi_app,
        "an instance": ASGIApplication(),
        "a method": ASGIApplication().app,
        "a partial": functools.partial(configured_asgi, 200),
        "a guarded one": asgi.protect(asgi_app, Guard([FakeVerifier(scopes=frozenset({"write"}))])),
        "one that requires another scope": asgi.requires("write")(asgi_app),
    },
    "wsgi": {
        "a function": wsgi_app,
        "an instance": WSGIApplication(),
        "a method": WSGIApplication().app,
        "a partial": functools.partial(configured_wsgi, 200),
        "a guarded one": wsgi.protect(wsgi_app, Guard([FakeVerifier(scopes=frozenset({"write"}))])),
        "one that requires another scope": wsgi.requires("write")(wsgi_app),
    },
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kinds in APPLICATIONS.items() for kind in kinds]
)  # fmt: skip
def test_an_application_is_served_with_the_scope_and_not_without(name, kind):
    module, _, ask = SIDES[name]
    app = module.requires(*WRITE)(APPLICATIONS[name][kind])
    assert (ask(app), ask(app, scopes=frozenset(WRITE))) == (403, 200)


def test_whoever_says_that_it_is_an_application_is_believed(side):
    module, app, ask = side
    wrapped = module.requires(*WRITE, application=True)(decorator_that_wraps(app))
    assert (ask(wrapped), ask(wrapped, scopes=frozenset(WRITE))) == (403, 200)


# ---- http.server -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
def test_http_server_takes_methods_only(handler):
    if getattr(handler, "__qualname__", "") in ("View.asgi", "View.wsgi"):  # functions of a class body, with self
        assert http_server.requires(*WRITE)(handler)
        return
    with pytest.raises(ConfigurationError, match="method of a handler class"):
        http_server.requires(*WRITE)(handler)


# ---- identity --------------------------------------------------------------------------------------------------------


def anonymous_asgi() -> Any:
    seen: list[Any] = []

    async def app(scope, receive, send):
        seen.append(scope)

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [], "client": None,
    }  # fmt: skip
    asyncio.run(asgi.protect(app, Guard([FakeVerifier()]), optional=True)(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


def anonymous_wsgi() -> Any:
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": None}
    wsgi.protect(lambda environ, start_response: [], Guard([FakeVerifier()]), optional=True)(environ, None)
    return environ


def anonymous_handler() -> Any:
    guard = Guard([FakeVerifier()])
    handler: Any = object.__new__(http_server.protect(Handler, guard, optional=True))
    handler._exchange = Exchange(handler, guard, Body(io.BytesIO(), None), no_body)
    handler._exchange.body.left = 0
    handler._exchange.admit(guard.admit(Request("GET", "http", "h", "/"), bytes, optional=True))
    return handler


@pytest.mark.parametrize(
    ("module", "anonymous"), [(asgi, anonymous_asgi), (wsgi, anonymous_wsgi), (http_server, anonymous_handler)]
)
def test_an_anonymous_request_has_no_identity_and_only_identity_or_none_says_so(module, anonymous):
    request = anonymous()
    assert module.identity_or_none(request) is None
    with pytest.raises(ConfigurationError, match="identity_or_none"):
        module.identity(request)
    with pytest.raises(ConfigurationError, match="protect"):
        module.identity_or_none(object())


# ---- demand ----------------------------------------------------------------------------------------------------------


def demanding(side: str, *scopes: str) -> Any:
    """An application that demands `scopes` of its own accord, and answers with what it is told."""
    if side == "asgi":

        async def asked(scope, receive, send):
            try:
                who = await asgi.demand(scope, *scopes)
                status, content = 200, who.subject.encode()
            except Rejected as rejected:
                status, content = rejected.refusal.status, b""
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": content})

        return asked

    def answered(environ, start_response):
        try:
            who = wsgi.demand(environ, *scopes)
        except Rejected as rejected:
            start_response(f"{rejected.refusal.status} no", [])
            return [b""]
        start_response("200 OK", [])
        return [who.subject.encode()]

    return answered


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("demanded", "held", "status"),
    [
        ((), (), 200),
        (("write",), ("write", "read"), 200),
        (("write",), ("read",), 403),
        (("write", "read"), ("write",), 403),
    ],
)
def test_demand_lets_through_who_has_every_scope(side: str, demanded: Any, held: Any, status: int) -> None:
    assert SIDES[side][2](demanding(side, *demanded), scopes=frozenset(held)) == status


@pytest.mark.parametrize("side", SIDES)
def test_demand_is_refused_where_no_guard_saw_the_request(side: str) -> None:
    with pytest.raises(ConfigurationError, match="no guard saw this request"):
        answer = SIDES[side][0].demand({"type": "http"}, "write")
        asyncio.run(answer)


def test_a_demand_that_nobody_catches_lets_nobody_in() -> None:
    def careless(environ, start_response):
        wsgi.demand(environ, "write")
        start_response("200 OK", [])
        return [b"in"]

    with pytest.raises(Rejected) as caught:
        ask_wsgi(careless)
    assert caught.value.refusal is not None and caught.value.refusal.status == 403
    assert ask_wsgi(careless, scopes=frozenset(WRITE)) == 200
