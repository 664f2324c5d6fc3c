"""Plain WSGI: one application for whoever the guard admits, one for all. Run as a program, it is served by wsgiref."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tests.interop.matrix.sites.answers import HOPS, Arrived, guard
from tests.interop.matrix.sites.wsgi_server import made
from watchword.servers.wsgi import identity_or_none, protect


def answers(environ: Any, start_response: Any) -> Iterable[bytes]:
    arrived, left = Arrived(), int(environ.get("CONTENT_LENGTH") or 0)
    while left and (chunk := environ["wsgi.input"].read(min(left, 65536))):
        arrived.add(chunk)
        left -= len(chunk)
    content = arrived.told(identity_or_none(environ))
    headers = [("Content-Length", str(len(content)))]
    if to := HOPS.get(environ["PATH_INFO"]):
        start_response("307 Temporary Redirect", [*headers, ("Location", to)])
    else:
        start_response("200 OK", headers)
    return [content]


_guard = guard()
guarded, optional = protect(answers, _guard), protect(answers, _guard, optional=True)


def app(environ: Any, start_response: Any) -> Iterable[bytes]:
    return (optional if environ["PATH_INFO"] == "/maybe" else guarded)(environ, start_response)


if __name__ == "__main__":
    made(app, int(sys.argv[1])).serve_forever()
