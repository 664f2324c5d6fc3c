"""Drives a WSGI application in process (PEP 3333), as a server in front of it would."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from watchword.core.message import Request
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.asgi_driver import field_lines

__all__ = ["WSGIDriver"]

MOST = 1 << 20
"""So many octets of an answer are read."""


class WSGIDriver:
    """One application."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def start(self) -> None:
        """WSGI has no startup."""

    def close(self) -> None:
        """Nor a shutdown."""

    def send(self, request: Request, body: bytes) -> Answer:
        """The answer to one request."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., Any]:
            started.append((status, headers))
            return written.append

        error = ""
        try:
            content = self._app(self._environ(request, body), start_response)
            try:
                for part in content:
                    written.append(part)
                    if sum(map(len, written)) > MOST:
                        break
            finally:
                close = getattr(content, "close", None)
                if close is not None:
                    close()
        except Exception as failure:  # noqa: BLE001 -- a server answers 500, whatever it was
            error = type(failure).__name__
        if not started:
            return Answer(500, error=error)
        status, headers = started[-1]
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return Answer(int(status.split()[0]), lines, b"".join(written), error)

    def connect(self, request: Request) -> Answer:
        """WSGI has no WebSockets: the handshake is a GET."""
        return self.send(request, b"")

    def _environ(self, request: Request, body: bytes) -> dict[str, Any]:
        path, _, query = request.target.partition(b"?")
        host, _, port = request.authority.partition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "REQUEST_URI": request.target.decode("latin-1"),
            "RAW_URI": request.target.decode("latin-1"),
            "SERVER_NAME": host,
            "SERVER_PORT": port if port.isdigit() else "443" if request.scheme == "https" else "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": request.peer.address,
            "REMOTE_PORT": "50000",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": request.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, octets in field_lines(request, body):
            key = name.decode("latin-1").upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            value = octets.decode("latin-1")
            joined = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{joined}{value}" if key in environ else value
        return environ
