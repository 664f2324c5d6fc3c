"""A flow's own request (for a token), as httpx or httpx2 sends it; and what a flow puts into the caller's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from watchword.clients._exchange import TIMEOUT, Replacements, changes, url_of, waiting
from watchword.clients._httpx_parts import Kit
from watchword.clients._httpx_request import Bare
from watchword.core.message import Request
from watchword.effects import Send

__all__ = ["own_request", "put"]


def put(library: Any, request: Any, bare: Bare, send: Send) -> Replacements:
    """Puts another target and other content into the caller's request, and gives the field lines to replace."""
    target = send.request.target
    if "target" in request.extensions:
        request.extensions = {**request.extensions, "target": target}
    elif target != bare.target or request.url is not bare.url:
        request.url = bare.url.copy_with(raw_path=target)
    replaced = changes(bare, send.request)
    if send.content is not None:
        request.stream = _content_once(library, send.content, request.content)
        replaced |= {b"content-length": [str(len(send.content)).encode()], b"transfer-encoding": []}
    return replaced


def _content_once(library: Any, content: bytes, plain: bytes) -> Any:
    class Content(library.ByteStream):  # type: ignore[misc]
        """Goes out once: who is redirected elsewhere sends the plain body, without the credentials."""

        def __init__(self) -> None:
            super().__init__(plain)
            self._left = [content]

        def _next(self) -> bytes:
            return self._left.pop() if self._left else plain

        def __iter__(self) -> Iterator[bytes]:
            yield self._next()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield self._next()

    return Content()


def own_request(kit: Kit, request: Request, body: bytes, timeouts: Mapping[str, float | None] | None) -> Any:
    """The library's request: it always times out, asks for no encoding, and no redirect takes its lines along."""
    library = kit.module
    waits = timeouts or library.Timeout(TIMEOUT).as_dict()
    waits = {name: waiting(seconds) for name, seconds in waits.items()}
    own = library.Request(request.method, url_of(request), content=body, extensions={"timeout": waits})
    put: Replacements = {b"accept-encoding": [b"identity"]}
    for name, value in own.headers.raw:
        put.setdefault(name.lower(), []).append(value)
    put |= {name: request.values(name) for name, _ in request.headers}
    # Nothing but Host is left to copy for a client that follows redirects.
    host = put.pop(b"host")
    own.headers = kit.headers(library.Headers([(b"Host", value) for value in host]), put)
    own.stream = kit.body(body)
    return own
