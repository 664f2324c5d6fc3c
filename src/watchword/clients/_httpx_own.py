"""A flow's own request (for a token), as httpx or httpx2 sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchword.clients._exchange import TIMEOUT
from watchword.clients._httpx_parts import Kit
from watchword.core.message import Request

__all__ = ["own_request"]


def own_request(kit: Kit, request: Request, body: bytes, timeouts: Mapping[str, float | None] | None) -> Any:
    """The library's request: it always times out, asks for no encoding, and no redirect takes its lines along."""
    library = kit.library
    waits = timeouts or library.Timeout(TIMEOUT).as_dict()
    waits = {name: TIMEOUT if seconds is None else seconds for name, seconds in waits.items()}
    url = f"{request.scheme}://{request.authority}{request.target.decode('latin-1')}"
    own = library.Request(request.method, url, content=body, extensions={"timeout": waits})
    given = {name for name, _ in request.headers}
    lines = [(b"Accept-Encoding", b"identity"), *own.headers.raw]
    lines = [line for line in lines if line[0].lower() not in given] + [(n.title(), v) for n, v in request.headers]
    # Nothing but Host is left to copy for a client that follows redirects.
    own.headers = kit.headers(
        [line for line in lines if line[0].lower() == b"host"],
        [line for line in lines if line[0].lower() != b"host"],
    )
    own.stream = kit.body(body)
    return own
