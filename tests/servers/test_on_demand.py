"""What an application was asked about inside is freed with its request, by the last reference, and still answers who asks late."""

from __future__ import annotations

import asyncio
import gc
from typing import Any
from weakref import ref

import pytest

from tests.core.fakes import NOTE, AwaitedStore, FakeVerifier, Note, get
from watchword import AsyncGuard, ConfigurationError, Guard, Identity
from watchword.core.admission import Admission
from watchword.servers.asgi import on_demand as asgi
from watchword.servers.judgement import kept
from watchword.servers.starlette.refusing import raised
from watchword.servers.wsgi import on_demand as wsgi

FIELD = b"Fake right"


class Witness:
    """Lives as long as the request that has it."""


async def run_asgi(guard: AsyncGuard, scope: dict[str, Any], *, ask: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if ask:
            await asgi.exchange_of(scope, guard, "").demand()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None: ...

    await asgi.on_demand(app, guard, raised)(scope, receive, send)


def asgi_scope() -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": [(b"authorization", FIELD)]}


def run_wsgi(guard: Guard, environ: dict[str, Any], *, ask: bool) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if ask:
            assert kept(environ, guard.plan).demand().identity is not None
        start_response("204 No Content", [])
        return []

    wsgi.on_demand(app, guard)(environ, lambda *_: None)


def wsgi_environ() -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": None, "HTTP_AUTHORIZATION": FIELD.decode()}


@pytest.fixture
def uncollected():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("ask", [True, False])
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_request_is_freed_without_the_collector(interface, ask):
    guard = Guard([FakeVerifier()])
    state = asgi_scope() if interface == "asgi" else wsgi_environ()
    state["witness"] = witness = Witness()
    seen = ref(witness)
    if interface == "asgi":
        asyncio.run(run_asgi(AsyncGuard.of(guard), state, ask=ask))
    else:
        run_wsgi(guard, state, ask=ask)
    del state, witness
    assert seen() is None


def test_who_asks_after_the_request_hears_what_was_said_and_cannot_have_it_judged():
    guard = AsyncGuard([FakeVerifier()])
    judged, unjudged = asgi_scope(), asgi_scope()

    async def late() -> None:
        await run_asgi(guard, judged, ask=True)
        await run_asgi(guard, unjudged, ask=False)
        exchange = asgi.exchange_of(judged, guard, "")
        assert exchange.identity() is not None
        assert await exchange.demand() == exchange.identity()
        with pytest.raises(Exception, match="403"):
            await exchange.demand(["none has it"])
        with pytest.raises(ConfigurationError, match="before that"):
            await asgi.exchange_of(unjudged, guard, "").demand()

    asyncio.run(late())


def test_what_judges_a_request_does_not_show_its_credentials():
    guard = Guard([FakeVerifier()])
    shown: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        exchange = asgi.exchange_of(scope, AsyncGuard.of(guard), "")
        shown.append(repr(exchange))
        await exchange.demand()
        shown.append(repr(exchange))

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        judge = kept(environ, guard.plan)
        shown.append(repr(judge))
        judge.demand()
        shown.append(repr(judge))
        return []

    asyncio.run(asgi.on_demand(app, AsyncGuard.of(guard), raised)(asgi_scope(), None, None))  # type: ignore[arg-type]
    wsgi.on_demand(wsgi_app, guard)(wsgi_environ(), None)
    assert len(shown) == 4
    assert not [each for each in shown if FIELD.decode() in each]


@pytest.mark.parametrize("fails", [0, 1])
def test_tasks_that_ask_meanwhile_wait_for_the_judgement_and_ask_anew_only_if_none_came_of_it(fails):
    asked = []

    class Moody(AwaitedStore):
        async def fetch(self, refs: Any, /) -> Any:  # type: ignore[override]
            asked.append(refs)
            await asyncio.sleep(0)
            if len(asked) <= fails:
                raise OSError
            return await super().fetch(refs)

    guard = AsyncGuard([FakeVerifier(kinds=(Note,), needs=(NOTE,))], Moody())  # type: ignore[arg-type]
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        exchange = asgi.exchange_of(scope, guard, "")
        heard.extend(await asyncio.gather(*(exchange.demand() for _ in range(4)), return_exceptions=True))

    asyncio.run(asgi.on_demand(app, guard, raised)(asgi_scope(), None, None))  # type: ignore[arg-type]
    assert [type(it) for it in heard] == [OSError] * fails + [Identity] * (4 - fails)
    assert len(asked) == fails + 1


def test_what_needs_no_wait_is_judged_without_a_coroutine():
    guard = AsyncGuard([FakeVerifier()])
    admission = guard.begin(get(authorization=FIELD.decode()), None, False, None)  # type: ignore[arg-type]
    assert isinstance(admission, Admission)
    assert admission.known().subject == "right"
