"""A WSGI application behind a session of requests: `session.mount("https://api.example", WSGIAdapter(app))`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from email.message import Message
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from watchword.core.rejection import not_installed
from watchword.servers.wsgi.request import App

try:
    import requests
except ImportError:
    raise not_installed("requests") from None
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

__all__ = ["WSGIAdapter"]


class WSGIAdapter(HTTPAdapter):
    """Sends requests to an application in this process; what it raises is raised to the caller.

    Args:
        app: the application.

    >>> def app(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [environ["HTTP_AUTHORIZATION"].encode()]
    >>> from watchword import BasicAuth
    >>> from watchword.clients.requests import adapt
    >>> with requests.Session() as session:
    ...     session.mount("https://api.example", WSGIAdapter(app))
    ...     session.get("https://api.example/orders", auth=adapt(BasicAuth("a", "b"))).text
    'Basic YTpi'
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """As `HTTPAdapter.send`; time limits, certificates and proxies mean nothing here."""
        said: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exc_info is not None:
                raise exc_info[1].with_traceback(exc_info[2])
            said[:] = [status, headers]
            return written.append

        written: list[bytes] = []
        chunks: Any = self._app(_environ(request), start_response)
        try:
            body = b"".join([*written, *chunks])
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = said
        message = Message()
        for name, value in headers:
            message[name] = value
        response = HTTPResponse(
            BytesIO(b"" if request.method == "HEAD" else body),
            headers=headers,
            status=int(status[:3]),
            reason=status[4:],
            preload_content=False,
            # Where requests looks for cookies.
            original_response=SimpleNamespace(msg=message, isclosed=lambda: True, close=lambda: None),  # type: ignore[arg-type]
        )
        return self.build_response(request, response)

    def close(self) -> None:
        """Nothing is open."""


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(request.url or "")
    target = request.path_url
    path, _, query = target.partition("?")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    content = _content(request.body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method, "SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query, "REQUEST_URI": target, "SERVER_NAME": parts.hostname or "", "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": parts.netloc.rpartition("@")[2],
        "wsgi.version": (1, 0), "wsgi.url_scheme": parts.scheme, "wsgi.input": BytesIO(content), "wsgi.errors": sys.stderr,
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "wsgi.input_terminated": True,
    }  # fmt: skip
    for name, value in request.headers.items():
        key = _text(name).upper().replace("-", "_")
        if key != "TRANSFER_ENCODING":
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = _text(value)
    if content:
        environ["CONTENT_LENGTH"] = str(len(content))
    return environ


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _content(body: Any) -> bytes:
    """The body, whatever requests was given as one."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    if hasattr(body, "read"):
        return _content(body.read())
    parts: Iterable[Any] = body
    return b"".join(_content(part) for part in parts)
